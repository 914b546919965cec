using Danm.Api;
using Danm.Cni;
using Danm.HostLinks;
using Danm.Kube;
using Danm.Netlink;
using Danm.State;
using k8s;

namespace Danm.Attach;

/// <summary>The metaplugin behind a CNI call: reads the Pod and its networks, attaches it to all of them at once, and takes it back.</summary>
public sealed class DanmPlugin : ICniPlugin
{
    private static readonly TimeSpan LockWait = TimeSpan.FromSeconds(15);

    private readonly NodeState state = new();

    /// <inheritdoc/>
    public async Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken)
    {
        var log = new AttachLog(request);
        try
        {
            if (request.Args is not { PodNamespace: { } ns, PodName: { } name })
                throw new CniException(CniErrorCode.InvalidEnvironment, "CNI_ARGS needs K8S_POD_NAMESPACE and K8S_POD_NAME: danm attaches Kubernetes Pods only", "CNI_ARGS");
            using var pod = NetworkNamespace.Open(request.Netns!);
            var configuration = LoadKubeConfig(request);
            using var api = new ApiClient(configuration, PatienceOf(request));
            var nodeName = request.Config.NodeName ?? await NodeName.FromTokenAsync(configuration, cancellationToken).ConfigureAwait(false);
            var deferred = DeferredReleases.RunAsync(state, api, request.ContainerId, log);
            try
            {
                return await AddAsync(request, ns, name, nodeName, pod, api, log, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await deferred.ConfigureAwait(false);
            }
        }
        catch (Exception e)
        {
            var error = Errors.From(e);
            log.Error("ADD failed", ("code", error.Code.ToString()), ("cause", error.Msg), ("details", error.Details));
            throw error;
        }
    }

    /// <inheritdoc/>
    public async Task Del(CniRequest request, CancellationToken cancellationToken)
    {
        var log = new AttachLog(request);
        try
        {
            using var api = TryConnect(request, log);
            var del = new DelOperation(state, api, log, PatienceOf(request));
            await del.RunAsync(request, cancellationToken).ConfigureAwait(false);
            if (api is not null)
                await DeferredReleases.RunAsync(state, api, del.HasDeferred ? request.ContainerId : null, log).ConfigureAwait(false);
            log.Info("DEL done");
        }
        catch (Exception e)
        {
            var error = Errors.From(e);
            log.Error("DEL failed", ("code", error.Code.ToString()), ("cause", error.Msg), ("details", error.Details));
            throw error;
        }
    }

    /// <inheritdoc/>
    public async Task Check(CniRequest request, CancellationToken cancellationToken)
    {
        try
        {
            var journals = await state.FindAsync((_, c) => c == request.ContainerId, deferred: false, LockWait, cancellationToken).ConfigureAwait(false);
            var record = journals.Find(j => j.Last is { Phase: SandboxPhase.Attached })?.Last;
            journals.ForEach(j => j.Dispose());
            if (record is null)
                throw new CniException(CniErrorCode.UnknownContainer, $"danm has not attached container {request.ContainerId} on this node: delete the Pod to have it attached anew");
            using var api = new ApiClient(LoadKubeConfig(request), PatienceOf(request));
            await new CheckOperation(api).RunAsync(record, request.Netns!, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw Errors.From(e);
        }
    }

    /// <inheritdoc/>
    public async Task Gc(CniRequest request, CancellationToken cancellationToken)
    {
        var log = new AttachLog(request);
        // Without a list nobody says what is alive.
        if (request.Config.ValidAttachments is not { } valid)
            return;
        try
        {
            var alive = valid.Select(a => a.ContainerId).ToHashSet();
            using var api = TryConnect(request, log);
            var journals = await state.FindAsync((_, c) => !alive.Contains(c), deferred: false, TimeSpan.Zero, cancellationToken).ConfigureAwait(false);
            var del = new DelOperation(state, api, log, PatienceOf(request));
            foreach (var journal in journals)
            {
                using (journal)
                {
                    if (journal.Last is { } record && record.ConfigName == request.Config.Name)
                        await del.ReleaseAsync(journal, record, record.Netns, cancellationToken).ConfigureAwait(false);
                }
            }

            if (api is not null)
                await DeferredReleases.RunAsync(state, api, null, log).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            throw Errors.From(e);
        }
    }

    /// <inheritdoc/>
    public async Task Status(CniRequest request, CancellationToken cancellationToken)
    {
        // Local facts only: runtimes ask every few seconds, and a Node must not become NotReady because the API server is slow.
        try
        {
            var configuration = LoadKubeConfig(request);
            var token = configuration.TokenProvider is { } provider
                ? (await provider.GetAuthenticationHeaderAsync(cancellationToken).ConfigureAwait(false)).Parameter
                : configuration.AccessToken;
            if (token is not null && NodeName.ExpiryOf(token) is { } end && end <= DateTimeOffset.UtcNow)
                throw new CniException(CniErrorCode.PluginNotAvailable, $"the token of kubeconfig \"{request.Config.Kubeconfig}\" ended at {end:u}: is the installer's Pod running on this node?");
        }
        catch (KubeConfigException e)
        {
            throw new CniException(CniErrorCode.PluginNotAvailable, e.Message, "kubeconfig", e);
        }
    }

    private async Task<CniResult> AddAsync(
        CniRequest request, string ns, string name, string? nodeName, NetworkNamespace pod, ApiClient api, AttachLog log, CancellationToken cancellation)
    {
        var reader = new PodReader(api);
        var endpoints = request.Args.PodUid is { } uid ? DanmEpSearch.ByPodAsync(api, ns, uid, cancellation) : null;
        var podObject = await reader.ReadPodAsync(ns, name, withSpec: nodeName is null, cancellation).ConfigureAwait(false);
        var identity = PodSandbox.IdentityOf(podObject, request.Args.PodUid);
        endpoints ??= DanmEpSearch.ByPodAsync(api, ns, identity, cancellation);
        var sandbox = new PodSandbox(
            podObject, identity, request.ContainerId, request.Args.PodInfraContainerId ?? request.ContainerId, request.Netns!, nodeName ?? podObject.Spec.NodeName);

        var (requests, networks) = await reader.ReadNetworksAsync(podObject, cancellation).ConfigureAwait(false);
        var attachments = AttachmentPlanner.Plan(sandbox, requests, networks, request);
        using (var host = RouteSocket.Open())
        {
            foreach (var attachment in attachments)
                InContext(attachment, () => HostLink.Check(host, attachment.Parent));
        }

        await new FormerSandboxes(state, new DelOperation(state, api, log, PatienceOf(request)), log).ReleaseAsync(sandbox, await endpoints.ConfigureAwait(false), cancellation).ConfigureAwait(false);
        using var journal = await state.CreateAsync(sandbox.Uid, sandbox.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        var former = journal.Last is { } last ? await CleanUpAsync(last, cancellation).ConfigureAwait(false) : [];

        var record = new SandboxRecord
        {
            Phase = SandboxPhase.Adding,
            ConfigName = request.Config.Name,
            ContainerId = sandbox.ContainerId,
            PodUid = sandbox.Uid,
            PodNamespace = ns,
            PodName = name,
            Netns = sandbox.Netns,
            Attachments = [.. attachments.Select(a => new AttachmentRecord { Interface = a.Interface, Network = a.Network.Ref.ToString(), EndpointId = a.EndpointId })],
            Claims = [.. attachments.SelectMany(a => a.Claims), .. former],
        };
        journal.Write(record, durable: true);
        var book = new ClaimBook(journal, record, former);
        try
        {
            var attached = await new AddOperation(api, sandbox, pod, book).RunAsync(attachments, cancellation).ConfigureAwait(false);
            var warnings = PodEvents.WarnAsync(api, sandbox, "NetworkOptionSkipped", [.. attachments.SelectMany(a => a.Warnings)], cancellation);
            journal.Write(book.Record with { Phase = SandboxPhase.Attached, Attachments = [.. attached.Select(a => a.ToRecord())] }, durable: false);
            foreach (var warning in attachments.SelectMany(a => a.Warnings))
                log.Warning(warning);
            log.Info("ADD done", ("interfaces", string.Join(' ', attached.Select(a => $"{a.Attachment.Interface}={string.Join(',', a.Addresses)}"))));
            await warnings.ConfigureAwait(false);
            return ResultBuilder.Build(attached, sandbox.Netns);
        }
        catch (Exception)
        {
            await RollBackAsync(request, journal, book.Record, api, log).ConfigureAwait(false);
            throw;
        }

        // What an earlier ADD of this very sandbox left. Its creates that may still come are given back.
        async Task<IReadOnlyList<ClaimRecord>> CleanUpAsync(SandboxRecord earlier, CancellationToken token)
        {
            SandboxRelease.RemoveInterfaces(earlier, request.Netns);
            var release = new SandboxRelease(api);
            var left = await release.ReleaseAsync(earlier, token).ConfigureAwait(false);
            return release.Problems.Count == 0
                ? left?.Claims ?? []
                : throw new CniException(CniErrorCode.TryAgainLater, $"cannot clean up what an earlier ADD of container {earlier.ContainerId} left", string.Join("; ", release.Problems));
        }
    }

    // Its own time budget: an ADD that has used up its time still cleans up.
    private async Task RollBackAsync(CniRequest request, Journal journal, SandboxRecord record, ApiClient api, AttachLog log)
    {
        using var budget = new CancellationTokenSource(PatienceOf(request));
        try
        {
            await new DelOperation(state, api, log, PatienceOf(request)).ReleaseAsync(journal, record, record.Netns, budget.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The journal still names everything: the runtime's DEL, or GC, finds it.
            log.Error("rollback is not complete", ("cause", e.Message));
        }
    }

    // How long one of several steps may wait for a server that does not answer.
    private static TimeSpan PatienceOf(CniRequest request) => request.Config.Timeout / 3;

    private static void InContext(Attachment attachment, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is HostLinkException or NetlinkException)
        {
            throw Errors.From(e, $"interface \"{attachment.Interface}\" on {attachment.Network.Ref}");
        }
    }

    private static KubernetesClientConfiguration LoadKubeConfig(CniRequest request) => request.Config.Kubeconfig is { Length: > 0 } path
        ? KubeConfig.Load(path)
        : throw new CniException(CniErrorCode.InvalidNetworkConfig, "the CNI config has no \"kubeconfig\": name the file that danm reaches the API server with", "kubeconfig");

    private static ApiClient? TryConnect(CniRequest request, AttachLog log)
    {
        try
        {
            return new ApiClient(LoadKubeConfig(request), PatienceOf(request));
        }
        catch (Exception e) when (e is KubeConfigException or CniException)
        {
            log.Warning("no way to the API server", ("cause", e.Message));
            return null;
        }
    }
}
