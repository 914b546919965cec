namespace Danm.Cni;

/// <summary>
/// A released version of the CNI specification. The default value is 0.1.0, which is also what a configuration
/// without <c>cniVersion</c> means. Versions are ordered by their release.
/// </summary>
public readonly struct SpecVersion : IEquatable<SpecVersion>, IComparable<SpecVersion>
{
    private static readonly string[] Names = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"];

    private readonly byte _release;

    private SpecVersion(int release) => _release = (byte)release;

    /// <summary>0.1.0: results with one IPv4 and one IPv6 address.</summary>
    public static SpecVersion V0_1_0 => new(0);

    /// <summary>0.2.0: the VERSION command.</summary>
    public static SpecVersion V0_2_0 => new(1);

    /// <summary>0.3.0: results with lists of interfaces, addresses and routes; plugin chains.</summary>
    public static SpecVersion V0_3_0 => new(2);

    /// <summary>0.3.1: 0.3.0 with an error in the text mended.</summary>
    public static SpecVersion V0_3_1 => new(3);

    /// <summary>0.4.0: the CHECK command, and prevResult on DEL.</summary>
    public static SpecVersion V0_4_0 => new(4);

    /// <summary>1.0.0: addresses lose their <c>version</c>.</summary>
    public static SpecVersion V1_0_0 => new(5);

    /// <summary>1.1.0: the GC and STATUS commands; more fields of interfaces and routes.</summary>
    public static SpecVersion V1_1_0 => new(6);

    /// <summary>The newest version that we know.</summary>
    public static SpecVersion Newest => V1_1_0;

    /// <summary>All versions that we support, the oldest first.</summary>
    public static ReadOnlySpan<string> Supported => Names;

    /// <summary>Whether a result has one address a family (<c>ip4</c>, <c>ip6</c>) rather than lists.</summary>
    public bool HasSingleAddresses => this < V0_3_0;

    /// <summary>Whether each address of a result carries its IP version.</summary>
    public bool HasAddressVersion => this >= V0_3_0 && this < V1_0_0;

    /// <summary>Whether the runtime may call CHECK.</summary>
    public bool HasCheck => this >= V0_4_0;

    /// <summary>Whether the runtime may call GC and STATUS.</summary>
    public bool HasGcAndStatus => this >= V1_1_0;

    /// <summary>Whether interfaces have mtu, socketPath and pciID, and routes mtu, advmss, priority, table and scope.</summary>
    public bool HasRichInterfacesAndRoutes => this >= V1_1_0;

    /// <summary>Finds the version that is spelled exactly so.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out SpecVersion version)
    {
        for (var i = 0; i < Names.Length; i++)
        {
            if (!text.SequenceEqual(Names[i]))
                continue;
            version = new SpecVersion(i);
            return true;
        }

        version = default;
        return false;
    }

    /// <summary>The version as it is written in <c>cniVersion</c>.</summary>
    public override string ToString() => Names[_release];

    /// <inheritdoc/>
    public bool Equals(SpecVersion other) => _release == other._release;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is SpecVersion other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => _release;

    /// <inheritdoc/>
    public int CompareTo(SpecVersion other) => _release.CompareTo(other._release);

    /// <summary>Whether both are the same version.</summary>
    public static bool operator ==(SpecVersion left, SpecVersion right) => left._release == right._release;

    /// <summary>Whether the versions differ.</summary>
    public static bool operator !=(SpecVersion left, SpecVersion right) => left._release != right._release;

    /// <summary>Whether the left one is older.</summary>
    public static bool operator <(SpecVersion left, SpecVersion right) => left._release < right._release;

    /// <summary>Whether the left one is newer.</summary>
    public static bool operator >(SpecVersion left, SpecVersion right) => left._release > right._release;

    /// <summary>Whether the left one is older or the same.</summary>
    public static bool operator <=(SpecVersion left, SpecVersion right) => left._release <= right._release;

    /// <summary>Whether the left one is newer or the same.</summary>
    public static bool operator >=(SpecVersion left, SpecVersion right) => left._release >= right._release;
}
