using Danm.Api;
using Danm.Ipam;
using Danm.Networks;
using Danm.State;

namespace Danm.Calls;

/// <summary>
/// The claims of one ADD while its attachments work in parallel: what may exist, what is confirmed, what was refused for certain.
/// Every name is in the journal, on the disk, before it is created. What an earlier ADD of the same sandbox may still bring about
/// (<c>former</c>) stays in the record until DEL, which looks for it.
/// </summary>
internal sealed class ClaimBook(Journal journal, SandboxRecord record, IReadOnlyList<ClaimRecord> former)
{
    private readonly Lock gate = new();
    private readonly HashSet<string> interfaces = [];
    private readonly Dictionary<string, DelegateRecord> delegates = [];
    private readonly List<ClaimRecord> claims = [.. record.Claims];

    /// <summary>The record with the claims as they stand.</summary>
    public SandboxRecord Record
    {
        get
        {
            lock (gate)
                return Snapshot();
        }
    }

    /// <summary>The record, with only those interfaces that this ADD has made: what a rollback takes back.</summary>
    public SandboxRecord Made
    {
        get
        {
            lock (gate)
            {
                var snapshot = Snapshot();
                return snapshot with { Attachments = [.. snapshot.Attachments.Where(a => interfaces.Contains(a.Interface))] };
            }
        }
    }

    /// <summary>The names that may be created from now on for an address, in place of those refused before.</summary>
    /// <exception cref="IOException">They could not be written down, so they must not be created.</exception>
    public void Announce(ClaimedInterface holder, bool ipv6, IReadOnlyList<string> names)
    {
        lock (gate)
        {
            DropUnconfirmed(holder, ipv6);
            claims.AddRange(names.Select(holder.Allocation));
            journal.Write(Snapshot(), durable: true);
        }
    }

    /// <summary>The address is ours; every other name that was tried for it was refused.</summary>
    public void Confirm(ClaimedInterface holder, AllocatedAddress address)
    {
        lock (gate)
        {
            DropUnconfirmed(holder, address.Address.IsIPv6);
            claims.Add(holder.Allocation(address.Name) with { Uid = address.Uid, MayComeAgain = address.MayComeAgain });
        }
    }

    /// <summary>The server refused, for certain, every name that was tried for an address.</summary>
    public void DropAllocations(ClaimedInterface holder, bool ipv6)
    {
        lock (gate)
            DropUnconfirmed(holder, ipv6);
    }

    /// <summary>The DanmEp exists.</summary>
    public void Confirm(ClaimedInterface holder, DanmEp endpoint, bool mayComeAgain)
    {
        lock (gate)
        {
            claims.RemoveAll(c => c.Kind == ApiNames.DanmEp && c.Name == holder.EndpointId);
            claims.Add(new ClaimRecord
            {
                Kind = ApiNames.DanmEp,
                Name = holder.EndpointId,
                EndpointId = holder.EndpointId,
                Uid = endpoint.Metadata.Uid,
                MayComeAgain = mayComeAgain,
            });
        }
    }

    /// <summary>The DanmEp was and will not be created: the attachment gave up before, or the server refused for certain.</summary>
    public void DropEndpoint(ClaimedInterface holder)
    {
        lock (gate)
            claims.RemoveAll(c => c.Kind == ApiNames.DanmEp && c.Name == holder.EndpointId && !former.Contains(c));
    }

    /// <summary>The attachment was never begun: nothing of it exists, nor is on its way.</summary>
    public void Drop(ClaimedInterface holder)
    {
        lock (gate)
            claims.RemoveAll(c => c.EndpointId == holder.EndpointId && !former.Contains(c));
    }

    /// <summary>The interface is in the Pod, made by this ADD.</summary>
    public void NoteInterface(ClaimedInterface holder)
    {
        lock (gate)
            interfaces.Add(holder.Interface);
    }

    /// <summary>
    /// Plugins are about to be called so. The record on the disk has named them from the start, without addresses; this one is for DEL
    /// after a kill, and a power cut takes the interface along.
    /// </summary>
    /// <exception cref="IOException">It could not be written down, so they must not be called.</exception>
    public void Announce(ClaimedInterface holder, DelegateRecord called)
    {
        lock (gate)
        {
            interfaces.Add(holder.Interface);
            delegates[holder.Interface] = called;
            journal.Write(Snapshot(), durable: false);
        }
    }

    private SandboxRecord Snapshot() => record with
    {
        Claims = [.. claims],
        Attachments = [.. record.Attachments.Select(a => delegates.TryGetValue(a.Interface, out var called) ? a with { Delegate = called } : a)],
    };

    private void DropUnconfirmed(ClaimedInterface holder, bool ipv6) => claims.RemoveAll(c =>
        c.Kind == ApiNames.IPAllocation && c.EndpointId == holder.EndpointId && c.Uid is null && IsIPv6(c.Name) == ipv6 && !former.Contains(c));

    private static bool IsIPv6(string name) => AllocationName.TryParse(name, out var address, out _) && address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
}
