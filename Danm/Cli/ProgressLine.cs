namespace Danm.Cli;

/// <summary>A line on the terminal's standard error that counts, for what takes its time; nothing elsewhere.</summary>
/// <param name="what">What is counted.</param>
/// <param name="isWanted">Whether nothing else is written to the terminal meanwhile.</param>
internal sealed class ProgressLine(string what, bool isWanted = true) : IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    private readonly bool isShown = isWanted && !Console.IsErrorRedirected;
    private readonly long start = Environment.TickCount64;
    private long last;
    private bool written;

    public void Show(long count)
    {
        var now = Environment.TickCount64;
        // What is done at once needs no progress.
        if (!isShown || now - start < 500 || now - last < Pause.TotalMilliseconds)
            return;
        last = now;
        written = true;
        Terminal.Error.Write($"\r{count:N0} {what}");
    }

    public void Dispose()
    {
        if (written)
            Terminal.Error.Write("\r\u001b[K");
        written = false;
    }
}
