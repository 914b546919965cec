using Danm.Cni;

namespace Danm.Calls;

/// <summary>How the time that the configuration gives a call is shared out among its steps.</summary>
internal static class RequestPatience
{
    /// <summary>How long one of several steps may wait for a server that does not answer: a third of timeoutSeconds.</summary>
    public static TimeSpan Patience(this CniRequest request) => request.Config.Timeout / 3;
}
