using System.Buffers.Text;

namespace Danm.Tests.ApiServer;

/// <summary>Base64 as Go's StdEncoding reads it: padded, and of white space only line ends are passed over.</summary>
public static class GoBase64
{
    public static bool IsValid(string text) => text.AsSpan().IndexOfAny(' ', '\t') < 0 && Base64.IsValid(text);
}
