using Danm.Netlink;

namespace Danm.HostLinks;

/// <summary>One change of the host that brings it nearer to what the networks want.</summary>
public abstract record LinkStep
{
    private LinkStep()
    {
    }

    /// <summary>An interface that no network wants any more, or that stands where another one must be made.</summary>
    public sealed record Delete(Link Link) : LinkStep
    {
        /// <inheritdoc/>
        public override string ToString() => $"delete {Link.Name}";
    }

    /// <summary>An interface that is missing.</summary>
    public sealed record Make(WantedLink Wanted) : LinkStep
    {
        /// <inheritdoc/>
        public override string ToString() => $"make {Wanted.Parent.Name}: {HostLink.Describe(Wanted.Parent)} for {Wanted.Network}";
    }

    /// <summary>An interface of unknown origin that is just what a network wants: from now on it is kept like our own.</summary>
    public sealed record Adopt(Link Link, WantedLink Wanted) : LinkStep
    {
        /// <inheritdoc/>
        public override string ToString() => $"adopt {Link.Name} for {Wanted.Network}";
    }

    /// <summary>An interface of ours with another MTU, or that somebody took down.</summary>
    public sealed record Change(Link Link, int? Mtu, bool? Up) : LinkStep
    {
        /// <inheritdoc/>
        public override string ToString() => $"change {Link.Name}:{(Mtu is { } mtu ? $" mtu {mtu}" : "")}{(Up is true ? " up" : "")}";
    }
}

/// <summary>Why a network does not get its interface.</summary>
/// <param name="Network">The network, as messages name it.</param>
/// <param name="Message">What is wrong and what to do.</param>
/// <param name="IsLocal">Whether it is so on this node only, by design: a host_device that it lacks.</param>
public sealed record LinkProblem(string Network, string Message, bool IsLocal = false);
