using System.Text.Json;
using Danm.Api;
using Danm.Svcwatcher.Inspection;
using Danm.Svcwatcher.Selection;

namespace Danm.Cli.Svc;

/// <summary>The document of <c>danm svc inspect -o json</c>.</summary>
internal static class InspectionJson
{
    public static void Write(Utf8JsonWriter json, ServiceInspection inspection, IEnumerable<InspectedInterface> shown)
    {
        json.WriteStartObject();
        json.WriteString("namespace", inspection.Service.Metadata.Namespace);
        json.WriteString("name", inspection.Service.Metadata.Name);
        if (inspection.Reading.Choice is { } choice)
            WriteChoice(json, choice);
        json.WriteStartArray("faults");
        foreach (var fault in inspection.Reading.Faults)
        {
            json.WriteStartObject();
            json.WriteString("reason", fault.Reason);
            json.WriteString("message", fault.Message);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteStartArray("interfaces");
        foreach (var i in shown)
            WriteInterface(json, i);
        json.WriteEndArray();
        json.WriteStartArray("podsWithoutInterface");
        foreach (var pod in inspection.PodsWithout)
            json.WriteStringValue(pod);
        json.WriteEndArray();
        json.WriteStartArray("differences");
        foreach (var difference in inspection.Differences)
        {
            json.WriteStartObject();
            if (difference.Slice is not null)
                json.WriteString("endpointSlice", difference.Slice);
            json.WriteString("message", difference.Message);
            json.WriteBoolean("foreign", difference.IsForeign);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteChoice(Utf8JsonWriter json, ServiceChoice choice)
    {
        json.WriteStartObject("selector");
        foreach (var (key, value) in choice.Labels)
            json.WriteString(key, value);
        json.WriteEndObject();
        json.WriteStartArray("networks");
        foreach (var network in choice.Networks)
            json.WriteStringValue(network.ToString());
        json.WriteEndArray();
    }

    private static void WriteInterface(Utf8JsonWriter json, InspectedInterface i)
    {
        json.WriteStartObject();
        json.WriteString("danmEp", i.Record.Metadata.Name);
        json.WriteString("pod", i.Record.Spec.Pod);
        json.WriteString("podUid", i.Record.Spec.PodUid);
        json.WriteString("interface", i.Record.Spec.Interface.Name);
        json.WriteString("kind", NetworkKinds.TryParse(i.Record.Spec.ApiType, out var kind) ? kind.ToName() : i.Record.Spec.ApiType);
        json.WriteString("network", i.Record.Spec.NetworkName);
        json.WriteStartArray("endpoints");
        foreach (var endpoint in i.Endpoints)
        {
            json.WriteStartObject();
            json.WriteString("address", endpoint.Addresses[0]);
            json.WriteBoolean("ready", endpoint.Conditions.Ready == true);
            json.WriteBoolean("serving", endpoint.Conditions.Serving == true);
            json.WriteBoolean("terminating", endpoint.Conditions.Terminating == true);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        if (i.WhyNot is not null)
            json.WriteString("whyNot", i.WhyNot);
        json.WriteEndObject();
    }
}
