namespace Danm.Webhook.Certificates;

/// <summary>Where <c>--self-signed</c> keeps its certificate, and who must trust it.</summary>
internal sealed record SelfSignedOptions
{
    /// <summary>The namespace of the webhook's Service, and of the Secret.</summary>
    public required string Namespace { get; init; }

    /// <summary>The Service that the API server calls, which the certificate is for.</summary>
    public string Service { get; init; } = "danm-webhook-svc";

    /// <summary>The Secret.</summary>
    public string Secret { get; init; } = "danm-webhook-tls";

    /// <summary>The MutatingWebhookConfiguration whose <c>caBundle</c>s are kept.</summary>
    public string Configuration { get; init; } = "danm-webhook-config";

    /// <summary>How long a certificate lives.</summary>
    public TimeSpan Validity { get; init; } = TimeSpan.FromDays(365);
}
