using System.Net;
using Danm.Cni;
using Danm.Kube;

namespace Danm.Doctor;

/// <summary>Runs checks at once, each within a time. One that breaks has found something, and keeps no other from its answer.</summary>
/// <param name="limit">How long one check may take.</param>
internal sealed class Examination(TimeSpan limit)
{
    private const int MostFindings = 20, MaxText = 1000;

    /// <summary>The results, in the order of the checks.</summary>
    public async Task<IReadOnlyList<CheckResult>> RunAsync(IReadOnlyList<ICheck> checks, CancellationToken cancellation) =>
        await Task.WhenAll(checks.Select(check => RunAsync(check, cancellation))).ConfigureAwait(false);

    private async Task<CheckResult> RunAsync(ICheck check, CancellationToken cancellation)
    {
        var findings = new Findings();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        try
        {
            // Files may lie on a disk that does not answer: a call that cannot be cancelled is left to itself.
            await Task.Run(() => CollectAsync(check, findings, stop.Token), stop.Token).WaitAsync(limit, cancellation).ConfigureAwait(false);
        }
        catch (Exception e) when (!cancellation.IsCancellationRequested)
        {
            findings.Add(FindingOf(e));
        }

        await stop.CancelAsync().ConfigureAwait(false);
        return new CheckResult(check.Id, check.Id[..check.Id.IndexOf('-', StringComparison.Ordinal)], findings.ToList());
    }

    private static async Task CollectAsync(ICheck check, Findings findings, CancellationToken cancellation)
    {
        await foreach (var finding in check.RunAsync(cancellation).ConfigureAwait(false))
            findings.Add(finding);
    }

    private Finding FindingOf(Exception fault) => fault switch
    {
        CheckSkippedException skipped => new(CheckStatus.Skipped, skipped.Message, skipped.Advice),
        ApiException { Code: HttpStatusCode.Forbidden } => new(CheckStatus.Skipped, $"no right to look: {fault.Message}", "run it with an administrator's kubeconfig"),
        UnauthorizedAccessException => new(CheckStatus.Skipped, $"no right to look: {fault.Message}", "run it as root"),
        TimeoutException => Finding.Failed($"could not check: no answer within {limit.TotalSeconds:0} seconds", "look whether the disk or the API server is overloaded, then run it again; --request-timeout gives it longer"),
        _ => Finding.Failed($"could not check: {fault.Message}", "mend what it says, then run it again"),
    };

    /// <summary>What a check has found so far: a check whose time is over may still be adding. Of too many the worst are kept.</summary>
    private sealed class Findings
    {
        private readonly Lock gate = new();
        private readonly List<Finding> list = [];
        private CheckStatus worstDropped;
        private int dropped;

        public void Add(Finding finding)
        {
            lock (gate)
            {
                if (list.Count == MostFindings && !MakeRoomFor(finding))
                    return;
                list.Add(finding with { Found = CniText.Clean(finding.Found, MaxText), Advice = finding.Advice is { } advice ? CniText.Clean(advice, MaxText) : null });
            }
        }

        public List<Finding> ToList()
        {
            lock (gate)
            {
                return list.Count == 0 ? [Finding.Ok("nothing is wrong")]
                    : dropped == 0 ? [.. list]
                    : [.. list, new Finding(worstDropped, $"and {dropped} more", worstDropped >= CheckStatus.Warning ? "mend these first, then run it again" : null)];
            }
        }

        private bool MakeRoomFor(Finding finding)
        {
            var mildest = list.Min(f => f.Status);
            var isWorse = finding.Status > mildest;
            dropped++;
            worstDropped = (CheckStatus)Math.Max((int)worstDropped, (int)(isWorse ? mildest : finding.Status));
            if (isWorse)
                list.RemoveAt(list.FindLastIndex(f => f.Status == mildest));
            return isWorse;
        }
    }
}
