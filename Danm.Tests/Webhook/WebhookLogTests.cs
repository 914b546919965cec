using Danm.Tests.Kube;
using Danm.Webhook;

namespace Danm.Tests.Webhook;

public sealed class WebhookLogTests
{
    private static readonly string Hostile = "a\nforged\u001b[2J" + new string('x', 5000);

    [Test]
    public void A_hostile_name_makes_one_short_line()
    {
        var log = new ListLogger();

        log.Denied("netvalidation", Hostile, Hostile, Hostile, Hostile, "no");
        log.Broke("netvalidation", Hostile, Hostile, Hostile, new InvalidOperationException("x"));

        log.Lines.Should().HaveCount(2).And.OnlyContain(l => l.Length < 1500 && !l.Any(char.IsControl));
        log.Lines[0].Should().Contain(@"a\u000aforged\u001b[2Jx");
    }
}
