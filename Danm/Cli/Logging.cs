using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Console;

namespace Danm.Cli;

/// <summary>The log of the long-lived modes: standard error, a line a fact, times in UTC.</summary>
internal static class Logging
{
    private const string Time = "yyyy-MM-ddTHH:mm:ss.fffZ ";

    public static ILoggerFactory ToConsole(bool json, LogLevel least) => LoggerFactory.Create(builder =>
    {
        builder.SetMinimumLevel(least);
        builder.AddConsole(o => o.LogToStandardErrorThreshold = LogLevel.Trace);
        if (json)
        {
            builder.AddJsonConsole(o => (o.TimestampFormat, o.UseUtcTimestamp) = (Time.TrimEnd(), true));
        }
        else
        {
            builder.AddSimpleConsole(o => (o.TimestampFormat, o.UseUtcTimestamp, o.SingleLine, o.ColorBehavior) = (Time, true, true, LoggerColorBehavior.Disabled));
        }
    });
}
