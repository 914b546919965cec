namespace Danm.Tests.Netwatcher.Model;

/// <summary>What can happen to a node and its cluster.</summary>
public enum Happening
{
    /// <summary>A network is made, or becomes another one in place.</summary>
    Network,

    /// <summary>A network's mtu changes, and nothing else.</summary>
    Mtu,

    /// <summary>A network is deleted.</summary>
    NetworkGoes,

    /// <summary>A Pod's ADD reads its network; it comes to the interface one event later.</summary>
    Pod,

    /// <summary>A Pod goes, its DanmEp with it.</summary>
    PodGoes,

    /// <summary>Somebody deletes an interface by hand.</summary>
    Deleted,

    /// <summary>Somebody takes an interface down.</summary>
    TakenDown,

    /// <summary>Somebody makes the interface that a network wants, as the original made it.</summary>
    MadeRight,

    /// <summary>Somebody makes an interface of a name that a network wants, and it is something else.</summary>
    MadeWrong,

    /// <summary>Somebody makes an interface under a name of his own, with an id that networks use.</summary>
    MadeElsewhere,

    /// <summary>Somebody puts an interface of his own on one that is there.</summary>
    MadeOnTop,

    /// <summary>Somebody gives an interface an address.</summary>
    Address,

    /// <summary>A device goes, with all that stands on it.</summary>
    DeviceGoes,

    /// <summary>A device that was gone is back.</summary>
    DeviceBack,

    /// <summary>A device goes down, or up.</summary>
    DeviceDown,

    /// <summary>A device's MTU changes.</summary>
    DeviceMtu,

    /// <summary>Netwatcher looks.</summary>
    Look,

    /// <summary>Netwatcher has just started, and looks before it knows all kinds, or any DanmEp.</summary>
    LookEarly,

    /// <summary>Time passes, in which nothing happens and netwatcher looks as often as it wants to.</summary>
    Quiet,
}

/// <summary>One of them.</summary>
/// <param name="What">What happens.</param>
/// <param name="Which">To which network, Pod, interface or device; of several ways, in which.</param>
public readonly record struct LinkEvent(Happening What, int Which)
{
    public override string ToString() => $"{What}({Which})";
}
