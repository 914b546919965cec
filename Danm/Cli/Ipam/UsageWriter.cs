using System.Text.Json;
using Danm.Api;
using Danm.Ipam.Usage;

namespace Danm.Cli.Ipam;

/// <summary>Shows how pools are used, in the form that was asked for.</summary>
internal sealed class UsageWriter(TextWriter output, string format, bool headers)
{
    public OwnerList BeginOwners() => new(output, format, headers);

    public void Write(UsageReport report, bool isOne) => OutputFormat.Write(
        output, format, json => WriteJson(json, report), () => WriteTable(report, isOne),
        () => report.Pools.Select(p => p.Network).Distinct().Select(n => $"{n.Kind.ToName().ToLowerInvariant()}.{ApiNames.Group}/{n.Name}"));

    private void WriteTable(UsageReport report, bool isOne)
    {
        var isWide = format == "wide";
        var hasColours = Terminal.HasColours(output);
        // What matters most comes first, and a range of IPv6 last: a terminal of 80 columns cuts there.
        var table = new TextTable(["NETWORK", "USE", "USED", "FREE", "SIZE", "RESERVED", "OUTSIDE", "LEAKED", "POOL", .. isWide ? ["SUBNET", "SEGMENT"] : Array.Empty<string>()]);
        foreach (var p in report.Pools)
        {
            table.Add(hasColours ? UsageAdvice.ColourOf(p) : TextColour.None, [
                p.Network.ToString(), $"{Percent(p)}%", $"{p.Used}", UsageMap.Count(p.Free), UsageMap.Count(p.Pool.Size), $"{p.Reserved}", $"{p.Outside}", $"{p.Leaked}",
                p.Pool.ToString(), .. isWide ? [p.Pool.Subnet.ToString(), p.Segment.Text] : Array.Empty<string>()]);
        }

        table.WriteTo(output, headers);
        foreach (var pool in isOne ? report.Pools : [])
        {
            output.WriteLine();
            output.WriteLine($"{UsageAdvice.Family(pool)} {pool.Pool}, {Percent(pool)} % used:");
            UsageMap.WriteTo(output, pool);
        }

        var advice = report.Pools.SelectMany(UsageAdvice.Of).ToList();
        if (report.WithoutNetwork > 0 && !isOne)
            advice.Add($"{report.WithoutNetwork:N0} addresses are on wires that no network has any more: they go with their Pods");
        if (report.Pools.Count == 0)
            advice.Add("no network has a subnet: nothing to show");
        if (advice.Count > 0)
            output.WriteLine();
        foreach (var line in advice)
            output.WriteLine(line);
    }

    private static void WriteJson(Utf8JsonWriter json, UsageReport report)
    {
        json.WriteStartObject();
        json.WriteStartArray("pools");
        foreach (var p in report.Pools)
        {
            json.WriteStartObject();
            json.WriteString("kind", p.Network.Kind.ToName());
            if (p.Network.Namespace is { } ns)
                json.WriteString("namespace", ns);
            json.WriteString("name", p.Network.Name);
            json.WriteString("segment", p.Segment.Text);
            json.WriteString("subnet", p.Pool.Subnet.ToString());
            json.WriteString("first", p.Pool.First.ToString());
            json.WriteString("last", p.Pool.Last.ToString());
            // An IPv6 pool has more addresses than a JSON number holds exactly.
            json.WriteString("size", $"{p.Pool.Size}");
            json.WriteNumber("used", p.Used);
            json.WriteString("free", $"{p.Free}");
            json.WriteNumber("reserved", p.Reserved);
            json.WriteNumber("outside", p.Outside);
            json.WriteNumber("leaked", p.Leaked);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteNumber("withoutNetwork", report.WithoutNetwork);
        json.WriteEndObject();
    }

    // Neither is a pool with an address in use empty, nor one with a free address full.
    private static string Percent(PoolUsage pool) => Math.Floor(pool.Share * 100) is var percent && percent == 0 && pool.Used > 0 ? "<1" : $"{percent}";
}
