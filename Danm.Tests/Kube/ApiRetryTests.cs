using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Danm.Api;
using Danm.Kube;
using Danm.Tests.ApiServer;
using Danm.Tests.ApiServer.Http;
using Danm.Tests.EndToEnd;

namespace Danm.Tests.Kube;

/// <summary>Which refusals and broken connections are tried again, how often, and what the caller is told of it.</summary>
[TestFixture, Parallelizable]
public sealed class ApiRetryTests
{
    private static readonly ResourcePath Pods = ResourcePath.Core("pods", "default");
    private static readonly ResourcePath Pod = ResourcePath.Core("pods", "default", "a");

    // Each does one request on Pod "a", which is there before.
    private static readonly Dictionary<string, Func<ApiClient, Task>> Requests = new()
    {
        ["get"] = client => client.TryGetAsync(Pod, ApiJson.Default.Pod, CancellationToken.None),
        ["list"] = client => client.ListAsync(Pods, "limit=5", ApiJson.Default.ObjectListPod, CancellationToken.None),
        ["create"] = client => client.CreateAsync(ResourcePath.Core("events", "default"), SomeEvent, ApiJson.Default.CoreEvent, CancellationToken.None),
        ["update"] = client => client.UpdateAsync(SomeLeasePath, SomeLeaseNow, ClusterJson.Default.Lease, CancellationToken.None),
        ["delete"] = client => client.DeleteAsync(Pod, uid: null, CancellationToken.None),
    };

    // The server takes an update of a Lease only with the version that it replaces.
    private static string? leaseVersion;

    private EmbeddedApiServer server = null!;
    private ApiClient client = null!;

    [OneTimeSetUp]
    public async Task Start()
    {
        server = await EmbeddedApiServer.StartAsync();
        client = TestClient.Connect(server.Kubeconfig());
    }

    [OneTimeTearDown]
    public async Task Stop()
    {
        client.Dispose();
        await server.DisposeAsync();
    }

    [SetUp]
    public void Seed()
    {
        server.Faults.Clear();
        foreach (var pod in server.Store.List("v1", "Pod"))
            server.Store.Delete("v1", "Pod", "default", pod.At("metadata", "name").String()!);
        foreach (var e in server.Store.List("v1", "Event"))
            server.Store.Delete("v1", "Event", "default", e.At("metadata", "name").String()!);
        server.Store.Create(Objects.Pod("a", null));
        if (server.Store.Get(Lease.GroupVersion, "Lease", "default", "a") is null)
            server.Store.Create(JsonNode.Parse(JsonSerializer.Serialize(SomeLease, ClusterJson.Default.Lease))!);
        leaseVersion = server.Store.Get(Lease.GroupVersion, "Lease", "default", "a").At("metadata", "resourceVersion").String();
        server.Requests.Clear();
    }

    [Test]
    public async Task A_refusal_for_the_moment_is_asked_again(
        [Values("get", "list", "create", "update", "delete")] string verb, [Values(500, 502, 503, 504)] int status)
    {
        server.Faults.Add(new Fault(Fault.On(verb)) { Count = 3, Answer = new StatusException(status, "Injected", "for the moment") });

        await Requests[verb](client);

        server.Requests.Where(verb).Select(r => r.Status / 100).Should().Equal(status / 100, status / 100, status / 100, 2);
    }

    [Test]
    public async Task A_broken_connection_is_made_anew([Values("get", "list", "create", "update", "delete")] string verb)
    {
        var fault = server.Faults.Add(new Fault(Fault.On(verb)) { Count = 2, DropBefore = true });

        await Requests[verb](client);

        fault.Hits.Should().Be(2);
        server.Requests.Where(verb).Select(r => r.Connection).Distinct().Should().HaveCount(3);
    }

