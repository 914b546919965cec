using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;

namespace Danm.Ipam.Usage;

/// <summary>What counting needs of an IPAllocation in a list, and no more.</summary>
/// <param name="Name">The object's name: address and wire.</param>
/// <param name="Network">The value of <see cref="ApiNames.NetworkLabel"/>.</param>
/// <param name="Owner">The UID of the Pod; empty where there is none.</param>
/// <param name="Node">The node that made it.</param>
internal readonly record struct ListedAllocation(string? Name, string? Network, Guid Owner, string? Node)
{
    private static readonly byte[] s_networkLabel = Encoding.UTF8.GetBytes(ApiNames.NetworkLabel);

    /// <summary>Reads the object that the reader has just come to.</summary>
    /// <exception cref="JsonException">No JSON.</exception>
    public static ListedAllocation Read(ref Utf8JsonReader json)
    {
        var read = new ListedAllocation();
        while (ListJson.NextMember(ref json))
        {
            if (json.ValueTextEquals("metadata"u8))
                read = read.WithMetadata(ref json);
            else if (json.ValueTextEquals("spec"u8))
                read = read.WithSpec(ref json);
            else
                json.Skip();
        }

        return read;
    }

    private ListedAllocation WithMetadata(ref Utf8JsonReader json)
    {
        if (!ListJson.Enter(ref json))
            return this;
        var (name, network) = (Name, Network);
        while (ListJson.NextMember(ref json))
        {
            if (json.ValueTextEquals("name"u8))
                name = ListJson.Text(ref json);
            else if (json.ValueTextEquals("labels"u8))
                network = ListJson.TextWithin(ref json, s_networkLabel);
            else
                json.Skip();
        }

        return this with { Name = name, Network = network };
    }

    private ListedAllocation WithSpec(ref Utf8JsonReader json)
    {
        if (!ListJson.Enter(ref json))
            return this;
        var (owner, node) = (Owner, Node);
        while (ListJson.NextMember(ref json))
        {
            if (json.ValueTextEquals("nodeName"u8))
                node = ListJson.Text(ref json);
            else if (json.ValueTextEquals("owner"u8))
                owner = ListJson.UidWithin(ref json, "podUID"u8);
            else
                json.Skip();
        }

        return this with { Owner = owner, Node = node };
    }
}
