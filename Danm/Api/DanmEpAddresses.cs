using System.Text.Json.Serialization;

namespace Danm.Api;

/// <summary>A merge patch (RFC 7386) that changes the addresses of a DanmEp and nothing else.</summary>
/// <param name="Spec">The part of the spec.</param>
public sealed record DanmEpAddresses(DanmEpAddresses.SpecPart Spec)
{
    /// <summary>The spec's part.</summary>
    /// <param name="Interface">The interface's part.</param>
    public sealed record SpecPart([property: JsonPropertyName("Interface")] InterfacePart Interface);

    /// <summary>The addresses, with their prefix lengths.</summary>
    /// <param name="Address">IPv4.</param>
    /// <param name="AddressIPv6">IPv6.</param>
    public sealed record InterfacePart([property: JsonPropertyName("Address")] string Address, [property: JsonPropertyName("AddressIPv6")] string AddressIPv6);
}
