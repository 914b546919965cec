using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Net;

namespace Danm.Kube.Serving;

/// <summary>Where a program listens, spelled as Kubernetes' own flags are: <c>:8081</c> is every address, <c>0</c> is nowhere.</summary>
/// <param name="Address">The address; null: every one, of both families.</param>
/// <param name="Port">The TCP port, from 1.</param>
public sealed record BindAddress(IPAddress? Address, int Port)
{
    /// <summary>Reads <c>HOST:PORT</c>, <c>:PORT</c> or <c>0</c>.</summary>
    /// <param name="text">The flag's value.</param>
    /// <param name="address">Where to listen; null: nowhere.</param>
    /// <returns>False if it is neither; HOST must be an address, an IPv6 one in brackets.</returns>
    public static bool TryParse(string text, out BindAddress? address)
    {
        ArgumentNullException.ThrowIfNull(text);
        address = null;
        if (text is "0")
            return true;
        var colon = text.LastIndexOf(':');
        if (colon < 0 || !int.TryParse(text.AsSpan(colon + 1), NumberStyles.None, CultureInfo.InvariantCulture, out var port) || port > IPEndPoint.MaxPort)
            return false;
        var host = text[..colon];
        IPAddress? ip = null;
        if (port == 0 || (host.Length > 0 && !TryParseHost(host, out ip)))
            return false;
        address = new BindAddress(ip, port);
        return true;
    }

    /// <inheritdoc/>
    public override string ToString() => Address is null ? $":{Port}" : new IPEndPoint(Address, Port).ToString();

    // A bare IPv6 address would swallow the port.
    private static bool TryParseHost(string host, [NotNullWhen(true)] out IPAddress? ip)
    {
        ip = null;
        return host.StartsWith('[') == host.Contains(':', StringComparison.Ordinal) && IPAddress.TryParse(host, out ip);
    }
}
