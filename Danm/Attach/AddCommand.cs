using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.HostLinks;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// ADD: read the Pod and its networks, decide, clean up after former sandboxes, write down what may come to be, make it, and take all
/// of it back if any of it fails.
/// </summary>
internal sealed class AddCommand(NodeCall call, ApiClient api)
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(15);

    private readonly CniRequest request = call.Request;
    private readonly CniResult? previous = call.Request.Config.PrevResult is { } json ? CniResultReader.Read(json, "prevResult") : null;

    /// <exception cref="CniException">Nothing is left of what failed, or the journal names it.</exception>
    public async Task<CniResult> RunAsync(string ns, string name, string? nodeName, NetworkNamespace pod, CancellationToken cancellation)
    {
        var reader = new PodReader(api);
        var endpoints = request.Args.PodUid is { } uid ? DanmEpSearch.ByPodAsync(api, ns, uid, cancellation) : null;
        var podObject = await reader.ReadPodAsync(ns, name, withSpec: nodeName is null, cancellation).ConfigureAwait(false);
        var identity = PodSandbox.IdentityOf(podObject, request.Args.PodUid);
        // A mirror Pod's DanmEps carry the uid that the API gave it.
        if (endpoints is null || podObject.Metadata.Uid != request.Args.PodUid)
            endpoints = DanmEpSearch.ByPodAsync(api, ns, podObject.Metadata.Uid!, cancellation);
        var sandbox = new PodSandbox(
            podObject, identity, request.ContainerId, request.Args.PodInfraContainerId ?? request.ContainerId, request.Netns!, nodeName ?? podObject.Spec.NodeName);

        var attachments = await AttachmentPlan.MakeAsync(reader, sandbox, request, cancellation).ConfigureAwait(false);
        CheckParents(attachments);
        await new FormerSandboxes(call, api, reader).ReleaseAsync(sandbox, await endpoints.ConfigureAwait(false), cancellation).ConfigureAwait(false);
        using var journal = await call.State.CreateAsync(sandbox.Uid, sandbox.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        var former = journal.Last is null ? [] : await call.Release(api).CleanUpAsync(journal, sandbox.Netns, cancellation).ConfigureAwait(false);
        var record = new SandboxRecord
        {
            Phase = SandboxPhase.Adding,
            ConfigName = request.Config.Name,
            ContainerId = sandbox.ContainerId,
            PodUid = sandbox.Uid,
            PodNamespace = ns,
            PodName = name,
            Netns = sandbox.Netns,
            Args = request.ArgsText,
            Attachments = [.. attachments.Select(a => a.ToRecord())],
            Claims = [.. attachments.SelectMany(a => a.Claims), .. former],
        };
        journal.Write(record, durable: true);
        return await AttachAsync(sandbox, attachments, new ClaimBook(journal, record, former), journal, pod, cancellation).ConfigureAwait(false);
    }

    private static void CheckParents(IReadOnlyList<Attachment> attachments)
    {
        using var host = RouteSocket.Open();
        foreach (var attachment in attachments)
        {
            try
            {
                if (attachment.Parent is { } parent)
                    HostLink.Check(host, parent);
            }
            catch (Exception e) when (e is HostLinkException or NetlinkException)
            {
                throw Errors.From(e, $"interface \"{attachment.Interface}\" on {attachment.Network.Ref}");
            }
        }
    }

    private async Task<CniResult> AttachAsync(
        PodSandbox sandbox, IReadOnlyList<Attachment> attachments, ClaimBook book, Journal journal, NetworkNamespace pod, CancellationToken cancellation)
    {
        try
        {
            var attached = await new AddOperation(api, sandbox, pod, book, call).RunAsync(attachments, cancellation).ConfigureAwait(false);
            journal.Write(book.Record with { Phase = SandboxPhase.Attached, Attachments = [.. attached.Select(a => a.ToRecord())] }, durable: false);
            call.Log.Info("ADD done", ("interfaces", string.Join(' ', attached.Select(a => $"{a.Attachment.Interface}={string.Join(',', a.Addresses)}"))));
            await WarnAsync(sandbox, [.. attached.SelectMany(a => a.Warnings)], cancellation).ConfigureAwait(false);
            return ResultBuilder.Build(attached, sandbox.Netns, previous);
        }
        catch (Exception)
        {
            await call.RollBackAsync(journal, book.Made, budget => call.Release(api).RunAsync(journal, book.Made.Netns, budget)).ConfigureAwait(false);
            throw;
        }
    }

    private Task WarnAsync(PodSandbox sandbox, IReadOnlyList<string> warnings, CancellationToken cancellation)
    {
        foreach (var warning in warnings)
            call.Log.Warning(warning);
        return PodEvents.WarnAsync(api, sandbox, "NetworkWarning", warnings, cancellation);
    }
}
