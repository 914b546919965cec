using System.Text.RegularExpressions;
using Danm.Netlink;

namespace Danm.Tests.EndToEnd;

/// <summary>The system calls of one run of the executable, as strace(1) writes them, all threads' one after the other.</summary>
internal sealed partial class SystemCallTrace
{
    /// <summary>
    /// Reading the clock is no system call where the kernel has a vDSO, which the guest's has not. How often threads wait for each
    /// other is a matter of the machine's load.
    /// </summary>
    private static readonly string[] NotCounted = ["clock_gettime", "gettimeofday", "time", "getcpu", "futex", "sched_yield"];

    /// <summary>strace names them only where the kernel tells it the protocol of a socket.</summary>
    private static readonly Dictionary<string, string> TypeNames = new (ushort Type, string Name)[]
    {
        (Rtm.NewLink, "RTM_NEWLINK"), (Rtm.SetLink, "RTM_SETLINK"), (Rtm.GetLink, "RTM_GETLINK"), (Rtm.DeleteLink, "RTM_DELLINK"),
        (Rtm.NewAddress, "RTM_NEWADDR"), (Rtm.GetAddress, "RTM_GETADDR"), (Rtm.NewRoute, "RTM_NEWROUTE"),
        (Rtm.NewRule, "RTM_NEWRULE"), (Rtm.GetRule, "RTM_GETRULE"), (Rtm.DeleteRule, "RTM_DELRULE"),
    }.ToDictionary(t => $"0x{t.Type:x}", t => t.Name);

    private SystemCallTrace(IReadOnlyList<string> calls)
    {
        Calls = [.. calls.Where(c => !NotCounted.Contains(NameOf(c)))];
        Sends = [.. calls.Where(c => NetlinkSend().IsMatch(c))];
        Messages = Sends.SelectMany(s => MessageType().Matches(s)).CountBy(m => TypeNames.GetValueOrDefault(m.Groups[1].Value, m.Groups[1].Value)).ToDictionary();
    }

    /// <summary>Each with its arguments and what it returned, without readings of the clock and waits of threads.</summary>
    public IReadOnlyList<string> Calls { get; }

    /// <summary>Those that send to the kernel's netlink.</summary>
    public IReadOnlyList<string> Sends { get; }

    /// <summary>How many messages of each type they carry; a send may carry several.</summary>
    public IReadOnlyDictionary<string, int> Messages { get; }

    /// <summary>How often each call was made, the most frequent first: what a failed expectation shows.</summary>
    public override string ToString() =>
        $"{Calls.Count} system calls: " + string.Join(' ', Calls.CountBy(NameOf).OrderByDescending(c => c.Value).Select(c => $"{c.Key}={c.Value}"));

    /// <summary>Runs a call on the node under strace.</summary>
    public static async Task<(CniOutcome Outcome, SystemCallTrace Trace)> RunAsync(GuestNode node, CniCall call)
    {
        // The call begins with an empty environment, so what stands between is a program, not a variable.
        var traced = Path.Combine(node.Guest.SharedDirectory, "danm");
        await File.WriteAllTextAsync(traced, $"#!/bin/sh\nexec strace -ff -v -o /run/trace/thread '{DanmBinary.Path}'\n");
        File.SetUnixFileMode(traced, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        await node.Guest.ExpectAsync("rm -rf /run/trace && mkdir /run/trace");
        var result = await node.Guest.RunAsync(call.ToShell(traced), TimeSpan.FromMinutes(3));
        var text = await node.Guest.ExpectAsync("cat /run/trace/thread.*");
        return (new CniOutcome(result.ExitCode, result.Stdout, result.Stderr), Parse(text));
    }

    /// <summary>Lines that begin otherwise are signals, and ends of threads.</summary>
    public static SystemCallTrace Parse(string text) => new([.. text.Split('\n').Where(l => CallStart().IsMatch(l))]);

    private static string NameOf(string call) => call[..call.IndexOf('(', StringComparison.Ordinal)];

    [GeneratedRegex("^[a-z0-9_]+\\(")]
    private static partial Regex CallStart();

    [GeneratedRegex("^send(to|msg|mmsg)\\(.*nlmsg_type=")]
    private static partial Regex NetlinkSend();

    [GeneratedRegex("nlmsg_type=([A-Za-z0-9_]+)")]
    private static partial Regex MessageType();
}
