using System.CommandLine;
using System.Text;
using System.Text.Json;
using Danm.Api;
using Danm.Attach;
using Danm.Calls;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Cli;

/// <summary><c>danm plan</c>: what ADD would do for a Pod, by ADD's own decisions, with nothing changed.</summary>
internal static class PlanCommand
{
    private static readonly string[] Configurations = ["/etc/cni/net.d/00-danm.conflist", "/etc/cni/net.d/00-danm.conf"];

    public static Command Create()
    {
        var pod = new Argument<string?>("pod") { Description = "A Pod of the cluster.", Arity = ArgumentArity.ZeroOrOne, HelpName = "POD" };
        var file = new Option<string?>("--filename", "-f") { Description = "A Pod in a file, YAML or JSON; - reads standard input.", HelpName = "FILE" };
        var conf = new Option<string?>("--cni-conf") { Description = $"Danm's CNI configuration; else {string.Join(" or ", Configurations)} where it is there.", HelpName = "FILE" };
        var output = new Option<string>("--output", "-o") { Description = "table, json or yaml.", DefaultValueFactory = _ => "table", HelpName = "FORMAT" };
        output.AcceptOnlyFromAmong("table", "json", "yaml");
        var cluster = new ClusterOptions();
        var command = new Command("plan", "Show what a Pod would get: interfaces, addresses or pools, delegates with their configurations, routes, denials. Changes nothing. Run it on a node to see that node's files.") { pod, file, conf, output };
        cluster.AddTo(command);
        command.Validators.Add(result =>
        {
            if ((result.GetValue(pod) is null) == (result.GetValue(file) is null))
                result.AddError("name a Pod of the cluster, or a file with -f FILE");
        });
        command.SetAction(async (parsed, cancellation) =>
        {
            var (api, ns) = cluster.Connect(parsed);
            using (api)
            {
                var reader = new PodReader(api);
                var wanted = parsed.GetValue(file) is { } path
                    ? await ReadAsync(path, ns, cancellation).ConfigureAwait(false)
                    : await reader.ReadPodAsync(ns, parsed.GetRequiredValue(pod)!, withSpec: true, cancellation).ConfigureAwait(false);
                var request = new CniRequest { Command = CniCommand.Add, ContainerId = "plan", IfName = "eth0", Netns = "", Config = ReadConfiguration(parsed.GetValue(conf)) };
                var sandbox = new PodSandbox(wanted, wanted.Metadata.Uid!, "plan", "plan", "", wanted.Spec.NodeName);
                var plan = await MakeAsync(reader, sandbox, request, cancellation).ConfigureAwait(false);
                PlanWriter.Write(parsed.InvocationConfiguration.Output, parsed.GetRequiredValue(output), sandbox, plan);
            }
        });
        return command;
    }

    private static async Task<IReadOnlyList<Attachment>> MakeAsync(PodReader reader, PodSandbox sandbox, CniRequest request, CancellationToken cancellation)
    {
        try
        {
            return await AttachmentPlan.MakeAsync(reader, sandbox, request, cancellation).ConfigureAwait(false);
        }
        catch (ApiException e)
        {
            throw Errors.From(e);
        }
    }

    private static async Task<Pod> ReadAsync(string path, string ns, CancellationToken cancellation)
    {
        var text = path == "-" ? await Console.In.ReadToEndAsync(cancellation).ConfigureAwait(false) : await File.ReadAllTextAsync(path, cancellation).ConfigureAwait(false);
        Pod pod;
        try
        {
            var json = text.TrimStart().StartsWith('{') ? Encoding.UTF8.GetBytes(text) : YamlJson.ToJson(text);
            pod = JsonSerializer.Deserialize(json, ApiJson.Default.Pod) ?? new Pod();
        }
        catch (Exception e) when (e is JsonException or FormatException or YamlDotNet.Core.YamlException)
        {
            throw new FormatException($"{path} is no Pod: {e.Message}", e);
        }

        pod.Metadata.Namespace ??= ns;
        pod.Metadata.Name ??= pod.Metadata.GenerateName is { } prefix ? $"{prefix}…" : throw new FormatException($"{path} is no Pod: metadata.name is missing");
        pod.Metadata.Uid ??= Guid.Empty.ToString();
        return pod;
    }

    private static NetConf ReadConfiguration(string? path)
    {
        path ??= Array.Find(Configurations, File.Exists);
        return path is null ? new NetConf { Name = "danm", CniVersion = SpecVersion.V1_0_0 } : NetConfReader.ReadFile(path);
    }
}
