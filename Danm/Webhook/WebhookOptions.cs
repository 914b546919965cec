using Danm.Kube.Serving;
using Danm.Webhook.Certificates;

namespace Danm.Webhook;

/// <summary>How the webhook runs.</summary>
internal sealed record WebhookOptions
{
    /// <summary>Where reviews are answered.</summary>
    public required BindAddress Address { get; init; }

    /// <summary>PEM files of the certificate and its key; null: <see cref="SelfSigned"/>.</summary>
    public (string Certificate, string Key)? Files { get; init; }

    /// <summary>A certificate of our own; null: <see cref="Files"/>.</summary>
    public SelfSignedOptions? SelfSigned { get; init; }

    /// <summary>How long it goes on answering after it was asked to end, while the Service's rules on all nodes forget it.</summary>
    public TimeSpan ShutdownDelay { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Where the probes are answered; null: nowhere.</summary>
    public BindAddress? Health { get; init; }

    /// <summary>Where the metrics are; null: nowhere.</summary>
    public BindAddress? Metrics { get; init; }
}
