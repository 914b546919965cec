using System.Text.RegularExpressions;
using Cel;

namespace Danm.Tests.ApiServer.Schema;

/// <summary>
/// Compiles expressions as a real server understands them: <c>has(a.b)</c> asks whether the map has the key, whatever its value (CEL
/// language definition, "Field Selection"). The library asks for a value that is not the zero of its type, as of a protocol buffer.
/// </summary>
internal static partial class CelPresence
{
    private static readonly CelEnvironment Environment = new([], "") { StrictTypeComparison = true };

    /// <exception cref="CelException">It is no expression.</exception>
    public static CelProgramDelegate Compile(string expression) => Environment.Compile(Has().Replace(expression, "('${key}' in ${map})"));

    [GeneratedRegex(@"\bhas\(\s*(?<map>[A-Za-z_][\w.]*)\.(?<key>[A-Za-z_]\w*)\s*\)")]
    private static partial Regex Has();
}
