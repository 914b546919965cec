using System.Globalization;
using System.Runtime.CompilerServices;
using Danm.Kube;

namespace Danm.Doctor.Cluster;

/// <summary>Whether the API server answers this kubeconfig, and is new enough for node-bound tokens and selectable fields.</summary>
internal sealed class ServerCheck(ClusterView cluster) : ICheck
{
    private const int LeastMinor = 31;

    /// <inheritdoc/>
    public string Id => "cluster-server";

    /// <inheritdoc/>
    public async IAsyncEnumerable<Finding> RunAsync([EnumeratorCancellation] CancellationToken cancellation)
    {
        Finding? away = null;
        var text = "";
        var isOld = false;
        try
        {
            var (version, _) = await cluster.VersionAsync().ConfigureAwait(false);
            text = version.GitVersion ?? $"{version.Major}.{version.Minor}";
            isOld = IsOld(version.Major, version.Minor);
        }
        catch (KubeConfigException e)
        {
            away = Finding.Failed(e.Message, "name another kubeconfig with --kubeconfig or KUBECONFIG, or correct this one");
        }
        catch (ApiException e)
        {
            away = Finding.Failed(e.Message, AdviceFor(e));
        }

        yield return away ?? (isOld
            ? Finding.Failed($"Kubernetes {text} is too old", $"Danm needs 1.{LeastMinor} or later, whose tokens say their node: upgrade the cluster first")
            : Finding.Ok($"Kubernetes {text}"));
    }

    internal static bool IsOld(string? major, string? minor) =>
        int.TryParse(Digits(major), CultureInfo.InvariantCulture, out var first) && int.TryParse(Digits(minor), CultureInfo.InvariantCulture, out var second)
        && (first < 1 || (first == 1 && second < LeastMinor));

    private static string Digits(string? text) => string.Concat((text ?? "").TakeWhile(char.IsAsciiDigit));

    private static string AdviceFor(ApiException fault) => fault.Code switch
    {
        System.Net.HttpStatusCode.Unauthorized => "the credentials of this kubeconfig are not accepted, or have expired: renew them",
        System.Net.HttpStatusCode.Forbidden => "this user may not even ask for the version: bind system:discovery to it",
        null => "look whether the server runs, its address in the kubeconfig is right, and its certificate is by the kubeconfig's authority",
        _ => "the server answers, but does not work: look at its log",
    };
}
