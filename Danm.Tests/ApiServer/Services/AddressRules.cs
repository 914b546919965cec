using System.Net;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer.Services;

/// <summary>Addresses in their plain form, and which of them nothing outside their host could reach.</summary>
internal static class AddressRules
{
    public static bool IsIPv4(string text) => Formats.Matches("ipv4", text);

    /// <summary>IPv4 in IPv6's clothes is neither.</summary>
    public static bool IsIPv6(string text) => Formats.Matches("ipv6", text) && !IPAddress.Parse(text).IsIPv4MappedToIPv6;

    public static bool IsAddress(string text) => IsIPv4(text) || IsIPv6(text);

    public static string FamilyOf(string address) => address.Contains(':') ? "IPv6" : "IPv4";

    /// <summary>An endpoint's address as <c>ValidateEndpointIP</c> wants it; other multicast than link-local passes, as it does there.</summary>
    public static void CheckEndpoint(JsonNode? value, string path, List<FieldError> errors)
    {
        if (value.String() is not { } text || !IsAddress(text))
        {
            errors.Add(FieldError.Invalid(path, value, "must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)"));
            return;
        }

        var address = IPAddress.Parse(text);
        var bytes = address.GetAddressBytes();
        var isIPv4 = address.AddressFamily == AddressFamily.InterNetwork;
        if (address.Equals(IPAddress.Any) || address.Equals(IPAddress.IPv6Any))
            errors.Add(FieldError.Invalid(path, value, $"may not be unspecified ({text})"));
        if (IPAddress.IsLoopback(address))
            errors.Add(FieldError.Invalid(path, value, "may not be in the loopback range (127.0.0.0/8, ::1/128)"));
        if (isIPv4 ? bytes is [169, 254, ..] : address.IsIPv6LinkLocal)
            errors.Add(FieldError.Invalid(path, value, "may not be in the link-local range (169.254.0.0/16, fe80::/10)"));
        if (isIPv4 ? bytes is [224, 0, 0, _] : bytes[0] == 0xff && (bytes[1] & 0x0f) == 2)
            errors.Add(FieldError.Invalid(path, value, "may not be in the link-local multicast range (224.0.0.0/24, ff02::/10)"));
    }

    public static void CheckNode(JsonObject endpoint, string path, List<FieldError> errors)
    {
        if (endpoint["nodeName"] is { } node && !Names.IsSubdomain(node.String()!))
            errors.Add(FieldError.Invalid($"{path}.nodeName", node, "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character"));
    }
}
