using System.Reflection;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Tests;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>The manifests as somebody applies them: nothing edited, every field known to the server.</summary>
public sealed class ManifestTests : ClusterFixture
{
    private static readonly string Root = Path.Combine(DanmBinary.Repository, "manifests");

    private static readonly string[] Modes = ["lightweight", "production"];

    // Those of other projects' kinds are not for a server without them.
    private static readonly string[] Components = ["svcwatcher/endpoints", "netwatcher/unicast"];

    [TestCaseSource(nameof(Modes))]
    public async Task Every_object_of_a_mode_is_accepted_strictly(string mode)
    {
        var objects = Kustomization.Build(Path.Combine(Root, mode), [.. Components.Select(c => Path.Combine(Root, c))]);
        foreach (var one in objects)
        {
            var (code, body, warnings) = await Send("POST", PathOf(one) + "?fieldValidation=Strict&dryRun=All", one);
            code.Should().Be(201, "{0} {1}: {2}", one["kind"], one.At("metadata", "name"), body);
            warnings.Should().BeEmpty();
        }

        objects.Select(o => (o["kind"].String(), o.At("metadata", "namespace").String(), o.At("metadata", "name").String())).Should().OnlyHaveUniqueItems();
    }

    [TestCase("lightweight", "clusternetworks danmeps danmnets ipallocations")]
    [TestCase("production", "clusternetworks danmeps ipallocations tenantconfigs tenantnetworks vniallocations")]
    public void A_mode_has_its_kinds(string mode, string plurals)
    {
        var names = Kustomization.Build(Path.Combine(Root, mode)).Where(o => o["kind"].String() == "CustomResourceDefinition").Select(o => o.At("spec", "names", "plural").String());
        names.Order().Should().Equal(plurals.Split(' '));
    }

    // What kubectl makes of them is what the tests take them for.
    [TestCaseSource(nameof(Modes))]
    public async Task Kubectl_builds_the_same(string mode)
    {
        using var kubectl = await Kubectl.FindAsync("");
        if (kubectl.Minor < 27)
            Assert.Ignore($"kubectl 1.{kubectl.Minor} knows no components");
        var built = Yaml.Documents(await kubectl.OutputAsync("kustomize", Path.Combine(Root, mode))).ToDictionary(KeyOf);

        foreach (var wanted in Kustomization.Build(Path.Combine(Root, mode)))
        {
            built.Remove(KeyOf(wanted), out var made).Should().BeTrue("{0} is built", KeyOf(wanted));
            JsonNode.DeepEquals(made, wanted).Should().BeTrue("{0} is built as it is here", KeyOf(wanted));
        }

        built.Keys.Should().BeEmpty();
    }

    [Test]
    public void All_run_the_image_of_this_version_with_no_more_than_they_need()
    {
        var version = typeof(Program).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];
        foreach (var workload in Kustomization.Build(Path.Combine(Root, "production")).Where(o => o["kind"].String() is "DaemonSet" or "Deployment"))
        {
            var name = workload.At("metadata", "name").String();
            var spec = workload.At("spec", "template", "spec")!;
            var container = spec["containers"]!.AsArray().Should().ContainSingle().Subject!;
            container["image"].String().Should().Be($"localhost/danm:{version}");
            container["imagePullPolicy"].String().Should().Be("IfNotPresent");
            container.At("securityContext", "readOnlyRootFilesystem")!.GetValue<bool>().Should().BeTrue();
            container.At("securityContext", "allowPrivilegeEscalation")!.GetValue<bool>().Should().BeFalse();
            container.At("securityContext", "capabilities", "drop")!.AsArray().Select(c => c.String()).Should().Equal("ALL");
            ((container.At("securityContext", "capabilities", "add") as JsonArray)?.Select(c => c.String()) ?? []).Should().Equal(
                name == "netwatcher" ? ["NET_ADMIN", "SYS_ADMIN", "SYS_PTRACE"] : []);
            spec.At("securityContext", "seccompProfile", "type").String().Should().Be("RuntimeDefault");
            (spec.At("hostPID")?.GetValue<bool>() ?? false).Should().Be(name == "netwatcher");
            (spec.At("securityContext", "runAsNonRoot")?.GetValue<bool>() ?? false).Should().Be(name is not ("danm-cni" or "netwatcher"));
            spec["priorityClassName"].String().Should().StartWith("system-");
            foreach (var probe in (string[])["readinessProbe", "livenessProbe"])
                container[probe].Should().NotBeNull("{0} has a {1}", name, probe);
            foreach (var resource in (string[])["cpu", "memory"])
                container.At("resources", "requests", resource).Should().NotBeNull();
        }
    }

    private static string KeyOf(JsonObject o) => $"{o["kind"]} {o.At("metadata", "namespace")}/{o.At("metadata", "name")}";

    private static string PathOf(JsonObject o)
    {
        var type = BuiltInTypes.All.Single(t => t.Kind == o["kind"].String() && t.ApiVersion == o["apiVersion"].String());
        var api = type.Group.Length == 0 ? $"/api/{type.Version}" : $"/apis/{type.Group}/{type.Version}";
        return type.Namespaced ? $"{api}/namespaces/{o.At("metadata", "namespace")}/{type.Plural}" : $"{api}/{type.Plural}";
    }
}
