using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>What goes wrong in a cluster.</summary>
internal static class ClusterBreakages
{
    private const string Rbac = "rbac.authorization.k8s.io/v1", Admission = "admissionregistration.k8s.io/v1", Webhook = "danm-webhook-config", System = HealthyCluster.System;

    public static IEnumerable<Breakage> All() =>
    [
        Breakage.Of("a kind is of an earlier build", @"^failed cluster-crds: clusternetworks\.danm\.io is older than this build: it has no spec\.Options\.mtu", c => c.Change(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "clusternetworks.danm.io",
            o => o.At("spec", "versions")![0].At("schema", "openAPIV3Schema", "properties", "spec", "properties", "Options", "properties")!.AsObject().Remove("mtu"))),
        Breakage.Of("a kind is not established", @"^failed cluster-crds: danmeps\.danm\.io is not established: its names are taken", c => c.Change(
            "apiextensions.k8s.io/v1", "CustomResourceDefinition", null, "danmeps.danm.io",
            o => o["status"]!["conditions"] = JsonNode.Parse("""[{"type":"Established","status":"False","message":"its names are taken"}]"""))),
        Breakage.Of("a right is missing", @"^failed cluster-rbac: ClusterRole system:netwatcher does not let netwatcher get danmnets\.danm\.io", c => c.Change(Rbac, "ClusterRole", null, "system:netwatcher", r => r["rules"]!.AsArray().RemoveAt(0))),
        Breakage.Of("a role gives too much", @"^warning cluster-rbac: ClusterRole caas:danm lets cni \* secrets besides what it needs", c => c.Change(
            Rbac, "ClusterRole", null, "caas:danm", r => r["rules"]!.AsArray().Add(JsonNode.Parse("""{"apiGroups":[""],"resources":["secrets"],"verbs":["*"]}""")))),
        Breakage.Of("a right is missing that a flag takes", "^failed cluster-rbac: ClusterRole caas:danm-webhook-self-signed is missing", c => c.Remove(Rbac, "ClusterRole", null, "caas:danm-webhook-self-signed")),
        Breakage.Of("rights stay whose flag has gone", "^warning cluster-rbac: RoleBinding kube-system/danm-webhook gives webhook rights that only --self-signed takes", c => c.Change(
            "apps/v1", "Deployment", System, "danm-webhook-deployment", o => o.At("spec", "template", "spec", "containers")![0]!["args"] = new JsonArray("webhook", "--tls-cert-bundle=/c/tls.crt", "--tls-private-key-file=/c/tls.key"))),
        Breakage.Of("an account is missing", "^failed cluster-rbac: ServiceAccount kube-system/danm-controller is missing", c => c.Remove("v1", "ServiceAccount", System, "danm-controller")),
        Breakage.Of("a role is bound to others, too", "^warning cluster-rbac: ClusterRoleBinding caas:danm gives cni's rights to Group system:authenticated, too", c => c.Change(
            Rbac, "ClusterRoleBinding", null, "caas:danm", r => r["subjects"]!.AsArray().Add(JsonNode.Parse("""{"kind":"Group","name":"system:authenticated"}""")))),
        Breakage.Of("a role is bound to nobody", "^failed cluster-rbac: ClusterRoleBinding caas:danm-controller does not bind ServiceAccount kube-system/danm-controller", c => c.Change(
            Rbac, "ClusterRoleBinding", null, "caas:danm-controller", r => r["subjects"] = new JsonArray())),
        Breakage.Of("a component does not run", "^failed cluster-workloads: of DaemonSet kube-system/netwatcher no Pod is ready, of 1", c => c.Change("apps/v1", "DaemonSet", System, "netwatcher", o => o["status"]!["numberReady"] = 0)),
        Breakage.Of("a replica is missing", "^warning cluster-workloads: of Deployment kube-system/danm-controller 1 of 2 Pods are ready", c => c.Change("apps/v1", "Deployment", System, "danm-controller", o => o["status"]!["readyReplicas"] = 1)),
        Breakage.Of("a component is not there", "^failed cluster-workloads: there is no DaemonSet kube-system/netwatcher", c => c.Remove("apps/v1", "DaemonSet", System, "netwatcher")),
        Breakage.Of("components are of different builds", "^warning cluster-workloads: the components are of different images", c => c.Change("apps/v1", "Deployment", System, "danm-controller", o => o.At("spec", "template", "spec", "containers")![0]!["image"] = "localhost/danm:0.2.0")),
        Breakage.Of("a node has no installer", "^warning cluster-nodes: 1 of 2 nodes have no installer that is ready: 'node-2'", c => c.Add(Objects.Node("node-2"))),
        Breakage.Of("nobody asks the webhook", $"^failed cluster-webhook: the webhook runs, and there is no MutatingWebhookConfiguration {Webhook}", c => c.Remove(Admission, "MutatingWebhookConfiguration", null, Webhook)),
        Breakage.Of("the webhook is not trusted", "^failed cluster-webhook: danm-webhook-config has no caBundle for /netvalidation", c => ChangeWebhook(c, w => w["clientConfig"]!.AsObject().Remove("caBundle"))),
        Breakage.Of("the webhook is reached no more", "^failed cluster-webhook: the API server does not reach the webhook: .*calling webhook", c => ChangeWebhook(c, w => w["clientConfig"]!["service"]!["name"] = "nowhere")),
        Breakage.Of("the webhook is not asked about a kind", "^failed cluster-webhook: danm-webhook-config does not ask /netvalidation about clusternetworks", c => ChangeWebhook(c, w => w["rules"]![0]!["resources"] = new JsonArray("danmnets", "tenantnetworks"))),
        Breakage.Of("networks are let in unasked", "^failed cluster-webhook: a network is stored without having been completed", c => ChangeWebhook(c, w => w["rules"]![0]!["resources"] = new JsonArray("danmnets", "tenantnetworks"))),
        Breakage.Of("the webhook may be passed by", @"^warning cluster-webhook: .*\(failurePolicy: Ignore\)", c => ChangeWebhook(c, w => w["failurePolicy"] = "Ignore")),
        Breakage.Of("nothing is behind the webhook's Service", "^failed cluster-webhook: nothing ready stands behind the Service kube-system/danm-webhook-svc", c => c.Remove("discovery.k8s.io/v1", "EndpointSlice", System, "danm-webhook-svc-x")),
        Breakage.Of("what is trusted is no certificate", "^failed cluster-certificates: the authority that the API server trusts cannot be read", c => ChangeWebhook(c, w => w["clientConfig"]!["caBundle"] = "AAAA")),
        Breakage.Of("a policy is missing", "^failed cluster-policies: ValidatingAdmissionPolicy danm-node-token is missing", c => c.Remove(Admission, "ValidatingAdmissionPolicy", null, "danm-node-token")),
        Breakage.Of("a policy is another one", "^failed cluster-policies: the checks of ValidatingAdmissionPolicy danm-node-objects are not this build's", c => c.Change(
            Admission, "ValidatingAdmissionPolicy", null, "danm-node-objects", o => o["spec"]!["validations"]![0]!["expression"] = "true")),
        Breakage.Of("a policy does not deny", "^failed cluster-policies: ValidatingAdmissionPolicyBinding danm-node-pods does not deny", c => c.Change(
            Admission, "ValidatingAdmissionPolicyBinding", null, "danm-node-pods", o => o["spec"]!["validationActions"] = new JsonArray("Audit"))),
        Breakage.Of("calls have no level of their own", "^warning cluster-flowcontrol: FlowSchema danm-cni is missing", c => c.Remove("flowcontrol.apiserver.k8s.io/v1", "FlowSchema", null, "danm-cni")),
        Breakage.Of("nobody leads", "^failed cluster-leases: nobody leads the controller", c => c.Remove("coordination.k8s.io/v1", "Lease", System, "danm-controller")),
        Breakage.Of("the leader is silent", "^failed cluster-leases: 'danm-svcwatcher-1' leads the svcwatcher, and has not said so since '2020", c => c.Change("coordination.k8s.io/v1", "Lease", System, "danm-svcwatcher", o => o["spec"]!["renewTime"] = "2020-01-01T00:00:00.000000Z")),
        Breakage.Of("a network cannot be read", "^failed cluster-networks: ClusterNetwork/old cannot be read: spec.Options.mtu has the wrong type", c => Load(c, "ClusterNetwork", Objects.Network("ClusterNetwork", "old", """{"NetworkID":"old","Options":{"mtu":"large"}}"""))),
        Breakage.Of("a network cannot be used", "^failed cluster-networks: ClusterNetwork/bad: .*spec.Options.cidr", c => Load(c, "ClusterNetwork", Objects.Network("ClusterNetwork", "bad", """{"NetworkID":"bad","Options":{"host_device":"parent0","cidr":"10.0.0.0/99"}}"""))),
        Breakage.Of("two networks want one name", @"^warning cluster-networks: ClusterNetwork/one: the host interface vx_same .* is wanted otherwise .* by ClusterNetwork/two", c =>
        {
            var one = c.Add(Objects.Network("ClusterNetwork", "one", """{"NetworkID":"same","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":801}}"""));
            var two = c.Add(Objects.Network("ClusterNetwork", "two", """{"NetworkID":"same","NetworkType":"macvlan","Options":{"host_device":"parent0","vxlan":802}}"""));
            return one + two;
        }),
        Breakage.Of("a pool is full", "^failed cluster-pools: ClusterNetwork/small has no free address", Full),
        Breakage.Of("Pods of addresses are gone", "^warning cluster-addresses: 2 addresses of ClusterNetwork/small are taken, and their Pods are gone: 2 on 'node-1'", Full),
        Breakage.Of("a network of addresses is gone", "^warning cluster-addresses: 1 addresses are taken on wires that no network has any more", c => c.Add(Allocation("10-9-9-9.untagged.ens9", "10.9.9.9/24", Guid.NewGuid()))),
        Breakage.Of("the Pod of a DanmEp is gone", "^warning cluster-danmeps: the Pods of 1 DanmEps are gone, of 'default/pod-e1'", c => c.Add(Endpoint("e1", Guid.NewGuid(), "node-1", ""))),
        Breakage.Of("the node of a DanmEp is gone", "^warning cluster-danmeps: the nodes of 1 DanmEps are gone: 'node-9'", c => c.Add(Endpoint("e1", Guid.NewGuid(), "node-9", ""))),
        Breakage.Of("two have one address", "^failed cluster-danmeps: address 10.7.0.9 of ClusterNetwork/default is that of two DanmEps", c =>
            c.Add(Endpoint("e1", Guid.NewGuid(), "node-1", "10.7.0.9/24")) + c.Add(Endpoint("e2", Guid.NewGuid(), "node-1", "10.7.0.9"))),
        Breakage.Of("an id is reserved for nobody", "^warning cluster-vnis: VNIAllocation vlan2001.ens4 was made for 'tenants/gone', and no TenantNetwork has that id", c =>
        {
            var mend = c.Add((JsonObject)JsonNode.Parse("""{"apiVersion":"danm.io/v1","kind":"VNIAllocation","metadata":{"name":"vlan2001.ens4"},"spec":{"device":"ens4","vniType":"vlan","vni":2001,"network":{"kind":"TenantNetwork","namespace":"tenants","name":"gone"}}}""")!);
            c.Change("danm.io/v1", "VNIAllocation", null, "vlan2001.ens4", o => o["metadata"]!["creationTimestamp"] = "2020-01-01T00:00:00Z");
            return mend;
        }),
        Breakage.Of("a TenantNetwork's id is not reserved", @"^warning cluster-vnis: TenantNetwork/default/tn has an id that no VNIAllocation reserves \(vlan2002\.parent0\)", c => c.Add(Objects.Network("TenantNetwork", "tn", """{"NetworkID":"tn","NetworkType":"macvlan","Options":{"host_device":"parent0","vlan":2002}}"""))),
        Breakage.Of("the original's svcwatcher runs", "^failed cluster-original: DaemonSet kube-system/svcwatcher is the original's svcwatcher", c => c.Add(HealthyCluster.Workload("DaemonSet", "svcwatcher", "registry.example/nokia/svcwatcher:latest"))),
        Breakage.Of("the original's netwatcher runs", "^failed cluster-original: DaemonSet kube-system/netwatcher runs the original's image netwatcher", c => c.Change("apps/v1", "DaemonSet", System, "netwatcher", o =>
        {
            var container = o.At("spec", "template", "spec", "containers")![0]!.AsObject();
            container["image"] = "registry.example/netwatcher:1";
            container.Remove("args");
        })),
        Breakage.Of("danm-utils' Cleaner runs", "^failed cluster-original: DaemonSet kube-system/danm-cleaner is danm-utils' Cleaner: it deletes DanmEps without freeing their addresses", c => c.Add(HealthyCluster.Workload("DaemonSet", "danm-cleaner", "cleaner", "danm-cleaner"))),
        Breakage.Of("danm-utils' Policer runs", "^failed cluster-original: DaemonSet kube-system/policer is danm-utils' Policer", c => c.Add(HealthyCluster.Workload("DaemonSet", "policer", "policer", "policer"))),
        Breakage.Of("the original's svcwatcher leads", "^failed cluster-original: a svcwatcher of the original holds its lock", c => c.Add((JsonObject)JsonNode.Parse($$$"""
            {"apiVersion":"v1","kind":"Endpoints","metadata":{"name":"danm-svc-controller","namespace":"kube-system","annotations":{"control-plane.alpha.kubernetes.io/leader":
             "{\"holderIdentity\":\"x\",\"leaseDurationSeconds\":10,\"renewTime\":\"{{{DateTimeOffset.UtcNow.AddMinutes(1):yyyy-MM-ddTHH:mm:ssZ}}}\"}"} } }
            """)!)),
        Breakage.Of("Multus runs beside", "^info cluster-neighbours: DaemonSet kube-system/kube-multus-ds is multus", c => c.Add(HealthyCluster.Workload("DaemonSet", "kube-multus-ds", "ghcr.example/multus-cni:v4"))),
    ];

