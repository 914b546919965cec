using System.Text.Json;
using Danm.Api;
using Danm.Networks;
using Danm.Networks.Admission;
using Danm.Tenants;

namespace Danm.Webhook;

/// <summary><c>/netvalidation</c>: CREATE and UPDATE of networks. What an object lacks is filled in; a tenant's gets its device and id.</summary>
/// <param name="view">What is known of the cluster.</param>
/// <param name="tenants">What tenants get.</param>
/// <param name="pods">Who is connected.</param>
internal sealed class NetworkValidation(NetworkView view, TenantAssignment tenants, ConnectedPods pods) : IAdmission
{
    /// <inheritdoc/>
    public string Name => "netvalidation";

    /// <inheritdoc/>
    public async Task<Decision> DecideAsync(AdmissionRequest request, CancellationToken cancellation)
    {
        if (!NetworkKinds.TryParse(request.Kind?.Kind, out var kind) || string.IsNullOrEmpty(request.Kind?.Kind))
            return Decision.Deny(400, "BadRequest", $"{request.Kind?.Kind} is no kind of network: this path is for {ApiNames.DanmNet}, {ApiNames.TenantNetwork} and {ApiNames.ClusterNetwork}");
        // What was stored before there were rules must still take a label, and lose a finalizer, even if we cannot read it.
        if (AdmissionObject.IsUpdate(request) && !AdmissionObject.ChangesAny(request, "spec"))
            return Decision.Allow();
        var old = AdmissionObject.ReadNetwork(request.OldObject, kind);
        if (request.Object is not { ValueKind: JsonValueKind.Object } stored)
            return Decision.Deny(400, "BadRequest", "the review has no object");
        var (sent, wanted) = (AdmissionObject.ReadNetwork(stored, kind)!, AdmissionObject.ReadNetwork(stored, kind)!);
        // The API server looks at names after admission only: an id would be reserved for a network that is never stored.
        if (old is null && ObjectNaming.Check(wanted.Metadata) is { } misnamed)
            return Decision.Invalid(request, [misnamed]);
        if (kind == NetworkKind.TenantNetwork && old is not null)
            tenants.Keep(wanted, old);
        var first = NetworkAdmission.Check(wanted, old);
        if (first.Faults.Count > 0)
            return Decision.Invalid(request, first.Faults, first.Warnings);

        NetworkDefaults.Apply(wanted, old);
        var assigned = kind == NetworkKind.TenantNetwork ? await tenants.AssignAsync(wanted, old, cancellation).ConfigureAwait(false) : TenantAssigned.Nothing;
        if (assigned.Faults.Count > 0)
            return Decision.Invalid(request, assigned.Faults, first.Warnings);
        IReadOnlyList<TenantGrant> choices = [];
        Verdict second;
        if (assigned.Choices.Count > 0)
            choices = TenantAssignment.Fit(wanted, sent, assigned.Choices, out second);
        else
            second = NetworkAdmission.CheckMutated(wanted, old);
        List<string> warnings = [.. first.Warnings, .. second.Warnings, .. assigned.Warnings];
        if (second.Faults.Count > 0)
            return Decision.Invalid(request, second.Faults, warnings);
        if (old is not null && kind != NetworkKind.TenantNetwork && NetworkAdmission.NeedsIdlePods(wanted, old, out var faults)
            && await pods.FindAsync(wanted.Ref, cancellation).ConfigureAwait(false) is { } pod)
        {
            var user = $"while Pods are connected, such as {pod}";
            return Decision.Invalid(request, [.. faults.Select(f => f with { Message = $"{f.Message} {user}" })], warnings);
        }

        // The last of all, since what is reserved for a request that is denied would be nobody's.
        if (choices.Count > 0)
            await tenants.TakeAsync(wanted, sent, choices, request.DryRun == true, cancellation).ConfigureAwait(false);
        warnings.AddRange(NetworkNeighbours.Warnings(wanted, view.Networks));
        return Decision.Allow(warnings, NetworkPatch.Of(stored, sent, wanted));
    }
}
