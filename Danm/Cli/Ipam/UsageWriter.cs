using System.Buffers;
using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Ipam.Usage;

namespace Danm.Cli.Ipam;

/// <summary>Shows how pools are used, in the form that was asked for.</summary>
internal sealed class UsageWriter(TextWriter output, string format, bool headers)
{
    public OwnerList BeginOwners() => new(output, format, headers);

    public void Write(UsageReport report, bool isOne)
    {
        switch (format)
        {
            case "json":
                output.WriteLine(Encoding.UTF8.GetString(Json(report).Span));
                break;
            case "yaml":
                output.Write(YamlText.Of(Json(report).Span));
                break;
            case "name":
                foreach (var network in report.Pools.Select(p => p.Network).Distinct())
                    output.WriteLine($"{network.Kind.ToName().ToLowerInvariant()}.{ApiNames.Group}/{network.Name}");
                break;
            default:
                WriteTable(report, isOne);
                break;
        }
    }

    private void WriteTable(UsageReport report, bool isOne)
    {
        var isWide = format == "wide";
        var table = new TextTable(["NETWORK", "POOL", "SIZE", "USED", "FREE", "RESERVED", "OUTSIDE", "LEAKED", "USE", .. isWide ? ["SUBNET", "SEGMENT"] : Array.Empty<string>()]);
        foreach (var p in report.Pools)
        {
            table.Add([
                p.Network.ToString(), p.Pool.ToString(), Count(p.Pool.Size), $"{p.Used}", Count(p.Free), $"{p.Reserved}", $"{p.Outside}", $"{p.Leaked}",
                FormattableString.Invariant($"{Math.Floor(p.Share * 100)}%"), .. isWide ? [p.Pool.Subnet.ToString(), p.Segment.Text] : Array.Empty<string>()]);
        }

        table.WriteTo(output, headers);
        foreach (var pool in isOne ? report.Pools : [])
        {
            output.WriteLine();
            output.WriteLine($"{UsageAdvice.Family(pool)} {pool.Pool}, {Math.Floor(pool.Share * 100)} % used:");
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

    private static ReadOnlyMemory<byte> Json(UsageReport report)
    {
        var buffer = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(buffer, new JsonWriterOptions { Indented = true }))
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

        return buffer.WrittenMemory;
    }

    // Beyond a million million people count in powers of two.
    private static string Count(UInt128 count) => count < 1_000_000_000_000 ? $"{count}" : FormattableString.Invariant($"2^{Math.Log2((double)count):0.#}");
}
