using System.Text.Json;
using Danm.Attach;
using Danm.Cni;
using Danm.Ipam;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Cli;

/// <summary>Shows a plan: a table for people, JSON or YAML for programs.</summary>
internal static class PlanWriter
{
    public static void Write(TextWriter output, string format, PodSandbox sandbox, IReadOnlyList<Attachment> plan) =>
        OutputFormat.Write(output, format, json => WriteJson(json, sandbox, plan), () => WriteTable(output, plan));

    private static void WriteTable(TextWriter output, IReadOnlyList<Attachment> plan)
    {
        var table = new TextTable("INTERFACE", "NETWORK", "TYPE", "PARENT", "IPV4", "IPV6", "MTU");
        foreach (var a in plan)
        {
            table.Add(
                a.Interface, a.Network.Ref.ToString(), TypeOf(a), a.Parent is { } p ? p.Name : "<none>",
                Address(a, a.IPv4, a.Request.IPv4), Address(a, a.IPv6, a.Request.IPv6), a.Network.Spec.Options.Mtu is > 0 and var mtu ? $"{mtu}" : "<parent's>");
        }

        table.WriteTo(output);
        foreach (var a in plan)
        {
            var routes = RoutesOf(a);
            foreach (var route in routes.Main)
                output.WriteLine($"{a.Interface}: route {route.Destination} via {route.Gateway}");
            foreach (var route in routes.Policy)
                output.WriteLine($"{a.Interface}: route {route.Destination} via {route.Gateway} in table {routes.Table}, for packets from its own address");
            foreach (var plugin in PluginsOf(a))
                output.WriteLine($"{a.Interface}: plugin {plugin.Type} with {CniText.Clean(plugin.Config, 65536)}");
            foreach (var warning in a.Warnings.Concat(routes.Warnings))
                output.WriteLine($"{a.Interface}: warning: {CniText.Clean(warning, 1000)}");
        }
    }

    private static void WriteJson(Utf8JsonWriter json, PodSandbox sandbox, IReadOnlyList<Attachment> plan)
    {
        json.WriteStartObject();
        json.WriteString("namespace", sandbox.Namespace);
        json.WriteString("pod", sandbox.Name);
        json.WriteStartArray("interfaces");
        foreach (var attachment in plan)
            Write(json, attachment);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, Attachment a)
    {
        var routes = RoutesOf(a);
        json.WriteStartObject();
        json.WriteString("name", a.Interface);
        json.WriteString("network", a.Network.Ref.ToString());
        json.WriteString("type", TypeOf(a));
        if (a.Parent is { } parent)
            json.WriteString("parent", parent.Name);
        json.WriteString("ipv4", Address(a, a.IPv4, a.Request.IPv4));
        json.WriteString("ipv6", Address(a, a.IPv6, a.Request.IPv6));
        json.WriteStartArray("routes");
        foreach (var route in routes.Main)
            Write(json, route, null);
        foreach (var route in routes.Policy)
            Write(json, route, routes.Table);
        json.WriteEndArray();
        json.WriteStartArray("plugins");
        foreach (var plugin in PluginsOf(a))
            json.WriteRawValue(plugin.Config);
        json.WriteEndArray();
        json.WriteStartArray("warnings");
        foreach (var warning in a.Warnings.Concat(routes.Warnings))
            json.WriteStringValue(warning);
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, GatewayRoute route, uint? table)
    {
        json.WriteStartObject();
        json.WriteString("destination", route.Destination.ToString());
        json.WriteString("gateway", route.Gateway.ToString());
        if (table is { } number)
            json.WriteNumber("table", number);
        json.WriteEndObject();
    }

    private static string TypeOf(Attachment a) => a.Delegate is { } plan ? string.Join(',', plan.List.Plugins.Select(p => p.Type)) : NetworkTypes.Ipvlan;

    private static string Address(Attachment a, FirstTries? tries, IPRequest asked) => tries switch
    {
        { Claim.Static: { } address } => $"{address}/{tries.Claim.Pool.Subnet.PrefixLength}",
        not null => $"one of {tries.Claim.Pool}",
        null when a.Delegate is { Ipam: Attach.Delegation.IpamSource.Delegate } => "<the plugin's>",
        _ => asked.Kind == IPRequestKind.None ? "none" : "<none>",
    };

    // With the addresses that ADD would try first.
    private static IReadOnlyList<PluginRecord> PluginsOf(Attachment a) =>
        a.Delegate?.Compose([.. new[] { a.IPv4, a.IPv6 }.OfType<FirstTries>().Select(t => t.First).OfType<CidrAddress>()]).Plugins ?? [];

    // As they will be once the addresses that are asked for are there.
    private static RoutePlan RoutesOf(Attachment a) => RoutePlan.Of(a.Network, a.Request, a.IPv4 is not null, a.IPv6 is not null);
}
