namespace Danm.Tests.EndToEnd.Image;

/// <summary>Every command that the executable has, as its help says.</summary>
internal static class Commands
{
    /// <summary>The commands of a help text.</summary>
    public static IEnumerable<string> In(string help) => help.Split('\n')
        .SkipWhile(l => !l.StartsWith("Commands:", StringComparison.Ordinal)).Skip(1)
        .TakeWhile(l => l.StartsWith("  ", StringComparison.Ordinal))
        .Where(l => l[2] != ' ')
        .Select(l => l.Split(' ', StringSplitOptions.RemoveEmptyEntries)[0]);

    /// <summary>Asks every command for its help, those of a depth at once, and fails unless each gives it.</summary>
    /// <param name="run">Runs the executable with arguments; gives the exit code and what it wrote.</param>
    /// <returns>The commands.</returns>
    public static async Task<IReadOnlyList<string>> ExpectHelpOfAllAsync(Func<string[], Task<(int ExitCode, string Output)>> run)
    {
        var found = new List<string>();
        for (List<string[]> level = [[]]; level.Count > 0;)
        {
            var answers = await Task.WhenAll(level.Select(async path => (Path: path, Answer: await run([.. path, "--help"]))));
            foreach (var (path, answer) in answers)
            {
                answer.ExitCode.Should().Be(0, "danm {0} --help said: {1}", string.Join(' ', path), answer.Output);
                answer.Output.Should().Contain($"Usage:\n  {string.Join(' ', path.Prepend("danm"))}");
            }

            level = [.. answers.SelectMany(a => In(a.Answer.Output).Select(c => (string[])[.. a.Path, c]))];
            found.AddRange(level.Select(p => string.Join(' ', p)));
        }

        return found;
    }
}
