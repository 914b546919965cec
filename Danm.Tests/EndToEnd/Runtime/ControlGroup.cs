namespace Danm.Tests.EndToEnd.Runtime;

/// <summary>A control group of this machine that sandboxes have theirs in: under every controller of version 1, or in the one tree of version 2.</summary>
internal sealed class ControlGroup(string name)
{
    private const string Mount = "/sys/fs/cgroup";

    public string Name => name;

    /// <summary>Deletes it with all below.</summary>
    /// <returns>False while a process that was killed is still on its way out.</returns>
    public bool TryDelete()
    {
        var trees = Directory.GetDirectories(Mount).Prepend(Mount).Select(t => Path.Combine(t, name)).Where(Directory.Exists);
        try
        {
            foreach (var tree in trees)
            {
                foreach (var group in Directory.GetDirectories(tree, "*", SearchOption.AllDirectories).OrderByDescending(g => g.Length).Append(tree))
                    Directory.Delete(group);
            }

            return true;
        }
        catch (IOException)
        {
            return false;
        }
    }
}
