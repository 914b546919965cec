using System.Text;

namespace Danm.Tests.ApiServer.Http;

/// <summary>
/// <c>Warning</c> headers as <c>apiserver/pkg/endpoints/filters/warning.go</c> bounds them: each text once, none with
/// control characters, and where 4096 characters do not hold them all, at most 256 of each until they are used up.
/// </summary>
public static class WarningHeaders
{
    private const int TotalLimit = 4 * 1024;
    private const int ItemLimit = 256;

    public static IReadOnlyList<string> Of(IEnumerable<string> warnings)
    {
        var texts = warnings.Where(w => w.Length > 0).Distinct().ToArray();
        var total = texts.Where(Sound).Sum(Length);
        if (total <= TotalLimit)
            return [.. texts.Where(Sound).Select(Header)];
        var headers = new List<string>();
        var written = 0;
        foreach (var text in texts.Select(Cut).Where(Sound))
        {
            if (written >= TotalLimit)
                break;
            headers.Add(Header(text));
            written += Length(text);
        }
        return headers;
    }

    private static bool Sound(string text) => !text.Any(char.IsControl);

    private static int Length(string text) => text.EnumerateRunes().Count();

    private static string Cut(string text) => Length(text) <= ItemLimit ? text : string.Concat(text.EnumerateRunes().Take(ItemLimit));

    private static string Header(string text) => new StringBuilder("299 - \"").Append(text.Replace("\\", "\\\\").Replace("\"", "\\\"")).Append('"').ToString();
}
