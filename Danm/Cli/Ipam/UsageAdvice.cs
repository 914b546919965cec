using Danm.Cni;
using Danm.Ipam.Usage;

namespace Danm.Cli.Ipam;

/// <summary>What an operator should do about a pool.</summary>
internal static class UsageAdvice
{
    private const double NearlyFull = 0.9;
    private const int MaxNodes = 5;

    public static IEnumerable<string> Of(PoolUsage usage)
    {
        if (usage.Free == 0)
            yield return $"{usage.Network} has no free {Family(usage)} address: widen its pool {usage.Pool} (Pods that run keep theirs), or remove Pods";
        else if (usage.Share >= NearlyFull)
            yield return $"{usage.Network} is nearly out of {Family(usage)} addresses ({usage.Free:N0} left): widen its pool {usage.Pool} soon";
        if (usage.Leaked > 0)
        {
            var nodes = usage.LeakedOn.OrderByDescending(n => n.Value).Select(n => n.Key.Length == 0 ? "a node unknown" : CniText.Clean(n.Key, 253)).ToList();
            var where = string.Join(", ", nodes.Take(MaxNodes)) + (nodes.Count > MaxNodes ? $" and {nodes.Count - MaxNodes} more nodes" : "");
            yield return $"{usage.Leaked:N0} {Family(usage)} addresses of {usage.Network} belong to Pods that are gone ({where}): --owners shows them; the node's netwatcher, or 'danm ipam gc' there, frees those whose sandboxes are provably dead";
        }

        if (usage.Outside > 0)
            yield return $"{usage.Outside:N0} {Family(usage)} addresses of {usage.Network} are outside its pool: static ones, or given before the pool was changed; they stay valid";
    }

    /// <summary>How bad it is.</summary>
    public static TextColour ColourOf(PoolUsage usage) =>
        usage.Free == 0 ? TextColour.Red : usage.Share >= NearlyFull || usage.Leaked > 0 ? TextColour.Yellow : TextColour.None;

    public static string Family(PoolUsage usage) => usage.Pool.Subnet.IsIPv6 ? "IPv6" : "IPv4";
}
