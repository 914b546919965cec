using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Http;

namespace Danm.Tests.EndToEnd;

/// <summary>One thing that is wrong with an ADD, and what the plugin must say of it.</summary>
/// <param name="Name">What is wrong, as a test's name.</param>
/// <param name="Code">The error's code.</param>
/// <param name="Says">What a runtime shows must hold: which field, which value, what to do.</param>
public sealed record BadInput(string Name, int Code, params string[] Says)
{
    /// <summary>The Pod's annotations.</summary>
    public JsonObject Annotations { get; init; } = Interfaces("""[{"network":"good","ip":"dynamic"}]""");

    /// <summary><c>spec</c> of the DanmNet <c>bad</c>, which is stored whatever the schema says: a server need not be ours.</summary>
    public string? Network { get; init; }

    /// <summary>What the node does before.</summary>
    public string? Shell { get; init; }

    /// <summary>Changes the CNI configuration.</summary>
    public Action<JsonObject>? Configure { get; init; }

    /// <summary>The kubeconfig's text, made of the good one's.</summary>
    internal Func<HostNode, string>? Kubeconfig { get; init; }

    /// <summary>Changes the call.</summary>
    public Func<CniCall, CniCall>? Change { get; init; }

    /// <summary>What the server does.</summary>
    public Func<Fault>? Fault { get; init; }

    /// <summary>Whether something may be made first, as long as nothing of it stays.</summary>
    public bool IsUndone { get; init; }

    public static JsonObject Interfaces(string json, string key = "danm.io/interfaces") => new() { [key] = json };

    public override string ToString() => Name;
}
