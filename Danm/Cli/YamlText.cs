using System.Text.Json;
using YamlDotNet.RepresentationModel;

namespace Danm.Cli;

/// <summary>JSON as YAML, for <c>-o yaml</c>.</summary>
internal static class YamlText
{
    public static string Of(ReadOnlySpan<byte> json)
    {
        var reader = new Utf8JsonReader(json);
        using var document = JsonDocument.ParseValue(ref reader);
        using var text = new StringWriter();
        new YamlStream(new YamlDocument(Node(document.RootElement))).Save(text, assignAnchors: false);
        return text.ToString().Replace("...\n", "", StringComparison.Ordinal);
    }

    private static YamlNode Node(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => new YamlMappingNode(value.EnumerateObject().Select(m => KeyValuePair.Create<YamlNode, YamlNode>(new YamlScalarNode(m.Name), Node(m.Value)))),
        JsonValueKind.Array => new YamlSequenceNode(value.EnumerateArray().Select(Node)),
        JsonValueKind.String => new YamlScalarNode(value.GetString()) { Style = YamlDotNet.Core.ScalarStyle.DoubleQuoted },
        _ => new YamlScalarNode(value.GetRawText()),
    };
}
