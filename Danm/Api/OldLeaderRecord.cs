namespace Danm.Api;

/// <summary>client-go's LeaderElectionRecord, which leaders kept in an annotation before there were Leases.</summary>
public sealed class OldLeaderRecord
{
    /// <summary>Who leads; empty: nobody.</summary>
    public string? HolderIdentity { get; set; }

    /// <summary>How long after a renewal it leads on.</summary>
    public int LeaseDurationSeconds { get; set; }

    /// <summary>RFC 3339, by the holder's clock.</summary>
    public string? RenewTime { get; set; }
}
