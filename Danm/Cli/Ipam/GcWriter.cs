using System.Text.Json;
using Danm.Api;
using Danm.Cni;
using Danm.Ipam.Garbage;

namespace Danm.Cli.Ipam;

/// <summary>Shows a pass: findings on standard output, what to do next on standard error.</summary>
internal static class GcWriter
{
    public static void Write(TextWriter output, TextWriter error, string format, bool headers, GcReport report)
    {
        OutputFormat.Write(
            output, format, json => WriteJson(json, report), () => WriteTable(output, headers, report),
            () => report.Findings.SelectMany(f => f.Allocations).Select(name => $"ipallocation.{ApiNames.Group}/{Clean(name)}"));
        foreach (var line in Summary(report))
            error.WriteLine(line);
    }

    private static void WriteTable(TextWriter output, bool headers, GcReport report)
    {
        if (report.Findings.Count == 0)
            return;
        var table = new TextTable("RESULT", "POD", "CONTAINER", "IPALLOCATIONS", "REASON");
        foreach (var f in report.Findings)
        {
            table.Add(
                Word(f.Kind, report), f.PodName is null ? "<none>" : Clean($"{f.PodNamespace}/{f.PodName}"), f.ContainerId is { Length: > 0 } id ? Clean(id[..Math.Min(12, id.Length)]) : "<none>",
                f.Allocations.Count == 0 ? "<none>" : Clean(string.Join(',', f.Allocations)), Clean(f.Reason));
        }

        table.WriteTo(output, headers);
    }

    /// <summary>How it went, and what an operator does now.</summary>
    private static IEnumerable<string> Summary(GcReport report)
    {
        int Count(FindingKind kind) => report.Findings.Count(f => f.Kind == kind);
        var where = report.Node is null ? "the cluster" : $"node {report.Node}";
        if (report.Elsewhere is { } why)
        {
            yield return report.Findings.Count == 0
                ? $"Nothing of {where} looks leaked. Nothing could have been freed from here: {why}."
                : $"{report.Findings.Count} IPAllocations of {where} look leaked. None is freed from here: {why}.";
            if (report.Findings.Count > 0)
                yield return "Next: run 'danm ipam gc' as root on the node of each. If that node will never come back, delete its Node object, or 'danm ipam release IPALLOCATION'.";
            yield break;
        }

        var freed = report.Findings.Where(f => f.Kind == FindingKind.Freed).ToList();
        var addresses = freed.Sum(f => f.Allocations.Count);
        // Of a container that has its addresses through another plugin, each interface is a finding.
        var sandboxes = freed.Select(f => (f.PodUid, f.ContainerId)).Distinct().Count();
        yield return $"{(report.DryRun ? "Would free" : "Freed")} {addresses} addresses of {sandboxes} sandboxes on {where}{(report.DryRun ? " (dry run)" : "")}.";
        if (Count(FindingKind.Restored) is > 0 and var restored)
            yield return $"{(report.DryRun ? "Would restore" : "Restored")} {restored} IPAllocations that somebody had deleted while their Pods use them.";
        if (Count(FindingKind.Waiting) + Count(FindingKind.Busy) is > 0 and var later)
            yield return $"{later} may be garbage, but not for certain yet. Next: run this again in {GarbageRules.Grace.TotalMinutes + 1:0} minutes.";
        if (Count(FindingKind.Suspect) is > 0 and var suspects)
            yield return $"{suspects} look leaked, and this node cannot prove it. Next: make sure that no sandbox has the address, then 'danm ipam release IPALLOCATION'.";
        if (Count(FindingKind.Conflict) is > 0 and var conflicts)
            yield return $"{conflicts} addresses are used twice. Next: restart one of the two Pods of each.";
        if (Count(FindingKind.WrongMount) is > 0 and var unseen)
            yield return $"error: {unseen} sandboxes look dead, and not one is seen alive: nothing of them was freed. Next: run this in the host's mount namespace ('nsenter -t 1 -m'), or give the container hostPID. Is the node really without a running Pod, start one and run this again.";
        if (Count(FindingKind.Failed) is > 0 and var failed)
            yield return $"error: {failed} could not be done; the REASON says why. Next: mend that and run this again, nothing is lost.";
    }

    private static void WriteJson(Utf8JsonWriter json, GcReport report)
    {
        json.WriteStartObject();
        json.WriteString("node", report.Node);
        json.WriteBoolean("dryRun", report.DryRun);
        json.WriteBoolean("frees", report.Elsewhere is null);
        json.WriteString("why", report.Elsewhere);
        json.WriteStartArray("findings");
        foreach (var f in report.Findings)
        {
            json.WriteStartObject();
            json.WriteString("result", Word(f.Kind, report));
            json.WriteString("namespace", f.PodNamespace);
            json.WriteString("pod", f.PodName);
            json.WriteString("podUID", f.PodUid);
            json.WriteString("containerID", f.ContainerId);
            json.WriteStartArray("ipAllocations");
            foreach (var name in f.Allocations)
                json.WriteStringValue(name);
            json.WriteEndArray();
            json.WriteString("reason", f.Reason);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static string Word(FindingKind kind, GcReport report) => kind switch
    {
        FindingKind.Freed => report.DryRun ? "would-free" : "freed",
        FindingKind.Restored => report.DryRun ? "would-restore" : "restored",
        FindingKind.Waiting => "waiting",
        FindingKind.Busy => "busy",
        FindingKind.Suspect => report.Elsewhere is null ? "unproven" : "leaked",
        FindingKind.Conflict => "conflict",
        FindingKind.WrongMount => "not-seen",
        _ => "failed",
    };

    private static string Clean(string text) => CniText.Clean(text, 1000);
}
