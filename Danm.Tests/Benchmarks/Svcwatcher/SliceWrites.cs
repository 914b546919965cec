using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.Benchmarks.Svcwatcher;

/// <summary>The writes of EndpointSlices, at the moment when the API server has their requests.</summary>
internal sealed class SliceWrites
{
    private readonly Lock gate = new();
    private readonly List<(string? Slice, TimeSpan At)> all = [];
    private TaskCompletionSource next = NewSource();

    public SliceWrites(EmbeddedApiServer server) => server.Faults.Add(new Fault(See));

    /// <summary>The slices' names, null for one that is made, and when; of the server's clock.</summary>
    public (string? Slice, TimeSpan At)[] All
    {
        get
        {
            lock (gate)
                return [.. all];
        }
    }

    /// <summary>Forgets them.</summary>
    public void Clear()
    {
        lock (gate)
        {
            all.Clear();
            next = NewSource();
        }
    }

    /// <summary>Waits for the first one since <see cref="Clear"/>.</summary>
    public async Task<TimeSpan> FirstAsync(TimeSpan patience)
    {
        Task some;
        lock (gate)
            some = next.Task;
        await some.WaitAsync(patience);
        return All[0].At;
    }

    // It sees every request, and is never a fault.
    private bool See(RequestRecord request)
    {
        if (request.Resource != "endpointslices" || request.Verb is not ("create" or "update" or "patch" or "delete"))
            return false;
        lock (gate)
        {
            all.Add((request.Name, request.Started));
            next.TrySetResult();
        }

        return false;
    }

    private static TaskCompletionSource NewSource() => new(TaskCreationOptions.RunContinuationsAsynchronously);
}
