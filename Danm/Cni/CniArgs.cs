namespace Danm.Cni;

/// <summary>
/// What Kubernetes' runtimes put into <c>CNI_ARGS</c> (<c>KEY=value</c> pairs separated by semicolons). Keys that we do not
/// use are ignored, whatever <c>IgnoreUnknown</c> says.
/// </summary>
public sealed record CniArgs
{
    /// <summary>The Pod's namespace.</summary>
    public string? PodNamespace { get; init; }

    /// <summary>The Pod's name.</summary>
    public string? PodName { get; init; }

    /// <summary>The Pod's UID as the kubelet knows it; of a static Pod that is not the mirror Pod's UID.</summary>
    public string? PodUid { get; init; }

    /// <summary>The id of the Pod's sandbox.</summary>
    public string? PodInfraContainerId { get; init; }

    /// <summary><c>IP</c>: addresses that the container is to have, separated by commas, as a convention of IPAM plugins has it; unchecked.</summary>
    public string? Addresses { get; init; }

    /// <summary>Reads the variable.</summary>
    /// <param name="text">Its value; null and an empty string mean no arguments.</param>
    /// <param name="lenient">Drop what is malformed rather than fail: a DEL must work with what there is.</param>
    /// <exception cref="CniException">Code 4: a pair without <c>=</c>, or a value that cannot be what its key says.</exception>
    public static CniArgs Parse(string? text, bool lenient = false)
    {
        var args = new CniArgs();
        var rest = text.AsSpan();
        while (!rest.IsEmpty)
        {
            var end = rest.IndexOf(';');
            var pair = end < 0 ? rest : rest[..end];
            rest = end < 0 ? default : rest[(end + 1)..];
            if (pair.IsEmpty)
                continue;
            var equals = pair.IndexOf('=');
            if (equals > 0)
                args = args.With(pair[..equals], pair[(equals + 1)..], lenient);
            else if (!lenient)
                throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_ARGS: {CniText.Quote(pair.ToString())} is not of the form KEY=value");
        }

        return args;
    }

    private CniArgs With(ReadOnlySpan<char> key, ReadOnlySpan<char> value, bool lenient) => key switch
    {
        "K8S_POD_NAMESPACE" => this with { PodNamespace = Checked(key, value, CniNames.IsDnsSubdomain(value), "DNS-1123 subdomain", lenient) },
        "K8S_POD_NAME" => this with { PodName = Checked(key, value, CniNames.IsDnsSubdomain(value), "DNS-1123 subdomain", lenient) },
        "K8S_POD_UID" => this with { PodUid = Checked(key, value, CniNames.IsUid(value), "UID", lenient) },
        "K8S_POD_INFRA_CONTAINER_ID" => this with { PodInfraContainerId = Checked(key, value, CniNames.IsName(value), "container id", lenient) },
        "IP" when !value.IsEmpty => this with { Addresses = value.ToString() },
        _ => this,
    };

    // containerd writes "K8S_POD_UID=" when it knows none.
    private static string? Checked(ReadOnlySpan<char> key, ReadOnlySpan<char> value, bool valid, string kind, bool lenient)
    {
        if (value.IsEmpty)
            return null;
        if (valid)
            return value.ToString();
        return lenient
            ? null
            : throw new CniException(CniErrorCode.InvalidEnvironment, $"CNI_ARGS: {key} {CniText.Quote(value.ToString())} is not a {kind}");
    }
}
