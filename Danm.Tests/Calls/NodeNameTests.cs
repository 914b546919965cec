using System.Buffers.Text;
using System.Text;
using Danm.Calls;
using Danm.Kube;
using k8s;

namespace Danm.Tests.Calls;

public sealed class NodeNameTests
{
    [TestCase("""{"kubernetes.io":{"namespace":"kube-system","node":{"name":"node-7","uid":"u"}}}""", "node-7")]
    [TestCase("""{"kubernetes.io":{"node":{"name":"a.b.example"}},"exp":1}""", "a.b.example")]
    [TestCase("""{"kubernetes.io":{"namespace":"kube-system"}}""", null)]
    [TestCase("""{"kubernetes.io":{"node":{}}}""", null)]
    [TestCase("""{"kubernetes.io":{"node":"node-7"}}""", null)]
    [TestCase("""{"kubernetes.io":{"node":{"name":7}}}""", null)]
    [TestCase("""{"kubernetes.io":[]}""", null)]
    [TestCase("""{"node":{"name":"node-7"}}""", null)]
    [TestCase("""["kubernetes.io"]""", null)]
    [TestCase("null", null)]
    [TestCase("{", null)]
    [TestCase("", null)]
    public async Task A_token_that_is_bound_to_a_node_names_it(string payload, string? name)
    {
        (await NodeName.FromTokenAsync(new KubernetesClientConfiguration { AccessToken = Token(payload) }, CancellationToken.None)).Should().Be(name);
        var file = Path.GetTempFileName();
        await File.WriteAllTextAsync(file, Token(payload) + "\n");
        (await NodeName.FromTokenAsync(new KubernetesClientConfiguration { TokenProvider = new TokenFile(file) }, CancellationToken.None)).Should().Be(name);
        File.Delete(file);
    }

    [TestCase("opaque")]
    [TestCase("a.b")]
    [TestCase("a.***.c")]
    [TestCase("..")]
    [TestCase(".é.")]
    public async Task A_token_of_another_form_names_none(string token)
    {
        (await NodeName.FromTokenAsync(new KubernetesClientConfiguration { AccessToken = token }, CancellationToken.None)).Should().BeNull();
        TokenClaims.Read(token).Should().BeNull();
    }

    [Test]
    public async Task No_token_names_none() =>
        (await NodeName.FromTokenAsync(new KubernetesClientConfiguration(), CancellationToken.None)).Should().BeNull();

    [TestCase("""{"exp":1893456000}""", "2030-01-01T00:00:00Z")]
    [TestCase("""{"exp":0}""", null)]
    [TestCase("""{"exp":-5}""", null)]
    [TestCase("""{"exp":9223372036854775807}""", null)]
    [TestCase("""{"exp":1893456000.5}""", null)]
    [TestCase("""{"exp":"1893456000"}""", null)]
    [TestCase("""{}""", null)]
    [TestCase("""[]""", null)]
    public void The_end_of_a_token_is_read(string payload, string? end) =>
        TokenClaims.Read(Token(payload))?.ExpiresAt.Should().Be(end is null ? null : DateTimeOffset.Parse(end));

    private static string Token(string payload) => $"eyJhbGciOiJSUzI1NiJ9.{Base64Url.EncodeToString(Encoding.UTF8.GetBytes(payload))}.c2ln";
}
