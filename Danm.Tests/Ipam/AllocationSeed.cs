using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Ipam;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Ipam;

/// <summary>Puts allocations into a server's store without a request: a million in half a minute.</summary>
internal static class AllocationSeed
{
    /// <summary>Each claim holds its address from now on.</summary>
    public static void Load(ApiStore store, IEnumerable<(AddressClaim Claim, IPAddress Address)> allocations) =>
        store.Load(ApiNames.GroupVersion, ApiNames.IPAllocation, allocations.Select(a =>
            (JsonObject)JsonNode.Parse(JsonSerializer.SerializeToUtf8Bytes(a.Claim.ToObject(a.Address), ApiJson.Default.IPAllocation))!));
}
