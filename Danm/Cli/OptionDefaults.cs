using System.CommandLine;
using System.CommandLine.Parsing;

namespace Danm.Cli;

/// <summary>Values of options while a command is validated.</summary>
internal static class OptionDefaults
{
    /// <summary>What was given, else the default: a command's validators run before defaults are filled in.</summary>
    /// <returns>False if what was given cannot be read, which is an error already.</returns>
    public static bool TryValue<T>(this CommandResult result, Option<T> option, out T value)
    {
        try
        {
            value = result.GetResult(option) is { } given ? given.GetValueOrDefault<T>()! : (T)option.GetDefaultValue()!;
            return true;
        }
        catch (InvalidOperationException)
        {
            value = default!;
            return false;
        }
    }
}
