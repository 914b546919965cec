using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Danm.Api;

namespace Danm.Kube.Events;

/// <summary>Writes one Event, or raises the count of the one that says the same already, whoever wrote it.</summary>
/// <param name="api">The API server.</param>
/// <param name="component">The program that speaks.</param>
/// <param name="host">Its node; null: it has none.</param>
/// <param name="clock">The time; null: the system's.</param>
internal sealed class EventWriter(ApiClient api, string component, string? host, TimeProvider? clock = null)
{
    private const string TimeFormat = "yyyy-MM-ddTHH:mm:ssZ";

    // What another replica or node has said of the same just now need not be counted too: a thousand nodes would make a thousand writes.
    private static readonly TimeSpan SaidJustNow = TimeSpan.FromMinutes(1);

    private readonly TimeProvider clock = clock ?? TimeProvider.System;

    /// <summary>The name that an Event has by what it says; not the node: what all nodes say of one network is one Event with a count.</summary>
    public static string NameOf(ObjectReference about, string text)
    {
        var name = about.Name ?? "";
        return $"{name[..Math.Min(name.Length, 200)]}.{Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes($"{about.Uid}\n{text}")).AsSpan(0, 8))}";
    }

    /// <summary>Writes it. One that cannot be written is no failure.</summary>
    public async Task WriteAsync(Saying saying, string name, CancellationToken cancellation)
    {
        try
        {
            await TryWriteAsync(saying, name, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (e is ApiException or OperationCanceledException or ArgumentException)
        {
            // Whoever says it has a log too.
        }
    }

    private async Task TryWriteAsync(Saying saying, string name, CancellationToken cancellation)
    {
        var now = clock.GetUtcNow();
        var time = now.UtcDateTime.ToString(TimeFormat, CultureInfo.InvariantCulture);
        var ns = saying.About.Namespace ?? "default";
        var fresh = new CoreEvent
        {
            Metadata = new ObjectMeta { Name = name, Namespace = ns },
            InvolvedObject = saying.About,
            Type = saying.Type,
            Reason = saying.Reason,
            Message = saying.Message,
            Source = new EventSource { Component = component, Host = host },
            FirstTimestamp = time,
            LastTimestamp = time,
            Count = 1,
        };
        var (_, exists) = await api.TryCreateAsync(ResourcePath.Core("events", ns), fresh, ApiJson.Default.CoreEvent, cancellation).ConfigureAwait(false);
        if (exists is null)
            return;
        var path = ResourcePath.Core("events", ns, name);
        if (await api.TryGetAsync(path, ApiJson.Default.CoreEvent, cancellation).ConfigureAwait(false) is not { } before)
            return; // It has just expired; whoever says it next makes it again.
        if (DateTimeOffset.TryParse(before.LastTimestamp, CultureInfo.InvariantCulture, out var last) && now - last < SaidJustNow && before.Source?.Host != host)
            return;
        // It may have been a combined one, and the message is the last one's then.
        var again = new CoreEventCount { Count = (before.Count ?? 1) + 1, LastTimestamp = time, Message = saying.Message };
        await api.PatchAsync(path, again, ClusterJson.Default.CoreEventCount, cancellation).ConfigureAwait(false);
    }
}
