using System.Collections.Concurrent;
using System.Net;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>What kube-proxy is to a cluster: where Services are reached, each new connection at the next endpoint in turn.</summary>
public sealed class ServiceEndpoints
{
    private readonly ConcurrentDictionary<string, Service> services = new();

    /// <summary>Replaces a Service's endpoints; connections that are open stay, as they do under kube-proxy.</summary>
    /// <param name="service"><c>namespace/name</c>.</param>
    public void Set(string service, params IPEndPoint[] endpoints) => services[service] = new Service(endpoints);

    /// <returns>Null if the Service is unknown or nothing stands behind it.</returns>
    public IPEndPoint? Next(string service) => services.TryGetValue(service, out var known) ? known.Next() : null;

    private sealed class Service(IPEndPoint[] endpoints)
    {
        private uint turn;

        public IPEndPoint? Next() => endpoints.Length == 0 ? null : endpoints[(Interlocked.Increment(ref turn) - 1) % (uint)endpoints.Length];
    }
}
