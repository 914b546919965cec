namespace Danm.Tests.Networks.Admission;

/// <summary>Every rule for networks that needs no other object: what is denied, and its accepted neighbour.</summary>
public static class RuleCases
{
    /// <summary>Rules that NetworkAdmission.Check finds.</summary>
    public static IReadOnlyList<RuleCase> OfNetworks { get; } =
    [
        // Subnets and routes.
        new("1", "spec.Options.cidr", On("'cidr':'10.0.0.0'"), On("'cidr':'10.0.0.0/24'")),
        new("1", "spec.Options.cidr", On("'cidr':'10.0.0.0/33'"), On("'cidr':'10.0.0.0/32'")),
        new("1", "spec.Options.cidr", On("'cidr':'fd00::/64'"), On("'net6':'fd00::/64'")),
        new("2", "spec.Options.routes[10.1.0.0/16]", On("'cidr':'10.0.0.0/24','routes':{'10.1.0.0/16':'10.0.1.1'}"),
            On("'cidr':'10.0.0.0/24','routes':{'10.1.0.0/16':'10.0.0.1'}")),
        new("2", "spec.Options.routes", On("'cidr':'10.0.0.0/24','routes':{'10.1.0.0':'10.0.0.1'}"),
            On("'cidr':'10.0.0.0/24','routes':{'10.1.0.0/32':'10.0.0.1'}")),
        new("2", "spec.Options.routes", On("'net6':'fd00::/64','routes':{'10.1.0.0/16':'10.0.0.1'}"), On("'net6':'fd00::/64','routes':{}")),
        new("3", "spec.Options.net6", On("'net6':'fd00::'"), On("'net6':'fd00::/128'")),
        new("3", "spec.Options.net6", On("'net6':'10.0.0.0/24'"), On("'cidr':'10.0.0.0/24'")),
        new("4", "spec.Options.routes6[fd01::/64]", On("'net6':'fd00::/64','routes6':{'fd01::/64':'fd01::1'}"),
            On("'net6':'fd00::/64','routes6':{'fd01::/64':'fd00::1'}")),
        new("4", "spec.Options.routes6", On("'net6':'fd00::/64','routes6':{'fd01::':'fd00::1'}"), On("'net6':'fd00::/64','routes6':{'::/0':'fd00::1'}")),
        new("4", "spec.Options.routes6", On("'cidr':'10.0.0.0/24','routes6':{'fd01::/64':'fd00::1'}"), On("'cidr':'10.0.0.0/24','routes6':{}")),

        // What the original's releases kept in the object.
        new("5", "spec.Options.alloc", On("'cidr':'10.0.0.0/24','alloc':'gAAB'"), On("'cidr':'10.0.0.0/24','alloc':''")),
        new("5", "spec.Options.alloc", On("'cidr':'10.0.0.0/24','alloc':'gAAB'"), On("'cidr':'10.0.0.0/24','alloc':'gAAA'"), On("'cidr':'10.0.0.0/24','alloc':'gAAA'")),
        new("5", "spec.Options.alloc", On("'cidr':'10.0.0.0/24'"), On("'cidr':'10.0.0.0/24','alloc':'gAAA','mtu':9000"), On("'cidr':'10.0.0.0/24','alloc':'gAAA'")),
        new("6", "spec.Options.alloc6", On("'net6':'fd00::/64','alloc6':'gAAB'"), On("'net6':'fd00::/64','alloc6':''")),
        new("6", "spec.Options.alloc6", On("'net6':'fd00::/64','alloc6':''"), On("'net6':'fd00::/64','alloc6':'gA=='"), On("'net6':'fd00::/64','alloc6':'gA=='")),

        // Pools.
        new("7", "spec.Options.allocation_pool.start", On("'net6':'fd00::/64','allocation_pool':{'start':'10.0.0.1'}"),
            On("'net6':'fd00::/64','allocation_pool':{'start':''}")),
        new("7", "spec.Options.allocation_pool.end", On("'net6':'fd00::/64','allocation_pool':{'end':'10.0.0.9'}"),
            On("'net6':'fd00::/64','cidr':'10.0.0.0/24','allocation_pool':{'end':'10.0.0.9'}")),
        new("8", "spec.Options.allocation_pool.start", On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.1.0'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.254'}")),
        new("8", "spec.Options.allocation_pool.start", On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'first'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.0'}")),
        new("9", "spec.Options.allocation_pool.end", On("'cidr':'10.0.0.0/24','allocation_pool':{'end':'10.0.1.0'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool':{'end':'10.0.0.255'}")),
        new("10", "spec.Options.allocation_pool.start", On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.9','end':'10.0.0.8'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.9','end':'10.0.0.9'}")),
        new("10", "spec.Options.allocation_pool.start", On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.255'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool':{'start':'10.0.0.255','end':'10.0.0.255'}")),
        new("11", "spec.Options.allocation_pool_v6.start", On("'cidr':'10.0.0.0/24','allocation_pool_v6':{'start':'fd00::1'}"),
            On("'cidr':'10.0.0.0/24','net6':'fd00::/64','allocation_pool_v6':{'start':'fd00::1'}")),
        new("11", "spec.Options.allocation_pool_v6.end", On("'cidr':'10.0.0.0/24','allocation_pool_v6':{'end':'fd00::9'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool_v6':{'end':'','lastIp':'fd00::9'}")),
        new("11", "spec.Options.allocation_pool_v6.cidr", On("'cidr':'10.0.0.0/24','allocation_pool_v6':{'cidr':'fd00::/105'}"),
            On("'cidr':'10.0.0.0/24','allocation_pool_v6':{'cidr':''}")),
        new("12", "spec.Options.allocation_pool_v6.start", On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/120','start':'fd00::1:0'}"),
            On("'net6':'fd00::/64','allocation_pool_v6':{'start':'fd00::1:0'}")),
        new("13", "spec.Options.allocation_pool_v6.end", On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/120','end':'fd00::100'}"),
            On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/120','end':'fd00::ff'}")),
        new("14", "spec.Options.allocation_pool_v6.start", On("'net6':'fd00::/64','allocation_pool_v6':{'start':'fd00::9','end':'fd00::8'}"),
            On("'net6':'fd00::/64','allocation_pool_v6':{'start':'fd00::9','end':'fd00::9'}")),
        new("15", "spec.Options.allocation_pool_v6.cidr", On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'10.0.0.0/24'}"),
            On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/64'}")),
        new("15", "spec.Options.allocation_pool_v6.cidr", On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/63'}"),
            On("'net6':'fd00::/64','allocation_pool_v6':{'cidr':'fd00::/65'}")),

        // Link, kinds.
        new("17", "spec.Options.vxlan", On("'cidr':'10.0.0.0/24','vlan':5,'vxlan':6"), On("'cidr':'10.0.0.0/24','vlan':5"), Kinds: "DC"),
        new("19", "spec.AllowedTenants", """{"NetworkID":"net","AllowedTenants":["ns"],"Options":{"host_device":"ens4","net6":"fd00::/64"}}""",
            On("'net6':'fd00::/64'"), Kinds: "DT"),
        new("19", "spec.AllowedTenants", """{"NetworkID":"net","AllowedTenants":[],"Options":{"host_device":"ens4","net6":"fd00::/64"}}""",
            """{"NetworkID":"net","AllowedTenants":null,"Options":{"host_device":"ens4","net6":"fd00::/64"}}""", Kinds: "DT"),
        new("20", "spec.Options.device_pool", Of("sriov", "'cidr':'10.0.0.0/24'"), Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/sriov'")),
        new("20", "spec.Options.host_device", Of("SRIOV", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/sriov','host_device':'ens4'"),
            Of("SRIOV", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/sriov','host_device':''")),
        new("20", "spec.Options.host_device", Of("macvlan", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/pf','host_device':'ens4'"),
            Of("macvlan", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/pf'")),
        new("T1", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':5"), On("'cidr':'10.0.0.0/24'"), Kinds: "T"),
        new("T1", "spec.Options.vxlan", On("'cidr':'10.0.0.0/24','vxlan':6"), On("'cidr':'10.0.0.0/24'"), Kinds: "T"),
        new("T2", "spec.Options.host_device", Of("", "'cidr':'10.0.0.0/24','host_device':'ens5'"), Of("", "'cidr':'10.0.0.0/24','host_device':'ens4','mtu':9000"),
            Of("", "'cidr':'10.0.0.0/24','host_device':'ens4'"), "T"),
        new("T2", "spec.Options.host_device", Of("", "'cidr':'10.0.0.0/24'"), Of("", "'cidr':'10.0.1.0/24','host_device':'ens4'"),
            Of("", "'cidr':'10.0.0.0/24','host_device':'ens4'"), "T"),
        new("T2", "spec.Options.device_pool", Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/b'"),
            Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/a','host_device':''"), Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/a'"), "T"),
        new("T2", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':6"), On("'cidr':'10.0.0.0/24','vlan':5,'mtu':1400"), On("'cidr':'10.0.0.0/24','vlan':5"), "T"),
        new("T2", "spec.Options.vxlan", On("'cidr':'10.0.0.0/24'"), On("'cidr':'10.0.0.0/24','vxlan':600,'rt_tables':7"), On("'cidr':'10.0.0.0/24','vxlan':600"), "T"),
        new("T2", "spec.NetworkType", Of("bridge", "'cidr':'10.0.0.0/24'"), Of("IPVLAN", "'cidr':'10.0.0.0/24'"), Of("", "'cidr':'10.0.0.0/24'"), "T"),
        new("T2", "spec.NetworkType", Of("Bridge", "'cidr':'10.0.0.0/24'"), Of("bridge", "'cidr':'10.0.1.0/24'"), Of("bridge", "'cidr':'10.0.0.0/24'"), "T"),

        // Spellings and ranges, which a CNI call checks as well.
        new("", "spec.NetworkID", """{"NetworkID":"../net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", On("'cidr':'10.0.0.0/24'")),
        new("", "spec.NetworkID", $$$"""{"NetworkID":"{{{new string('a', 129)}}}","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""",
            $$$"""{"NetworkID":"{{{new string('a', 128)}}}","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}"""),
        new("", "spec.NetworkType", Of("a/b", "'cidr':'10.0.0.0/24'"), Of("a-b", "'cidr':'10.0.0.0/24'")),
        new("", "spec.Options.host_device", Of("", "'cidr':'10.0.0.0/24','host_device':'ens4ens4ens4ens4'"), Of("", "'cidr':'10.0.0.0/24','host_device':'ens4ens4ens4ens'")),
        new("", "spec.Options.host_device", Of("", "'cidr':'10.0.0.0/24','host_device':'e\\u001b[2J'"), Of("", "'cidr':'10.0.0.0/24','host_device':'e_2J'")),
        new("", "spec.Options.device_pool", Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/../x'"),
            Of("sriov", "'cidr':'10.0.0.0/24','device_pool':'nokia.io/x'")),
        new("", "spec.Options.container_prefix", On("'cidr':'10.0.0.0/24','container_prefix':'a b'"), On("'cidr':'10.0.0.0/24','container_prefix':'ab'")),
        new("", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':4095"), On("'cidr':'10.0.0.0/24','vlan':4094"), Kinds: "DC"),
        new("", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':-1"), On("'cidr':'10.0.0.0/24','vlan':1"), Kinds: "DC"),
        new("", "spec.Options.vxlan", On("'cidr':'10.0.0.0/24','vxlan':16777215"), On("'cidr':'10.0.0.0/24','vxlan':16777214"), Kinds: "DC"),
        new("", "spec.Options.mtu", On("'cidr':'10.0.0.0/24','mtu':67"), On("'cidr':'10.0.0.0/24','mtu':68")),
        new("", "spec.Options.mtu", On("'net6':'fd00::/64','mtu':1279"), On("'net6':'fd00::/64','mtu':1280")),
    ];

    /// <summary>Rules 18 and T2 for the NetworkID, which NetworkAdmission.CheckMutated finds.</summary>
    public static IReadOnlyList<RuleCase> OfNetworkIds { get; } =
    [
        new("18", "spec.NetworkID", """{"Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", """{"NetworkID":"n","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}"""),
        new("18", "spec.NetworkID", """{"NetworkID":"","NetworkType":"bridge","Options":{"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"n","NetworkType":"bridge","Options":{"cidr":"10.0.0.0/24"}}"""),
        new("18", "spec.NetworkID", """{"NetworkID":"elevenchars","Options":{"host_device":"ens4","vlan":5,"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"elevenchars","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""", Kinds: "DC"),
        new("18", "spec.NetworkID", """{"NetworkID":"elevenchars","NetworkType":"MACVLAN","Options":{"host_device":"ens4","vxlan":600,"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"ten-chars-","NetworkType":"MACVLAN","Options":{"host_device":"ens4","vxlan":600,"cidr":"10.0.0.0/24"}}""", Kinds: "DC"),
        new("18", "spec.NetworkID", """{"NetworkID":"elevenchars","NetworkType":"sriov","Options":{"device_pool":"nokia.io/a","vlan":5,"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"ten-chars-","NetworkType":"sriov","Options":{"device_pool":"nokia.io/a","vlan":5,"cidr":"10.0.0.0/24"}}""", Kinds: "DC"),
        new("18", "spec.NetworkID", """{"NetworkID":"twelve-chars","NetworkType":"bridge","Options":{"host_device":"ens4","vlan":500}}""",
            """{"NetworkID":"twelve-chars","NetworkType":"bridge","Options":{"host_device":"ens4","vlan":50}}""", Kinds: "DC"),
        new("18", "spec.NetworkID", """{"NetworkID":"elevenchars","Options":{"host_device":"ens4","vlan":5,"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"ten-chars-","Options":{"host_device":"ens4","vlan":5,"cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"net","Options":{"host_device":"ens4","vlan":5,"cidr":"10.0.0.0/24"}}""", Kinds: "DC"),
        new("T2", "spec.NetworkID", """{"NetworkID":"other","NetworkType":"bridge"}""", """{"NetworkID":"net","NetworkType":"bridge","Options":{"mtu":1400}}""",
            """{"NetworkID":"net","NetworkType":"bridge"}""", "T"),
    ];

    /// <summary>Rule 21: denied only while Pods are connected; the accepted neighbour passes even then.</summary>
    public static IReadOnlyList<RuleCase> OfConnected { get; } =
    [
        new("21", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':6"), On("'cidr':'10.0.0.0/24','vlan':5,'mtu':1400"), On("'cidr':'10.0.0.0/24','vlan':5"), "DC"),
        new("21", "spec.Options.vlan", On("'cidr':'10.0.0.0/24','vlan':5"), On("'cidr':'10.0.1.0/24'"), On("'cidr':'10.0.0.0/24'"), "DC"),
        new("21", "spec.Options.vlan", On("'cidr':'10.0.0.0/24'"), On("'cidr':'10.0.0.0/23','vlan':5"), On("'cidr':'10.0.0.0/24','vlan':5"), "DC"),
        new("21", "spec.Options.vxlan", On("'cidr':'10.0.0.0/24','vxlan':601"), On("'cidr':'10.0.0.0/24','vxlan':600,'container_prefix':'x'"),
            On("'cidr':'10.0.0.0/24','vxlan':600"), "DC"),
        new("21", "spec.Options.host_device", Of("", "'cidr':'10.0.0.0/24','host_device':'ens5'"), Of("ipvlan", "'cidr':'10.0.0.0/24','host_device':'ens4'"),
            Of("", "'cidr':'10.0.0.0/24','host_device':'ens4'"), "DC"),
        new("21", "spec.NetworkID", """{"NetworkID":"other","Options":{"host_device":"ens4","cidr":"10.0.0.0/24"}}""",
            """{"NetworkID":"net","Options":{"host_device":"ens4","cidr":"10.0.0.0/24","routes":{"10.1.0.0/16":"10.0.0.1"}}}""", On("'cidr':'10.0.0.0/24'"), "DC"),
    ];

    private static string On(string options) => Of("", $"'host_device':'ens4',{options}");

    private static string Of(string type, string options) =>
        $$$"""{"NetworkID":"net","NetworkType":"{{{type}}}","Options":{ {{{options.Replace('\'', '"')}}} }}""";
}
