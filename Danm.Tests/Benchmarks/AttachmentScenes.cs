using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Benchmarks;

/// <summary>Pods that ask for one or five dual-stack networks with a dynamic address of each family, of our own type or of macvlan.</summary>
internal static class AttachmentScenes
{
    /// <summary>The name of the Pod with so many interfaces of a type.</summary>
    public static string Pod(string type, int networks) => $"{type}-{networks}";

    public static void Create(ApiStore store)
    {
        foreach (var type in (ReadOnlySpan<string>)["ipvlan", "macvlan"])
        {
            for (var i = 1; i <= 5; i++)
            {
                store.Create(Objects.Network("DanmNet", $"{type}-{i}", $$$"""
                    {"NetworkID":"net{{{i}}}","NetworkType":"{{{type}}}","Options":{"host_device":"parent0","cidr":"10.{{{i}}}.0.0/24","net6":"fd00:{{{i}}}::/64",
                     "routes":{"10.50.{{{i}}}.0/24":"10.{{{i}}}.0.254"},"routes6":{"fd00:50:{{{i}}}::/64":"fd00:{{{i}}}::fe"},"container_prefix":"net"}}
                    """));
            }

            store.Create(PodOf(type, 1));
            store.Create(PodOf(type, 5));
        }
    }

    private static System.Text.Json.Nodes.JsonObject PodOf(string type, int networks) => Objects.Pod(
        Pod(type, networks), $"[{string.Join(',', Enumerable.Range(1, networks).Select(i => $$"""{"network":"{{type}}-{{i}}","ip":"dynamic","ip6":"dynamic"}"""))}]");
}
