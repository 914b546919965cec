using System.Runtime.ExceptionServices;
using System.Text;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.State;

namespace Danm.Attach.Delegation;

/// <summary>
/// Calls the plugins of one interface as the specification has a runtime do it (CNI specification 1.1.0, section 3): ADD and CHECK in
/// order, DEL in reverse, each with the result that it is due.
/// </summary>
internal sealed class DelegateChain(PluginRunner runner)
{
    private const string PrevResult = "prevResult";

    /// <summary>Runs the chain; its result is what the last plugin answered.</summary>
    /// <exception cref="PluginException">A plugin is missing or failed.</exception>
    /// <exception cref="CniException">Code 111: an answer is no result.</exception>
    public async Task<(DelegateRecord Record, CniResult Result)> AddAsync(DelegateRecord record, PluginCall call, CancellationToken cancellation)
    {
        ReadOnlyMemory<byte> result = default;
        var read = new CniResult();
        foreach (var plugin in record.Plugins)
        {
            var answer = await runner.CallAsync(plugin.Type, call with { Command = "ADD" }, Config(plugin, result), cancellation).ConfigureAwait(false);
            read = Read(plugin, answer);
            result = answer;
        }

        return (record with { Result = Encoding.UTF8.GetString(result.Span) }, read);
    }

    /// <summary>
    /// Calls every plugin's DEL, also after one has failed or hung: the one that holds an address is called last. Each has an equal
    /// share of the time that those before it left.
    /// </summary>
    /// <exception cref="PluginException">The first that failed, or was killed when its share was over; one that is missing only if no other failed.</exception>
    /// <exception cref="CniException">The first whose configuration cannot be used.</exception>
    public async Task DelAsync(DelegateRecord record, PluginCall call, TimeSpan patience, CancellationToken cancellation)
    {
        Exception? failure = null;
        var deadline = Environment.TickCount64 + (long)patience.TotalMilliseconds;
        for (var left = record.Plugins.Count; left > 0; left--)
        {
            var plugin = record.Plugins[left - 1];
            using var share = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
            share.CancelAfter(TimeSpan.FromMilliseconds(Math.Max(0, deadline - Environment.TickCount64) / left));
            try
            {
                await runner.CallAsync(plugin.Type, call with { Command = "DEL" }, Config(plugin, CachedResult(record)), share.Token).ConfigureAwait(false);
            }
            catch (Exception e) when (e is PluginException or CniException)
            {
                Note(e);
            }
            catch (OperationCanceledException) when (!cancellation.IsCancellationRequested)
            {
                Note(new PluginException(plugin.Type, call with { Command = "DEL" }, "it did not end in time and was killed"));
            }
        }

        if (failure is not null)
            ExceptionDispatchInfo.Throw(failure);

        void Note(Exception e) => failure = failure is null or PluginException { IsMissing: true } ? e : failure;
    }

    /// <summary>Calls every plugin's CHECK, unless its version has none or its configuration wants none.</summary>
    /// <exception cref="PluginException">What a plugin found.</exception>
    public async Task CheckAsync(DelegateRecord record, PluginCall call, CancellationToken cancellation)
    {
        if (record.DisableCheck || !VersionOf(record).HasCheck)
            return;
        foreach (var plugin in record.Plugins)
            await runner.CallAsync(plugin.Type, call with { Command = "CHECK" }, Config(plugin, CachedResult(record)), cancellation).ConfigureAwait(false);
    }

    /// <summary>Tells every plugin which of its attachments live, unless its version has no GC or its configuration wants none.</summary>
    /// <exception cref="PluginException">The first that failed.</exception>
    public async Task GcAsync(DelegateRecord record, IReadOnlyList<CniAttachment> alive, CancellationToken cancellation)
    {
        if (record.DisableGc || !VersionOf(record).HasGcAndStatus)
            return;
        PluginException? failure = null;
        foreach (var plugin in record.Plugins)
        {
            try
            {
                var config = PluginConfWriter.Change(Encoding.UTF8.GetBytes(plugin.Config), [new("cni.dev/valid-attachments", ValidAttachments.Write(alive))]);
                await runner.CallAsync(plugin.Type, new PluginCall("GC"), config, cancellation).ConfigureAwait(false);
            }
            catch (PluginException e)
            {
                failure ??= e;
            }
        }

        if (failure is not null)
            throw failure;
    }

    /// <summary>Asks every plugin whether it could serve an ADD, unless its version has no STATUS.</summary>
    /// <exception cref="PluginException">A plugin could not.</exception>
    public async Task StatusAsync(DelegateRecord record, CancellationToken cancellation)
    {
        if (!VersionOf(record).HasGcAndStatus)
            return;
        foreach (var plugin in record.Plugins)
            await runner.CallAsync(plugin.Type, new PluginCall("STATUS"), Encoding.UTF8.GetBytes(plugin.Config), cancellation).ConfigureAwait(false);
    }

    private static SpecVersion VersionOf(DelegateRecord record) => SpecVersion.TryParse(record.CniVersion, out var version) ? version : default;

    // DEL has got the ADD's result since 0.4.0; whoever is older would not mind it either.
    private static ReadOnlyMemory<byte> CachedResult(DelegateRecord record) =>
        record.Result is { Length: > 0 } result && VersionOf(record).HasCheck ? Encoding.UTF8.GetBytes(result) : default;

    private static ReadOnlyMemory<byte> Config(PluginRecord plugin, ReadOnlyMemory<byte> prevResult)
    {
        var config = Encoding.UTF8.GetBytes(plugin.Config);
        return prevResult.IsEmpty ? config : PluginConfWriter.Change(config, [new(PrevResult, prevResult)]);
    }

    private static CniResult Read(PluginRecord plugin, ReadOnlyMemory<byte> answer)
    {
        try
        {
            return CniResultReader.Read(answer, $"the result of plugin {CniText.Quote(plugin.Type)}");
        }
        catch (CniException e)
        {
            throw new CniException(CniErrorCode.DelegateFailed, e.Msg, e.Details, e);
        }
    }
}
