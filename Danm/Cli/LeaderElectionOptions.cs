using System.CommandLine;
using Danm.Kube.Elections;

namespace Danm.Cli;

/// <summary>The flags by which replicas of a mode agree on one that works, as Kubernetes' own controllers have them.</summary>
internal sealed class LeaderElectionOptions
{
    private readonly Option<bool> elect = new("--leader-elect") { Description = "Stand for the Lease, and work only while it is held. With false there must be one replica only.", DefaultValueFactory = _ => true };
    private readonly Option<TimeSpan> lease = GoDuration.Option("--leader-elect-lease-duration", "How long others wait after the last renewal that they saw. Whole seconds.", TimeSpan.FromSeconds(15));
    private readonly Option<TimeSpan> deadline = GoDuration.Option("--leader-elect-renew-deadline", "How long a leader works on after the last renewal that succeeded.", TimeSpan.FromSeconds(10));
    private readonly Option<TimeSpan> retry = GoDuration.Option("--leader-elect-retry-period", "How long between two tries.", TimeSpan.FromSeconds(2));
    private readonly Option<string> ns = new("--leader-elect-namespace") { Description = "The Lease's namespace.", DefaultValueFactory = _ => "kube-system", HelpName = "NAME" };

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[elect, lease, deadline, retry, ns])
            command.Options.Add(option);
        command.Validators.Add(result =>
        {
            try
            {
                Read(result.ValueOrDefault(lease), result.ValueOrDefault(deadline), result.ValueOrDefault(retry), "", "").Validate();
            }
            catch (ArgumentException e)
            {
                result.AddError(e.Message);
            }
            catch (InvalidOperationException)
            {
                // One of them is no duration, which has been said.
            }
        });
    }

    /// <summary>The election to stand in; null: none.</summary>
    /// <param name="parsed">The command line.</param>
    /// <param name="name">The Lease's name.</param>
    public LeaderElectorOptions? Of(ParseResult parsed, string name) => parsed.GetValue(elect)
        ? Read(parsed.GetValue(lease), parsed.GetValue(deadline), parsed.GetValue(retry), parsed.GetRequiredValue(ns), name)
        : null;

    private static LeaderElectorOptions Read(TimeSpan lease, TimeSpan deadline, TimeSpan retry, string ns, string name) =>
        new() { Namespace = ns, Name = name, LeaseDuration = lease, RenewDeadline = deadline, RetryPeriod = retry };
}
