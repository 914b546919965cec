using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Admission;
using Danm.Tests.ApiServer.Schema;
using Danm.Tests.ApiServer.Services;

namespace Danm.Tests.ApiServer;

/// <summary>
/// The built-in resources. Their schemas (BuiltInTypes.yaml) know the fields that matter to a network plugin and keep
/// the others; what a real server would refuse in those others is not noticed here. Those of what manifests/ deploys (Workloads.yaml) are
/// whole as far as our manifests go.
/// </summary>
public static class BuiltInTypes
{
    // First, since the types below are made from it.
    private static readonly Dictionary<string, StructuralSchema> Schemas = ReadSchemas();

    private static Dictionary<string, StructuralSchema> ReadSchemas()
    {
        var result = new Dictionary<string, StructuralSchema>();
        foreach (var file in (string[])["BuiltInTypes", "Workloads"])
        {
            using var stream = typeof(BuiltInTypes).Assembly.GetManifestResourceStream($"Danm.Tests.ApiServer.{file}.yaml")!;
            using var text = new StreamReader(stream);
            foreach (var (kind, source) in Yaml.Documents(text.ReadToEnd()).Single())
            {
                var reader = new SchemaReader();
                result[kind] = reader.Read((JsonObject)source!, kind);
                if (reader.Errors.Count > 0)
                    throw new InvalidOperationException(string.Join("; ", reader.Errors));
            }
        }

        return result;
    }

    public static readonly ResourceType Namespace = new()
    {
        Group = "", Version = "v1", Kind = "Namespace", Plural = "namespaces", Singular = "namespace", ShortNames = ["ns"], HasStatus = true,
        Schema = SchemaOf("Namespace"), SelectableFields = ["status.phase"], Normalize = NameLabel,
        Columns = [Column.Name, Column.Of("Status", o => o.At("status", "phase").String()), Column.Age],
    };

    public static readonly ResourceType CustomResourceDefinition = new()
    {
        Group = "apiextensions.k8s.io", Version = "v1", Kind = "CustomResourceDefinition", Plural = "customresourcedefinitions",
        Singular = "customresourcedefinition", ShortNames = ["crd", "crds"], Categories = ["api-extensions"], HasStatus = true,
        Schema = SchemaOf("CustomResourceDefinition"), HasGeneration = true, NeedsVersion = true,
        Columns = [Column.Name, Column.Of("Created At", o => o.At("metadata", "creationTimestamp").String(), type: "date")],
    };

    public static readonly ResourceType Pod = new()
    {
        Group = "", Version = "v1", Kind = "Pod", Plural = "pods", Singular = "pod", ShortNames = ["po"], Categories = ["all"],
        Namespaced = true, HasStatus = true, Schema = SchemaOf("Pod"), Check = CheckPod,
        SelectableFields = ["spec.nodeName", "status.phase", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "status.podIP"],
        Columns =
        [
            Column.Name,
            Column.Of("Ready", o => $"{Statuses(o).Count(s => s.At("ready")?.GetValue<bool>() == true)}/{(o.At("spec", "containers") as JsonArray)?.Count ?? 0}"),
            Column.Of("Status", o => o.At("status", "phase").String()),
            Column.Of("Restarts", o => Statuses(o).Sum(s => s.At("restartCount") is JsonValue n ? n.GetValue<int>() : 0)),
            Column.Age,
            Column.Of("IP", o => o.At("status", "podIP").String() ?? "<none>", 1),
            Column.Of("Node", o => o.At("spec", "nodeName").String() ?? "<none>", 1),
        ],
    };

    public static readonly ResourceType MutatingWebhookConfiguration = new()
    {
        Group = "admissionregistration.k8s.io", Version = "v1", Kind = "MutatingWebhookConfiguration", Plural = "mutatingwebhookconfigurations",
        Singular = "mutatingwebhookconfiguration", Categories = ["api-extensions"], HasGeneration = true, NeedsVersion = true,
        Schema = SchemaOf("MutatingWebhookConfiguration"), Check = (body, _, errors) => WebhookConfigurationRules.Check(body, errors),
        Columns = [Column.Name, Column.Of("Webhooks", o => (o.At("webhooks") as JsonArray)?.Count ?? 0), Column.Age],
    };

    public static readonly ResourceType ValidatingAdmissionPolicy = Policy("admissionregistration.k8s.io", "ValidatingAdmissionPolicy", "validatingadmissionpolicies",
        Column.Of("Validations", o => (o.At("spec", "validations") as JsonArray)?.Count ?? 0), AdmissionPolicyRules.Check);

    public static readonly ResourceType ValidatingAdmissionPolicyBinding = Policy("admissionregistration.k8s.io", "ValidatingAdmissionPolicyBinding", "validatingadmissionpolicybindings",
        Column.Of("PolicyName", o => o.At("spec", "policyName").String()), AdmissionPolicyRules.CheckBinding);

