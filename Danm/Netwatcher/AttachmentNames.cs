using System.Text.Json;
using Danm.Api;
using Danm.Kube.Watching;

namespace Danm.Netwatcher;

/// <summary>
/// The NetworkAttachmentDefinitions that a Pod asks another metaplugin for, in the annotation <c>k8s.v1.cni.cncf.io/networks</c>: names
/// with commas between them (<c>namespace/name@interface</c>), or a JSON list (De-facto Standard, version 1.3, section 4.1).
/// </summary>
internal static class AttachmentNames
{
    private const string Annotation = "k8s.v1.cni.cncf.io/networks", Default = "v1.multus-cni.io/default-network";
    private const int Most = 256;

    /// <summary>Those of a Pod; what cannot be read names none.</summary>
    public static IReadOnlyList<ObjectKey> Of(ObjectMeta pod)
    {
        ArgumentNullException.ThrowIfNull(pod);
        var ns = pod.Namespace ?? "";
        return
        [
            .. Read(pod.Annotations?.GetValueOrDefault(Annotation), ns), .. Read(pod.Annotations?.GetValueOrDefault(Default), ns),
        ];
    }

    private static IEnumerable<ObjectKey> Read(string? text, string ns)
    {
        if (string.IsNullOrWhiteSpace(text))
            return [];
        if (!text.TrimStart().StartsWith('['))
            return text.Split(',', Most, StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Select(t => Name(t, ns));
        try
        {
            using var list = JsonDocument.Parse(text, new JsonDocumentOptions { MaxDepth = 16 });
            return [.. list.RootElement.EnumerateArray().Take(Most).Where(e => e.ValueKind == JsonValueKind.Object).Select(e => new ObjectKey(Text(e, "namespace") ?? ns, Text(e, "name") ?? ""))];
        }
        catch (JsonException)
        {
            return [];
        }
    }

    private static ObjectKey Name(string text, string ns)
    {
        var name = text.Split('@')[0];
        var slash = name.IndexOf('/', StringComparison.Ordinal);
        return slash < 0 ? new ObjectKey(ns, name) : new ObjectKey(name[..slash], name[(slash + 1)..]);
    }

    private static string? Text(JsonElement element, string member) =>
        element.TryGetProperty(member, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
}
