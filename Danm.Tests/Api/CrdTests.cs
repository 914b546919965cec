using System.Text.Json.Serialization.Metadata;
using System.Text.RegularExpressions;
using CsCheck;
using Danm.Api;
using Danm.Networks;
using YamlDotNet.RepresentationModel;

namespace Danm.Tests.Api;

/// <summary>What manifests/crds must keep to for a real API server to take it, and for our types to fit it.</summary>
public sealed class CrdTests
{
    private static readonly Dictionary<string, JsonTypeInfo> Types = new()
    {
        [ApiNames.DanmNets] = ApiJson.Default.Network,
        [ApiNames.TenantNetworks] = ApiJson.Default.Network,
        [ApiNames.ClusterNetworks] = ApiJson.Default.Network,
        [ApiNames.TenantConfigs] = TenantJson.Default.TenantConfig,
        [ApiNames.DanmEps] = ApiJson.Default.DanmEp,
        [ApiNames.IPAllocations] = ApiJson.Default.IPAllocation,
        [ApiNames.VNIAllocations] = TenantJson.Default.VNIAllocation,
    };

    private static readonly string[] Plurals = [.. Types.Keys];

    [Test]
    public void There_is_one_file_a_kind() =>
        Directory.GetFiles(Folder, "*.yaml").Select(Path.GetFileNameWithoutExtension).Should().BeEquivalentTo([.. Plurals, "kustomization"]);

    [TestCase(ApiNames.DanmNets, "DanmNet", "Namespaced", "dn,dnet", "all,danm")]
    [TestCase(ApiNames.TenantNetworks, "TenantNetwork", "Namespaced", "tn,tnet", "all,danm")]
    [TestCase(ApiNames.ClusterNetworks, "ClusterNetwork", "Cluster", "cn,cnet", "all,danm")]
    [TestCase(ApiNames.TenantConfigs, "TenantConfig", "Cluster", "tc,tconf", "danm")]
    [TestCase(ApiNames.DanmEps, "DanmEp", "Namespaced", "de,dep", "danm")]
    [TestCase(ApiNames.IPAllocations, "IPAllocation", "Cluster", "ipa", "danm")]
    [TestCase(ApiNames.VNIAllocations, "VNIAllocation", "Cluster", "vnia", "danm")]
    public void Names_are_those_that_users_know(string plural, string kind, string scope, string shortNames, string categories)
    {
        var crd = Load(plural);

        Text(crd, "apiVersion").Should().Be("apiextensions.k8s.io/v1");
        Text(crd, "metadata", "name").Should().Be($"{plural}.danm.io");
        Text(crd, "spec", "group").Should().Be(ApiNames.Group);
        Text(crd, "spec", "scope").Should().Be(scope);
        Text(crd, "spec", "names", "kind").Should().Be(kind);
        Text(crd, "spec", "names", "listKind").Should().Be(kind + "List");
        Text(crd, "spec", "names", "plural").Should().Be(plural);
        Text(crd, "spec", "names", "singular").Should().Be(kind.ToLowerInvariant());
        Texts(At(crd, "spec", "names", "shortNames")).Should().Equal(shortNames.Split(','));
        Texts(At(crd, "spec", "names", "categories")).Should().Equal(categories.Split(','));
        var version = ((YamlSequenceNode)At(crd, "spec", "versions")!).Should().ContainSingle().Subject;
        Text(version, "name").Should().Be("v1");
        Text(version, "storage").Should().Be("true");
    }

    [TestCaseSource(nameof(Plurals))]
    public void Every_field_has_a_type_and_a_description(string plural)
    {
        foreach (var (path, schema) in Walk(Schema(plural)))
        {
            Text(schema, "type").Should().NotBeNull(path);
            // A server refuses a definition that says anything of metadata.
            if (path != ".metadata")
                Text(schema, "description").Should().EndWith(".", path);
        }
    }

    [TestCaseSource(nameof(Plurals))]
    public void The_schema_has_just_the_members_of_our_type(string plural) => ShouldFit("", Schema(plural), Types[plural]);

