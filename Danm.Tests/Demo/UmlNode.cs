using System.Net;
using Danm.Tests.Kernel;

namespace Danm.Tests.Demo;

/// <summary>A User Mode Linux guest.</summary>
internal sealed class UmlNode : DemoNode
{
    private readonly Guest guest;

    private UmlNode(Guest guest) => this.guest = guest;

    public override string SharedDirectory => guest.SharedDirectory;

    public override IPAddress ServerAddress => Guest.HostAddress;

    protected override string NamespacePath => guest.NamespacePath;

    /// <param name="lack">What the host's kernel lacks.</param>
    public static async Task<UmlNode> BootAsync(string lack)
    {
        var guest = await Guest.BootAsync(new GuestOptions { Modules = ["ipv6", "dummy", "ipvlan", "8021q"] });
        try
        {
            var release = (await guest.ExpectAsync("uname -r")).Trim();
            return new UmlNode(guest) { Kernel = $"User Mode Linux {release}", Why = lack };
        }
        catch
        {
            await guest.DisposeAsync();
            throw;
        }
    }

    public override Task<GuestResult> RunAsync(string script, TimeSpan timeout) => guest.RunAsync(script, timeout);

    public override ValueTask DisposeAsync() => guest.DisposeAsync();
}
