using System.Text.Json;
using Danm.Api;
using Danm.Networks;
using Danm.Webhook;

namespace Danm.Tests.Webhook;

/// <summary>Objects of before there was a schema, which we cannot read: nothing of the cluster is asked.</summary>
public sealed class UnreadableObjectTests
{
    [TestCase("""{"metadata":{"name":"n"},"spec":{"Options":{"vlan":"500"}}}""", true)]
    [TestCase("""{"metadata":{"name":"n"},"spec":{"Options":{"vlan":"501"}}}""", false)]
    public async Task A_network_loses_its_finalizer_if_its_spec_stays(string sent, bool passes)
    {
        var request = Update(ApiNames.TenantNetwork, sent, """{"metadata":{"name":"n","finalizers":["a/b"]},"spec":{"Options":{"vlan":"500"}}}""");

        await PassesAsync(new NetworkValidation(null!, null!, null!), request, passes);
    }

    [TestCase("""{"metadata":{"name":"c"},"hostDevices":[{"name":5}]}""", true)]
    [TestCase("""{"metadata":{"name":"c"},"hostDevices":[{"name":6}]}""", false)]
    public async Task A_TenantConfig_loses_its_finalizer_if_its_entries_stay(string sent, bool passes)
    {
        var request = Update(ApiNames.TenantConfig, sent, """{"metadata":{"name":"c","finalizers":["a/b"]},"hostDevices":[{"name":5}]}""");

        await PassesAsync(new ConfigValidation(), request, passes);
    }

    private static async Task PassesAsync(IAdmission admission, AdmissionRequest request, bool passes)
    {
        var decide = () => admission.DecideAsync(request, CancellationToken.None);
        if (passes)
            (await decide()).IsAllowed.Should().BeTrue();
        else
            await decide.Should().ThrowAsync<NetworkFaultException>();
    }

    private static AdmissionRequest Update(string kind, string sent, string stored) => new()
    {
        Kind = new GroupVersionKind { Group = ApiNames.Group, Version = "v1", Kind = kind },
        Operation = "UPDATE",
        Object = JsonElement.Parse(sent),
        OldObject = JsonElement.Parse(stored),
    };
}
