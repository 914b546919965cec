using System.Globalization;
using System.Text;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Store;
using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Http;

/// <summary>Lists: one snapshot, also over several pages, until it is compacted.</summary>
public sealed class ListEndpoint(ObjectStore store)
{
    public PooledText List(HttpRequest request, ResourceType type, string? ns)
    {
        var query = request.Query;
        var form = Representation.Of(request, type);
        var labels = LabelSelector.Parse(query["labelSelector"]);
        var fields = FieldSelector.Parse(query["fieldSelector"], type);
        var limit = Number(query, "limit") is { } wanted and > 0 ? (int)Math.Min(wanted, int.MaxValue - 1) : int.MaxValue - 1;
        var (objects, revision) = store.Snapshot(type);
        string? after = null;
        var version = query["resourceVersion"].ToString();
        if (query["continue"].ToString() is { Length: > 0 } token)
        {
            if (version is not ("" or "0"))
                throw StatusException.BadRequest("specifying resource version is not allowed when using continue");
            (revision, after) = Decode(token);
            objects = store.Kept(type, revision) ?? throw StatusException.Expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was returned and now may show up in the list.");
        }
        else
        {
            CheckVersion(version, query["resourceVersionMatch"].ToString(), revision);
        }
        IEnumerable<StoredObject> range = fields.Name is { } name && (ns is not null || !type.Namespaced)
            ? objects.TryGetValue(new StoredObject { Key = StoredObject.KeyOf(ns, name) }, out var one) && after is null ? [one] : []
            : ObjectTable.Range(objects, ns, after);
        var found = new List<StoredObject>();
        var more = false;
        foreach (var item in range)
        {
            if (!labels.Matches(item.Labels) || !fields.Matches(item))
                continue;
            more = found.Count == limit;
            if (more)
                break;
            found.Add(item);
        }
        var metadata = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture) };
        if (more)
        {
            store.Keep(type, revision, objects);
            metadata["continue"] = Encode(revision, found[^1].Key);
            if (labels.IsEmpty && fields.IsEmpty)
                metadata["remainingItemCount"] = ns is null ? objects.Count - 1 - objects.IndexOf(found[^1]) : ObjectTable.Range(objects, ns, found[^1].Key).LongCount();
        }
        return form.List(found, metadata);
    }

    private static void CheckVersion(string version, string match, long revision)
    {
        if (match.Length > 0 && match is not ("NotOlderThan" or "Exact"))
            throw StatusException.BadRequest($"resourceVersionMatch: Unsupported value: \"{match}\"");
        if (match.Length > 0 && version.Length == 0)
            throw StatusException.BadRequest("resourceVersionMatch: Forbidden: resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (version.Length == 0)
            return;
        if (!long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out var wanted))
            throw StatusException.BadRequest($"invalid resource version \"{version}\"");
        if (wanted > revision)
            throw new StatusException(504, "Timeout", $"Too large resource version: {wanted}, current: {revision}") { RetryAfter = TimeSpan.FromSeconds(1) };
        if (match == "Exact" && wanted != revision)
            throw StatusException.NotImplemented("lists of an exact old resource version");
    }

    public static long? Number(IQueryCollection query, string name)
    {
        var text = query[name].ToString();
        if (text.Length == 0)
            return null;
        return long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw StatusException.BadRequest($"{name}: invalid number {text}");
    }

    private static string Encode(long revision, string key) => Convert.ToBase64String(Encoding.UTF8.GetBytes($"{revision}:{key}"));

    private static (long, string) Decode(string token)
    {
        try
        {
            var parts = Encoding.UTF8.GetString(Convert.FromBase64String(token)).Split(':', 2);
            return (long.Parse(parts[0], CultureInfo.InvariantCulture), parts[1]);
        }
        catch (Exception e) when (e is FormatException or IndexOutOfRangeException)
        {
            throw StatusException.BadRequest("continue key is not valid");
        }
    }
}
