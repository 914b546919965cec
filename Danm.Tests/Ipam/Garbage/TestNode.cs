using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Calls;
using Danm.Api;
using Danm.Attach;
using Danm.Cni;
using Danm.Ipam;
using Danm.Ipam.Garbage;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;
using Danm.Tests.ApiServer;

namespace Danm.Tests.Ipam.Garbage;

/// <summary>
/// A node in this process: its journals in memory, its namespaces as files, and ADD and DEL with all that they do but the kernel's part.
/// </summary>
internal sealed class TestNode : IDisposable
{
    private static int s_count;

    private readonly string root = Directory.CreateDirectory($"/dev/shm/danm-node-{Environment.ProcessId}-{Interlocked.Increment(ref s_count)}").FullName;
    private readonly EmbeddedApiServer server;

    public TestNode(EmbeddedApiServer server, ApiClient api, string name)
    {
        (this.server, Api, Name) = (server, api, name);
        Directory.CreateDirectory(Path.Combine(root, "netns"));
        State = new NodeState(Path.Combine(root, "state"));
    }

    public ApiClient Api { get; }

    public string Name { get; }

    public NodeState State { get; }

    public ManualClock Clock { get; } = new();

    public NodeGarbage Garbage => new(Api, State, Name, Release, new HostNamespaces(root), Clock);

    public ISandboxRelease Release => new DeadSandboxes(Call, Api);

    private NodeCall Call => new(new CniRequest { Command = CniCommand.Gc, Config = Config }, State);

    private static NetConf Config => new() { Name = "danm", LogLevel = NetConfLogLevel.None, Timeout = TimeSpan.FromSeconds(30) };

    /// <summary>A Pod of this node, in the API.</summary>
    public string CreatePod(string name, JsonObject? annotations = null) => server.Store.Create(new JsonObject
    {
        ["apiVersion"] = "v1", ["kind"] = "Pod",
        ["metadata"] = new JsonObject { ["name"] = name, ["namespace"] = "default", ["annotations"] = annotations },
        ["spec"] = new JsonObject { ["nodeName"] = Name, ["containers"] = new JsonArray(new JsonObject { ["name"] = "c", ["image"] = "i" }) },
    }).At("metadata", "uid").String()!;

    public void DeletePod(string name) => server.Store.Delete("v1", "Pod", "default", name);

    /// <summary>Makes a sandbox's namespace. A link to itself is what a view cannot follow, like the links of /proc.</summary>
    public void MakeNamespace(string container) => File.CreateSymbolicLink(Path.Combine(root, "netns", container), $"/netns/{container}");

    public void DeleteNamespace(string container) => File.Delete(Path.Combine(root, "netns", container));

