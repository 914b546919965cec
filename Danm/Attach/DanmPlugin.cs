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
            using var api = new ApiClient(configuration, request.Patience());
            var nodeName = request.Config.NodeName ?? await NodeName.FromTokenAsync(configuration, cancellationToken).ConfigureAwait(false);
            var deferred = DeferredReleases.RunAsync(state, api, (u, c) => c == request.ContainerId || u == request.Args.PodUid, log);
            try
            {
                return await AddAsync(request, ns, name, nodeName, pod, api, log, cancellationToken).ConfigureAwait(false);
            }
            finally
            {
                await deferred.ConfigureAwait(false);
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
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
            await new DelOperation(state, api, log).RunAsync(request, cancellationToken).ConfigureAwait(false);
            if (api is not null)
                await DeferredReleases.RunAsync(state, api, (u, c) => c == request.ContainerId || u == request.Args.PodUid, log).ConfigureAwait(false);
            log.Info("DEL done");
        }
        catch (Exception e) when (e is not OperationCanceledException)
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
            var journals = await state.FindAsync((_, c) => c == request.ContainerId, LockWait, cancellationToken).ConfigureAwait(false);
            var record = journals.Find(j => j.Last is { Phase: SandboxPhase.Attached })?.Last;
            journals.ForEach(j => j.Dispose());
            if (record is null)
                throw new CniException(CniErrorCode.UnknownContainer, $"danm has not attached container {request.ContainerId} on this node: delete the Pod to have it attached anew");
            using var api = new ApiClient(LoadKubeConfig(request), request.Patience());
            await new CheckOperation(api).RunAsync(record, request.Netns!, cancellationToken).ConfigureAwait(false);
        }
        catch (Exception e) when (e is not OperationCanceledException)
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
            var failures = new List<CniException>();
            foreach (var journal in await state.FindAsync((_, c) => !alive.Contains(c), TimeSpan.Zero, cancellationToken).ConfigureAwait(false))
            {
                using (journal)
                    await FreeAsync(journal).ConfigureAwait(false);
            }

            if (failures.Count > 0)
                throw new CniException(failures[0].Code, string.Join("; ", failures.Select(f => f.Msg)));

            // One sandbox that cannot be freed keeps no other from it.
            async Task FreeAsync(Journal journal)
            {
                if (journal.Last is not { } record || record.ConfigName != request.Config.Name)
                    return;
                try
                {
                    await new SandboxRelease(api, log, request.Patience()).RunAsync(journal, SandboxInterfaces.RecordedNetns(record), cancellationToken).ConfigureAwait(false);
                }
                catch (CniException e)
                {
                    failures.Add(e);
                }
            }
        }
        catch (Exception e) when (e is not OperationCanceledException)
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
        catch (Exception e) when (e is KubeConfigException or CniException { Code: CniErrorCode.InvalidNetworkConfig })
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
        // A mirror Pod's DanmEps carry the uid that the API gave it.
        if (endpoints is null || podObject.Metadata.Uid != request.Args.PodUid)
            endpoints = DanmEpSearch.ByPodAsync(api, ns, podObject.Metadata.Uid!, cancellation);
        var sandbox = new PodSandbox(
            podObject, identity, request.ContainerId, request.Args.PodInfraContainerId ?? request.ContainerId, request.Netns!, nodeName ?? podObject.Spec.NodeName);

        var (requests, networks) = await reader.ReadNetworksAsync(podObject, cancellation).ConfigureAwait(false);
        var attachments = AttachmentPlanner.Plan(sandbox, requests, networks, request);
        using (var host = RouteSocket.Open())
        {
            foreach (var attachment in attachments)
                InContext(attachment, () => HostLink.Check(host, attachment.Parent));
        }

        await new FormerSandboxes(state, new SandboxRelease(api, log, request.Patience()), log).ReleaseAsync(sandbox, await endpoints.ConfigureAwait(false), cancellation).ConfigureAwait(false);
        using var journal = await state.CreateAsync(sandbox.Uid, sandbox.ContainerId, LockWait, cancellation).ConfigureAwait(false);
        var former = journal.Last is null ? [] : await new SandboxRelease(api, log, request.Patience()).CleanUpAsync(journal, sandbox.Netns, cancellation).ConfigureAwait(false);
        var record = new SandboxRecord
        {
            Phase = SandboxPhase.Adding,
            ConfigName = request.Config.Name,
            ContainerId = sandbox.ContainerId,
            PodUid = sandbox.Uid,
            PodNamespace = ns,
            PodName = name,
            Netns = sandbox.Netns,
            Attachments = [.. attachments.Select(a => a.ToRecord())],
            Claims = [.. attachments.SelectMany(a => a.Claims), .. former],
        };
        journal.Write(record, durable: true);
        var book = new ClaimBook(journal, record, former);
        try
        {
            var attached = await new AddOperation(api, sandbox, pod, book, request.Config).RunAsync(attachments, cancellation).ConfigureAwait(false);
            journal.Write(book.Record with { Phase = SandboxPhase.Attached, Attachments = [.. attached.Select(a => a.ToRecord())] }, durable: false);
            log.Info("ADD done", ("interfaces", string.Join(' ', attached.Select(a => $"{a.Attachment.Interface}={string.Join(',', a.Addresses)}"))));
            await WarnAsync(api, sandbox, attachments, log, cancellation).ConfigureAwait(false);
            return ResultBuilder.Build(attached, sandbox.Netns);
        }
        catch (Exception)
        {
            await RollBackAsync(request, journal, book.Made, api, log).ConfigureAwait(false);
            throw;
        }
    }

    private static Task WarnAsync(ApiClient api, PodSandbox sandbox, IReadOnlyList<Attachment> attachments, AttachLog log, CancellationToken cancellation)
    {
        var warnings = attachments.SelectMany(a => a.Warnings).ToList();
        foreach (var warning in warnings)
            log.Warning(warning);
        return PodEvents.WarnAsync(api, sandbox, "NetworkOptionSkipped", warnings, cancellation);
    }

    // Its own time budget: an ADD that has used up its time still cleans up.
    private static async Task RollBackAsync(CniRequest request, Journal journal, SandboxRecord made, ApiClient api, AttachLog log)
    {
        using var budget = new CancellationTokenSource(request.Patience());
        try
        {
            journal.Write(made, durable: false);
            await new SandboxRelease(api, log, request.Patience()).RunAsync(journal, made.Netns, budget.Token).ConfigureAwait(false);
        }
        catch (Exception e)
        {
            // The journal still names everything: the runtime's DEL, or GC, finds it.
            log.Error("rollback is not complete", ("cause", e.Message));
        }
    }

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
            return new ApiClient(LoadKubeConfig(request), request.Patience());
        }
        catch (Exception e) when (e is KubeConfigException or CniException)
        {
            log.Warning("no way to the API server", ("cause", e.Message));
            return null;
        }
    }
}
