using System.Globalization;
using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Kube;
using Microsoft.Extensions.Logging;

namespace Danm.Svcwatcher;

/// <summary>
/// The lock of the original's svcwatcher, client-go's old one in an annotation of an Endpoints. Two programs that write for the same Services
/// would undo each other's work, so ours waits until that one has ended.
/// </summary>
internal sealed class OriginalLock(ApiClient api, Action<string> failed, ILogger log, TimeProvider clock)
{
    private const string Namespace = "kube-system", Name = "danm-svc-controller", Annotation = "control-plane.alpha.kubernetes.io/leader";

    // Nobody's clock is so wrong: who wrote last so long ago has ended, and what it left costs no wait at each start.
    private static readonly TimeSpan LongAgo = TimeSpan.FromDays(1);

    // The original renews every 3 seconds, and leads 10 seconds on.
    private static readonly TimeSpan Look = TimeSpan.FromSeconds(2), LongestLease = TimeSpan.FromMinutes(1);

    /// <summary>
    /// Ends when the lock is not held, or has not been renewed for as long as its holder leads, or when it is cancelled. Only what changes
    /// while it looks counts, as in client-go: the holder's clock may be another.
    /// </summary>
    public async Task WaitAsync(CancellationToken cancellation)
    {
        string? seen = null;
        var since = clock.GetTimestamp();
        while (!cancellation.IsCancellationRequested)
        {
            try
            {
                var path = ResourcePath.Core(Endpoints.Plural, Namespace, Name);
                var record = (await api.TryGetMetadataAsync(path, ApiJson.Default.PartialObject, cancellation).ConfigureAwait(false))?.Metadata.Annotations?.GetValueOrDefault(Annotation);
                if (Read(record) is not var (holder, lease, renewed) || clock.GetUtcNow() - renewed > LongAgo)
                    return;
                if (record == seen)
                {
                    if (clock.GetElapsedTime(since) > lease)
                        return;
                }
                else
                {
                    if (seen is null)
                        log.WaitsForOriginal(CniText.Clean(holder, 253));
                    (seen, since) = (record, clock.GetTimestamp());
                }
            }
            catch (ApiException e)
            {
                failed(e.Message);
            }
            catch (OperationCanceledException) when (cancellation.IsCancellationRequested)
            {
                return;
            }

            await Task.Delay(Look, clock, cancellation).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    /// <summary>Who holds it; null: nobody, or nobody who can be read.</summary>
    private static (string Holder, TimeSpan Lease, DateTimeOffset Renewed)? Read(string? record)
    {
        if (string.IsNullOrEmpty(record))
            return null;
        try
        {
            var text = JsonSerializer.Deserialize(record, ServiceJson.Default.OldLeaderRecord);
            if (text is not { HolderIdentity: { Length: > 0 } holder } || !DateTimeOffset.TryParse(text.RenewTime, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var renewed))
                return null;
            return (holder, TimeSpan.FromSeconds(Math.Clamp(text.LeaseDurationSeconds, 1, (int)LongestLease.TotalSeconds)), renewed);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}
