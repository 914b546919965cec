namespace Danm.Tests.EndToEnd.Doctor;

/// <summary>Something that goes wrong with a healthy installation, and what the doctor must say of it.</summary>
/// <param name="Name">What goes wrong.</param>
/// <param name="Expected">A pattern of the line: status, check, what was found.</param>
/// <param name="Break">Does it; what is returned mends it.</param>
internal sealed record Breakage(string Name, string Expected, Func<HealthyCluster, Task<Func<Task>>> Break)
{
    public static Breakage Of(string name, string expected, Func<HealthyCluster, Action> act) => new(name, expected, cluster =>
    {
        var mend = act(cluster);
        return Task.FromResult(() =>
        {
            mend();
            return Task.CompletedTask;
        });
    });

    /// <summary>By shell commands on the node.</summary>
    public static Breakage OfShell(string name, string expected, string act, string mend) => new(name, expected, async cluster =>
    {
        await cluster.Node.ShellAsync(act);
        return () => cluster.Node.ShellAsync(mend);
    });

    public override string ToString() => Name;
}
