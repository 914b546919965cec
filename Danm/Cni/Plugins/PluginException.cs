using System.Text;
using System.Text.Json;

namespace Danm.Cni.Plugins;

/// <summary>A plugin is missing, failed, or answered with something that is no answer.</summary>
public sealed class PluginException : Exception
{
    internal PluginException(string plugin, PluginCall call, string cause, Exception? inner = null)
        : base($"plugin {CniText.Quote(plugin)} {call.Command}: {cause}", inner)
    {
    }

    /// <summary>Whether there is no such program. One that could not be started is there.</summary>
    public bool IsMissing { get; init; }

    /// <summary>The <c>code</c> of its error object; null if it gave none.</summary>
    public int? Code { get; init; }

    /// <summary>The <c>details</c> of its error object.</summary>
    public string? Details { get; init; }

    /// <summary>From the error object that the specification (section "Error") asks of a plugin that fails, or what it wrote instead.</summary>
    internal static PluginException From(string plugin, PluginCall call, PluginOutput output)
    {
        try
        {
            using var document = JsonDocument.Parse(output.Stdout, new JsonDocumentOptions { MaxDepth = 16 });
            var root = document.RootElement;
            if (root.ValueKind == JsonValueKind.Object && Text(root, "msg") is { Length: > 0 } msg)
            {
                int? code = root.TryGetProperty("code", out var c) && c.ValueKind == JsonValueKind.Number && c.TryGetInt32(out var number) ? number : null;
                return new PluginException(plugin, call, CniText.Clean(msg, 1000)) { Code = code, Details = Text(root, "details") };
            }
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // Not the specification's form: what there is must do.
        }

        var said = output.Stderr.Length > 0 ? output.Stderr : Encoding.UTF8.GetString(output.Stdout.Span[..Math.Min(output.Stdout.Length, 1000)]);
        var cause = output.ExitCode < 0 ? $"was ended by signal {-output.ExitCode}" : $"ended with {output.ExitCode} and no error object";
        return new PluginException(plugin, call, said.Length == 0 ? cause : $"{cause}: {CniText.Clean(said.Trim(), 1000)}");
    }

    private static string? Text(JsonElement root, string name) =>
        root.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
