namespace Danm.Cni;

/// <summary>
/// A failure that the runtime gets to see as the specification's error object. Whatever else is thrown on the CNI path
/// counts as a fault of this program (<see cref="CniErrorCode.Internal"/>).
/// </summary>
public sealed class CniException : Exception
{
    /// <summary>Makes the error.</summary>
    /// <param name="code">A constant of <see cref="CniErrorCode"/>.</param>
    /// <param name="msg">What failed, with which object or value, and what to do about it where that is known.</param>
    /// <param name="details">More for whoever looks deeper; a runtime may leave it out of its log.</param>
    /// <param name="inner">The cause, for our own log.</param>
    public CniException(int code, string msg, string? details = null, Exception? inner = null)
        : base(msg, inner)
    {
        Code = code;
        Details = details;
    }

    /// <summary>The error's number; see <see cref="CniErrorCode"/>.</summary>
    public int Code { get; }

    /// <summary>The error's short text, the same as <see cref="Exception.Message"/>.</summary>
    public string Msg => Message;

    /// <summary>The error's long text.</summary>
    public string? Details { get; }
}
