using Danm.Api;
using Danm.Kube.Events;
using Danm.Kube.Watching;
using Danm.Svcwatcher.Selection;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>Says what is wrong with Services: each thing once, in the log and as an Event of the Service, and again before Events are forgotten.</summary>
internal sealed class ServiceReport(EventRecorder events, ILogger log, TimeProvider clock)
{
    /// <summary>After how long what still holds is said again; the API server forgets Events after an hour.</summary>
    public static readonly TimeSpan Again = TimeSpan.FromMinutes(30);

    private readonly Lock gate = new();
    private readonly Dictionary<ObjectKey, (IReadOnlyList<ServiceFault> Faults, DateTimeOffset Said)> told = [];

    /// <summary>Takes what is wrong with a Service now.</summary>
    public void Tell(Service service, IReadOnlyList<ServiceFault> faults)
    {
        var key = ObjectKey.Of(service);
        lock (gate)
        {
            var now = clock.GetUtcNow();
            if (faults.Count == 0)
            {
                told.Remove(key);
                return;
            }

            var isKnown = told.TryGetValue(key, out var before) && before.Faults.SequenceEqual(faults);
            if (isKnown && now - before.Said < Again)
                return;
            told[key] = (faults, now);
            foreach (var fault in faults)
            {
                if (!isKnown)
                    log.IsFaulty(key, fault.Message);
                events.Warn(new ObjectReference { ApiVersion = "v1", Kind = "Service", Namespace = key.Namespace, Name = key.Name, Uid = service.Metadata.Uid }, fault.Reason, fault.Message);
            }
        }
    }

    /// <summary>The Service is gone.</summary>
    public void Forget(ObjectKey service)
    {
        lock (gate)
            told.Remove(service);
    }
}