    // A server reckons the worst case of what a rule can touch, and refuses the CRD where that is unbounded.
    [TestCaseSource(nameof(Plurals))]
    public void All_that_a_rule_touches_is_bounded(string plural)
    {
        foreach (var (path, schema) in Walk(Schema(plural)))
        {
            foreach (var rule in At(schema, "x-kubernetes-validations") as YamlSequenceNode ?? [])
            {
                var text = Text(rule, "rule")!;
                Text(rule, "message").Should().NotBeNullOrEmpty(path);
                var touched = text.Contains("oldSelf", StringComparison.Ordinal)
                    ? Walk(schema)
                    : Regex.Matches(text, @"self\.(\w+)").Select(match => (match.Groups[1].Value, At(schema, "properties", match.Groups[1].Value)!));
                foreach (var (name, field) in touched)
                {
                    var limit = Text(field, "type") switch
                    {
                        "string" => "maxLength",
                        "array" => "maxItems",
                        "object" when At(field, "additionalProperties") is not null => "maxProperties",
                        _ => "type",
                    };
                    Text(field, limit).Should().NotBeNull($"{path}: {text} touches {name}");
                }
            }
        }
    }

    [Test]
    public void The_bounds_hold_inside_lists_with_rules()
    {
        foreach (var plural in Plurals)
        {
            foreach (var (path, schema) in Walk(Schema(plural)).Where(field => Text(field.Schema, "type") == "array"))
                Text(schema, "maxItems").Should().NotBeNull(path);
        }
    }

    [TestCaseSource(nameof(Plurals))]
    public void Columns_and_selectable_fields_point_to_scalars_of_the_schema(string plural)
    {
        var version = ((YamlSequenceNode)At(Load(plural), "spec", "versions")!)[0];
        var columns = ((YamlSequenceNode)At(version, "additionalPrinterColumns")!).Select(column => Text(column, "jsonPath")!).ToList();
        var selectable = (At(version, "selectableFields") as YamlSequenceNode ?? []).Select(field => Text(field, "jsonPath")!).ToList();

        selectable.Count.Should().BeLessThanOrEqualTo(8, "a server takes no more");
        columns.Should().Contain(".metadata.creationTimestamp");
        foreach (var path in columns.Concat(selectable).Where(path => path != ".metadata.creationTimestamp"))
        {
            var field = path[1..].Split('.').Aggregate((YamlNode?)Schema(plural), (node, name) => node is null ? null : At(node, "properties", name));
            field.Should().NotBeNull(path);
            Text(field!, "type").Should().BeOneOf("string", "integer");
        }
    }

    [Test]
    public void DanmEps_can_be_found_by_Pod_sandbox_node_and_network() =>
        SelectableFields(ApiNames.DanmEps).Should().BeEquivalentTo(
            ".spec.Pod", ".spec.PodUID", ".spec.CID", ".spec.nodeName", ".spec.Host", ".spec.NetworkName", ".spec.apiType");

    [Test]
    public void Allocations_can_be_found_by_node_and_owner() =>
        SelectableFields(ApiNames.IPAllocations).Should().Contain([".spec.nodeName", ".spec.owner.podUID", ".spec.address"]);

    [TestCase(ApiNames.DanmEps)]
    [TestCase(ApiNames.IPAllocations)]
    public void Specs_that_one_writer_owns_are_atomic(string plural) =>
        Text(At(Schema(plural), "properties", "spec")!, "x-kubernetes-map-type").Should().Be("atomic");

    [Test]
    public void The_three_network_kinds_have_the_same_Options()
    {
        var options = new[] { ApiNames.DanmNets, ApiNames.TenantNetworks, ApiNames.ClusterNetworks }
            .Select(plural => At(Schema(plural), "properties", "spec", "properties", "Options")!).ToList();

        options[1].Should().Be(options[0]);
        options[2].Should().Be(options[0]);
    }

    [TestCase("NetworkID")]
    [TestCase("NetworkType")]
    public void The_schema_and_the_CNI_agree_on_names(string field)
    {
        var schema = At(Schema(ApiNames.DanmNets), "properties", "spec", "properties", field)!;
        var pattern = new Regex(Text(schema, "pattern")!.Replace("$", "\\z", StringComparison.Ordinal));
        var maxLength = int.Parse(Text(schema, "maxLength")!);

        Gen.String[Gen.Char["aZ9._-/ \n"], 0, 12].Sample(
            text => (text.Length == 0 || Names.IsPlain(text, maxLength)) == pattern.IsMatch(text));
    }

