using System.Text.Json.Nodes;
using Danm.Tests.ApiServer;

namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>What a call of <c>danm doctor</c> gave.</summary>
internal sealed record DoctorResult(int Code, string Output, string Error)
{
    /// <summary>The findings of <c>-o json</c>, as <c>status check: found → advice</c>.</summary>
    public IReadOnlyList<string> Lines =>
    [
        .. JsonNode.Parse(Output)!["checks"]!.AsArray().SelectMany(c => c!["findings"]!.AsArray().Select(f => $"{f!["status"].String()} {c["check"].String()}: {f["found"].String()} → {f["advice"].String()}")),
    ];

    /// <summary>Those that say that something is amiss.</summary>
    public IEnumerable<string> Bad => Lines.Where(l => l.StartsWith("warning", StringComparison.Ordinal) || l.StartsWith("failed", StringComparison.Ordinal));

    /// <summary>The same without what is up to the kernel that the tests run on.</summary>
    public IEnumerable<string> BadOnAnyKernel => Bad.Where(l => !l.StartsWith("warning node-kernel", StringComparison.Ordinal));
}
