using System.Net;
using System.Net.Sockets;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.FakeIpam;

/// <summary>
/// The addresses that a container is to have, at most one of a family: from <c>runtimeConfig.ips</c> and <c>args.cni.ips</c> (CNI
/// conventions) and from <c>IP</c> in CNI_ARGS. Their prefix lengths are the network's, whatever they say.
/// </summary>
/// <param name="IPv4">Null: any.</param>
/// <param name="IPv6">Null: any.</param>
internal sealed record RequestedAddresses(IPAddress? IPv4, IPAddress? IPv6)
{
    private const string Document = "the network configuration";

    /// <exception cref="CniException">Code 4 or 7: a text is no address, or there are two of a family.</exception>
    public static RequestedAddresses Of(CniRequest request)
    {
        var wanted = new RequestedAddresses(null, null);
        if (request.Config.RuntimeConfig is { } runtimeConfig)
            wanted = wanted.With(runtimeConfig, "runtimeConfig.ips");
        if (Member(Member(request.Config.Raw, "args", "args"), "cni", "args.cni") is { } args)
            wanted = wanted.With(args, "args.cni.ips");
        foreach (var text in request.Args.Addresses?.Split(',', StringSplitOptions.RemoveEmptyEntries) ?? [])
            wanted = wanted.With(text, "CNI_ARGS: IP", CniErrorCode.InvalidEnvironment);
        return wanted;
    }

    private RequestedAddresses With(ReadOnlyMemory<byte> json, string key)
    {
        var wanted = this;
        var reader = new CniJsonReader(json, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var member))
        {
            if (!member.SequenceEqual("ips"u8))
            {
                reader.SkipValue();
                continue;
            }

            foreach (var text in reader.Strings(key))
                wanted = wanted.With(text, $"{Document}: {key}", CniErrorCode.InvalidNetworkConfig);
        }

        return wanted;
    }

    private RequestedAddresses With(string text, string where, int code)
    {
        IPAddress address;
        if (CidrAddress.TryParse(text, out var cidr))
            address = cidr.Address;
        else if (!CidrAddress.TryParseAddress(text, out address!))
            throw new CniException(code, $"{where} {CniText.Quote(text)} is not an IP address");
        var isIPv6 = address.AddressFamily == AddressFamily.InterNetworkV6;
        if ((isIPv6 ? IPv6 : IPv4) is { } other && !other.Equals(address))
            throw new CniException(code, $"{where} {CniText.Quote(text)} is one address too many: {other} is asked for already, and an interface gets one of each family");
        return isIPv6 ? this with { IPv6 = address } : this with { IPv4 = address };
    }

    private static ReadOnlyMemory<byte>? Member(ReadOnlyMemory<byte>? json, string name, string path)
    {
        if (json is not { } text)
            return null;
        ReadOnlyMemory<byte>? found = null;
        var reader = new CniJsonReader(text, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var member))
        {
            if (member.SequenceEqual(System.Text.Encoding.UTF8.GetBytes(name)) && reader.IsObject(path))
                found = reader.RawValue();
            else
                reader.SkipValue();
        }

        return found;
    }
}