    [TestCase("Options.cidr", "", "10.0.0.0/24")]
    [TestCase("Options.net6", "", "fd00::/64", "::FFFF/8")]
    [TestCase("Options.allocation_pool.start", "", "10.0.0.1")]
    [TestCase("Options.allocation_pool.lastIp", "", "10.0.0.7/24", "10.0.0.7")]
    [TestCase("Options.allocation_pool_v6.end", "", "fd00::1")]
    [TestCase("Options.allocation_pool_v6.cidr", "", "fd00::/105")]
    [TestCase("Options.device_pool", "", "nokia.k8s.io/sriov_ens1f0")]
    [TestCase("NetworkType", "", "IPVLAN", "flannel", "sriov")]
    public void The_texts_of_the_original_are_accepted(string path, params string[] values)
    {
        var schema = path.Split('.').Aggregate(At(Schema(ApiNames.DanmNets), "properties", "spec")!, (node, name) => At(node, "properties", name)!);
        foreach (var value in values)
            value.Should().MatchRegex(Text(schema, "pattern") ?? "^");
    }

    private static string Folder
    {
        get
        {
            var folder = new DirectoryInfo(AppContext.BaseDirectory);
            while (!File.Exists(Path.Combine(folder!.FullName, "Danm.slnx")))
                folder = folder.Parent;
            return Path.Combine(folder.FullName, "manifests", "crds");
        }
    }

    private static YamlNode Load(string plural)
    {
        using var file = File.OpenText(Path.Combine(Folder, plural + ".yaml"));
        var stream = new YamlStream();
        stream.Load(file);
        return stream.Documents.Should().ContainSingle().Subject.RootNode;
    }

    private static YamlNode Schema(string plural) =>
        At(((YamlSequenceNode)At(Load(plural), "spec", "versions")!)[0], "schema", "openAPIV3Schema")!;

    private static IEnumerable<string> SelectableFields(string plural) =>
        ((YamlSequenceNode)At(((YamlSequenceNode)At(Load(plural), "spec", "versions")!)[0], "selectableFields")!)
            .Select(field => Text(field, "jsonPath")!);

    private static YamlNode? At(YamlNode node, params string[] path) =>
        path.Aggregate((YamlNode?)node, (current, name) =>
            current is YamlMappingNode map && map.Children.TryGetValue(name, out var child) ? child : null);

    private static string? Text(YamlNode node, params string[] path) => (At(node, path) as YamlScalarNode)?.Value;

    private static IEnumerable<string> Texts(YamlNode? list) => ((YamlSequenceNode)list!).Select(item => ((YamlScalarNode)item).Value!);

    private static IEnumerable<(string Path, YamlNode Schema)> Walk(YamlNode schema, string path = "")
    {
        yield return (path, schema);
        var children = (At(schema, "properties") as YamlMappingNode)?.Children.Select(child => ($"{path}.{child.Key}", child.Value)) ?? [];
        children = children.Concat(new[] { "items", "additionalProperties" }
            .Select(name => ($"{path}[]", At(schema, name)!)).Where(child => child.Item2 is not null));
        foreach (var (childPath, child) in children)
        {
            foreach (var field in Walk(child, childPath))
                yield return field;
        }
    }

    private static void ShouldFit(string path, YamlNode schema, JsonTypeInfo type)
    {
        if (At(schema, "items") is { } items)
        {
            ShouldFit(path + "[]", items, type.Options.GetTypeInfo(type.ElementType!));
            return;
        }

        if (At(schema, "properties") is not YamlMappingNode properties)
            return;
        var members = type.Properties.Where(member => member.Get is not null && !member.IsExtensionData).ToDictionary(member => member.Name);
        properties.Children.Keys.Select(key => ((YamlScalarNode)key).Value!).Should().BeEquivalentTo(members.Keys, path);
        foreach (var (name, member) in members)
            ShouldFit($"{path}.{name}", At(properties, name)!, type.Options.GetTypeInfo(member.PropertyType));
    }
}
