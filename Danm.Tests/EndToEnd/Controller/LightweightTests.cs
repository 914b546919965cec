using Danm.Tests.ApiServer;
using Danm.Tests.EndToEnd.Netwatcher;

namespace Danm.Tests.EndToEnd.Controller;

/// <summary>A cluster without the kinds that only tenants need.</summary>
[TestFixture, Parallelizable]
public sealed class LightweightTests : ControllerFixture
{
    private protected override IReadOnlyList<string> Crds => ["manifests/crds/danmnets.yaml", "manifests/crds/danmeps.yaml", "manifests/crds/ipallocations.yaml"];

    private protected override bool Knows(string kind) => kind is not ("TenantNetwork" or "VNIAllocation");

    [Test]
    public async Task Gone_nodes_lose_their_addresses_and_nobody_complains_of_what_is_not_there()
    {
        Attach("of-gone", "gone");
        await using var controller = Start("--node-grace=1s");

        await Eventually.HoldsAsync(() => Attached().Should().BeEmpty(), seconds: 20);
        // Until the controller takes it that the kinds are not there for good, and asks again.
        await Task.Delay(TimeSpan.FromSeconds(8));

        Server.Requests.Where(resource: "tenantnetworks").Should().NotBeEmpty();
        Server.Requests.Where(resource: "tenantnetworks").Length.Should().BeLessThan(10);
        controller.Log.Should().NotContainAny("tenantnetworks", "vniallocations", "404");
    }
}
