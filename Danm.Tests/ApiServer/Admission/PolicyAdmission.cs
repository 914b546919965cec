using System.Collections.Immutable;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>
/// Shows writes to the ValidatingAdmissionPolicies that a binding puts in force: what is about to be stored, after all checks. Actions Deny and
/// Warn are carried out; Audit writes to a log that this server does not have.
/// </summary>
public sealed class PolicyAdmission(ObjectStore store)
{
    private volatile Configured configured = new(null, null, []);

    public bool Any => InForce().Length > 0;

    /// <exception cref="StatusException">A policy refuses the request.</exception>
    public void Judge(AdmissionAttributes request, RequestAdmission origin)
    {
        // Else a policy could keep itself from being mended.
        if (request.Type == BuiltInTypes.ValidatingAdmissionPolicy || request.Type == BuiltInTypes.ValidatingAdmissionPolicyBinding)
            return;
        StatusException? denial = null;
        foreach (var (policy, binding, actions) in InForce())
        {
            if (!policy.Matches(request, store))
                continue;
            if (request.Type.Group == "events.k8s.io")
                throw StatusException.NotImplemented("admission of events.k8s.io");
            foreach (var refusal in policy.Refusals(request, origin.User, origin.Options))
            {
                if (actions.Contains("Deny"))
                    denial ??= refusal.Denial(request, policy.Name, binding);
                if (actions.Contains("Warn"))
                    origin.Warn([$"Validation failed for ValidatingAdmissionPolicy '{policy.Name}' with binding '{binding}': {refusal.Message}"]);
            }
        }

        if (denial is not null)
            throw denial;
    }

    /// <summary>Those with a binding, in the order of the bindings' names; read anew when a policy or a binding changed.</summary>
    private Bound[] InForce()
    {
        var policies = store.Table(BuiltInTypes.ValidatingAdmissionPolicy).Objects;
        var bindings = store.Table(BuiltInTypes.ValidatingAdmissionPolicyBinding).Objects;
        var known = configured;
        if (ReferenceEquals(known.Policies, policies) && ReferenceEquals(known.Bindings, bindings))
            return known.InForce;
        var compiled = policies.Select(p => new AdmissionPolicy(p.Parse())).ToDictionary(p => p.Name);
        Bound[] inForce = [.. from stored in bindings
                              let binding = stored.Parse()
                              where compiled.ContainsKey(binding.At("spec", "policyName").String()!)
                              select new Bound(compiled[binding.At("spec", "policyName").String()!], stored.Name, binding.At("spec", "validationActions").Strings())];
        configured = new(policies, bindings, inForce);
        return inForce;
    }

    private sealed record Bound(AdmissionPolicy Policy, string Binding, string[] Actions);

    private sealed record Configured(ImmutableSortedSet<StoredObject>? Policies, ImmutableSortedSet<StoredObject>? Bindings, Bound[] InForce);
}
