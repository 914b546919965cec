using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks;

/// <summary>Two Pods: one asks for one dual-stack network with a dynamic address of each family, the other for five.</summary>
internal static class AttachmentScenes
{
    public const string One = "pod-1";
    public const string Five = "pod-5";

    public static void Create(ApiStore store)
    {
        for (var i = 1; i <= 5; i++)
        {
            store.Create(Objects.Network("DanmNet", $"net-{i}", $$$"""
                {"NetworkID":"net{{{i}}}","NetworkType":"ipvlan","Options":{"host_device":"parent0","cidr":"10.{{{i}}}.0.0/24","net6":"fd00:{{{i}}}::/64",
                 "routes":{"10.50.{{{i}}}.0/24":"10.{{{i}}}.0.254"},"routes6":{"fd00:50:{{{i}}}::/64":"fd00:{{{i}}}::fe"},"container_prefix":"net"}}
                """));
        }

        store.Create(Pod(One, 1));
        store.Create(Pod(Five, 5));
    }

    private static System.Text.Json.Nodes.JsonObject Pod(string name, int networks) => Objects.Pod(
        name, $"[{string.Join(',', Enumerable.Range(1, networks).Select(i => $$"""{"network":"net-{{i}}","ip":"dynamic","ip6":"dynamic"}"""))}]");
}
