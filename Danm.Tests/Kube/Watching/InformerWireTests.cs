using System.Text;
using Danm.Api;
using Danm.Kube;
using Danm.Kube.Watching;

namespace Danm.Tests.Kube.Watching;

/// <summary>What an API server should not send, or not so: byte for byte, an answer after the other.</summary>
[TestFixture, Parallelizable]
public sealed class InformerWireTests
{
    private const string Ok = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nConnection: close\r\n\r\n";
    private const string Chunked = "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n";
    private const string ListOfA = Ok + """{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{"name":"a","resourceVersion":"5"}}]}""";

    [Test]
    public async Task A_connection_that_breaks_loses_nothing_and_costs_no_list()
    {
        var change = """{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"11"}}}""" + "\n" + """{"type":"ADDED","object":{"metadata":{"na""";
        await using var server = Script(ListOfA, $"{Chunked}{change.Length:x}\r\n{change}\r\n", Ok + """{"type":"ADDED","object":{"metadata":{"name":"c","resourceVersion":"12"}}}""" + "\n");
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "+b", "+c"));
        await UntilAsync(() => Requests(server).Should().HaveCount(4));
        Requests(server)[1..].Select(Version).Should().Equal("10", "11", "12");
        run.Failures.Should().BeEmpty();
    }

    [Test]
    public async Task An_object_that_cannot_be_read_hides_no_other_and_stays_as_it_was_known()
    {
        await using var server = Script(
            Ok + """{"metadata":{"resourceVersion":"10"},"items":[{"metadata":{"name":"a","resourceVersion":"5"}},{"metadata":{"name":"bad"},"spec":{"Options":{"mtu":"large"}}},{"metadata":{"name":"c"},"spec":{"NetworkID":"was"}}]}""",
            Ok + """{"type":"MODIFIED","object":{"metadata":{"name":"c","resourceVersion":"11"},"spec":"nothing like it"}}""" + "\n",
            Ok + """{"type":"ERROR","object":{"code":410}}""" + "\n",
            Ok + """{"metadata":{"resourceVersion":"20"},"items":[{"metadata":{"name":"c","resourceVersion":"11"},"spec":"nothing like it"},null,{"metadata":{"name":"d"}}]}""",
            Ok + """{"type":"DELETED","object":{"metadata":{"name":"c","resourceVersion":"21"},"spec":"nothing like it"}}""" + "\n");
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().Equal("+a", "+c", "listed", "+d", "-a", "listed", "-c"));
        run.Names.Should().Equal("d");
        run.Failures.Should().HaveCount(3).And.Contain(f => f.Contains("/bad cannot be read")).And.Contain(f => f.Contains("/c cannot be read"));
        Version(Requests(server)[2]).Should().Be("11", "what cannot be read has been seen all the same");
    }

    [TestCase("""{"type":"ADDED"}""")]
    [TestCase("""{"type":"ADDED","object":null}""")]
    [TestCase("""{"type":"ADDED","object":[1]}""")]
    [TestCase("""{"type":"MODIFIED","object":{"metadata":{}}}""")]
    [TestCase("""{"type":"BOOKMARK","object":{}}""")]
    public async Task An_event_that_says_nothing_does_nothing(string line)
    {
        await using var server = Script(ListOfA, Ok + line + "\n" + """{"type":"ADDED","object":{"metadata":{"name":"b","resourceVersion":"11"}}}""" + "\n");
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "+b"));
    }

    [TestCase("{\n")]
    [TestCase("no JSON\n")]
    [TestCase("""{"type":"ERROR"}""" + "\n")]
    [TestCase("""{"type":"ERROR","object":{"code":500,"message":"etcd"}}""" + "\n")]
    public async Task A_watch_that_makes_no_sense_is_followed_by_a_list(string body)
    {
        await using var server = Script(ListOfA, Ok + body, ListOfA);
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "listed"));
        run.Failures.Should().ContainSingle();
    }

    [Test]
    public async Task A_line_without_an_end_is_not_read_for_ever()
    {
        var sent = 0L;
        var requests = 0;
        await using var server = new RawServer(async (stream, cancellation) =>
        {
            if (Interlocked.Increment(ref requests) != 2)
            {
                await stream.WriteAsync(Encoding.UTF8.GetBytes(ListOfA), cancellation);
                return;
            }

            await stream.WriteAsync(Encoding.UTF8.GetBytes(Ok), cancellation);
            var junk = new byte[64 * 1024];
            for (; sent < 64 << 20; sent += junk.Length)
                await stream.WriteAsync(junk, cancellation);
        });
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().StartWith(["+a", "listed", "listed"]));
        run.Failures[0].Should().Contain("larger than");
        Interlocked.Read(ref sent).Should().BeLessThan(32 << 20);
    }

    [Test]
    public async Task A_server_that_ends_every_watch_at_once_is_not_asked_without_pause()
    {
        var requests = 0;
        await using var server = new RawServer((stream, cancellation) =>
            stream.WriteAsync(Encoding.UTF8.GetBytes(Interlocked.Increment(ref requests) == 1 ? ListOfA : Ok), cancellation).AsTask());
        await using var run = Run(server);

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed"));
        await Task.Delay(TimeSpan.FromSeconds(2));

        Requests(server).Length.Should().BeInRange(2, 8);
    }

    [Test]
    public async Task Not_found_means_gone_only_when_nothing_else_is_heard_for_a_while()
    {
        const string NotFound = "HTTP/1.1 404 Not Found\r\nConnection: close\r\n\r\n", Failing = "HTTP/1.1 500 Internal Server Error\r\nConnection: close\r\n\r\n";
        // The client itself asks four times.
        await using var server = Script(ListOfA, NotFound, Failing, Failing, Failing, Failing, NotFound, ListOfA);
        await using var run = Run(server, new InformerOptions { AbsentGrace = TimeSpan.FromSeconds(0.6) });

        await UntilAsync(() => run.Heard.Should().Equal("+a", "listed", "listed"));
        run.Informer.State.Should().Be(InformerState.Listed);
    }

    /// <summary>Answers the requests one after the other; those after the last wait for ever.</summary>
    private static RawServer Script(params string[] answers)
    {
        var next = -1;
        return new RawServer(async (stream, cancellation) =>
        {
            if (Interlocked.Increment(ref next) is var n && n < answers.Length)
                await stream.WriteAsync(Encoding.UTF8.GetBytes(answers[n]), cancellation);
            else
                await Task.Delay(Timeout.Infinite, cancellation);
        });
    }

    private static InformerRun<Network> Run(RawServer server, InformerOptions? options = null) =>
        new(server.Kubeconfig, ResourcePath.Danm("clusternetworks", null), ApiJson.Default.Network, options);

    private static Task UntilAsync(Action holds) => InformerRun<Network>.UntilAsync(holds);

    private static string[] Requests(RawServer server) => [.. server.Heads.Select(h => h.Split('\r', '\n')[0])];

    private static string Version(string request) => request.Split("resourceVersion=")[1].Split('&')[0];
}
