using System.Buffers;
using System.Text.Json;
using Danm.Cni;
using Danm.Netlink;

namespace Danm.FakeIpam;

/// <summary>The plugin's part of a configuration: <c>{"type":"fakeipam","ips":[{"ipcidr":"10.0.0.5/24","version":4}]}</c>.</summary>
public static class FakeIpamConf
{
    /// <summary>The addresses of a configuration's <c>ipam.ips</c>; empty if there are none.</summary>
    /// <param name="config">The whole configuration of the plugin that called fakeipam.</param>
    /// <exception cref="CniException">Code 6 or 7; it names the key and the value.</exception>
    public static IReadOnlyList<CidrAddress> Read(ReadOnlyMemory<byte> config)
    {
        var addresses = new List<CidrAddress>();
        var reader = new CniJsonReader(config, "the network configuration", CniErrorCode.InvalidNetworkConfig);
        while (reader.NextMember(out var key))
        {
            if (!key.SequenceEqual("ipam"u8))
            {
                reader.SkipValue();
                continue;
            }

            if (!reader.IsObject("ipam"))
                continue;
            while (reader.NextMember(out var member))
            {
                if (member.SequenceEqual("ips"u8) && reader.IsList("ipam.ips"))
                    ReadAddresses(ref reader, addresses);
                else
                    reader.SkipValue();
            }
        }

        return addresses;
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
