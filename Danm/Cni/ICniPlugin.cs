namespace Danm.Cni;

/// <summary>
/// A CNI plugin behind CniMain, which has checked the request before any of these is called. Failures are
/// thrown as <see cref="CniException"/>; the token fires when the configuration's time-out is over.
/// </summary>
public interface ICniPlugin
{
    /// <summary>Attaches the container and tells what was made.</summary>
    Task<CniResult> Add(CniRequest request, CancellationToken cancellationToken);

    /// <summary>Undoes an ADD; success also if there is nothing (left) to undo.</summary>
    Task Del(CniRequest request, CancellationToken cancellationToken);

    /// <summary>Throws unless what the ADD made is there and as it was.</summary>
    Task Check(CniRequest request, CancellationToken cancellationToken);

    /// <summary>Releases what is not among the configuration's <see cref="NetConf.ValidAttachments"/>.</summary>
    Task Gc(CniRequest request, CancellationToken cancellationToken);

    /// <summary>Throws unless an ADD could be served now.</summary>
    Task Status(CniRequest request, CancellationToken cancellationToken);
}
