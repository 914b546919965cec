using System.Text;
using Danm.Cni.Plugins;

namespace Danm.Tests.Cni.Plugins;

public sealed class PluginExceptionTests
{
    // Exit code, standard output, standard error; the message after "plugin 'bridge' ADD: ", the code, the details.
    private static readonly TestCaseData[] Failures =
    [
        Row("the specification's error", 1, """{"cniVersion":"1.0.0","code":7,"msg":"no subnet","details":"ipam.subnet"}""", "noise", "no subnet", 7, "ipam.subnet"),
        Row("without code and details", 1, """{"msg":"no subnet"}""", "", "no subnet"),
        Row("a code that is no number", 1, """{"code":"7","msg":"no subnet"}""", "", "no subnet"),
        Row("a code that no error has", 1, """{"code":1e30,"msg":"no subnet"}""", "", "no subnet"),
        Row("details of a wrong type", 1, """{"code":3,"msg":"no subnet","details":{}}""", "", "no subnet", 3),
        Row("no msg", 1, """{"code":7}""", "", """ended with 1 and no error object: {"code":7}"""),
        Row("an empty msg", 2, """{"code":7,"msg":""}""", "panic", "ended with 2 and no error object: panic"),
        Row("a list", 1, "[]", "", "ended with 1 and no error object: []"),
        Row("half a surrogate pair", 1, """{"code":7,"msg":"\ud800"}""", "oh", "ended with 1 and no error object: oh"),
        Row("nothing at all", 1, "", "", "ended with 1 and no error object"),
        Row("text on standard output", 1, "  no such file\n", "", "ended with 1 and no error object: no such file"),
        Row("text on standard error", 1, "ignored", "panic: nil\n", "ended with 1 and no error object: panic: nil"),
        Row("a signal", -11, "", "", "was ended by signal 11"),
        Row("terminal escapes", 1, """{"msg":"\u001b[31mred"}""", "", "\\u001b[31mred"),
        Row("terminal escapes on standard error", 1, "", "\u001b[31mred", "ended with 1 and no error object: \\u001b[31mred"),
        Row("too deep", 1, $"{{\"msg\":\"m\",\"x\":{new string('[', 5000)}{new string(']', 5000)}}}", "deep", "ended with 1 and no error object: deep"),
        Row("a message without end", 1, $$"""{"msg":"{{new string('m', 500_000)}}"}""", "", new string('m', 1000) + "…"),
    ];

    [TestCaseSource(nameof(Failures))]
    public void A_failure_says_what_the_plugin_said(int exit, string stdout, string stderr, string message, int? code, string? details)
    {
        var failure = PluginException.From("bridge", new PluginCall("ADD", "c1", "eth0"), new PluginOutput(exit, Encoding.UTF8.GetBytes(stdout), stderr, TimeSpan.Zero));

        failure.Message.Should().Be($"plugin 'bridge' ADD: {message}");
        (failure.Code, failure.Details, failure.IsMissing).Should().Be((code, details, false));
    }

    [Test]
    public void Output_that_is_no_text_is_no_message()
    {
        var failure = PluginException.From("bridge", new PluginCall("DEL"), new PluginOutput(1, new byte[] { 0, 1, 2, 0xff, 0xfe }, "", TimeSpan.Zero));

        failure.Message.Should().StartWith("plugin 'bridge' DEL: ended with 1").And.Contain("\\u0000");
        failure.Message.Should().NotContainAny("\0", "\u0001");
    }

    private static TestCaseData Row(string name, int exit, string stdout, string stderr, string message, int? code = null, string? details = null) =>
        new TestCaseData(exit, stdout, stderr, message, code, details).SetArgDisplayNames(name);
}