    /// <summary>What ADD does, up to where the token ends it; then it has been killed: nothing is taken back, and its lock is gone.</summary>
    public async Task<AllocatedAddress> AddAsync(string pod, string uid, string container, Network network, string? wanted = null, string? identity = null, CancellationToken killed = default)
    {
        var endpoint = EndpointId.For(identity ?? uid, container, "eth0");
        var pool = AddressPool.IPv4(network)!;
        var owner = new IPAllocationOwner { Namespace = "default", Pod = pod, PodUid = uid, ContainerId = container, Interface = "eth0", DanmEp = endpoint };
        var tries = AddressAllocator.Plan(new AddressClaim(network, Segment.Of(network), pool, wanted is null ? null : IPAddress.Parse(wanted), owner, Name));
        var sandbox = new PodSandbox(new Pod { Metadata = new ObjectMeta { Name = pod, Namespace = "default", Uid = uid } }, identity ?? uid, container, container, $"/netns/{container}", Name);
        await new FormerSandboxes(Call, Api, new PodReader(Api)).ReleaseAsync(sandbox, [], killed);
        using var journal = await State.CreateAsync(identity ?? uid, container, TimeSpan.FromSeconds(10), killed);
        var attachment = new AttachmentRecord { Interface = "eth0", Network = network.Ref.ToString(), EndpointId = endpoint };
        var record = new SandboxRecord
        {
            ConfigName = "danm", ContainerId = container, PodUid = identity ?? uid, PodNamespace = "default", PodName = pod, Netns = $"/netns/{container}", Attachments = [attachment],
            Claims = [.. tries.Names.Select(Claim), new ClaimRecord { Kind = "DanmEp", Name = endpoint, EndpointId = endpoint, MayComeAgain = true }],
        };
        var book = new ClaimBook(journal, record, []);
        var planned = new Attachment
        {
            Request = new AttachmentRequest(0, network.Ref, default, default, [], []), Network = network, Interface = "eth0", EndpointId = endpoint, IPv4 = tries,
        };
        journal.Write(record, durable: true);
        AllocatedAddress address;
        try
        {
            address = await new AddressAllocator(Api, names => book.Announce(planned, ipv6: false, names)).AllocateAsync(tries, killed);
            book.Confirm(planned, address);
            var made = await Api.CreateAsync(ResourcePath.Danm(ApiNames.DanmEps, "default"), Endpoint(endpoint, pod, uid, container, network, address), ApiJson.Default.DanmEp, killed);
            book.Confirm(planned, made.Object, made.MayComeAgain);
            journal.Write(book.Record with { Phase = SandboxPhase.Attached, Attachments = [attachment with { Addresses = [address.Address.ToString()] }] }, durable: false);
        }
        catch (Exception) when (!killed.IsCancellationRequested)
        {
            journal.Write(book.Made, durable: false);
            await Release.ReleaseAsync(journal, [], CancellationToken.None);
            throw;
        }

        return address;

        ClaimRecord Claim(string name) => new() { Kind = "IPAllocation", Name = name, EndpointId = endpoint, MayComeAgain = true };
    }

    /// <summary>What DEL does after the interface is gone. Where the token ends it, it has been killed: it writes nothing down.</summary>
    /// <returns>Whether it was killed.</returns>
    public async Task<bool> DelAsync(string container, CancellationToken killed = default)
    {
        foreach (var journal in await State.FindAsync((_, c) => c == container, TimeSpan.FromSeconds(10), CancellationToken.None))
        {
            using (journal)
            {
                if (journal.Last is not { } record)
                {
                    journal.Remove();
                    continue;
                }

                await Release.ReleaseAsync(journal, [], killed);
                if (!killed.IsCancellationRequested || State.LastWriteOf(record.Key) is null)
                    continue;
                // The last line counts: it is as if what was deferred had never been written.
                journal.Write(record, durable: false);
                File.Delete(Path.Combine(State.Folder, "deferred", record.Key));
                return true;
            }
        }

        return false;
    }

    /// <summary>All namespaces are gone, and what journals say is of another boot.</summary>
    public void Reboot()
    {
        foreach (var file in Directory.EnumerateFiles(Path.Combine(root, "netns")).ToList())
            File.Delete(file);
        if (!State.Exists)
            return;
        foreach (var file in Directory.EnumerateFiles(Path.Combine(State.Folder, "sandboxes")).ToList())
        {
            var written = File.GetLastWriteTimeUtc(file);
            File.WriteAllText(file, File.ReadAllText(file).Replace(NodeState.BootId, "00000000-0000-0000-0000-000000000000"));
            File.SetLastWriteTimeUtc(file, written);
        }
    }

    public void LoseJournals() => Directory.Delete(State.Folder, recursive: true);

    /// <summary>As <see cref="SandboxRecord"/>s, the newest line of each.</summary>
    public IReadOnlyList<SandboxRecord> Records => [.. State.Survey().Select(j => j.Last).OfType<SandboxRecord>()];

    public void Dispose() => Directory.Delete(root, recursive: true);

    private DanmEp Endpoint(string name, string pod, string uid, string container, Network network, AllocatedAddress address) => new()
    {
        Metadata = new ObjectMeta { Name = name, Namespace = "default", Labels = new() { ["danm.io/node"] = Name } },
        Spec = new DanmEpSpec
        {
            NetworkName = network.Ref.Name, NetworkType = "ipvlan", EndpointId = name, ApiType = network.Kind.ToName(), NodeName = Name, Pod = pod, PodUid = uid, ContainerId = container,
            Netns = $"/netns/{container}", Interface = new DanmEpInterface { Name = "eth0", Address = address.Address.ToString() },
        },
    };
}
