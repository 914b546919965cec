using System.Collections.Concurrent;
using System.Text;

namespace Danm.Kube.Serving;

/// <summary>What a kubelet asks: whether to start the program anew (live), and whether it does its work (ready).</summary>
[Flags]
public enum Probe
{
    /// <summary><c>/livez</c> and <c>/healthz</c>.</summary>
    Live = 1,

    /// <summary><c>/readyz</c>.</summary>
    Ready = 2,
}

/// <summary>The checks of a program, answered in the form of Kubernetes' own health endpoints (API server, "Kubernetes API health endpoints").</summary>
public sealed class HealthChecks
{
    private readonly ConcurrentDictionary<string, (Probe Probes, Func<string?> Check)> checks = new() { ["ping"] = (Probe.Live | Probe.Ready, static () => null) };

    /// <summary>Adds a check.</summary>
    /// <param name="name">Its name in <c>?verbose</c> and <c>?exclude=</c>.</param>
    /// <param name="probes">Which endpoints ask it.</param>
    /// <param name="check">What is wrong; null: nothing. Called from any thread; must be quick.</param>
    public void Add(string name, Probe probes, Func<string?> check) => checks[name] = (probes, check);

    /// <summary>Asks all checks of an endpoint.</summary>
    /// <param name="endpoint">The endpoint's name, which the answer's last line begins with.</param>
    /// <param name="probe">Which checks.</param>
    /// <param name="verbose">Whether success is told check by check; failure always is.</param>
    /// <param name="excluded">Checks that do not count.</param>
    internal (bool IsWell, string Text) Answer(string endpoint, Probe probe, bool verbose, IReadOnlyCollection<string?> excluded)
    {
        var text = new StringBuilder();
        var isWell = true;
        foreach (var (name, (probes, check)) in checks.Where(c => c.Value.Probes.HasFlag(probe)).OrderBy(c => c.Key, StringComparer.Ordinal))
        {
            if (excluded.Contains(name))
            {
                text.Append("[+]").Append(name).Append(" excluded: ok\n");
                continue;
            }

            var failure = check();
            isWell &= failure is null;
            text.Append(failure is null ? "[+]" : "[-]").Append(name).Append(failure is null ? " ok\n" : $" failed: {failure}\n");
        }

        return (isWell, isWell && !verbose ? "ok" : text.Append(endpoint).Append(isWell ? " check passed\n" : " check failed\n").ToString());
    }
}
