using System.Net;
using System.Text.Json;
using Danm.Api;
using Danm.Calls;
using Danm.Cni;
using Danm.HostLinks;
using Danm.Ipam;
using Danm.Kube;
using Danm.Netlink;
using Danm.Networks;

namespace Danm.Tests.Calls;

/// <summary>What went wrong below as the runtime sees it: code, message with its place, details.</summary>
public sealed class ErrorsTests
{
    private static IEnumerable<TestCaseData> Mapped()
    {
        yield return Case(new CniException(110, "m", "d"), 110, "CONTEXT: m", "d");
        yield return Case(AddressException.NoSubnet(new NetworkRef(NetworkKind.DanmNet, "ns", "n"), ipv6: false), 101, "DanmNet/ns/n has no cidr*");
        yield return Case(new KubeConfigException("kubeconfig \"x\" is not valid"), 7, "kubeconfig \"x\" is not valid", "kubeconfig");
        yield return Case(new HostLinkException("host_device \"ens9\" does not exist"), 108, "CONTEXT: host_device*");
        yield return Case(new NetworkFaultException("spec.Options.vlan", "5000", "must be 1 to 4094"), 102, "CONTEXT: spec.Options.vlan: \"5000\"*");
        yield return Case(new IOException("disk full"), 5, "CONTEXT: disk full");
        yield return Case(new OperationCanceledException(), 11, "CONTEXT: the time-out (timeoutSeconds)*");
        yield return Case(new InvalidOperationException("bug"), 999, "CONTEXT: internal error: InvalidOperationException: bug");
        yield return Case(Refused(401), 106, "CONTEXT: the API server refused GET /x: 401*", "check the rights*");
        yield return Case(Refused(403), 106, "CONTEXT: the API server refused GET /x: 403 Forbidden: no", "check the rights*");
        yield return Case(Refused(404), 106, "CONTEXT: the API server refused*");
        yield return Case(Refused(422), 106, "CONTEXT: the API server refused*");
        yield return Case(Refused(429), 11, "CONTEXT: the API server could not serve*");
        yield return Case(Refused(500), 11, "CONTEXT: the API server could not serve*");
        yield return Case(Refused(503), 11, "CONTEXT: the API server could not serve*");
        yield return Case(new ApiException("GET /x", "connection refused", new HttpRequestException(HttpRequestError.ConnectionError)), 11, "CONTEXT: the API server gave no usable answer: GET /x: connection refused", "is it up*");
        yield return Case(new ApiException("GET /x", "UntrustedRoot", new HttpRequestException(HttpRequestError.SecureConnectionError)), 107, "CONTEXT: there is no secure connection to the API server: GET /x: UntrustedRoot", "is it the server*");
        yield return Case(new ApiException("GET /x", "cannot read token file", new KubeConfigException("cannot read token file \"t\"")), 7, "cannot read token file \"t\"", "kubeconfig");
    }

    [TestCaseSource(nameof(Mapped))]
    public void Every_failure_has_its_code_and_its_place(Exception cause, int code, string message, string? details)
    {
        var inContext = Errors.From(cause, "CONTEXT");
        inContext.Code.Should().Be(code);
        inContext.Msg.Should().Match(message);
        if (details is null)
            inContext.Details.Should().BeNull();
        else
            inContext.Details.Should().Match(details);

        var plain = Errors.From(cause);
        plain.Code.Should().Be(code);
        plain.Msg.Should().Match(message.Replace("CONTEXT: ", ""));
    }

    [Test]
    public void The_kernels_own_words_are_kept()
    {
        using var route = RouteSocket.Open();
        var refused = route.Invoking(r => r.AddLink(new LinkSpec("lo", new LinkKind.Bridge()))).Should().Throw<NetlinkException>().Which;

        Errors.From(refused, "CONTEXT").Should().BeEquivalentTo(new { Code = 109, Msg = $"CONTEXT: the kernel refused to {refused.Message}" });
    }

    [Test]
    public void A_namespace_that_is_missing_is_an_unknown_container()
    {
        var missing = FluentActions.Invoking(() => NetworkNamespace.Open("/run/netns/danm-none")).Should().Throw<NetworkNamespaceException>().Which;

        Errors.From(missing, "CONTEXT").Should().BeEquivalentTo(new { Code = 3, Details = "CNI_NETNS" });
        Errors.From(missing).Msg.Should().Contain("/run/netns/danm-none");
    }

    [Test]
    public void What_is_an_answer_already_stays_the_same()
    {
        var known = new CniException(103, "m", "d");

        Errors.From(known).Should().BeSameAs(known);
    }

    private static TestCaseData Case(Exception cause, int code, string message, string? details = null) =>
        new TestCaseData(cause, code, message, details).SetArgDisplayNames(cause.GetType().Name, $"{code}", cause.Message.Length > 40 ? cause.Message[..40] : cause.Message);

    private static ApiException Refused(int code) => new(
        "GET /x", (HttpStatusCode)code, JsonSerializer.Deserialize("""{"reason":"Forbidden","message":"no"}""", ApiJson.Default.Status));
}
