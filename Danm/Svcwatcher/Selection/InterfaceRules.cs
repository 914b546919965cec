using System.Globalization;
using System.Net;
using Danm.Api;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.Svcwatcher.Selection;

/// <summary>Whether an interface belongs to a Service, and if not, why.</summary>
internal static class InterfaceRules
{
    /// <summary>What keeps an interface from being chosen; null if it is.</summary>
    public static string? WhyNotChosen(ServiceChoice choice, PodInterfaceRecord record)
    {
        if (!choice.IsOn(record))
            return $"on {(NetworkKinds.TryParse(record.Spec.ApiType, out var kind) ? kind.ToName() : CniText.Quote(record.Spec.ApiType))} {CniText.Quote(record.Spec.NetworkName)}";
        if (choice.FirstDifference(record) is not { } wanted)
            return null;
        var value = record.Metadata.Labels?.GetValueOrDefault(wanted.Key);
        return value is null
            ? $"label {CniText.Quote(wanted.Key)} is missing"
            : $"label {CniText.Quote(wanted.Key)} is {CniText.Quote(value)}, not {CniText.Quote(wanted.Value)}";
    }

    /// <summary>What keeps the address of an interface from being its Pod's at this moment; null: it is.</summary>
    public static string? WhyNotBacked(PodInterfaceRecord record, BackingPod? pod)
    {
        if (record.Metadata.DeletionTimestamp is not null)
            return "the DanmEp is being deleted";
        if (pod is null)
            return "no such Pod";
        if (!IsOf(record, pod))
            return "the DanmEp is of an earlier Pod of this name";
        return HasEnded(pod) ? $"the Pod is {pod.Status.Phase}" : null;
    }

    /// <summary>Whether it is this very Pod's and not one's of the same name before it.</summary>
    public static bool IsOf(PodInterfaceRecord record, BackingPod pod) => record.Spec.PodUid is { Length: > 0 } uid
        ? uid == pod.Metadata.Uid
        // The original did not always write it. What is older than the Pod cannot be its own.
        : TimeOf(record.Metadata.CreationTimestamp) >= TimeOf(pod.Metadata.CreationTimestamp);

    /// <summary>Whether the Pod's containers have ended for good.</summary>
    public static bool HasEnded(BackingPod pod) => pod.Status.Phase is "Succeeded" or "Failed";

    /// <summary>
    /// The address of a family, in its canonical spelling; null if there is none, or none that the API server would take for an endpoint
    /// (it refuses unspecified, loopback, link-local and multicast ones).
    /// </summary>
    public static string? AddressOf(PodInterfaceRecord record, bool isIPv6)
    {
        var text = isIPv6 ? record.Spec.Interface.AddressIPv6 : record.Spec.Interface.Address;
        var slash = text.IndexOf('/', StringComparison.Ordinal);
        if (!CidrAddress.TryParseAddress(slash < 0 ? text : text.AsSpan(0, slash), out var address))
            return null;
        return address.AddressFamily == (isIPv6 ? System.Net.Sockets.AddressFamily.InterNetworkV6 : System.Net.Sockets.AddressFamily.InterNetwork) && IsUsable(address)
            ? address.ToString()
            : null;
    }

    private static bool IsUsable(IPAddress address)
    {
        if (IPAddress.IsLoopback(address) || address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any) || address.IsIPv6LinkLocal || address.IsIPv6Multicast)
            return false;
        Span<byte> bytes = stackalloc byte[16];
        // 169.254.0.0/16, 224.0.0.0/4.
        return !address.TryWriteBytes(bytes, out var length) || length != 4 || ((bytes[0], bytes[1]) is not (169, 254) && bytes[0] is < 224 or > 239);
    }

    private static DateTimeOffset TimeOf(string? text) =>
        DateTimeOffset.TryParse(text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var time) ? time : DateTimeOffset.MinValue;
}