    public static readonly ResourceType ServiceAccount = Generic("", "v1", "ServiceAccount", "serviceaccounts", ["sa"], Column.Of("Secrets", o => (o.At("secrets") as JsonArray)?.Count ?? 0));

    public static readonly ResourceType Secret = new()
    {
        Group = "", Version = "v1", Kind = "Secret", Plural = "secrets", Singular = "secret", Namespaced = true, SelectableFields = ["type"],
        Schema = SchemaOf("Secret"), Normalize = Secrets.Fold, Check = Secrets.Check,
        Columns = [Column.Name, Column.Of("Type", o => o.At("type").String()), Column.Of("Data", o => Count(o, "data")), Column.Age],
    };

    public static readonly ResourceType Service = new()
    {
        Group = "", Version = "v1", Kind = "Service", Plural = "services", Singular = "service", ShortNames = ["svc"], Categories = ["all"],
        Namespaced = true, HasStatus = true, SelectableFields = ["spec.clusterIP", "spec.type"], Schema = SchemaOf("Service"),
        Normalize = ServiceDefaults.Apply, Allocate = (allocation, body, old, errors) => allocation.Give(body, old, errors), Check = ServiceRules.Check,
        CreatesOnUpdate = true, Columns = ServiceColumns.OfService,
    };

    public static readonly ResourceType EndpointSlice = new()
    {
        Group = "discovery.k8s.io", Version = "v1", Kind = "EndpointSlice", Plural = "endpointslices", Singular = "endpointslice", Namespaced = true,
        HasGeneration = true, GenerationCountsLabels = true, Schema = SchemaOf("EndpointSlice"), Normalize = EndpointSlices.Normalize, Check = EndpointSlices.Check,
        Columns = ServiceColumns.OfEndpointSlice,
    };

    public static readonly ResourceType Endpoints = new()
    {
        Group = "", Version = "v1", Kind = "Endpoints", ListKind = "EndpointsList", Plural = "endpoints", Singular = "endpoints", ShortNames = ["ep"],
        Namespaced = true, Schema = SchemaOf("Endpoints"), Normalize = Services.Endpoints.Normalize, Check = Services.Endpoints.Check,
        Canonicalize = EndpointSubsets.Repack, CreatesOnUpdate = true, Columns = ServiceColumns.OfEndpoints,
    };

    public static readonly ResourceType Event = EventType("");

    public static readonly IReadOnlyList<ResourceType> All =
    [
        Namespace, Pod, Service, EndpointSlice, Endpoints, CustomResourceDefinition, MutatingWebhookConfiguration, ValidatingAdmissionPolicy,
        ValidatingAdmissionPolicyBinding, ServiceAccount, Secret, Event, EventType("events.k8s.io"),
        new()
        {
            Group = "", Version = "v1", Kind = "Node", Plural = "nodes", Singular = "node", ShortNames = ["no"], HasStatus = true,
            Schema = SchemaOf("Node"), SelectableFields = ["spec.unschedulable"],
            Columns = [Column.Name, Column.Of("Status", NodeStatus), Column.Of("Roles", _ => "<none>"), Column.Age, Column.Of("Version", o => o.At("status", "nodeInfo", "kubeletVersion").String())],
        },
        Generic("", "v1", "ConfigMap", "configmaps", ["cm"], Column.Of("Data", o => Count(o, "data") + Count(o, "binaryData"))),
        Generic("coordination.k8s.io", "v1", "Lease", "leases", [], Column.Of("Holder", o => o.At("spec", "holderIdentity").String())),
        Rbac("Role", "roles", namespaced: true),
        Rbac("ClusterRole", "clusterroles", namespaced: false),
        Rbac("RoleBinding", "rolebindings", namespaced: true),
        Rbac("ClusterRoleBinding", "clusterrolebindings", namespaced: false),
        Workload("apps", "Deployment", "deployments", ["deploy"], Column.Of("Ready", o => $"{o.At("status", "readyReplicas") ?? 0}/{o.At("spec", "replicas")}")),
        Workload("apps", "DaemonSet", "daemonsets", ["ds"], Column.Of("Ready", o => o.At("status", "numberReady") ?? 0)),
        Workload("policy", "PodDisruptionBudget", "poddisruptionbudgets", ["pdb"], Column.Of("Min Available", o => o.At("spec", "minAvailable")?.ToString() ?? "N/A")),
        Policy("flowcontrol.apiserver.k8s.io", "FlowSchema", "flowschemas", Column.Of("PriorityLevel", o => o.At("spec", "priorityLevelConfiguration", "name").String())),
        Policy("flowcontrol.apiserver.k8s.io", "PriorityLevelConfiguration", "prioritylevelconfigurations", Column.Of("Type", o => o.At("spec", "type").String())),
    ];

