using System.Runtime.InteropServices;
using System.Text;
using Danm.Cni;
using Microsoft.Win32.SafeHandles;

namespace Danm.Calls;

/// <summary>One line a fact, in the log file of the node: time, level, message, then key=value. Written whole, so that lines of parallel calls never mix.</summary>
internal sealed partial class CallLog(CniRequest request)
{
    private const int O_WRONLY = 1, O_CREAT = 0x40, O_APPEND = 0x400, O_CLOEXEC = 0x80000;

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
            Append(request.Config.LogFile, bytes);
        }
        catch (IOException)
        {
            using var stderr = Console.OpenStandardError();
            stderr.Write(bytes);
        }
    }

    // Not FileMode.Append: that writes at where the end was when the file was opened, over what another process has added since.
    private static void Append(string path, ReadOnlySpan<byte> bytes)
    {
        var fd = open(path, O_WRONLY | O_APPEND | O_CREAT | O_CLOEXEC, 0x1A0 /* 0640 */);
        if (fd < 0)
            throw new IOException($"open \"{path}\": {Marshal.GetPInvokeErrorMessage(Marshal.GetLastPInvokeError())}");
        using var handle = new SafeFileHandle(fd, ownsHandle: true);
        using var file = new FdStream(fd);
        file.Write(bytes);
    }

    private static void Append(StringBuilder line, string key, string? value)
    {
        if (!string.IsNullOrEmpty(value))
            line.Append(' ').Append(key).Append("=\"").Append(Clean(value)).Append('"');
    }

    private static string Clean(string text) => CniText.Clean(text, 2048).Replace("\\", "\\\\").Replace("\"", "\\\"");

    [LibraryImport("libc", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int open(string path, int flags, uint mode);
}
