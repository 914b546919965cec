using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.EndToEnd.Webhook;

/// <summary>Every file of manifests/examples does what its comment says, through the API server and the published webhook.</summary>
[TestFixture, Parallelizable]
public sealed class ExamplesTests : WebhookFixture
{
    private static IEnumerable<Example> Examples =>
        Directory.EnumerateFiles(Example.Folder, "*.yaml").Order(StringComparer.Ordinal).Select(path => new Example(Path.GetFileName(path)));

    [TearDown]
    public void Clean()
    {
        foreach (var (version, kind) in ((string, string)[])[("v1", "Pod"), .. ((string[])["DanmNet", "TenantNetwork", "ClusterNetwork", "VNIAllocation", "TenantConfig"]).Select(k => ("danm.io/v1", k))])
        {
            foreach (var item in Server.Store.List(version, kind))
                Server.Store.Delete(version, kind, item.At("metadata", "namespace").String(), item.At("metadata", "name").String()!);
        }
    }

    [TestCaseSource(nameof(Examples))]
    public async Task Does_what_it_says(Example example)
    {
        example.HasText.Should().BeTrue("people read it");
        foreach (var file in example["needs"])
        {
            foreach (var needed in new Example(file).Objects)
                (await ApplyAsync(needed)).Accepted();
        }

        foreach (var made in example.Objects.Take(example.Objects.Count - 1))
            (await ApplyAsync(made)).Accepted();
        var answer = await ApplyAsync(example.Objects[^1]);

        if (example.Denied is { } fields)
        {
            answer.Code.Should().Be(422, answer.Body.ToJsonString());
            answer.Fields.Should().Equal(fields);
            return;
        }

        answer.Accepted().Warnings.Should().HaveCount(example["warning"].Count);
        foreach (var (warning, part) in answer.Warnings.Zip(example["warning"]))
            warning.Should().Contain(part);
        foreach (var stored in example["stored"])
        {
            var (path, value) = (stored[..stored.IndexOf(" = ", StringComparison.Ordinal)], stored[(stored.IndexOf(" = ", StringComparison.Ordinal) + 3)..]);
            Fits(answer.Body.At(path.Split('.'))?.ToString(), value).Should().BeTrue("{0} in {1}", stored, answer.Body["spec"]!.ToJsonString());
        }

        foreach (var (pod, part) in example["plan"].Select(SplitPod))
            (await PlanAsync(pod, expected: 0)).Should().Contain(part);
        foreach (var (pod, part) in example["plan fails"].Select(SplitPod))
            (await PlanAsync(pod, expected: 1)).Should().StartWith("error: ").And.Contain(part);
    }

    /// <summary>A file without an expectation, or a folder that somebody moved, would make the test above pass for nothing.</summary>
    [Test]
    public void There_is_an_example_of_everything()
    {
        var examples = Examples.ToList();

        examples.Should().HaveCountGreaterThan(15).And.OnlyContain(example => example["expect"].Count == 1);
        examples.SelectMany(example => example.Objects).Select(made => made["kind"].String()).Should()
            .Contain(["TenantConfig", "TenantNetwork", "ClusterNetwork", "DanmNet", "Pod"]);
        foreach (var key in (string[])["needs", "warning", "stored", "plan", "plan fails"])
            examples.Should().Contain(example => example[key].Count > 0, key);
        examples.Should().Contain(example => example.Denied != null);
    }

    private static bool Fits(string? found, string wanted)
    {
        if (wanted.Split("..") is [var least, var most])
            return int.TryParse(found, CultureInfo.InvariantCulture, out var number) && number >= int.Parse(least, CultureInfo.InvariantCulture) && number <= int.Parse(most, CultureInfo.InvariantCulture);
        return wanted.Split(" | ").Contains(found);
    }

    private static (string Pod, string Part) SplitPod(string text) =>
        (text[..text.IndexOf(": ", StringComparison.Ordinal)], text[(text.IndexOf(": ", StringComparison.Ordinal) + 2)..]);

    // Namespaces stay from one example to the next.
    private async Task<Answer> ApplyAsync(JsonObject made)
    {
        if (made["kind"].String() == "Namespace")
            return await SendAsync(HttpMethod.Post, "/api/v1/namespaces", made) is { Code: not 409 } answer ? answer : new Answer(200, made, []);
        return await (made["kind"].String() == "Pod"
            ? SendAsync(HttpMethod.Post, $"/api/v1/namespaces/{made.At("metadata", "namespace").String()}/pods", made)
            : CreateAsync(made));
    }

    private async Task<string> PlanAsync(string pod, int expected)
    {
        var kubeconfig = InFolder("admin");
        await File.WriteAllTextAsync(kubeconfig, Server.Kubeconfig(new KubeconfigOptions()));
        var start = new ProcessStartInfo(DanmBinary.Path, ["plan", "--kubeconfig", kubeconfig, "-n", pod.Split('/')[0], pod.Split('/')[1]])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
        };
        using var plan = Process.Start(start)!;
        var (output, errors) = (plan.StandardOutput.ReadToEndAsync(), plan.StandardError.ReadToEndAsync());
        await plan.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(30));
        plan.ExitCode.Should().Be(expected, $"{await output}{await errors}");
        return Regex.Replace(await output + await errors, " +", " ");
    }
}
