using System.Buffers;
using System.Text.Json;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.FakeIpam;

/// <summary>
/// The plugin's part of a configuration: <c>{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4}]}</c> where Danm has chosen,
/// <c>{"type":"fakeipam","network":"ClusterNetwork/x"}</c> where fakeipam is to.
/// </summary>
public static class FakeIpamConf
{
    private const string Document = "the network configuration";

    /// <summary>The addresses of a configuration's <c>ipam.ips</c>; empty if there are none.</summary>
    /// <param name="config">The whole configuration of the plugin that called fakeipam.</param>
    /// <exception cref="CniException">Code 6 or 7; it names the key and the value.</exception>
    public static IReadOnlyList<CidrAddress> Read(ReadOnlyMemory<byte> config)
    {
        var addresses = new List<CidrAddress>();
        if (Section(config) is not { } section)
            return addresses;
        var reader = new CniJsonReader(section, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var member))
        {
            if (member.SequenceEqual("ips"u8) && reader.IsList("ipam.ips"))
                ReadAddresses(ref reader, addresses);
            else
                reader.SkipValue();
        }

        return addresses;
    }

    /// <summary>The text of a configuration's <c>ipam.network</c>; null if there is none.</summary>
    /// <param name="config">The whole configuration of the plugin that called fakeipam.</param>
    /// <exception cref="CniException">Code 6 or 7; it names the key and the value.</exception>
    public static string? ReadNetwork(ReadOnlyMemory<byte> config)
    {
        string? network = null;
        if (Section(config) is not { } section)
            return null;
        var reader = new CniJsonReader(section, Document, CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var member))
        {
            if (member.SequenceEqual("network"u8))
                network = reader.String("ipam.network");
            else
                reader.SkipValue();
        }

        return string.IsNullOrEmpty(network) ? null : network;
    }

    /// <summary>The <c>ipam</c> object that gives these addresses.</summary>
    public static ReadOnlyMemory<byte> Write(IEnumerable<CidrAddress> addresses)
    {
        ArgumentNullException.ThrowIfNull(addresses);
        var buffer = new ArrayBufferWriter<byte>(256);
        using (var json = new Utf8JsonWriter(buffer))
        {
            json.WriteStartObject();
            json.WriteString("type"u8, FakeIpamPlugin.Name);
            json.WriteStartArray("ips"u8);
            foreach (var address in addresses)
            {
                json.WriteStartObject();
                json.WriteString("ipcidr"u8, address.ToString());
                json.WriteNumber("version"u8, address.IsIPv6 ? 6 : 4);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        return buffer.WrittenMemory;
    }

    private static ReadOnlyMemory<byte>? Section(ReadOnlyMemory<byte> config)
    {
        var reader = new CniJsonReader(config, Document, CniErrorCode.InvalidNetworkConfig);
        ReadOnlyMemory<byte>? section = null;
        while (reader.NextMember(out var key))
        {
            if (key.SequenceEqual("ipam"u8) && reader.IsObject("ipam"))
                section = reader.RawValue();
            else
                reader.SkipValue();
        }

        return section;
    }

    private static void ReadAddresses(ref CniJsonReader reader, List<CidrAddress> addresses)
    {
        while (reader.NextItem())
        {
            reader.CheckCount("ipam.ips", addresses.Count);
            if (!reader.IsObject("ipam.ips"))
                throw reader.BadValue("ipam.ips", "null", "is not an address");
            CidrAddress? address = null;
            while (reader.NextMember(out var key))
            {
                // The version says nothing that the address does not.
                if (key.SequenceEqual("ipcidr"u8))
                    address = reader.Cidr("ipam.ips: ipcidr");
                else
                    reader.SkipValue();
            }

            addresses.Add(address ?? throw reader.Missing("ipam.ips: ipcidr"));
        }
    }
}
