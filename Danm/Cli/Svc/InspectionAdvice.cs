using Danm.Svcwatcher.Inspection;

namespace Danm.Cli.Svc;

/// <summary>What the owner of a Service should do.</summary>
internal static class InspectionAdvice
{
    private const int MaxNames = 5;

    /// <param name="inspection">What was found.</param>
    /// <param name="hidden">How many interfaces are not shown.</param>
    public static IEnumerable<string> Of(ServiceInspection inspection, int hidden)
    {
        foreach (var fault in inspection.Reading.Faults)
            yield return $"{fault.Reason}: {fault.Message}";
        if (inspection.Reading == Svcwatcher.Selection.ServiceReading.Foreign)
            yield return "the Service has none of Danm's annotations: danm.io/selector and one of danm.io/network, danm.io/tenantNetwork, danm.io/clusterNetwork make it lead to Pods' interfaces";
        if (hidden > 0)
            yield return $"{hidden:N0} more interfaces of the namespace have neither the Service's labels nor its networks: --all shows them";
        if (inspection.PodsWithout.Count > 0)
            yield return $"{inspection.PodsWithout.Count:N0} Pods have the labels, but no interface on these networks ({Names(inspection.PodsWithout)}): their danm.io/interfaces annotation must name one, and they be made anew";
        if (inspection.Reading.Choice is not null && inspection.Interfaces.All(i => i.WhyNot is not null))
            yield return "the Service leads nowhere";
        foreach (var difference in inspection.Differences.Where(d => d.IsForeign).Take(MaxNames))
            yield return $"EndpointSlice {difference.Slice} {difference.Message}";
        var own = inspection.Differences.Where(d => !d.IsForeign).ToList();
        foreach (var difference in own.Take(MaxNames))
            yield return difference.Slice is null ? difference.Message : $"EndpointSlice {difference.Slice} {difference.Message}";
        if (own.Count > MaxNames)
            yield return $"and {own.Count - MaxNames:N0} more differences";
        if (own.Count > 0)
            yield return "if that does not change within seconds: does svcwatcher run, and what does it log? (kubectl get lease -n kube-system danm-svcwatcher names the one that works)";
    }

    private static string Names(IReadOnlyList<string> names) =>
        string.Join(", ", names.Take(MaxNames)) + (names.Count > MaxNames ? $" and {names.Count - MaxNames} more" : "");
}