    private static ResourceType Rbac(string kind, string plural, bool namespaced) => new()
    {
        Group = "rbac.authorization.k8s.io", Version = "v1", Kind = kind, Plural = plural, Singular = kind.ToLowerInvariant(), Namespaced = namespaced,
        Schema = SchemaOf(kind), Columns = [Column.Name, Column.Age],
    };

    /// <summary>Both groups' Events are stored as one; see <see cref="EventConversion"/>.</summary>
    private static ResourceType EventType(string group) => new()
    {
        Group = group, Version = "v1", Kind = "Event", Plural = "events", Singular = "event", ShortNames = ["ev"], Namespaced = true,
        StorageName = "events", CreatesOnUpdate = true, Schema = SchemaOf(group.Length == 0 ? "Event" : "EventsV1Event"),
        SelectableFields =
        [
            "involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid", "involvedObject.apiVersion",
            "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason", "reportingComponent", "source", "type",
        ],
        Columns =
        [
            Column.Of("Last Seen", o => o.At("lastTimestamp").String() ?? o.At("eventTime").String() ?? o.At("metadata", "creationTimestamp").String(), isAge: true),
            Column.Of("Type", o => o.At("type").String()),
            Column.Of("Reason", o => o.At("reason").String()),
            Column.Of("Object", o => $"{o.At("involvedObject", "kind").String()?.ToLowerInvariant()}/{o.At("involvedObject", "name").String()}"),
            Column.Of("Message", o => o.At("message").String()),
        ],
    };

    private static ResourceType Generic(string group, string version, string kind, string plural, string[] shortNames, params Column[] columns) => new()
    {
        Group = group, Version = version, Kind = kind, Plural = plural, Singular = kind.ToLowerInvariant(), ShortNames = shortNames, Namespaced = true,
        Schema = SchemaOf(kind), Columns = [Column.Name, .. columns, Column.Age], CreatesOnUpdate = kind is "Lease", NeedsVersion = kind is "Lease",
    };

    private static ResourceType Workload(string group, string kind, string plural, string[] shortNames, Column column) => new()
    {
        Group = group, Version = "v1", Kind = kind, Plural = plural, Singular = kind.ToLowerInvariant(), ShortNames = shortNames, Namespaced = true,
        HasStatus = true, HasGeneration = true, Schema = SchemaOf(kind), Columns = [Column.Name, column, Column.Age],
    };

    private static ResourceType Policy(string group, string kind, string plural, Column column, Action<JsonObject, List<FieldError>>? check = null) => new()
    {
        Group = group, Version = "v1", Kind = kind, Plural = plural, Singular = kind.ToLowerInvariant(), HasStatus = kind != "ValidatingAdmissionPolicyBinding",
        HasGeneration = true, Schema = SchemaOf(kind), Check = check is null ? null : (body, _, errors) => check(body, errors), Columns = [Column.Name, column, Column.Age],
    };

    /// <summary>A real server lets images, tolerations and deadlines change, and nodeName be set once by a binding.</summary>
    private static void CheckPod(JsonObject body, JsonObject? old, List<FieldError> errors)
    {
        if (old is not null && !JsonNode.DeepEquals(Fixed(body), Fixed(old)))
            errors.Add(FieldError.Forbidden("spec", "pod updates may not change fields other than `spec.containers[*].image`,`spec.initContainers[*].image`,`spec.activeDeadlineSeconds`,`spec.tolerations` (only additions to existing tolerations),`spec.terminationGracePeriodSeconds` (allow it to be set to 1 if it was previously negative)"));

        static JsonNode? Fixed(JsonObject pod)
        {
            var spec = pod["spec"]?.DeepClone() as JsonObject;
            spec?.Remove("tolerations");
            spec?.Remove("activeDeadlineSeconds");
            foreach (var list in (string[])["containers", "initContainers"])
                foreach (var container in spec?[list] as JsonArray ?? [])
                    (container as JsonObject)?.Remove("image");
            return spec;
        }
    }

    private static IEnumerable<JsonNode?> Statuses(JsonObject pod) => pod.At("status", "containerStatuses") as JsonArray ?? [];

    private static void NameLabel(JsonObject ns)
    {
        if (ns.At("metadata", "name").String() is { Length: > 0 } name)
            ns.Child("metadata").Child("labels")["kubernetes.io/metadata.name"] = name;
    }

    private static int Count(JsonObject o, string field) => (o[field] as JsonObject)?.Count ?? 0;

    private static JsonNode NodeStatus(JsonObject node)
    {
        var ready = (node.At("status", "conditions") as JsonArray)?.FirstOrDefault(c => c.At("type").String() == "Ready");
        var text = ready.At("status").String() switch { "True" => "Ready", "False" => "NotReady", _ => "Unknown" };
        return node.At("spec", "unschedulable")?.GetValue<bool>() == true ? text + ",SchedulingDisabled" : text;
    }

    private static StructuralSchema SchemaOf(string kind) => Schemas[kind];
}
