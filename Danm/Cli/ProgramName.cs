namespace Danm.Cli;

/// <summary>The names that links to this executable have, as the original's separate programs were called.</summary>
internal static class ProgramName
{
    /// <summary>What kubectl looks for to run <c>kubectl danm</c>.</summary>
    public const string KubectlPlugin = "kubectl-danm";

    /// <summary>The file name in <c>argv[0]</c>; any unknown one means danm, so that it may be installed as danm-1.2 too.</summary>
    public static string Of(ReadOnlySpan<string> argv)
    {
        if (argv.IsEmpty)
            return "danm";
        var path = argv[0];
        return path[(path.LastIndexOf('/') + 1)..];
    }
}
