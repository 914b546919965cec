using System.Runtime.CompilerServices;
using Danm.Attach;
using Danm.Cni;
using Danm.Ipam.Garbage;
using Danm.Kube;

namespace Danm.Doctor.Node;

/// <summary>What sandboxes that are gone have left on this node: the pass of netwatcher and <c>danm ipam gc</c>, of which nothing is carried out.</summary>
internal sealed class SandboxCheck(NodeView node) : ICheck
{
    private const string Gc = "run 'danm ipam gc' here as root; does netwatcher run on this node, which does it by itself?";

    /// <inheritdoc/>
    public string Id => "node-sandboxes";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        var state = node.State;
        if (!state.Exists && !state.Addresses.Exists)
        {
            yield return Finding.Ok("danm has attached no Pod here yet");
            yield break;
        }

        var local = await LocalNode.FindAsync(node.Config, node.KubeconfigPath, cancellation).ConfigureAwait(false);
        if (local.Name is not { } name)
            throw new CheckSkippedException("nothing tells this node's name", "have the installer write nodeName into Danm's configuration");
        IReadOnlyList<Ipam.Garbage.Finding> findings;
        try
        {
            findings = await new NodeGarbage(node.Api, state, name, new DeadSandboxes(local.ToCall(state), node.Api)).RunAsync(dryRun: true, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e) when (e.Code is null or System.Net.HttpStatusCode.Unauthorized)
        {
            throw new CheckSkippedException("the API server does not serve this node's plugin: see node-kubeconfig");
        }

        foreach (var finding in findings)
            yield return Translate(finding);
        if (findings.Count == 0)
            yield return Finding.Ok("no sandbox that is gone has left anything");
    }

    private static Finding Translate(Ipam.Garbage.Finding f)
    {
        var what = $"{(f.PodName is null ? "a sandbox" : CniText.Quote($"{f.PodNamespace}/{f.PodName}"))}{(f.Allocations.Count == 0 ? "" : $" ({string.Join(", ", f.Allocations.Select(CniText.Quote))})")}: {f.Reason}";
        return f.Kind switch
        {
            FindingKind.Freed => Finding.Warning($"left over: {what}", Gc),
            FindingKind.Restored => Finding.Warning($"an IPAllocation is missing of a Pod that runs: {what}", "netwatcher makes it anew, and so does 'danm ipam gc' here; who deletes them?"),
            FindingKind.Waiting or FindingKind.Busy => Finding.Info($"may be left over: {what}", "netwatcher sees to it within minutes"),
            FindingKind.Conflict => Finding.Failed($"an address is used twice: {what}", "restart one of the two Pods"),
            FindingKind.Suspect => Finding.Warning($"looks left over, and cannot be proven here: {what}", "make sure that no sandbox has the address, then 'danm ipam release IPALLOCATION'"),
            FindingKind.WrongMount => Finding.Failed($"no sandbox of this node can be seen: {what}", "run it in the host's mount namespace (nsenter -t 1 -m), or in a container with hostPID"),
            _ => Finding.Failed(what, Gc),
        };
    }
}
