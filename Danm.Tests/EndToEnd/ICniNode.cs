using System.Text.Json.Nodes;

namespace Danm.Tests.EndToEnd;

/// <summary>A machine that Pods' sandboxes are on, whatever its kernel.</summary>
internal interface ICniNode
{
    /// <summary>The CNI configuration, without what a single test adds.</summary>
    JsonObject Config(string cniVersion = "1.0.0");

    /// <summary>Calls the published executable.</summary>
    Task<CniOutcome> CallAsync(CniCall call, TimeSpan? timeout = null);

    /// <summary>Runs a shell script that must succeed; gives its standard output.</summary>
    Task<string> ShellAsync(string script);
}
