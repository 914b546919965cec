using System.Text;
using Danm.Cni;

namespace Danm.Attach;

/// <summary>One line a fact, in the log file of the node: time, level, message, then key=value. Written whole, so that lines of parallel calls never mix.</summary>
internal sealed class AttachLog(CniRequest request)
{
    private readonly long start = Environment.TickCount64;

    public void Debug(string message, params ReadOnlySpan<(string Key, string? Value)> facts) => Write(NetConfLogLevel.Debug, message, facts);

    public void Info(string message, params ReadOnlySpan<(string Key, string? Value)> facts) => Write(NetConfLogLevel.Info, message, facts);

    public void Warning(string message, params ReadOnlySpan<(string Key, string? Value)> facts) => Write(NetConfLogLevel.Warning, message, facts);

    public void Error(string message, params ReadOnlySpan<(string Key, string? Value)> facts) => Write(NetConfLogLevel.Error, message, facts);

    private void Write(NetConfLogLevel level, string message, ReadOnlySpan<(string Key, string? Value)> facts)
    {
        if (level < request.Config.LogLevel)
            return;
        var line = new StringBuilder(256);
        line.Append(DateTime.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ")).Append(' ').Append(level.ToString().ToLowerInvariant());
        line.Append(" \"").Append(Clean(message)).Append('"');
        Append(line, "command", request.Command.ToString().ToUpperInvariant());
        Append(line, "container", request.ContainerId);
        Append(line, "pod", request.Args.PodName is { } pod ? $"{request.Args.PodNamespace}/{pod}" : null);
        foreach (var (key, value) in facts)
            Append(line, key, value);
        Append(line, "ms", (Environment.TickCount64 - start).ToString());
        line.Append('\n');
        var bytes = Encoding.UTF8.GetBytes(line.ToString());
        try
        {
            using var file = new FileStream(request.Config.LogFile, new FileStreamOptions
            {
                Mode = FileMode.Append,
                Access = FileAccess.Write,
                Share = FileShare.ReadWrite,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.GroupRead,
            });
            file.Write(bytes);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or ArgumentException or NotSupportedException)
        {
            using var stderr = Console.OpenStandardError();
            stderr.Write(bytes);
        }
    }

    private static void Append(StringBuilder line, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            line.Append(' ').Append(key).Append("=\"").Append(Clean(value)).Append('"');
    }

    private static string Clean(string text) => CniText.Clean(text, 2048).Replace("\\", "\\\\").Replace("\"", "\\\"");
}
