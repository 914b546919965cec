using System.CommandLine;
using Danm.Kube;

namespace Danm.Cli;

/// <summary>The options by which a command finds its cluster, spelled and defaulted as kubectl's.</summary>
internal sealed class ClusterOptions
{
    private readonly Option<string?> kubeconfig = new("--kubeconfig") { Description = "The kubeconfig; else the first file of KUBECONFIG, else ~/.kube/config.", HelpName = "FILE" };
    private readonly Option<string?> context = new("--context") { Description = "A context of it other than the current one.", HelpName = "NAME" };
    private readonly Option<string?> ns = new("--namespace", "-n") { Description = "The namespace; else the context's, else default.", HelpName = "NAME" };
    private readonly Option<int> timeout = new("--request-timeout") { Description = "How many seconds one request may take.", DefaultValueFactory = _ => 10, HelpName = "SECONDS" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[kubeconfig, context, ns, timeout])
            command.Options.Add(option);
    }

    /// <summary>The API server, and the namespace that is meant where none is said.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="fallback">The kubeconfig where nothing is said and the user has none of his own, as on a node.</param>
    /// <exception cref="KubeConfigException">It cannot be used.</exception>
    public (ApiClient Api, string Namespace) Connect(ParseResult parsed, string? fallback = null)
    {
        var configuration = KubeConfig.Load(PathOf(parsed, fallback), parsed.GetValue(context));
        return (new ApiClient(configuration, Patience(parsed)), parsed.GetValue(ns) ?? (string.IsNullOrEmpty(configuration.Namespace) ? "default" : configuration.Namespace));
    }

    /// <summary>How long one request may take.</summary>
    public TimeSpan Patience(ParseResult parsed) => TimeSpan.FromSeconds(Math.Clamp(parsed.GetValue(timeout), 1, 3600));

    /// <summary>Whether a namespace was asked for, rather than taken from the context.</summary>
    public bool HasNamespace(ParseResult parsed) => parsed.GetValue(ns) is not null;

    /// <summary>The kubeconfig that is used.</summary>
    public string PathOf(ParseResult parsed, string? fallback = null) =>
        parsed.GetValue(kubeconfig) ?? (DefaultPath() is var path && !File.Exists(path) && fallback is not null ? fallback : path);

    private static string DefaultPath()
    {
        var files = Environment.GetEnvironmentVariable("KUBECONFIG")?.Split(':', StringSplitOptions.RemoveEmptyEntries) ?? [];
        return Array.Find(files, File.Exists) ?? files.FirstOrDefault() ?? Path.Combine(Environment.GetEnvironmentVariable("HOME") ?? "/root", ".kube", "config");
    }
}
