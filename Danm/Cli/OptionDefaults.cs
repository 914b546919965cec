using System.CommandLine;
using System.CommandLine.Parsing;

namespace Danm.Cli;

/// <summary>Values of options while a command is validated.</summary>
internal static class OptionDefaults
{
    /// <summary>What was given, else the default: a command's validators run before defaults are filled in.</summary>
    /// <exception cref="InvalidOperationException">What was given cannot be read.</exception>
    public static T ValueOrDefault<T>(this CommandResult result, Option<T> option) =>
        result.GetResult(option) is { } given ? given.GetValueOrDefault<T>()! : (T)option.GetDefaultValue()!;
}
