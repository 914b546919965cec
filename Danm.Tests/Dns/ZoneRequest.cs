namespace Danm.Tests.Dns;

/// <summary>
/// What a name below the cluster's zone asks for, read from its end: <c>[endpoint | _port._protocol].service.namespace.svc</c>.
/// Parts that are not there are empty.
/// </summary>
internal sealed record ZoneRequest(string Namespace, string Service, string Endpoint, string Port, string Protocol)
{
    /// <summary>Null: nothing can be of such a name. Pods have none here, as with CoreDNS's <c>pods disabled</c>.</summary>
    public static ZoneRequest? Read(IReadOnlyList<string> labels)
    {
        string[] parts = [.. labels.Reverse()];
        if (parts is [var kind, ..] && !kind.Equals("svc", StringComparison.OrdinalIgnoreCase))
            return null;
        return parts switch
        {
            [] or [_] => new("", "", "", "", ""),
            [_, var ns] => new(ns, "", "", "", ""),
            [_, var ns, var service] => new(ns, service, "", "", ""),
            [_, var ns, var service, var endpoint] => new(ns, service, endpoint, "", ""),
            [_, var ns, var service, var protocol, var port] => new(ns, service, "", Plain(port), Plain(protocol)),
            _ => null,
        };
    }

    public bool Wants(ZonePort port) => Matches(Port, port.Name) && Matches(Protocol, port.Protocol);

    public bool WantsEndpoint(string name) => Matches(Endpoint, name);

    private static bool Matches(string wanted, string given) => wanted.Length == 0 || wanted.Equals(given, StringComparison.OrdinalIgnoreCase);

    private static string Plain(string label) => label.StartsWith('_') ? label[1..] : label;
}
