namespace Danm.Tests.ApiServer.Http;

/// <summary>What goes wrong, for the first <see cref="Count"/> requests that match.</summary>
public sealed class Fault(Predicate<RequestRecord> matches)
{
    private int remaining = int.MaxValue;

    public int Count { get => remaining; init => remaining = value; }

    public TimeSpan Delay { get; init; }

    /// <summary>
    /// Awaited once the request is read; then the work is done even if the client is gone: a write that commits late.
    /// </summary>
    public Func<Task>? Hold { get; init; }

    /// <summary>Answered instead of doing the work.</summary>
    public StatusException? Answer { get; init; }

    /// <summary>Sent instead of the answer, with status 200.</summary>
    public ReadOnlyMemory<byte>? Body { get; init; }

    /// <summary>The connection is reset before anything was done.</summary>
    public bool DropBefore { get; init; }

    /// <summary>The connection is reset after the work was done: the client cannot know.</summary>
    public bool DropAfter { get; init; }

    /// <summary>Called once the work is done; then the connection is reset, with nothing of the answer sent.</summary>
    public Action? Committed { get; init; }

    public int Hits => hits;

    private int hits;

    internal bool Take(RequestRecord request)
    {
        if (!matches(request) || Interlocked.Decrement(ref remaining) < 0)
            return false;
        Interlocked.Increment(ref hits);
        return true;
    }

    public static StatusException TooManyRequests(TimeSpan retryAfter) =>
        new(429, "TooManyRequests", "Too many requests, please try again later.") { RetryAfter = retryAfter };

    public static StatusException InternalError(string message = "injected fault") => new(500, "InternalError", $"Internal error occurred: {message}");

    public static StatusException Conflict() => new(409, "Conflict", "Operation cannot be fulfilled: injected conflict");

    public static Predicate<RequestRecord> On(string? verb, string? resource = null, string? name = null) =>
        r => (verb is null || r.Verb == verb) && (resource is null || r.Resource == resource) && (name is null || r.Name == name);
}
