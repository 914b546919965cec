using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Services;

/// <summary>The ports of nodes that Services are reached at from outside. One port is one Service's, whatever the protocol.</summary>
internal sealed class NodePorts(ObjectStore store)
{
    private const int First = 30_000, Last = 32_767;

    private int last = First - 1;

    public void Give(JsonObject spec, JsonObject? old, List<FieldError> errors)
    {
        var ports = GoFields.Objects(spec["ports"]).ToArray();
        var kept = GoFields.Objects(old?["ports"]).Where(p => p.ContainsKey("nodePort")).ToDictionary(p => p["name"].String() ?? "", NumberOf);
        if (old is not null && Needs(old))
            Keep(spec, ports, kept);
        var seen = new HashSet<string>();
        foreach (var (port, index) in ports.Select((p, i) => (p, i)).Where(p => p.p.ContainsKey("nodePort")))
        {
            var number = NumberOf(port);
            var path = $"spec.ports[{index}].nodePort";
            if (!seen.Add($"{port["protocol"]} {number}"))
                errors.Add(FieldError.Duplicate(path, number));
            else if (number is < First or > Last)
                errors.Add(FieldError.Invalid(path, number, $"provided port is not in the valid range. The range of valid ports is {First}-{Last}"));
            else if (!kept.ContainsValue(number) && IsTaken(number))
                errors.Add(FieldError.Invalid(path, number, "provided port is already allocated"));
        }

        if (errors.Count > 0 || !Needs(spec))
            return;
        foreach (var port in ports.Where(p => !p.ContainsKey("nodePort")))
        {
            // One number for both, where a service is offered over UDP and TCP.
            var twin = ports.FirstOrDefault(p => p.ContainsKey("nodePort") && JsonNode.DeepEquals(p["port"], port["port"]));
            port["nodePort"] = twin is null ? Next() : NumberOf(twin);
        }
    }

    private static bool Needs(JsonObject spec) => spec["type"].String() == "NodePort"
        || spec["type"].String() == "LoadBalancer" && spec["allocateLoadBalancerNodePorts"]?.GetValue<bool>() != false;

    /// <summary>What is not named any more stays, and goes with the type that it was given for.</summary>
    private static void Keep(JsonObject spec, JsonObject[] ports, Dictionary<string, int> kept)
    {
        foreach (var port in ports)
        {
            var hadOne = kept.TryGetValue(port["name"].String() ?? "", out var number);
            if (hadOne && Needs(spec))
                port["nodePort"] ??= number;
            else if (hadOne && spec["type"].String() == "ClusterIP" && port.ContainsKey("nodePort") && NumberOf(port) == number)
                port.Remove("nodePort");
        }
    }

    private int Next()
    {
        for (var tries = First; tries <= Last; tries++)
        {
            last = last == Last ? First : last + 1;
            if (!IsTaken(last))
                return last;
        }

        throw StatusException.Internal("failed to allocate a nodePort: range is full");
    }

    private bool IsTaken(int number)
    {
        var text = Encoding.UTF8.GetBytes($"\"nodePort\":{number}");
        return store.Table(BuiltInTypes.Service).Objects.Any(s => s.Utf8.AsSpan().IndexOf(text) >= 0
            && GoFields.Objects(s.Parse().At("spec", "ports")).Any(p => p.ContainsKey("nodePort") && NumberOf(p) == number));
    }

    private static int NumberOf(JsonObject port) => (int)SchemaValidator.AsInteger((JsonValue)port["nodePort"]!)!;
}