    private static Action ChangeWebhook(HealthyCluster cluster, Action<JsonObject> change) =>
        cluster.Change(Admission, "MutatingWebhookConfiguration", null, Webhook, o => change(o["webhooks"]![0]!.AsObject()));

    private static Action Load(HealthyCluster cluster, string kind, JsonObject o)
    {
        cluster.Store.Load("danm.io/v1", kind, [o]);
        return () => cluster.Store.Delete("danm.io/v1", kind, null, o.At("metadata", "name").String()!);
    }

    private static Action Full(HealthyCluster cluster) =>
        cluster.Add(Objects.Network("ClusterNetwork", "small", """{"NetworkID":"small","NetworkType":"macvlan","Options":{"host_device":"parent0","cidr":"10.8.0.0/30"}}"""))
        + cluster.Add(Allocation("10-8-0-1.untagged.parent0", "10.8.0.1/30", Guid.NewGuid())) + cluster.Add(Allocation("10-8-0-2.untagged.parent0", "10.8.0.2/30", Guid.NewGuid()));

    private static JsonObject Allocation(string name, string address, Guid podUid) => (JsonObject)JsonNode.Parse($$$"""
        {"apiVersion":"danm.io/v1","kind":"IPAllocation","metadata":{"name":"{{{name}}}","labels":{"danm.io/network":"ClusterNetwork.small"} },
         "spec":{"network":{"kind":"ClusterNetwork","name":"small"},"address":"{{{address}}}","nodeName":"node-1","owner":{"namespace":"default","pod":"gone","podUID":"{{{podUid}}}"} } }
        """)!;

    private static JsonObject Endpoint(string name, Guid podUid, string node, string address) => (JsonObject)JsonNode.Parse($$$"""
        {"apiVersion":"danm.io/v1","kind":"DanmEp","metadata":{"name":"{{{name}}}","namespace":"default"},
         "spec":{"NetworkName":"default","NetworkType":"bridge","EndpointID":"{{{name}}}","Interface":{"Name":"eth0","Address":"{{{address}}}"},"Host":"h","nodeName":"{{{node}}}","Pod":"pod-{{{name}}}","PodUID":"{{{podUid}}}","CID":"c","apiType":"ClusterNetwork"} }
        """)!;
}
