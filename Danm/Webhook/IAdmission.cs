using Danm.Api;

namespace Danm.Webhook;

/// <summary>What answers the reviews of one path.</summary>
internal interface IAdmission
{
    /// <summary>The path without its slash, which metrics and logs call it by.</summary>
    string Name { get; }

    /// <summary>Decides about an object itself; subresources are not asked about.</summary>
    /// <exception cref="Networks.NetworkFaultException">The object cannot be read, or what the tenant asks for cannot be had.</exception>
    /// <exception cref="Tenants.VniException">No id can be had.</exception>
    /// <exception cref="Kube.ApiException">What the decision depends on cannot be read or written.</exception>
    Task<Decision> DecideAsync(AdmissionRequest request, CancellationToken cancellation);
}
