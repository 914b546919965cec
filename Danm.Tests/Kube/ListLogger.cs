using Microsoft.Extensions.Logging;

namespace Danm.Tests.Kube;

/// <summary>Keeps what is logged: <c>Warning: text</c>, with the exception's type where there is one.</summary>
internal sealed class ListLogger : ILogger
{
    private readonly List<string> lines = [];

    public string[] Lines
    {
        get
        {
            lock (lines)
                return [.. lines];
        }
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (lines)
            lines.Add($"{logLevel}: {formatter(state, exception)}{(exception is null ? "" : $" ({exception.GetType().Name}: {exception.Message})")}");
    }
}
