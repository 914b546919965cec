namespace Danm.Tests.ApiServer.Http;

/// <summary>The parts of a resource path, <c>/api/v1/…</c> or <c>/apis/group/version/…</c>.</summary>
public sealed record RequestPath(string Group, string Version, string Plural, string? Namespace, string? Name, string? Subresource)
{
    public static RequestPath? Parse(string path)
    {
        var parts = path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        var rest = parts switch
        {
            ["api", _, .. var core] => core,
            ["apis", _, _, .. var grouped] => grouped,
            _ => null,
        };
        if (rest is null or [])
            return null;
        var (group, version) = parts[0] == "api" ? ("", parts[1]) : (parts[1], parts[2]);
        return rest switch
        {
            ["namespaces", var name, "status" or "finalize"] => new(group, version, "namespaces", null, name, rest[2]),
            ["namespaces", var ns, var plural] => new(group, version, plural, ns, null, null),
            ["namespaces", var ns, var plural, var name] => new(group, version, plural, ns, name, null),
            ["namespaces", var ns, var plural, var name, var sub] => new(group, version, plural, ns, name, sub),
            [var plural] => new(group, version, plural, null, null, null),
            [var plural, var name] => new(group, version, plural, null, name, null),
            [var plural, var name, var sub] => new(group, version, plural, null, name, sub),
            _ => null,
        };
    }
}
