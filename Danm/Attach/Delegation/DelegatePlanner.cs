using System.Buffers;
using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.Networks;

namespace Danm.Attach.Delegation;

/// <summary>Decides which plugins serve a network, and whose addresses they get: pure, but for the file that it is given.</summary>
internal static class DelegatePlanner
{
    private const string Danm = "danm";

    /// <summary>The plugins for one of a Pod's requests.</summary>
    /// <param name="network">The network; not one of our own plugin's type.</param>
    /// <param name="request">What the Pod asks.</param>
    /// <param name="file">The content of the network's file; null for types whose configuration is built.</param>
    /// <param name="call">The runtime's call.</param>
    /// <param name="warnings">Gets what the Pod's owner must know.</param>
    /// <exception cref="CniException">The network's type cannot be served.</exception>
    public static DelegatePlan Plan(Network network, AttachmentRequest request, NetworkList? file, CniRequest call, List<string> warnings)
    {
        // runtimeConfig is about the Pod's first interface: ports of the host, bandwidth, a hardware address.
        var runtimeConfig = request.Position == 0 ? call.Config.RuntimeConfig : null;
        if (file is null && !NetworkTypes.IsDynamic(network.Spec.NetworkType))
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} has spec.NetworkType {CniText.Quote(network.Spec.NetworkType)}, whose configuration must be in a file, and has none");
        if (file is null)
            return new DelegatePlan(Built(network, call.Config.CniVersion), HasAddresses(request) ? IpamSource.Danm : IpamSource.None, runtimeConfig);
        if (file.Plugins[0].Type != network.Spec.NetworkType)
        {
            throw new CniException(
                CniErrorCode.InvalidNetwork,
                $"{network.Ref} has spec.NetworkType {CniText.Quote(network.Spec.NetworkType)}, but the file of its NetworkID {CniText.Quote(network.Spec.NetworkId)} is for {CniText.Quote(file.Plugins[0].Type)}: correct one of them");
        }

        if (file.Plugins.Any(p => p.Type == Danm))
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref}: the file of its NetworkID {CniText.Quote(network.Spec.NetworkId)} calls danm itself, which would never end: name another file");
        return new DelegatePlan(
            file with { Name = file.Name.Length > 0 ? file.Name : network.Spec.NetworkId! }, TakeOver(network, request, warnings), runtimeConfig);
    }

    /// <summary>
    /// Danm's addresses replace those of a file's own plugin where the Pod asks for an address of a family that the network has a
    /// subnet of. Where no family that it asks for has one, the request is ignored and the file's <c>ipam</c> stays.
    /// </summary>
    public static IpamSource TakeOver(Network network, AttachmentRequest request, List<string> warnings)
    {
        var hasSubnet = (request.IPv4.WantsAddress && !string.IsNullOrEmpty(network.Spec.Options.Cidr))
            || (request.IPv6.WantsAddress && !string.IsNullOrEmpty(network.Spec.Options.Net6));
        if (hasSubnet)
            return IpamSource.Danm;
        if (HasAddresses(request))
        {
            warnings.Add($"ip and ip6 of entry {request.Position} ({network.Ref}) ignored: the network has neither cidr nor net6 for them, so its plugin's own IPAM gives the addresses");
            return IpamSource.Delegate;
        }

        return request.IPv4.Kind == IPRequestKind.None || request.IPv6.Kind == IPRequestKind.None ? IpamSource.None : IpamSource.Delegate;
    }

    private static bool HasAddresses(AttachmentRequest request) => request.IPv4.WantsAddress || request.IPv6.WantsAddress;

    private static NetworkList Built(Network network, SpecVersion wanted)
    {
        // Newer ones than this the plugins of most nodes do not know yet, and these plugins would do nothing more with it.
        var version = wanted < SpecVersion.V1_0_0 ? wanted : SpecVersion.V1_0_0;
        var name = network.Spec.NetworkId is { Length: > 0 } id ? id : network.Ref.Name;
        var type = NetworkTypes.Of(network.Spec.NetworkType);
        if (type == NetworkTypes.Sriov)
            throw new CniException(CniErrorCode.InvalidNetwork, $"{network.Ref} has spec.NetworkType 'sriov': this build cannot choose the device of a Pod yet");
        return new NetworkList { Name = name, Version = version, Plugins = [new PluginConf(type, Macvlan(name, version, network))] };
    }

    // Without an mtu the plugin takes the parent's.
    private static ReadOnlyMemory<byte> Macvlan(string name, SpecVersion version, Network network)
    {
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("cniVersion"u8, version.ToString());
            json.WriteString("name"u8, name);
            json.WriteString("type"u8, NetworkTypes.Macvlan);
            json.WriteString("master"u8, ParentLink.Of(network).Name);
            json.WriteString("mode"u8, "bridge"u8);
            if (network.Spec.Options.Mtu is > 0 and var mtu)
                json.WriteNumber("mtu"u8, mtu);
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }
}
