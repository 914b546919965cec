using System.Globalization;
using System.Text.Json.Nodes;
using System.Threading.Channels;
using Danm.Tests.ApiServer.Store;
using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Http;

/// <summary>Watches: changes one JSON line each, bookmarks, 410 as an ERROR event when history is gone.</summary>
public sealed class WatchEndpoint(ObjectStore store, TimeSpan bookmarkInterval)
{
    public async Task WatchAsync(HttpContext context, Response response, ResourceType type, string? ns, string? name, CancellationToken stopping)
    {
        var query = context.Request.Query;
        if (query.ContainsKey("sendInitialEvents"))
            throw new StatusException(422, "Invalid", "ListOptions.meta.k8s.io \"\" is invalid: sendInitialEvents: Forbidden: sendInitialEvents is forbidden for watch unless the WatchList feature gate is enabled");
        var form = Representation.Of(context.Request, type);
        var labels = LabelSelector.Parse(query["labelSelector"]);
        var fields = FieldSelector.Parse(query["fieldSelector"], type);
        bool Wanted(StoredObject o) => (ns is null || o.Namespace == ns) && (name is null || o.Name == name) && labels.Matches(o.Labels) && fields.Matches(o);
        var version = query["resourceVersion"].ToString();
        if (version.Length > 0 && !long.TryParse(version, NumberStyles.None, CultureInfo.InvariantCulture, out _))
            throw StatusException.BadRequest($"invalid resource version \"{version}\"");
        var seconds = ListEndpoint.Number(query, "timeoutSeconds") ?? Random.Shared.Next(1800, 3600);
        using var ending = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, stopping);
        ending.CancelAfter(TimeSpan.FromSeconds(seconds));
        var bookmarks = query["allowWatchBookmarks"] == "true" || query["allowWatchBookmarks"] == "1";

        Channel<WatchEvent>? changes;
        var initial = new List<StoredObject>();
        var seen = long.Parse(version.Length == 0 ? "0" : version, CultureInfo.InvariantCulture);
        if (seen == 0)
        {
            var (objects, revision, channel) = store.SubscribeFromNow(type);
            initial.AddRange(ObjectTable.Range(objects, ns, null).Where(Wanted));
            (changes, seen) = (channel, revision);
        }
        else
        {
            changes = store.Subscribe(type, seen);
        }
        response.BeginStream();
        await context.Response.StartAsync(ending.Token);
        if (changes is null)
        {
            var gone = StatusException.Expired($"too old resource version: {seen} ({store.Table(type).CompactedTo})").ToStatus();
            await response.StreamAsync((byte[])[.. "{\"type\":\"ERROR\",\"object\":"u8, .. Json.ToUtf8(gone), .. "}\n"u8], ending.Token);
            return;
        }
        try
        {
            var first = true;
            foreach (var item in initial)
            {
                await response.StreamAsync(form.Event("ADDED", item, first), ending.Token);
                first = false;
            }
            await context.Response.BodyWriter.FlushAsync(ending.Token);
            while (true)
            {
                if (!await WaitAsync(changes.Reader, bookmarks, ending.Token))
                {
                    if (changes.Reader.Completion.IsCompleted)
                        return;
                    // Another resource's writes move the revision on too, but what is still in the channel comes first.
                    await response.StreamAsync(Bookmark(type, seen), ending.Token);
                    continue;
                }
                while (changes.Reader.TryRead(out var change))
                {
                    seen = Math.Max(seen, change.ResourceVersion);
                    if (Translate(change, Wanted) is not { } told)
                        continue;
                    await response.StreamAsync(form.Event(told.Kind, told.Object, first), ending.Token);
                    first = false;
                }
            }
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            if (bookmarks)
                await response.StreamAsync(Bookmark(type, seen), context.RequestAborted);
        }
        finally
        {
            store.Unsubscribe(type, changes);
        }
    }

    /// <summary>False when it is time for a bookmark, or the watch was closed.</summary>
    private async Task<bool> WaitAsync(ChannelReader<WatchEvent> reader, bool bookmarks, CancellationToken cancellation)
    {
        var ready = reader.WaitToReadAsync(cancellation).AsTask();
        if (!bookmarks)
            return await ready;
        try
        {
            return await ready.WaitAsync(bookmarkInterval, cancellation);
        }
        catch (TimeoutException)
        {
            return false;
        }
    }

    /// <summary>A change as the selection sees it: an object that leaves the selection is deleted for it.</summary>
    private static (string Kind, StoredObject Object)? Translate(WatchEvent change, Func<StoredObject, bool> wanted)
    {
        var before = change.Previous is { } p && wanted(p);
        var after = change.Current is { } c && wanted(c);
        return (before, after) switch
        {
            (false, true) => ("ADDED", change.Current!),
            (true, true) => ("MODIFIED", change.Current!),
            (true, false) => ("DELETED", change.Deleted ?? change.Current!),
            _ => null,
        };
    }

    private static byte[] Bookmark(ResourceType type, long revision) =>
    [
        .. Json.ToUtf8(new JsonObject
        {
            ["type"] = "BOOKMARK",
            ["object"] = new JsonObject
            {
                ["kind"] = type.Kind,
                ["apiVersion"] = type.ApiVersion,
                ["metadata"] = new JsonObject { ["resourceVersion"] = revision.ToString(CultureInfo.InvariantCulture), ["creationTimestamp"] = null },
            },
        }),
        (byte)'\n',
    ];
}
