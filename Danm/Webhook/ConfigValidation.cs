using Danm.Api;
using Danm.Networks.Admission;

namespace Danm.Webhook;

/// <summary><c>/confvalidation</c>: CREATE and UPDATE of TenantConfigs.</summary>
internal sealed class ConfigValidation : IAdmission
{
    /// <inheritdoc/>
    public string Name => "confvalidation";

    /// <inheritdoc/>
    public Task<Decision> DecideAsync(AdmissionRequest request, CancellationToken cancellation)
    {
        if (request.Kind?.Kind != ApiNames.TenantConfig)
            return Task.FromResult(Decision.Deny(400, "BadRequest", $"{request.Kind?.Kind} is no {ApiNames.TenantConfig}"));
        // What was stored before there were rules must still take a label, and lose a finalizer, even if we cannot read it.
        if (AdmissionObject.IsUpdate(request) && !AdmissionObject.ChangesAny(request, "hostDevices", "networkIds"))
            return Task.FromResult(Decision.Allow());
        if (AdmissionObject.Read(request.Object, AdmissionJson.Default.TenantConfig) is not { } config)
            return Task.FromResult(Decision.Allow());
        var old = AdmissionObject.Read(request.OldObject, AdmissionJson.Default.TenantConfig);
        var verdict = TenantConfigAdmission.Check(config, old);
        return Task.FromResult(verdict.Faults.Count > 0 ? Decision.Invalid(request, verdict.Faults, verdict.Warnings) : Decision.Allow(verdict.Warnings));
    }
}
