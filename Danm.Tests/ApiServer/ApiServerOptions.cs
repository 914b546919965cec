using Danm.Tests.ApiServer.Admission;

namespace Danm.Tests.ApiServer;

/// <summary>How an <see cref="EmbeddedApiServer"/> is started.</summary>
public sealed record ApiServerOptions
{
    /// <summary>A file of manifests, or a folder read with its subfolders; its CustomResourceDefinitions are created first.</summary>
    public IReadOnlyList<string> Manifests { get; init; } = [];

    /// <summary>Loopback port; 0: any free one. Null: none, only <see cref="ListenHandles"/>.</summary>
    public int? Port { get; init; } = 0;

    /// <summary>File descriptors of listening TCP sockets, made inside some network namespace; the server takes them over.</summary>
    public IReadOnlyList<int> ListenHandles { get; init; } = [];

    /// <summary>Names and addresses in the server's certificate besides 127.0.0.1, ::1 and localhost.</summary>
    public IReadOnlyList<string> Hosts { get; init; } = [];

    /// <summary>User by bearer token, besides the administrator's.</summary>
    public IReadOnlyDictionary<string, string> Tokens { get; init; } = new Dictionary<string, string>();

    /// <summary>Whether users other than the administrator may do only what roles and their bindings give them.</summary>
    public bool EnforcesRbac { get; init; }

    /// <summary>Where the Services stand that webhook configurations name; may change while the server runs.</summary>
    public ServiceEndpoints Services { get; init; } = new();

    /// <summary>Whether objects go with their owners. A kube-apiserver alone lets them stay.</summary>
    public bool CollectsGarbage { get; init; } = true;

    /// <summary>The longest life of a service account's token; null: as long as is asked for.</summary>
    public TimeSpan? LongestTokenLife { get; init; }

    public TimeSpan BookmarkInterval { get; init; } = TimeSpan.FromSeconds(10);
}
