namespace Danm.Cli;

/// <summary>
/// The spellings of Go's flag package, which the original's manifests use, turned into ours: long flags with one dash
/// (<c>-version</c>, <c>-x=v</c>) get two, up to <c>--</c>. Go's flags end at the first word that is none, which no manifest relies on: a
/// word here may be the value of the flag before it.
/// </summary>
internal static class GoFlags
{
    /// <summary>The arguments in our spelling.</summary>
    /// <param name="args">The arguments as given.</param>
    /// <param name="names">The long flags that may be written with one dash, without dashes.</param>
    public static string[] Normalise(ReadOnlySpan<string> args, params ReadOnlySpan<string> names)
    {
        var normalised = args.ToArray();
        foreach (ref var argument in normalised.AsSpan())
        {
            if (argument == "--")
                break;
            if (argument.Length > 1 && argument[0] == '-' && argument[1] != '-' && names.Contains(NameOf(argument)))
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
