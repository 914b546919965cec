using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>events.k8s.io/v1 is core/v1 with other names: a rename each way.</summary>
public static class EventConversion
{
    private static readonly (string Core, string Events)[] Renamed =
    [
        ("involvedObject", "regarding"), ("message", "note"), ("reportingComponent", "reportingController"), ("source", "deprecatedSource"),
        ("firstTimestamp", "deprecatedFirstTimestamp"), ("lastTimestamp", "deprecatedLastTimestamp"), ("count", "deprecatedCount"),
    ];

    public static JsonObject ToCore(JsonObject body)
    {
        var result = Rename(body, "v1", Renamed.ToDictionary(r => r.Events, r => r.Core));
        result.Child("involvedObject");
        return result;
    }

    public static JsonObject FromCore(JsonObject body) => Rename(body, "events.k8s.io/v1", Renamed.ToDictionary(r => r.Core, r => r.Events));

    private static JsonObject Rename(JsonObject body, string apiVersion, Dictionary<string, string> names)
    {
        var result = new JsonObject(body.Select(f => KeyValuePair.Create(names.GetValueOrDefault(f.Key, f.Key), f.Value?.DeepClone())));
        result["apiVersion"] = apiVersion;
        return result;
    }
}
