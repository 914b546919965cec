using System.CommandLine;
using Danm.Kube.Elections;

namespace Danm.Cli;

/// <summary>The flags by which replicas of a mode agree on one that works, as Kubernetes' own controllers have them.</summary>
internal sealed class LeaderElectionOptions
{
    private static readonly LeaderElectorOptions Defaults = new() { Namespace = "kube-system", Name = "" };

    private readonly Option<bool> elect = new("--leader-elect") { Description = "Stand for the Lease, and work only while it is held. With false there must be one replica only.", DefaultValueFactory = _ => true };
    private readonly Option<GoDuration> lease = GoDuration.Option("--leader-elect-lease-duration", "How long others wait after the last renewal that they saw. Whole seconds.", Defaults.LeaseDuration);
    private readonly Option<GoDuration> deadline = GoDuration.Option("--leader-elect-renew-deadline", "How long a leader works on after the last renewal that succeeded.", Defaults.RenewDeadline);
    private readonly Option<GoDuration> retry = GoDuration.Option("--leader-elect-retry-period", "How long between two tries.", Defaults.RetryPeriod);
    private readonly Option<string> ns = new("--leader-elect-namespace") { Description = "The Lease's namespace.", DefaultValueFactory = _ => Defaults.Namespace, HelpName = "NAME" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[elect, lease, deadline, retry, ns])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            if (!result.TryValue(lease, out var leased) || !result.TryValue(deadline, out var renewed) || !result.TryValue(retry, out var retried))
                return;
            try
            {
                Read("", leased.Time, renewed.Time, retried.Time, "").Validate();
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
        });
    }

    /// <summary>The election to stand in; null: none.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="name">The Lease's name.</param>
    public LeaderElectorOptions? Of(ParseResult parsed, string name) => parsed.GetValue(elect)
        ? Read(parsed.GetRequiredValue(ns), parsed.GetValue(lease).Time, parsed.GetValue(deadline).Time, parsed.GetValue(retry).Time, name)
        : null;

    private static LeaderElectorOptions Read(string ns, TimeSpan lease, TimeSpan deadline, TimeSpan retry, string name) =>
        new() { Namespace = ns, Name = name, LeaseDuration = lease, RenewDeadline = deadline, RetryPeriod = retry };
}
