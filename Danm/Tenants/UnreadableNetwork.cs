using System.Globalization;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;

namespace Danm.Tenants;

/// <summary>
/// A TenantNetwork that cannot be read, as one may be that was stored before there was a schema. Nodes cannot use it as it is, but somebody may
/// mend it: no id that it may have is anybody else's.
/// </summary>
public sealed class UnreadableNetwork
{
    private readonly UnreadableObject stored;

    internal UnreadableNetwork(UnreadableObject stored) => this.stored = stored;

    /// <summary>Name and uid.</summary>
    public ObjectMeta Metadata => stored.Metadata;

    /// <summary>What is wrong with it, as the end of a sentence.</summary>
    public string Fault => stored.Fault;

    /// <summary>Whether it has this id, or cannot be told not to have it.</summary>
    public bool MayHave(Vni vni)
    {
        ArgumentNullException.ThrowIfNull(vni);
        return MayBe(stored.Json, "spec", spec => MayBe(spec, "Options", options =>
            (MayBe(options, "host_device", device => IsText(device, vni.Device)) || MayBe(options, "device_pool", device => IsText(device, vni.Device)))
            && MayBe(options, vni.Type, id => IsNumber(id, vni.Id))));
    }

    // The original read names without case, and so may whoever mends it.
    private static bool MayBe(JsonElement parent, string name, Predicate<JsonElement> holds)
    {
        if (parent.ValueKind != JsonValueKind.Object)
            return true;
        foreach (var member in parent.EnumerateObject())
        {
            if (member.Name.Equals(name, StringComparison.OrdinalIgnoreCase) && member.Value.ValueKind != JsonValueKind.Null && holds(member.Value))
                return true;
        }

        return false;
    }

    private static bool IsText(JsonElement value, string text) => value.ValueKind != JsonValueKind.String || value.ValueEquals(text);

    private static bool IsNumber(JsonElement value, int number) => value.ValueKind switch
    {
        JsonValueKind.Number => !value.TryGetDouble(out var read) || read == number,
        JsonValueKind.String => !double.TryParse(value.GetString(), NumberStyles.Float, CultureInfo.InvariantCulture, out var read) || read == number,
        _ => true,
    };
}
