using System.Net;
using Danm.Tests.Kernel;

namespace Danm.Tests.Demo;

/// <summary>The machine that the Pods run on: a kernel with ipvlan and VLANs, and a place that is not the host's own.</summary>
internal abstract class DemoNode : IAsyncDisposable
{
    /// <summary>The kernel and its release.</summary>
    public required string Kernel { get; init; }

    /// <summary>Why it is this one, as a sentence.</summary>
    public required string Why { get; init; }

    /// <summary>A folder that node and demo see under the same path; it goes with the node.</summary>
    public abstract string SharedDirectory { get; }

    /// <summary>Where the node reaches a server that <see cref="Listen"/> opened.</summary>
    public abstract IPAddress ServerAddress { get; }

    /// <summary>The host's kernel where it can do what the demo needs, else User Mode Linux.</summary>
    /// <exception cref="DemoException">Neither can be had.</exception>
    public static async Task<DemoNode> StartAsync()
    {
        if (!Environment.IsPrivilegedProcess)
            throw new DemoException("network namespaces need root: run the demo as root");
        var (host, lack) = await HostNode.TryStartAsync();
        if (host is not null)
            return host;
        if (GuestRequirements.Missing() is { } missing)
            throw new DemoException($"{lack} And there is no other: {missing}");
        return await UmlNode.BootAsync(lack);
    }

    /// <summary>Runs a Bash script on the node.</summary>
    public abstract Task<GuestResult> RunAsync(string script, TimeSpan timeout);

    /// <summary>Like <see cref="RunAsync"/>, for a script that must succeed; returns its standard output.</summary>
    /// <exception cref="DemoException">It did not.</exception>
    public async Task<string> ExpectAsync(string script)
    {
        var result = await RunAsync(script, TimeSpan.FromMinutes(1));
        return result.ExitCode == 0
            ? result.Stdout
            : throw new DemoException($"exit code {result.ExitCode} of: {script.Trim()}\n{result.Stderr.Trim()}");
    }

    /// <summary>A listening TCP socket on the node's network; the caller owns the descriptor.</summary>
    public (int Descriptor, int Port) Listen() => NamespaceSocket.Listen(NamespacePath, ServerAddress);

    public abstract ValueTask DisposeAsync();

    /// <summary>The network namespace in which a server for the node listens.</summary>
    protected abstract string NamespacePath { get; }
}
