namespace Danm.Networks;

/// <summary>Which plugin serves a NetworkType.</summary>
public static class NetworkTypes
{
    /// <summary>Ours; also what an empty type means.</summary>
    public const string Ipvlan = "ipvlan";

    /// <summary>A delegate whose config we build.</summary>
    public const string Macvlan = "macvlan";

    /// <summary>A delegate whose config we build, on a device of the Pod.</summary>
    public const string Sriov = "sriov";

    /// <summary>The type to act by: the dynamic ones in lower case however spelled, any other name as it is.</summary>
    public static string Of(string? networkType) => networkType switch
    {
        null or "" => Ipvlan,
        _ when networkType.Equals(Ipvlan, StringComparison.OrdinalIgnoreCase) => Ipvlan,
        _ when networkType.Equals(Macvlan, StringComparison.OrdinalIgnoreCase) => Macvlan,
        _ when networkType.Equals(Sriov, StringComparison.OrdinalIgnoreCase) => Sriov,
        _ => networkType,
    };

    /// <summary>Whether the plugin's config comes from the network object, not from a file in cniDir.</summary>
    public static bool IsDynamic(string? networkType) => Of(networkType) is Ipvlan or Macvlan or Sriov;
}
