using System.Collections.Immutable;

namespace Danm.Tests.ApiServer.Http;

/// <summary>The faults in force; the first that matches a request is the one that happens.</summary>
public sealed class FaultInjector
{
    private ImmutableList<Fault> faults = [];

    public Fault Add(Fault fault)
    {
        ImmutableInterlocked.Update(ref faults, f => f.Add(fault));
        return fault;
    }

    public void Clear() => ImmutableInterlocked.Update(ref faults, f => f.Clear());

    internal Fault? Next(RequestRecord request) => faults.FirstOrDefault(f => f.Take(request));
}