    [Test]
    public async Task After_four_attempts_the_server_is_believed([Values("get", "list", "create", "update", "delete")] string verb)
    {
        server.Faults.Add(new Fault(Fault.On(verb)) { Answer = Fault.InternalError("broken") });

        var failure = (await Requests[verb](client).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which;

        failure.Code.Should().Be(HttpStatusCode.InternalServerError);
        failure.Message.Should().Contain("broken").And.Contain("default");
        failure.IsTransient.Should().BeTrue();
        server.Requests.Count(verb).Should().Be(4);
    }

    [Test]
    public async Task After_four_broken_connections_nobody_knows_what_happened()
    {
        server.Faults.Add(new Fault(Fault.On("delete")) { DropBefore = true });

        var failure = (await Requests["delete"](client).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which;

        failure.Code.Should().BeNull();
        failure.IsTransient.Should().BeTrue();
        server.Requests.Count("delete").Should().Be(4);
    }

    [Test]
    public async Task A_refusal_for_good_is_taken_at_once(
        [Values("get", "list", "create", "update", "delete")] string verb, [Values(400, 401, 403, 405, 409, 410, 422)] int status)
    {
        server.Faults.Add(new Fault(Fault.On(verb)) { Answer = new StatusException(status, "Injected", "for good") });

        var failure = (await Requests[verb](client).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which;

        ((int?)failure.Code).Should().Be(status);
        failure.IsTransient.Should().BeFalse();
        failure.Status!.Reason.Should().Be("Injected");
        failure.Message.Should().Contain($"{status} Injected: for good");
        server.Requests.Count(verb).Should().Be(1);
    }

    [Test]
    public async Task A_busy_server_says_when_to_come_again()
    {
        server.Faults.Add(new Fault(Fault.On("get")) { Count = 1, Answer = Fault.TooManyRequests(TimeSpan.FromSeconds(1)) });

        await Requests["get"](client);

        var (first, second) = (server.Requests.All[0], server.Requests.All[1]);
        (second.Started - first.Ended!.Value).Should().BeGreaterThan(TimeSpan.FromSeconds(0.9), "our own first pause is a tenth of that");
    }

    [TestCase("dropped", true)]
    [TestCase("500", true)]
    [TestCase("429", false)]
    [TestCase("", false)]
    public async Task Who_meets_an_object_is_told_whether_it_may_be_his_own(string before, bool afterRetry)
    {
        var create = () => client.CreateAsync(ResourcePath.Core("events", "default"), SomeEvent, ApiJson.Default.CoreEvent, CancellationToken.None);
        await create();
        var fault = before switch
        {
            "dropped" => new Fault(Fault.On("create")) { Count = 1, DropAfter = true },
            "500" => new Fault(Fault.On("create")) { Count = 1, Answer = Fault.InternalError() },
            "429" => new Fault(Fault.On("create")) { Count = 1, Answer = Fault.TooManyRequests(TimeSpan.FromSeconds(1)) },
            _ => null,
        };
        if (fault is not null)
            server.Faults.Add(fault);

        var failure = (await create.Should().ThrowAsync<ApiException>()).Which;

        failure.IsAlreadyExists.Should().BeTrue();
        failure.IsConflict.Should().BeFalse();
        failure.IsAfterRetry.Should().Be(afterRetry);
    }

    // Whoever deletes the object must look again: a create that got no answer may yet be carried out.
    [TestCase("dropped", true)]
    [TestCase("500", true)]
    [TestCase("429", false)]
    [TestCase("", false)]
    public async Task Who_made_an_object_is_told_whether_it_may_come_again(string before, bool mayComeAgain)
    {
        if (before.Length > 0)
        {
            server.Faults.Add(new Fault(Fault.On("create"))
            {
                Count = 1,
                DropBefore = before == "dropped",
                Answer = before == "500" ? Fault.InternalError() : before == "429" ? Fault.TooManyRequests(TimeSpan.FromSeconds(1)) : null,
            });
        }

        var made = await client.CreateAsync(ResourcePath.Core("events", "default"), SomeEvent, ApiJson.Default.CoreEvent, CancellationToken.None);

        made.MayComeAgain.Should().Be(mayComeAgain);
        made.Object.Metadata.Uid.Should().NotBeNullOrEmpty();
        server.Requests.Count("create").Should().Be(before.Length > 0 ? 2 : 1);
    }

    [Test]
    public async Task A_create_whose_answer_was_lost_meets_its_own_object()
    {
        server.Faults.Add(new Fault(Fault.On("create")) { Count = 1, DropAfter = true });

        var failure = (await Requests["create"](client).Awaiting(r => r).Should().ThrowAsync<ApiException>()).Which;

        failure.Should().BeEquivalentTo(new { IsAlreadyExists = true, IsAfterRetry = true });
        server.Store.Count("v1", "Event").Should().Be(1);
    }

    [Test]
    public async Task A_delete_whose_answer_was_lost_finds_nothing_left()
    {
        var uid = server.Store.Get("v1", "Pod", "default", "a").At("metadata", "uid").String();
        server.Faults.Add(new Fault(Fault.On("delete")) { Count = 1, DropAfter = true });

        (await client.DeleteAsync(Pod, uid, CancellationToken.None)).Should().BeFalse();

        server.Store.Get("v1", "Pod", "default", "a").Should().BeNull();
    }

    [Test]
    public async Task What_is_absent_is_no_error()
    {
        (await client.TryGetAsync(ResourcePath.Core("pods", "default", "b"), ApiJson.Default.Pod, CancellationToken.None)).Should().BeNull();
        (await client.TryGetMetadataAsync(ResourcePath.Core("pods", "default", "b"), ApiJson.Default.Pod, CancellationToken.None)).Should().BeNull();
        (await client.DeleteAsync(ResourcePath.Core("pods", "default", "b"), uid: null, CancellationToken.None)).Should().BeFalse();
        (await client.DeleteAsync(ResourcePath.Core("pods", "default", "b"), Guid.NewGuid().ToString(), CancellationToken.None)).Should().BeFalse();
    }

    [Test]
    public async Task Requests_at_once_share_one_connection()
    {
        await Requests["get"](client);
        server.Requests.Clear();
        server.Faults.Add(new Fault(Fault.On("get")) { Delay = TimeSpan.FromMilliseconds(300) });

        await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Requests["get"](client)));

        server.Requests.All.Select(r => r.Connection).Distinct().Should().ContainSingle();
        server.Requests.MaxConcurrency.Should().Be(20);
    }

    [Test]
    public async Task The_end_of_the_call_ends_its_requests()
    {
        using var call = new CancellationTokenSource();
        server.Faults.Add(new Fault(Fault.On("get")) { Delay = TimeSpan.FromMinutes(1) });
        var request = client.TryGetAsync(Pod, ApiJson.Default.Pod, call.Token);
        while (server.Requests.Count("get") == 0)
            await Task.Delay(5);

        await call.CancelAsync();

        await request.Awaiting(r => r).Should().ThrowAsync<OperationCanceledException>();
        server.Requests.Count("get").Should().Be(1);
    }

    private static ResourcePath SomeLeasePath => ResourcePath.Of(Lease.GroupVersion, Lease.Plural, "default", "a");

    private static Lease SomeLeaseNow
    {
        get
        {
            var lease = SomeLease;
            lease.Metadata.ResourceVersion = leaseVersion;
            return lease;
        }
    }

    private static Lease SomeLease => new()
    {
        Metadata = new ObjectMeta { Name = "a", Namespace = "default" },
        Spec = new LeaseSpec { HolderIdentity = "a", LeaseDurationSeconds = 15 },
    };

    private static CoreEvent SomeEvent => new()
    {
        Metadata = new ObjectMeta { Name = "e", Namespace = "default" },
        InvolvedObject = new ObjectReference { ApiVersion = "v1", Kind = "Pod", Namespace = "default", Name = "a" },
        Type = "Warning",
        Reason = "Test",
        Message = "m",
    };
}
