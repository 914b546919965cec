using System.Diagnostics;
using Spectre.Console;
using Spectre.Console.Rendering;

namespace Danm.Tests.Demo;

/// <summary>The demo's output: a line for each step with the time it took, tables, and a spinner on a terminal.</summary>
internal sealed class DemoConsole(IAnsiConsole console)
{
    private const int MaxWidth = 120;
    private const int WidthOfNoTerminal = 80;

    /// <summary>What is being done now, for the message if it fails.</summary>
    public string Step { get; private set; } = "start";

    /// <summary>The process's standard output; colours only on a terminal, and never with NO_COLOR.</summary>
    public static DemoConsole Create()
    {
        var plain = Console.IsOutputRedirected || Environment.GetEnvironmentVariable("NO_COLOR") is { Length: > 0 };
        var console = AnsiConsole.Create(new AnsiConsoleSettings
        {
            ColorSystem = plain ? ColorSystemSupport.NoColors : ColorSystemSupport.Detect,
            Ansi = Console.IsOutputRedirected ? AnsiSupport.No : AnsiSupport.Detect,
            Interactive = Console.IsOutputRedirected ? InteractionSupport.No : InteractionSupport.Detect,
        });
        console.Profile.Width = Console.IsOutputRedirected ? WidthOfNoTerminal : Math.Min(console.Profile.Width, MaxWidth);
        return new DemoConsole(console);
    }

    public void Title(string text)
    {
        console.WriteLine();
        console.Write(new Rule($"[bold]{Markup.Escape(text)}[/]") { Justification = Justify.Left, Style = new Style(Color.Blue) });
    }

    public void Say(string text) => console.Write(new Padder(new Text(text), new Padding(0, 0)));

    public void Show(IRenderable what) => console.Write(what);

    /// <summary>Does a step while its name shows, then writes its name, what came of it, and the time.</summary>
    public async Task<T> DoAsync<T>(string step, Func<Task<T>> work, Func<T, string>? outcome = null)
    {
        Step = step;
        var watch = Stopwatch.StartNew();
        var result = console.Profile.Capabilities.Interactive
            ? await console.Status().Spinner(Spinner.Known.Dots).StartAsync($"{Markup.Escape(step)} …", _ => work())
            : await work();
        var said = outcome is null ? "" : $": {outcome(result)}";
        console.MarkupLine($"[green]ok[/] {Markup.Escape(step)}{Markup.Escape(said)} [dim]({watch.Elapsed.TotalSeconds:0.0} s)[/]");
        return result;
    }

    public void Passed(TimeSpan elapsed)
    {
        console.WriteLine();
        console.MarkupLine($"[bold green]The demo passed[/] in {elapsed.TotalSeconds:0} s.");
    }

    public void Failed(string reason)
    {
        console.WriteLine();
        console.MarkupLine($"[bold red]The demo failed[/] at: {Markup.Escape(Step)}");
        console.WriteLine(reason);
    }

    public static Table NewTable(string? title, params string[] columns)
    {
        var table = new Table { Border = TableBorder.Rounded, BorderStyle = new Style(Color.Grey) };
        if (title is not null)
            table.Title = new TableTitle($"[bold]{Markup.Escape(title)}[/]");
        table.AddColumns([.. columns.Select(c => new TableColumn($"[bold]{Markup.Escape(c)}[/]"))]);
        return table;
    }

}
