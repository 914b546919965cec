using System.Text;
using Danm.Cni;

namespace Danm.Cli;

/// <summary>
/// Standard output and error for people. Not the runtime's own console: at its first word that switches a terminal's keypad to another
/// mode, and leaves it there.
/// </summary>
internal static class Terminal
{
    /// <summary>Standard output.</summary>
    public static TextWriter Output { get; } = Open(new FdStream(1));

    /// <summary>Standard error.</summary>
    public static TextWriter Error { get; } = Open(new FdStream(2));

    /// <summary>Whether what is written there may have colours: only on a terminal, and if nobody says NO_COLOR (no-color.org).</summary>
    public static bool HasColours(TextWriter output) =>
        output == Output && !Console.IsOutputRedirected
        && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR"))
        && Environment.GetEnvironmentVariable("TERM") is { Length: > 0 } and not "dumb";

    private static StreamWriter Open(Stream stream)
    {
        // What the locale says, without a byte order mark.
        var encoding = Console.OutputEncoding;
        return new StreamWriter(stream, encoding.CodePage == Encoding.UTF8.CodePage ? new UTF8Encoding(false) : encoding) { AutoFlush = true };
    }
}
