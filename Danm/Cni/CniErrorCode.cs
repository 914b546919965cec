namespace Danm.Cni;

/// <summary>
/// The <c>code</c> of a CNI error: 0 to 99 belong to the CNI specification (section "Error"), those from 100 are ours.
/// Runtimes act on two of them only: 11 asks for another attempt, and 50 to STATUS makes the node NotReady.
/// </summary>
public static class CniErrorCode
{
    /// <summary>The configuration's cniVersion, or the command under that version, is not supported.</summary>
    public const int IncompatibleVersion = 1;

    /// <summary>The configuration asks for something that cannot be given; the message names key and value.</summary>
    public const int UnsupportedField = 2;

    /// <summary>The container is unknown or gone, so there is nothing to do for it.</summary>
    public const int UnknownContainer = 3;

    /// <summary>A CNI_* variable is missing or malformed.</summary>
    public const int InvalidEnvironment = 4;

    /// <summary>Reading standard input, or a file of the node, failed.</summary>
    public const int IoFailure = 5;

    /// <summary>JSON could not be decoded: of the configuration, or of a delegate's result.</summary>
    public const int DecodeFailure = 6;

    /// <summary>The network configuration is JSON but not valid; the message names key and value.</summary>
    public const int InvalidNetworkConfig = 7;

    /// <summary>A passing trouble: the runtime should call again later.</summary>
    public const int TryAgainLater = 11;

    /// <summary>STATUS: the plugin cannot serve an ADD now.</summary>
    public const int PluginNotAvailable = 50;

    /// <summary>STATUS: the plugin cannot serve an ADD now, and containers that are attached may be cut off.</summary>
    public const int LimitedConnectivity = 51;

    /// <summary>One or more attachments of the Pod failed; the message has a line for each.</summary>
    public const int AttachmentFailed = 100;

    /// <summary>The Pod's network annotation is not valid.</summary>
    public const int InvalidAnnotation = 101;

    /// <summary>A network object that the Pod names does not exist or is not valid.</summary>
    public const int InvalidNetwork = 102;

    /// <summary>The Pod's namespace is not among the network's AllowedTenants.</summary>
    public const int TenantNotAllowed = 103;

    /// <summary>The network's pool has no free address left.</summary>
    public const int AddressesExhausted = 104;

    /// <summary>The address asked for belongs to another interface.</summary>
    public const int AddressInUse = 105;

    /// <summary>The API server refused a request: no right, no such resource, a denial by admission.</summary>
    public const int ApiRefused = 106;

    /// <summary>The API server cannot be reached or trusted: kubeconfig, name, connection, certificate.</summary>
    public const int ApiUnreachable = 107;

    /// <summary>The network's host interface is missing on this node, or is not what the network describes.</summary>
    public const int HostInterface = 108;

    /// <summary>The kernel refused a change; the message has its own words.</summary>
    public const int KernelRefused = 109;

    /// <summary>CHECK found an interface, address, route or reservation missing or changed.</summary>
    public const int CheckFailed = 110;

    /// <summary>A delegated plugin is missing, failed, or answered with something that is no result.</summary>
    public const int DelegateFailed = 111;

    /// <summary>A fault of this program; its standard error has the stack trace. Other plugins use the same number.</summary>
    public const int Internal = 999;
}
