using Danm.Api;
using Danm.Ipam;
using Danm.State;

namespace Danm.Attach;

/// <summary>
/// The claims of one ADD while its attachments work in parallel: what may exist, what is confirmed, what was refused for certain.
/// Every name is in the journal, on the disk, before it is created. What an earlier ADD of the same sandbox may still bring about
/// (<c>former</c>) stays in the record until DEL, which looks for it.
/// </summary>
internal sealed class ClaimBook(Journal journal, SandboxRecord record, IReadOnlyList<ClaimRecord> former)
{
    private readonly Lock gate = new();
    private readonly Dictionary<(string Kind, string Name), ClaimRecord> claims =
        record.Claims.DistinctBy(c => (c.Kind, c.Name)).ToDictionary(c => (c.Kind, c.Name));
    private readonly HashSet<string> inherited = [.. former.Select(c => c.Name)];

    /// <summary>The record with the claims as they stand.</summary>
    public SandboxRecord Record
    {
        get
        {
            lock (gate)
                return record with { Claims = [.. claims.Values] };
        }
    }

    /// <summary>Names that may be created next, for an attachment.</summary>
    public void Announce(Attachment attachment, IReadOnlyList<string> allocations)
    {
        lock (gate)
        {
            foreach (var name in allocations)
                claims[(ApiNames.IPAllocation, name)] = attachment.Allocation(name);
            journal.Write(record with { Claims = [.. claims.Values] }, durable: true);
        }
    }

    /// <summary>The address is ours; every other name that was tried for it was refused.</summary>
    public void Confirm(Attachment attachment, AllocatedAddress address)
    {
        lock (gate)
        {
            DropUnconfirmed(attachment, address.Address.IsIPv6);
            claims[(ApiNames.IPAllocation, address.Name)] = attachment.Allocation(address.Name) with { Uid = address.Uid };
        }
    }

    /// <summary>The server refused, for certain, every name that was tried for an address.</summary>
    public void DropAllocations(Attachment attachment, bool ipv6)
    {
        lock (gate)
            DropUnconfirmed(attachment, ipv6);
    }

    /// <summary>The DanmEp exists.</summary>
    public void Confirm(Attachment attachment, DanmEp ep)
    {
        lock (gate)
        {
            claims[(ApiNames.DanmEp, attachment.EndpointId)] =
                new ClaimRecord { Kind = ApiNames.DanmEp, Name = attachment.EndpointId, EndpointId = attachment.EndpointId, Uid = ep.Metadata.Uid };
        }
    }

    /// <summary>The DanmEp was and will not be created: the attachment gave up before, or the server refused for certain.</summary>
    public void DropEndpoint(Attachment attachment)
    {
        lock (gate)
            claims.Remove((ApiNames.DanmEp, attachment.EndpointId));
    }

    private void DropUnconfirmed(Attachment attachment, bool ipv6)
    {
        foreach (var claim in claims.Values.Where(c =>
            c.Kind == ApiNames.IPAllocation && c.EndpointId == attachment.EndpointId && c.Uid is null && IsIPv6(c.Name) == ipv6 && !inherited.Contains(c.Name)).ToList())
            claims.Remove((claim.Kind, claim.Name));
    }

    // 39 characters of eight four-digit groups stand before the segment.
    private static bool IsIPv6(string name) => name.IndexOf('.') == 39;
}
