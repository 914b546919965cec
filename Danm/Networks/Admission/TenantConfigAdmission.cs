using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>The rules for TenantConfigs, C1 to C8 in docs/network-rules.md. Nothing here throws, whatever the objects hold.</summary>
public static class TenantConfigAdmission
{
    /// <summary>Judges a TenantConfig. What an update leaves as it was gives warnings only, wherever in the list it stands now.</summary>
    /// <param name="config">What is wanted.</param>
    /// <param name="old">What is stored; null on CREATE.</param>
    public static Verdict Check(TenantConfig config, TenantConfig? old)
    {
        ArgumentNullException.ThrowIfNull(config);
        List<NetworkFault> tooLong = [.. Count("hostDevices", config.HostDevices?.Count), .. Count("networkIds", config.NetworkIds?.Count)];
        if (tooLong.Count > 0)
            return Verdict.Of(tooLong, []);
        var (faults, before) = (new List<NetworkFault>(), new List<NetworkFault>());
        if (IsEmpty(config))
            faults.Add(new NetworkFault("hostDevices", null, "must have an entry, or networkIds must") { Rule = "C1" });
        if (old is not null && IsEmpty(old))
            before.AddRange(faults);

        var oldDevices = old?.HostDevices ?? [];
        var known = oldDevices.SelectMany(device => TenantDeviceRules.Check(device).Select(fault => (device?.Name, fault))).ToHashSet();
        foreach (var (index, device) in (config.HostDevices ?? []).Index())
        {
            foreach (var fault in TenantDeviceRules.Check(device))
                Add($"hostDevices[{index}]", fault, known.Contains((device?.Name, fault)));
            if (!string.IsNullOrEmpty(device?.Alloc) && !oldDevices.Exists(entry => entry?.Name == device.Name && entry?.Alloc == device.Alloc))
                Add($"hostDevices[{index}]", new NetworkFault("alloc", device.Alloc, "is allocation state, not configuration: leave it out") { Rule = "C6" }, wasThere: false);
        }

        faults.AddRange(NetworkIdMapRules.Check(config.NetworkIds));
        before.AddRange(NetworkIdMapRules.Check(old?.NetworkIds));
        var verdict = Verdict.Of(faults, before);
        return verdict with { Warnings = [.. verdict.Warnings, .. TenantConfigWarnings.Of(config)] };

        void Add(string entry, NetworkFault fault, bool wasThere)
        {
            fault = fault with { Field = $"{entry}{(fault.Field.Length > 0 ? "." : "")}{fault.Field}" };
            faults.Add(fault);
            if (wasThere)
                before.Add(fault);
        }
    }

    private static IEnumerable<NetworkFault> Count(string field, int? count) =>
        count > NetworkRules.MaxEntries ? [new NetworkFault(field, $"{count} entries", $"may have at most {NetworkRules.MaxEntries}") { Rule = "C1" }] : [];

    private static bool IsEmpty(TenantConfig config) => config is { HostDevices: not { Count: > 0 }, NetworkIds: not { Count: > 0 } };
}
