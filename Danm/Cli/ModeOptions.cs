using System.CommandLine;
using Danm.Kube.Serving;
using Microsoft.Extensions.Logging;

namespace Danm.Cli;

/// <summary>The flags that all long-lived modes have.</summary>
internal sealed class ModeOptions
{
    private readonly Option<string> health = Address("--health-probe-bind-address", "Where /healthz, /livez and /readyz are answered; 0: nowhere.", ":8081");
    private readonly Option<string> metrics = Address("--metrics-bind-address", "Where /metrics is; 0: nowhere.", ":8080");
    private readonly Option<string> format = new("--logging-format") { Description = "text or json.", DefaultValueFactory = _ => "text", HelpName = "FORMAT" };
    private readonly Option<int> verbosity = new("--verbosity", "-v") { Description = "0: warnings and what was done; from 4: how, too.", HelpName = "LEVEL" };

    public ModeOptions() => format.AcceptOnlyFromAmong("text", "json");

    public void AddTo(Command command)
    {
        foreach (var option in (Option[])[health, metrics, format, verbosity])
            command.Options.Add(option);
    }

    public BindAddress? Health(ParseResult parsed) => Read(parsed.GetRequiredValue(health));

    public BindAddress? Metrics(ParseResult parsed) => Read(parsed.GetRequiredValue(metrics));

    public ILoggerFactory Log(ParseResult parsed) => Logging.ToConsole(parsed.GetValue(format) == "json", parsed.GetValue(verbosity) >= 4 ? LogLevel.Debug : LogLevel.Information);

    private static BindAddress? Read(string text) => BindAddress.TryParse(text, out var address) ? address : null;

    private static Option<string> Address(string name, string description, string otherwise)
    {
        var option = new Option<string>(name) { Description = description, HelpName = "[HOST]:PORT", DefaultValueFactory = _ => otherwise };
        option.Validators.Add(result =>
        {
            if (result.GetValueOrDefault<string>() is { } text && !BindAddress.TryParse(text, out _))
                result.AddError($"{name}: '{text}' is neither HOST:PORT with an address for HOST, nor :PORT, nor 0");
        });
        return option;
    }
}
