using System.Net;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Dns;

/// <summary>
/// All objects of one resource, listed and then watched, over an API server's own HTTP. It knows nothing of the client that
/// is under test, so that both cannot be wrong in the same way.
/// </summary>
/// <param name="path">Of the resource, as <c>/api/v1/services</c>.</param>
internal sealed class ResourceFeed(HttpClient api, string path, Action<JsonObject> set, Action<JsonObject> remove)
{
    private readonly Dictionary<string, JsonObject> known = [];

    /// <summary>Reads what there is.</summary>
    /// <returns>The version to watch from.</returns>
    public async Task<string> ListAsync(CancellationToken stop)
    {
        var list = JsonNode.Parse(await api.GetStringAsync(path, stop))!;
        var items = list["items"]!.AsArray().Cast<JsonObject>().ToDictionary(i => i.At("metadata", "uid").String()!);
        foreach (var (uid, gone) in known.Where(k => !items.ContainsKey(k.Key)).ToArray())
        {
            known.Remove(uid);
            remove(gone);
        }

        foreach (var (uid, item) in items)
        {
            // A real server's items of a list do not say what they are.
            item["kind"] = list["kind"].String()![..^"List".Length];
            known[uid] = item;
            set(item);
        }

        return list.At("metadata", "resourceVersion").String()!;
    }

    /// <summary>Follows the changes, and lists again where a watch cannot go on, until it is stopped.</summary>
    public async Task FollowAsync(string version, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            try
            {
                version = await WatchAsync(version, stop) ?? await ListAsync(stop);
            }
            catch (Exception e) when (e is HttpRequestException or IOException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(100), stop);
            }
        }
    }

    /// <summary>The last version seen when the watch ended; null where it is too old by now.</summary>
    private async Task<string?> WatchAsync(string version, CancellationToken stop)
    {
        using var response = await api.GetAsync($"{path}?watch=true&allowWatchBookmarks=true&resourceVersion={version}", HttpCompletionOption.ResponseHeadersRead, stop);
        if (response.StatusCode == HttpStatusCode.Gone)
            return null;
        response.EnsureSuccessStatusCode();
        using var lines = new StreamReader(await response.Content.ReadAsStreamAsync(stop));
        while (await lines.ReadLineAsync(stop) is { } line)
        {
            var change = JsonNode.Parse(line)!;
            var item = (JsonObject)change["object"]!.DeepClone();
            if (change["type"].String() == "ERROR")
                return null;
            version = item.At("metadata", "resourceVersion").String()!;
            if (change["type"].String() is not "BOOKMARK")
                Apply(item, isDeleted: change["type"].String() == "DELETED");
        }

        return version;
    }

    private void Apply(JsonObject item, bool isDeleted)
    {
        var uid = item.At("metadata", "uid").String()!;
        if (isDeleted)
        {
            known.Remove(uid);
            remove(item);
        }
        else
        {
            known[uid] = item;
            set(item);
        }
    }
}
