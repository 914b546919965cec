namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>What goes wrong on a node.</summary>
internal static class NodeBreakages
{
    private const string Plugin = """{"cniVersion":"1.0.0","name":"a","type":"ptp"}""", State = "/var/lib/cni/danm";

    // Of a boot before this one.
    private const string Forgotten = """{"Version":1,"Phase":"Attached","BootId":"00000000-0000-0000-0000-000000000000","ContainerId":"c1","PodUid":"u1","PodNamespace":"default","PodName":"gone","Netns":"/run/netns/gone"}""";

    public static IEnumerable<Breakage> All() =>
    [
        Breakage.Of("another file comes first", @"^failed node-cni-conf: the runtime takes '00-a\.conf' before 00-danm\.conflist", c => HealthyCluster.Write(Path.Combine(c.Conf, "00-a.conf"), Plugin)),
        Breakage.Of("the original's file comes first", @"^failed node-cni-conf: the runtime takes the original's 00-danm\.conf before", c => HealthyCluster.Write(Path.Combine(c.Conf, "00-danm.conf"), Plugin)),
        Breakage.Of("Danm's configuration is gone", @"^failed node-cni-conf: there is no 00-danm\.conflist in .*: Pods of this node start without Danm", c => HealthyCluster.Hide(c.Conflist)),
        Breakage.Of("half a configuration", "^failed node-cni-conf: .*00-danm.conflist", c => HealthyCluster.Write(c.Conflist, "{\"cniVersion\":\"1.0.0\"")),
        Breakage.Of("a configuration that others can write", "^failed node-cni-conf: .*00-danm.conflist can be written by others than its owner", c => Mode(c.Conflist, 0b110_110_110)),
        Breakage.Of("an installer was killed", @"^warning node-cni-conf: an installer was ended while it wrote .*\.danm-unfinished-1", c =>
        {
            var left = Path.Combine(c.Conf, ".00-danm.conflist.danm-unfinished-1");
            var mend = HealthyCluster.Write(left, "x");
            File.SetLastWriteTimeUtc(left, DateTime.UtcNow.AddHours(-1));
            return mend;
        }),
        Breakage.Of("the plugin is gone", "^failed node-plugin: there is no .*/bin/danm: no Pod of this node starts", c => HealthyCluster.Hide(Path.Combine(c.Bin, "danm"))),
        Breakage.Of("the plugin is of another build", "^warning node-plugin: .*/bin/danm is of another build than this program", c =>
        {
            var danm = Path.Combine(c.Bin, "danm");
            var mend = HealthyCluster.Hide(danm);
            File.WriteAllText(danm, "#!/bin/sh\n");
            File.SetUnixFileMode(danm, (UnixFileMode)0b111_101_101);
            return () =>
            {
                File.Delete(danm);
                mend();
            };
        }),
        Breakage.Of("the plugin cannot be executed", "^failed node-plugin: .*/bin/danm cannot be executed", c => Mode(Path.Combine(c.Bin, "danm"), 0b110_100_100)),
        Breakage.Of("the IPAM plugin is another program", "^failed node-plugin: .*fakeipam is not the link to danm", c =>
        {
            var link = Path.Combine(c.Bin, "fakeipam");
            File.Delete(link);
            File.WriteAllText(link, "x");
            return () =>
            {
                File.Delete(link);
                File.CreateSymbolicLink(link, "danm");
            };
        }),
        Breakage.Of("the kubeconfig is gone", "^failed node-kubeconfig: there is no .*danm.d/kubeconfig", c => HealthyCluster.Hide(c.Secret("kubeconfig"))),
        Breakage.Of("the kubeconfig is none", "^failed node-kubeconfig: kubeconfig .* has no context", c => HealthyCluster.Write(c.Secret("kubeconfig"), "{}")),
        Breakage.Of("the token can be read by all", "^failed node-kubeconfig: .*danm.d/token can be read or written by others than root", c => Mode(c.Secret("token"), 0b110_100_100)),
        Breakage.Of("the token is not accepted", "^failed node-kubeconfig: the API server does not serve this node's plugin: .*401", c => HealthyCluster.Write(c.Secret("token"), NodeToken.For("node-1"))),
        Breakage.Of("the token is another node's", "^failed node-token: the token is of node 'node-2', and this node is 'node-1'", c => HealthyCluster.Write(c.Secret("token"), NodeToken.For("node-2"))),
        Breakage.Of("the token has expired", "^failed node-token: the token has expired", c => HealthyCluster.Write(c.Secret("token"), NodeToken.For("node-1", DateTimeOffset.UtcNow.AddMinutes(-1)))),
        Breakage.Of("the plugin lacks a right", "^failed node-rights: the plugin may not create events", c => c.Change("rbac.authorization.k8s.io/v1", "ClusterRole", null, "caas:danm", r => r["rules"]!.AsArray().RemoveAt(4))),
        Breakage.Of("the adopted file wants more of the runtime", "^failed node-default-network: Danm's configuration asks the runtime for 'portMappings', and the plugins of 10-pods want 'bandwidth', 'portMappings'", c => HealthyCluster.Write(
            Path.Combine(c.Conf, "10-pods.conflist"), """{"cniVersion":"1.0.0","name":"pods","plugins":[{"type":"bridge"},{"type":"portmap","capabilities":{"portMappings":true,"bandwidth":true}}]}""")),
        Breakage.Of("the adopted file is gone", @"^failed node-default-network: there is no 10-pods\.conf", c => HealthyCluster.Hide(Path.Combine(c.Conf, "10-pods.conflist"))),
        Breakage.Of("there is no default network", "^warning node-default-network: there is no ClusterNetwork default", c => c.Remove("danm.io/v1", "ClusterNetwork", null, "default")),
        Breakage.Of("more VxLANs than the kernel lets into groups", "^warning node-sysctl: net.ipv4.igmp_max_memberships is 20, and there are 21 VxLANs", c =>
        {
            Action[] mends = [.. Enumerable.Range(1, 21).Select(i => c.Add(Objects.Network("ClusterNetwork", $"vx{i}", $$$"""{"NetworkID":"n{{{i}}}","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":{{{600 + i}}}} }""")))];
            return () => Array.ForEach(mends, m => m());
        }),
        Breakage.Of("a network's file is not here", @"^warning node-delegates: ClusterNetwork/mine has spec\.NetworkType 'mine', but there is no mine\.conf", c => c.Add(Objects.Network("ClusterNetwork", "mine", """{"NetworkID":"mine","NetworkType":"mine"}"""))),
        Breakage.Of("a network's program is not here", "^warning node-delegates: there is no program macvlan in .*, which ClusterNetwork/mv needs", c => c.Add(Objects.Network("ClusterNetwork", "mv", """{"NetworkID":"mv","NetworkType":"macvlan","Options":{"host_device":"parent0"}}"""))),
        Breakage.Of("a device is not here", "^warning node-links: this node has no interface ens9, which ClusterNetwork/far names as host_device", c => c.Add(Objects.Network("ClusterNetwork", "far", """{"NetworkID":"far","NetworkType":"macvlan","Options":{"host_device":"ens9","vlan":7}}"""))),
        new Breakage("an interface is missing", "^warning node-links: the interface vx_near is missing, which ClusterNetwork/near wants", async c =>
        {
            await c.Node.ShellAsync("ip address add 192.0.2.1/24 dev parent0");
            var mend = c.Add(Objects.Network("ClusterNetwork", "near", """{"NetworkID":"near","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":700}}"""));
            return () =>
            {
                mend();
                return c.Node.ShellAsync("ip address delete 192.0.2.1/24 dev parent0");
            };
        }),
        new Breakage("an interface is another one", "^failed node-links: ClusterNetwork/wrong: .*vx_wrong", async c =>
        {
            await c.Node.ShellAsync("ip link add vx_wrong type bridge");
            var mend = c.Add(Objects.Network("ClusterNetwork", "wrong", """{"NetworkID":"wrong","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":701}}"""));
            return () =>
            {
                mend();
                return c.Node.ShellAsync("ip link delete vx_wrong");
            };
        }),
        Breakage.Of("the kubelet does not tell devices", "^failed node-devices: the kubelet's /var/lib/kubelet/pod-resources/kubelet.sock does not answer", c => c.Add(Objects.Network("ClusterNetwork", "sr", """{"NetworkID":"sr","NetworkType":"sriov","Options":{"device_pool":"vendor.io/pool"}}"""))),
        Breakage.OfShell("a journal cannot be read", "^failed node-state: /var/lib/cni/danm/sandboxes/u_c cannot be read", $"mkdir -p -m 700 {State}/sandboxes; echo garbage > {State}/sandboxes/u_c; chmod 600 {State}/sandboxes/u_c", $"rm -r {State}"),
        Breakage.OfShell("a later build's journal", "^failed node-state: .*/u_c was written by a later build of Danm \\(format 9\\)", $$"""mkdir -p -m 700 {{State}}/sandboxes; echo '{"Version":9,"Needs":9,"ContainerId":"c"}' > {{State}}/sandboxes/u_c; chmod 600 {{State}}/sandboxes/u_c; touch -d '-1 hour' {{State}}/sandboxes/u_c""", $"rm -r {State}"),
        Breakage.OfShell("a release waits", "^warning node-state: the release of 1 of 1 sandboxes waits since", $"mkdir -p -m 700 {State}/sandboxes; echo '{Forgotten.Replace("Attached", "Deferred")}' > {State}/sandboxes/u1_c1; chmod 600 {State}/sandboxes/*; touch -d '-1 hour' {State}/sandboxes/*", $"rm -r {State}"),
        Breakage.OfShell("a sandbox that is gone has left something", "^warning node-sandboxes: left over: 'default/gone'", $"mkdir -p -m 700 {State}/sandboxes; echo '{Forgotten}' > {State}/sandboxes/u1_c1; chmod 600 {State}/sandboxes/*; touch -d '-1 hour' {State}/sandboxes/*", $"rm -r {State}"),
        Breakage.OfShell("the state is on a read-only disk", "^failed node-disk: /var/lib/cni/danm is on a read-only file system", $"mkdir -p {State}; mount -t tmpfs -o ro tmpfs {State}", $"umount {State}; rm -r {State}"),
    ];

    private static Action Mode(string path, int mode)
    {
        var before = File.GetUnixFileMode(path);
        File.SetUnixFileMode(path, (UnixFileMode)mode);
        return () => File.SetUnixFileMode(path, before);
    }
}
