using Danm.Api;

namespace Danm.Svcwatcher.Selection;

/// <summary>What a Service's annotations choose: interfaces with all these labels, on any of these networks.</summary>
/// <param name="Labels">At least one, sorted by key.</param>
/// <param name="Networks">At least one; those with a namespace are in the Service's.</param>
internal sealed record ServiceChoice(IReadOnlyList<KeyValuePair<string, string>> Labels, IReadOnlyList<NetworkRef> Networks)
{
    /// <summary>Whether another chooses the same.</summary>
    public bool IsSame(ServiceChoice? other) => other is not null && Labels.SequenceEqual(other.Labels) && Networks.SequenceEqual(other.Networks);

    /// <summary>Whether an interface of the Service's namespace is chosen.</summary>
    public bool Takes(PodInterfaceRecord record) => IsOn(record) && FirstDifference(record) is null;

    /// <summary>Whether it is on one of the networks.</summary>
    public bool IsOn(PodInterfaceRecord record)
    {
        if (!NetworkKinds.TryParse(record.Spec.ApiType, out var kind))
            return false;
        foreach (var network in Networks)
        {
            if (network.Kind == kind && network.Name == record.Spec.NetworkName)
                return true;
        }

        return false;
    }

    /// <summary>The first label that the interface does not have; null if it has all.</summary>
    public KeyValuePair<string, string>? FirstDifference(PodInterfaceRecord record)
    {
        foreach (var label in Labels)
        {
            if (record.Metadata.Labels?.GetValueOrDefault(label.Key) != label.Value)
                return label;
        }

        return null;
    }
}
