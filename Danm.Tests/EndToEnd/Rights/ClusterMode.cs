using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;
using Danm.Tests.Deployment;

namespace Danm.Tests.EndToEnd.Rights;

/// <summary>A way to install Danm: a mode of manifests/ with some of its components.</summary>
/// <param name="Name">The mode's folder.</param>
/// <param name="OwnNetwork">The kind of networks that are of a namespace.</param>
/// <param name="Components">Folders of components.</param>
internal sealed record ClusterMode(string Name, string OwnNetwork, params string[] Components)
{
    /// <summary>All that can be turned on is on in one of them, and off in the other.</summary>
    public static readonly ClusterMode Production = new("production", "TenantNetwork", "netwatcher/unicast", "svcwatcher/endpoints"), Lightweight = new("lightweight", "DanmNet", "webhook/cert-manager");

    private static readonly string Manifests = Path.Combine(DanmBinary.Repository, "manifests");

    /// <summary>Its name in the annotations of Pods and Services: danmNet is called network there.</summary>
    public string OwnNetworkKey => OwnNetwork == "DanmNet" ? "network" : "tenantNetwork";

    public bool HasTenants => Name == "production";

    public static ClusterMode Of(string name) => name == Production.Name ? Production : Lightweight;

    /// <summary>All objects.</summary>
    public List<JsonObject> Objects() => Kustomization.Build(Path.Combine(Manifests, Name), [.. Components.Select(c => Path.Combine(Manifests, c))]);

    /// <summary>Plurals of Danm's kinds that the mode does without.</summary>
    public IEnumerable<string> Absent() => ApiServer.Manifests.Read(Path.Combine(Manifests, "crds")).Select(NameOf)
        .Except(Objects().Where(o => o["kind"].String() == "CustomResourceDefinition").Select(NameOf)).Select(n => n.Split('.')[0]);

    public override string ToString() => Name;

    private static string NameOf(JsonObject definition) => definition.At("metadata", "name").String()!;
}
