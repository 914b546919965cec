using System.Reflection;
using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Clusters;
using Danm.Tests.ApiServer.Tests;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Deployment;

/// <summary>The manifests as somebody applies them: nothing edited, every field known to the server.</summary>
public sealed class ManifestTests : ClusterFixture
{
    private static readonly string Root = Path.Combine(DanmBinary.Repository, "manifests");

    private static readonly string[] Modes = ["lightweight", "production"];

    private static readonly string[] Components = ["svcwatcher/endpoints", "netwatcher/unicast", "webhook/cert-manager", "monitoring"];

    private static readonly string[] Separate = ["uninstall"];

    /// <summary>The modes as they are, and with every component; and what is applied by itself.</summary>
    private static IEnumerable<TestCaseData> Installations()
    {
        foreach (var mode in Modes)
        {
            yield return new TestCaseData(mode, Array.Empty<string>()).SetArgDisplayNames(mode);
            yield return new TestCaseData(mode, Components).SetArgDisplayNames($"{mode} with all components");
        }

        foreach (var folder in Separate)
            yield return new TestCaseData(folder, Array.Empty<string>()).SetArgDisplayNames(folder);
    }

    /// <summary>The objects of all of them.</summary>
    internal static IEnumerable<JsonObject> AllObjects() => Installations().SelectMany(i => Build((string)i.Arguments[0]!, (string[])i.Arguments[1]!));

    [OneTimeSetUp]
    public Task DefineKindsOfOperators() => Cluster.ApplyAsync(Path.Combine(TestContext.CurrentContext.TestDirectory, "Deployment/Operators.yaml"));

    [TestCaseSource(nameof(Installations))]
    public async Task Every_object_is_accepted_strictly(string folder, string[] components)
    {
        var objects = Build(folder, components);
        foreach (var one in objects)
        {
            var (code, body, warnings) = await Try(one);
            code.Should().Be(201, "{0} {1}: {2}", one["kind"], one.At("metadata", "name"), body);
            warnings.Should().BeEmpty();
        }

        objects.Select(KeyOf).Should().OnlyHaveUniqueItems();
    }

    [Test]
    public void Every_folder_is_among_them() => Directory.EnumerateFiles(Root, "*.yaml", SearchOption.AllDirectories).Select(f => Path.GetDirectoryName(f)!).Distinct()
        .Where(f => !f.StartsWith(Path.Combine(Root, "examples"), StringComparison.Ordinal))
        .Should().BeSubsetOf([.. Modes.Concat(Separate).SelectMany(f => Folders(Path.Combine(Root, f))), .. Components.Select(c => Path.Combine(Root, c))]);

    // That the schemas that judge them are closed.
    [TestCase("PodMonitor", "spec.podMetricsEndpoints[0].interval")]
    [TestCase("PodMonitor", "spec.podMetricsEndpoints[0].relabelings[0].targetLabel")]
    [TestCase("PrometheusRule", "spec.groups[0].rules[0].for")]
    [TestCase("Certificate", "spec.privateKey.rotationPolicy")]
    [TestCase("Issuer", "spec.selfSigned")]
    [TestCase("DaemonSet", "spec.template.spec.containers[0].securityContext.readOnlyRootFilesystem")]
    [TestCase("Deployment", "spec.template.spec.affinity")]
    [TestCase("PodDisruptionBudget", "spec.maxUnavailable")]
    [TestCase("FlowSchema", "spec.matchingPrecedence")]
    [TestCase("PriorityLevelConfiguration", "spec.limited.nominalConcurrencyShares")]
    [TestCase("ValidatingAdmissionPolicy", "spec.failurePolicy")]
    [TestCase("ValidatingAdmissionPolicyBinding", "spec.validationActions")]
    [TestCase("MutatingWebhookConfiguration", "webhooks[0].failurePolicy")]
    [TestCase("ClusterRole", "rules[0].verbs")]
    [TestCase("ClusterRoleBinding", "subjects[0].namespace")]
    [TestCase("Service", "spec.selector")]
    [TestCase("CustomResourceDefinition", "spec.versions[0].additionalPrinterColumns")]
    public async Task A_field_that_is_misspelt_is_refused(string kind, string field)
    {
        var one = Build("production", Components).First(o => o["kind"].String() == kind);
        var steps = field.Replace("[0]", ".0").Split('.');
        var holder = steps[..^1].Aggregate((JsonNode)one, (node, step) => step == "0" ? node[0]! : node[step]!).AsObject();
        holder.Remove(steps[^1], out var value).Should().BeTrue();
        holder[steps[^1] + "x"] = value;

        var (code, body, _) = await Try(one);

        code.Should().Be(400);
        body["message"].String().Should().Contain($"unknown field \"{field}x\"");
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
        kubectl.Needs(27);
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

    private static List<JsonObject> Build(string folder, params string[] components) => Kustomization.Build(Path.Combine(Root, folder), [.. components.Select(c => Path.Combine(Root, c))]);

    private async Task<(int Code, JsonObject Body, string[] Warnings)> Try(JsonObject one) => await Send("POST", await Cluster.PathAsync(one) + "?fieldValidation=Strict&dryRun=All", one);

    /// <summary>The folders that a kustomization is made of.</summary>
    private static IEnumerable<string> Folders(string folder) => Yaml.Documents(File.ReadAllText(Path.Combine(folder, Kustomization.FileName))).Single()["resources"].Strings()
        .Select(r => Path.GetFullPath(Path.Combine(folder, r))).Where(Directory.Exists).SelectMany(Folders).Prepend(folder);
}
