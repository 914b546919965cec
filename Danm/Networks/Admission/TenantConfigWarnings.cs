using Danm.Api;

namespace Danm.Networks.Admission;

/// <summary>What is allowed in a TenantConfig but seldom meant.</summary>
internal static class TenantConfigWarnings
{
    public static IEnumerable<string> Of(TenantConfig config)
    {
        var before = new List<(int Index, TenantHostDevice Device, VniRanges Ranges)>();
        foreach (var (index, device) in (config.HostDevices ?? []).Index())
        {
            if (device is null || Vni.EncapsulationOf(device.VniType) is not { } encapsulation || !VniRanges.TryParse(device.VniRange, encapsulation, out var ranges, out _))
                continue;
            var twin = before.Find(entry => entry.Device.Name == device.Name && entry.Device.VniType == device.VniType && entry.Ranges.Overlaps(ranges));
            if (twin.Device is not null)
                yield return $"hostDevices[{index}] gives out ids of hostDevices[{twin.Index}] too, the same vniType of the same device: every id is given out once all the same";
            before.Add((index, device, ranges));
        }

        foreach (var types in (config.NetworkIds ?? []).Keys.GroupBy(NetworkTypes.Of, StringComparer.OrdinalIgnoreCase).Where(types => types.Count() > 1))
        {
            yield return $"networkIds has {string.Join(" and ", types.Order(StringComparer.Ordinal).Select(NetworkFault.Quote))} for one NetworkType, which is read without case: the first counts";
        }
    }
}
