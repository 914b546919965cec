using Danm.Tests.EndToEnd;

namespace Danm.Tests.ApiReference;

/// <summary><c>api-reference</c>: writes docs/api.md from manifests/crds.</summary>
public static class ApiReferenceProgram
{
    /// <summary>The page that it writes.</summary>
    public static string File { get; } = Path.Combine(DanmBinary.Repository, "docs/api.md");

    public static async Task<int> RunAsync()
    {
        await System.IO.File.WriteAllTextAsync(File, ApiPage.Write(CustomKind.All()));
        return 0;
    }
}
