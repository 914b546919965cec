namespace Danm.Tests.Networks.Admission;

/// <summary>Every rule for TenantConfigs: what is denied, and its accepted neighbour. The texts are whole objects but for the metadata.</summary>
public static class TenantConfigCases
{
    private const string Stored = """{"hostDevices":[{"name":"ens4","vniType":"vlan","vniRange":"1-9","alloc":"gA=="}]}""";

    public static IReadOnlyList<RuleCase> All { get; } =
    [
        new("C1", "hostDevices", "{}", """{"networkIds":{"bridge":"internal"}}"""),
        new("C1", "hostDevices", """{"hostDevices":[],"networkIds":{}}""", """{"hostDevices":[{"name":"ens4"}],"networkIds":{}}"""),
        Device("C2", "name", """{"name":""}""", """{"name":"e"}"""),
        Device("C2", "name", """{"vniType":"vlan","vniRange":"1"}""", """{"name":"ens4","vniType":"vlan","vniRange":"1"}"""),
        Device("C2", "name", """{"name":"ens4ens4ens4ens4"}""", """{"name":"ens4ens4ens4ens"}"""),
        Device("C2", "name", """{"name":"/etc/passwd"}""", """{"name":"nokia.io/passwd"}"""),
        Device("C2", "name", $$"""{"name":"n/{{new string('a', 316)}}"}""", $$"""{"name":"n/{{new string('a', 315)}}"}"""),
        Device("C3", "vniRange", """{"name":"ens4","vniType":"vlan"}""", """{"name":"ens4","vniType":"","vniRange":""}"""),
        Device("C3", "vniType", """{"name":"ens4","vniRange":"1-9"}""", """{"name":"ens4","vniType":"vlan","vniRange":"1-9"}"""),
        Device("C4", "vniType", """{"name":"ens4","vniType":"vlam","vniRange":"1-9"}""", """{"name":"ens4","vniType":"vxlan","vniRange":"1-9"}"""),
        Device("C4", "vniType", """{"name":"ens4","vniType":"VLAN","vniRange":"1-9"}""", """{"name":"ens4","vniType":"vlan","vniRange":"1-9"}"""),
        Device("C5", "vniRange", """{"name":"ens4","vniType":"vlan","vniRange":"0-9"}""", """{"name":"ens4","vniType":"vlan","vniRange":"1-9"}"""),
        Device("C5", "vniRange", """{"name":"ens4","vniType":"vlan","vniRange":"1-4095"}""", """{"name":"ens4","vniType":"vxlan","vniRange":"1-4095"}"""),
        Device("C5", "vniRange", """{"name":"ens4","vniType":"vxlan","vniRange":"16777215"}""", """{"name":"ens4","vniType":"vxlan","vniRange":"16777214"}"""),
        Device("C5", "vniRange", """{"name":"ens4","vniType":"vlan","vniRange":"9-1"}""", """{"name":"ens4","vniType":"vlan","vniRange":"9-9"}"""),
        Device("C5", "vniRange", """{"name":"ens4","vniType":"vlan","vniRange":"1, 2"}""", """{"name":"ens4","vniType":"vlan","vniRange":"1,2"}"""),
        Device("C6", "alloc", """{"name":"ens4","alloc":"gA=="}""", """{"name":"ens4","alloc":""}"""),
        Device("C6", "alloc", """{"name":"ens4","vniType":"vlan","vniRange":"1-9","alloc":"AA=="}""",
            """{"name":"ens4","vniType":"vlan","vniRange":"1-8","alloc":"gA=="}""", Stored),
        Device("C6", "alloc", """{"name":"ens5","vniType":"vlan","vniRange":"1-9","alloc":"gA=="}""", """{"name":"ens4","vniType":"vlan","vniRange":"1-9"}""", Stored),
        new("C7", "networkIds", """{"networkIds":{"":"internal"}}""", """{"networkIds":{"b":"internal"}}"""),
        new("C7", "networkIds", """{"networkIds":{"a/b":"internal"}}""", """{"networkIds":{"a-b":"internal"}}"""),
        new("C7", "networkIds[bridge]", """{"networkIds":{"bridge":""}}""", """{"networkIds":{"bridge":"i"}}"""),
        new("C7", "networkIds[bridge]", """{"networkIds":{"bridge":"../i"}}""", """{"networkIds":{"bridge":"0.i"}}"""),
        new("C8", "networkIds[ipvlan]", """{"networkIds":{"ipvlan":"elevenchars"}}""", """{"networkIds":{"ipvlan":"ten-chars-"}}"""),
        new("C8", "networkIds[SriOv]", """{"networkIds":{"SriOv":"elevenchars"}}""", """{"networkIds":{"bridge":"elevenchars"}}"""),
    ];

    private static RuleCase Device(string rule, string member, string rejected, string accepted, string? old = null) =>
        new(rule, $"hostDevices[0].{member}", $$"""{"hostDevices":[{{rejected}}]}""", $$"""{"hostDevices":[{{accepted}}]}""", old);
}
