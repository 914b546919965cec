namespace Danm.Kube.Elections;

/// <summary>Another replica leads: what this one knows may be late, so it ends and begins anew.</summary>
internal sealed class LeadershipLostException(string message) : Exception(message);
