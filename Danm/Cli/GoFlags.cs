namespace Danm.Cli;

/// <summary>
/// The spellings of Go's flag package, which the original's manifests use, turned into ours: long flags with one dash
/// (<c>-version</c>, <c>-x=v</c>) get two. As in Go, flags end at the first word that is none; a program's name before them does not count.
/// </summary>
internal static class GoFlags
{
    /// <summary>The arguments in our spelling.</summary>
    /// <param name="args">The arguments as given.</param>
    /// <param name="names">The long flags that may be written with one dash, without dashes.</param>
    public static string[] Normalise(ReadOnlySpan<string> args, params ReadOnlySpan<string> names)
    {
        var normalised = args.ToArray();
        foreach (ref var argument in normalised.AsSpan()[(args is [{ Length: > 0 } name, ..] && name[0] != '-' ? 1 : 0)..])
        {
            if (argument.Length < 2 || argument[0] != '-' || argument == "--")
                break;
            if (argument[1] != '-' && names.Contains(NameOf(argument)))
                argument = "-" + argument;
        }

        return normalised;
    }

    private static string NameOf(string argument)
    {
        var equals = argument.IndexOf('=');
        return equals < 0 ? argument[1..] : argument[1..equals];
    }
}
