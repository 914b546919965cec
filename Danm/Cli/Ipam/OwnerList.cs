using System.Buffers;
using System.Globalization;
using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Ipam.Usage;

namespace Danm.Cli.Ipam;

/// <summary>Addresses and who has them, written as they come: a page of lines at a time, as kubectl does.</summary>
internal sealed class OwnerList(TextWriter output, string format, bool headers)
{
    private const int PageSize = 500;

    private static readonly string[] Header = ["ADDRESS", "OWNER", "INTERFACE", "NODE", "AGE", "STATE"];

    private TextTable page = NewPage(format);
    private int rows;
    private bool first = true;

    public void Add(ShownAllocation shown)
    {
        var allocation = shown.Object;
        if (format is "json" or "yaml")
        {
            // One document an address, so that nothing has to be kept.
            var document = Json(shown);
            output.Write(format == "json" ? Encoding.UTF8.GetString(document.Span) + "\n" : "---\n" + YamlText.Of(document.Span));
            return;
        }

        if (format == "name")
        {
            output.WriteLine($"ipallocation.{ApiNames.Group}/{allocation.Metadata.Name}");
            return;
        }

        var owner = allocation.Spec.Owner;
        var who = owner?.Pod is { Length: > 0 } pod ? $"{owner.Namespace}/{pod}" : $"container {owner?.ContainerId}";
        string[] cells = [allocation.Spec.Address ?? "", who, owner?.Interface ?? "", allocation.Spec.NodeName ?? "", Age(allocation.Metadata.CreationTimestamp), StateOf(shown)];
        page.Add([.. (format == "wide" ? [.. cells, allocation.Spec.Network?.ToString() ?? "", allocation.Metadata.Name ?? ""] : cells).Select(c => CniText.Clean(c, 253))]);
        if (++rows % PageSize == 0)
            Flush();
    }

    public void End()
    {
        if (format is not ("table" or "wide"))
            return;
        Flush();
        output.WriteLine();
    }

    private void Flush()
    {
        page.WriteTo(output, headers && first);
        (page, first) = (NewPage(format), false);
    }

    private static TextTable NewPage(string format) => new(format == "wide" ? [.. Header, "NETWORK", "NAME"] : Header);

    private static string StateOf(ShownAllocation shown) => (shown.MayBeLeaked, shown.IsOutside) switch
    {
        (true, _) => "pod gone",
        (_, true) => "outside pool",
        _ => "used",
    };

    private static string Age(string? created)
    {
        if (!DateTimeOffset.TryParse(created, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time))
            return "<unknown>";
        var age = DateTimeOffset.UtcNow - time;
        return age switch
        {
            { TotalSeconds: < 120 } => $"{Math.Max(0, (int)age.TotalSeconds)}s",
            { TotalMinutes: < 120 } => $"{(int)age.TotalMinutes}m",
            { TotalHours: < 48 } => $"{(int)age.TotalHours}h",
            _ => $"{(int)age.TotalDays}d",
        };
    }

    private static ReadOnlyMemory<byte> Json(ShownAllocation shown)
    {
        var (allocation, owner) = (shown.Object, shown.Object.Spec.Owner);
        var buffer = new ArrayBufferWriter<byte>();
        using var json = new Utf8JsonWriter(buffer);
        json.WriteStartObject();
        json.WriteString("name", allocation.Metadata.Name);
        json.WriteString("address", allocation.Spec.Address);
        json.WriteString("network", allocation.Spec.Network?.ToString());
        json.WriteString("namespace", owner?.Namespace);
        json.WriteString("pod", owner?.Pod);
        json.WriteString("podUID", owner?.PodUid);
        json.WriteString("containerID", owner?.ContainerId);
        json.WriteString("interface", owner?.Interface);
        json.WriteString("node", allocation.Spec.NodeName);
        json.WriteString("created", allocation.Metadata.CreationTimestamp);
        json.WriteString("state", StateOf(shown));
        json.WriteEndObject();
        json.Flush();
        return buffer.WrittenMemory;
    }
}
