using Danm.Cni;
using Danm.Cni.Plugins;
using Danm.HostLinks;
using Danm.Ipam;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;
using Danm.State;

namespace Danm.Calls;

/// <summary>What went wrong below, as the runtime and the Pod's events will show it.</summary>
internal static class Errors
{
    public static CniException From(Exception e, string? context = null) => e switch
    {
        CniException known when context is null => known,
        CniException known => new(known.Code, $"{context}: {known.Msg}", known.Details, known),
        AddressException address => new(CodeOf(address.Fault), address.Message, inner: e),
        ApiException api => FromApi(api, context),
        KubeConfigException kubeconfig => new(CniErrorCode.InvalidNetworkConfig, kubeconfig.Message, "kubeconfig", e),
        PluginException plugin => new(
            plugin.Code == CniErrorCode.TryAgainLater ? CniErrorCode.TryAgainLater : CniErrorCode.DelegateFailed,
            In(context, plugin.Message), plugin.Details ?? (plugin.Code is { } code ? $"the plugin's code is {code}" : null), e),
        HostLinkException link => new(CniErrorCode.HostInterface, In(context, link.Message), inner: e),
        NetlinkException kernel => new(
            CniErrorCode.KernelRefused,
            In(context, $"the kernel refused to {kernel.Message}"),
            kernel.Errno == Errno.EOPNOTSUPP ? "has the kernel of this node ipvlan, 8021q and vxlan?" : null,
            e),
        NetworkNamespaceException netns => new(CniErrorCode.UnknownContainer, netns.Message, "CNI_NETNS", e),
        NetworkFaultException fault => new(CniErrorCode.InvalidNetwork, In(context, fault.Message), inner: e),
        JournalFormatException later => new(CniErrorCode.TryAgainLater, In(context, later.Message), inner: e),
        IOException io => new(CniErrorCode.IoFailure, In(context, io.Message), inner: e),
        OperationCanceledException => new(CniErrorCode.TryAgainLater, In(context, "the time-out (timeoutSeconds) was over"), inner: e),
        _ => new(CniErrorCode.Internal, In(context, $"internal error: {e.GetType().Name}: {e.Message}"), inner: e),
    };

    private static CniException FromApi(ApiException e, string? context)
    {
        if (e.InnerException is KubeConfigException credentials)
            return From(credentials);
        if (e.InnerException is HttpRequestException { HttpRequestError: HttpRequestError.SecureConnectionError })
        {
            return new CniException(
                CniErrorCode.ApiUnreachable, In(context, $"there is no secure connection to the API server: {e.Message}"), "is it the server that the kubeconfig means, and is its certificate of the kubeconfig's certificate authority?", e);
        }

        if (e.Code is null)
        {
            return new CniException(
                CniErrorCode.TryAgainLater, In(context, $"the API server gave no usable answer: {e.Message}"), "is it up, and is it the server that the kubeconfig means?", e);
        }

        return e.IsTransient
            ? new CniException(CniErrorCode.TryAgainLater, In(context, $"the API server could not serve {e.Message}"), inner: e)
            : new CniException(CniErrorCode.ApiRefused, In(context, $"the API server refused {e.Message}"), (int)e.Code is 401 or 403 ? "check the rights of the kubeconfig's user (ClusterRole caas:danm) and its token" : null, e);
    }

    private static int CodeOf(AddressFault fault) => fault switch
    {
        AddressFault.Exhausted => CniErrorCode.AddressesExhausted,
        AddressFault.InUse => CniErrorCode.AddressInUse,
        _ => CniErrorCode.InvalidAnnotation,
    };

    private static string In(string? context, string text) => context is null ? text : $"{context}: {text}";
}
