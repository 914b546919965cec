using System.Net.Sockets;
using System.Text;

namespace Danm.Netlink;

/// <summary>A kernel parameter of a network namespace and the value to write.</summary>
public sealed class Sysctl
{
    private const int MaxValueLength = 64;

    private Sysctl(string key, string value)
    {
        Key = key;
        Value = value;
        // Everything a namespace thread needs is made here, where allocating is allowed.
        Path = Encoding.ASCII.GetBytes($"/proc/sys/net/{key}\0");
        Bytes = Encoding.ASCII.GetBytes(value);
    }

    /// <summary>The parameter's path below <c>/proc/sys/net</c>, as in <c>ipv6/conf/eth0/accept_ra</c>. Dots in it are part of names.</summary>
    public string Key { get; }

    /// <summary>The value.</summary>
    public string Value { get; }

    internal byte[] Path { get; }

    internal byte[] Bytes { get; }

    /// <summary>A parameter of one interface: <c>net/ipv6/conf/&lt;name&gt;/&lt;parameter&gt;</c>.</summary>
    /// <param name="family">IPv4 or IPv6.</param>
    /// <param name="interfaceName">The interface, or <c>all</c> or <c>default</c>.</param>
    /// <param name="parameter">As in <c>accept_ra</c>.</param>
    /// <param name="value">What to write.</param>
    /// <exception cref="ArgumentException">The name is not that of an interface, or the others have characters that no parameter has.</exception>
    public static Sysctl OfInterface(AddressFamily family, string interfaceName, string parameter, string value)
    {
        InterfaceName.Require(interfaceName, nameof(interfaceName));
        var folder = WireAddress.Family(family) == Native.AF_INET6 ? "ipv6" : "ipv4";
        return new Sysctl($"{folder}/conf/{interfaceName}/{RequireSegment(parameter, nameof(parameter))}", RequireValue(value));
    }

    /// <summary>A parameter of the whole namespace, as in <c>("ipv4", "igmp_max_memberships")</c>.</summary>
    /// <exception cref="ArgumentException">Characters that no parameter has.</exception>
    public static Sysctl OfNamespace(string folder, string parameter, string value) =>
        new($"{RequireSegment(folder, nameof(folder))}/{RequireSegment(parameter, nameof(parameter))}", RequireValue(value));

    /// <inheritdoc/>
    public override string ToString() => $"net/{Key}={Value}";

    private static string RequireSegment(string segment, string parameter)
    {
        ArgumentException.ThrowIfNullOrEmpty(segment, parameter);
        foreach (var c in segment)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
                throw new ArgumentException("a kernel parameter has letters, digits, underscores and dashes only", parameter);
        }

        return segment;
    }

    private static string RequireValue(string value)
    {
        ArgumentException.ThrowIfNullOrEmpty(value);
        if (value.Length > MaxValueLength || value.AsSpan().ContainsAnyExceptInRange(' ', '~'))
            throw new ArgumentException($"a value has 1 to {MaxValueLength} printable characters", nameof(value));
        return value;
    }
}
