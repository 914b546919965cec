using System.Text.Json;
using Danm.Doctor;

namespace Danm.Cli;

/// <summary>Shows what the doctor has found: a row a finding on standard output, and for people how many there are of each on standard error.</summary>
internal sealed class DoctorWriter(TextWriter output, TextWriter error, string format, bool headers)
{
    public void Write(IReadOnlyList<CheckResult> results)
    {
        OutputFormat.Write(output, format, json => WriteJson(json, results), () => WriteTable(results));
        if (format is "table" or "wide")
            error.WriteLine(Summary(results));
    }

    private void WriteTable(IReadOnlyList<CheckResult> results)
    {
        var hasColours = Terminal.HasColours(output);
        var table = new TextTable(["STATUS", "CHECK", "FOUND", "WHAT TO DO"]);
        // Unless all is asked for, what is well and has nothing to say takes one line a check.
        foreach (var (check, finding) in results.SelectMany(r => r.Findings.Select(f => (r.Check, f))))
            table.Add(hasColours ? ColourOf(finding.Status) : TextColour.None, [Word(finding.Status), check, finding.Found, finding.Advice ?? ""]);
        table.WriteTo(output, headers);
    }

    private static string Summary(IReadOnlyList<CheckResult> results)
    {
        var worst = results.CountBy(r => r.Findings.Max(f => f.Status)).OrderByDescending(c => c.Key).Select(c => $"{c.Value} {Word(c.Key)}");
        return $"{results.Count} checks: {string.Join(", ", worst)}";
    }

    private static void WriteJson(Utf8JsonWriter json, IReadOnlyList<CheckResult> results)
    {
        json.WriteStartObject();
        json.WriteString("version", ProgramVersion.Number);
        json.WriteStartObject("counts");
        foreach (var status in Enum.GetValues<CheckStatus>())
            json.WriteNumber(Word(status), results.Count(r => r.Findings.Max(f => f.Status) == status));
        json.WriteEndObject();
        json.WriteStartArray("checks");
        foreach (var result in results)
        {
            json.WriteStartObject();
            json.WriteString("check", result.Check);
            json.WriteString("scope", result.Scope);
            json.WriteString("status", Word(result.Findings.Max(f => f.Status)));
            json.WriteStartArray("findings");
            foreach (var finding in result.Findings)
            {
                json.WriteStartObject();
                json.WriteString("status", Word(finding.Status));
                json.WriteString("found", finding.Found);
                if (finding.Advice is not null)
                    json.WriteString("advice", finding.Advice);
                json.WriteEndObject();
            }

            json.WriteEndArray();
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static TextColour ColourOf(CheckStatus status) => status switch
    {
        CheckStatus.Failed => TextColour.Red,
        CheckStatus.Warning => TextColour.Yellow,
        _ => TextColour.None,
    };

    private static string Word(CheckStatus status) => status switch
    {
        CheckStatus.Ok => "ok",
        CheckStatus.Info => "info",
        CheckStatus.Skipped => "skipped",
        CheckStatus.Warning => "warning",
        _ => "failed",
    };
}
