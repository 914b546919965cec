using Danm.Api;

namespace Danm.Kube.Watching;

/// <summary>Versions of objects of one kind, and of its lists, compare as numbers (KEP-5504).</summary>
internal static class ResourceVersion
{
    /// <summary>The version of an object; what is no number counts as the newest.</summary>
    public static ulong Of(IApiObject value) => Parse(value.Metadata.ResourceVersion);

    /// <inheritdoc cref="Of"/>
    public static ulong Parse(string? text) => ulong.TryParse(text, out var version) ? version : ulong.MaxValue;
}
