using System.Globalization;
using System.Text.RegularExpressions;

namespace Danm.Tests.Demo;

/// <summary>Echo requests from a Pod to another, all of them answered.</summary>
internal sealed partial record Ping(string From, string To, string Interface, string Target, int Received, double AverageMilliseconds)
{
    private const int Requests = 3;

    /// <exception cref="DemoException">Not every request was answered.</exception>
    public static async Task<Ping> SendAsync(DemoNode node, DemoPod from, DemoPod to, string interfaceName, string target)
    {
        var text = await node.ExpectAsync($"ip netns exec {from.NetnsName} ping -n -c {Requests} -i 0.3 -W 5 {target}");
        var received = int.Parse(Answers().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);
        if (received != Requests)
            throw new DemoException($"Pod {from.Name} got {received} answers to {Requests} pings of {target} (Pod {to.Name}):\n{text}");
        var average = double.Parse(Times().Match(text).Groups[1].Value, CultureInfo.InvariantCulture);
        return new Ping(from.Name, to.Name, interfaceName, target, received, average);
    }

    public string Sent => $"{Received} of {Requests}";

    [GeneratedRegex("([0-9]+) received")]
    private static partial Regex Answers();

    [GeneratedRegex("= [0-9.]+/([0-9.]+)/")]
    private static partial Regex Times();
}
