using System.Net;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Services;

/// <summary>The addresses of Services, out of one range a family.</summary>
internal sealed class ClusterAddresses(ObjectStore store)
{
    private static readonly (string Family, IPNetwork Range)[] Ranges = [("IPv4", IPNetwork.Parse("10.96.0.0/16")), ("IPv6", IPNetwork.Parse("fd00:10:96::/112"))];

    // The first address of a range is that of the Service kubernetes, which every cluster has.
    private readonly int[] last = [1, 1];

    /// <summary>One for each family that is decided on; those that are there already are checked.</summary>
    public void Give(JsonObject spec, JsonObject? old, List<FieldError> errors)
    {
        var (given, kept) = (spec["clusterIPs"].Strings(), old?["clusterIPs"].Strings() ?? []);
        var families = spec["ipFamilies"].Strings();
        var addresses = new string[families.Length];
        for (var i = 0; i < families.Length; i++)
        {
            addresses[i] = i < given.Length ? given[i] : Next(families[i]);
            if (i < given.Length && !kept.Contains(given[i]) && Trouble(families[i], given[i]) is { } why)
                errors.Add(FieldError.Invalid("spec.clusterIPs", spec["clusterIPs"], $"failed to allocate IP {given[i]}: {why}"));
        }

        spec["clusterIPs"] = new JsonArray([.. addresses.Select(a => (JsonNode)a)]);
        spec["clusterIP"] = addresses[0];
    }

    private string? Trouble(string family, string text)
    {
        var (range, address) = (Ranges.Single(r => r.Family == family).Range, IPAddress.Parse(text));
        if (!range.Contains(address) || address.Equals(range.BaseAddress))
            return $"the provided IP ({text}) is not in the valid range. The range of valid IPs is {range}";
        return address.Equals(Add(range.BaseAddress, 1)) || IsTaken(address) ? "provided IP is already allocated" : null;
    }

    private string Next(string family)
    {
        var index = Array.FindIndex(Ranges, r => r.Family == family);
        for (var tries = 0; tries < ushort.MaxValue; tries++)
        {
            last[index] = last[index] % (ushort.MaxValue - 1) + 1;
            var address = Add(Ranges[index].Range.BaseAddress, last[index]);
            if (last[index] > 1 && !IsTaken(address))
                return address.ToString();
        }

        throw StatusException.Internal("failed to allocate a serviceIP: range is full");
    }

    /// <summary>A look at the stored text first: it would take long to read thousands of Services for each that is made.</summary>
    private bool IsTaken(IPAddress address)
    {
        var quoted = Encoding.UTF8.GetBytes($"\"{address}\"");
        return store.Table(BuiltInTypes.Service).Objects.Any(s => s.Utf8.AsSpan().IndexOf(quoted) >= 0
            && s.Parse().At("spec", "clusterIPs").Strings().Any(a => IPAddress.TryParse(a, out var taken) && taken.Equals(address)));
    }

    private static IPAddress Add(IPAddress start, int number)
    {
        var bytes = start.GetAddressBytes();
        (bytes[^2], bytes[^1]) = ((byte)(number >> 8), (byte)number);
        return new IPAddress(bytes);
    }
}
