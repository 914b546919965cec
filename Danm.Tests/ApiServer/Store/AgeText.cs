using System.Text;

namespace Danm.Tests.ApiServer.Store;

/// <summary>Ages at one moment: of a long table most rows have the same.</summary>
public sealed class AgeText(DateTimeOffset now)
{
    private long last = long.MinValue;
    private byte[] text = [];

    public ReadOnlySpan<byte> Since(DateTimeOffset then)
    {
        var seconds = (now - then).Ticks / TimeSpan.TicksPerSecond;
        if (seconds != last)
            (last, text) = (seconds, Encoding.UTF8.GetBytes(HumanDuration.Format(now - then)));
        return text;
    }
}
