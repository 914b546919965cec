using System.Text;

namespace Danm.Networks;

/// <summary>One thing that is wrong with a network object or a request for one.</summary>
/// <param name="Field">The path of the member, <c>spec.Options.vlan</c> or <c>danm.io/interfaces[2].ip</c>.</param>
/// <param name="Value">What it holds, as found: untrusted text.</param>
/// <param name="Message">What is allowed, as the end of a sentence: <c>must be 1 to 4094</c>.</param>
public sealed record NetworkFault(string Field, string? Value, string Message)
{
    private const int MaxField = 400;
    private const int MaxValue = 80;

    /// <summary>The rule for network objects that is broken, as docs/network-rules.md counts them; null if it has no number.</summary>
    public string? Rule { get; init; }

    /// <summary>A text in quotes, of bounded length and safe for logs, to be part of a <see cref="Message"/>.</summary>
    internal static string Quote(string value)
    {
        var text = new StringBuilder("\"");
        AppendSafe(text, value, MaxValue);
        return text.Append('"').ToString();
    }

    /// <summary>
    /// <c>spec.Options.vlan: "5000" must be 1 to 4094</c>; one line, of bounded length, safe for logs and terminals
    /// whatever the field's name and value hold.
    /// </summary>
    public override string ToString()
    {
        var text = new StringBuilder();
        AppendSafe(text, Field, MaxField);
        text.Append(": ");
        if (Value is not null)
        {
            text.Append('"');
            AppendSafe(text, Value, MaxValue);
            text.Append("\" ");
        }

        return text.Append(Message).ToString();
    }

    private static void AppendSafe(StringBuilder text, string value, int max)
    {
        foreach (var character in value.AsSpan(0, Math.Min(value.Length, max)))
        {
            if (character is >= ' ' and <= '~' and not ('"' or '\\'))
                text.Append(character);
            else
                text.Append("\\u").Append(((int)character).ToString("x4"));
        }

        if (value.Length > max)
            text.Append("...");
    }
}

/// <summary>A network object, or what a Pod asks of it, cannot be used. Every fault found is in <see cref="Faults"/>.</summary>
public sealed class NetworkFaultException : Exception
{
    /// <summary>An exception for these faults, of which there is at least one.</summary>
    public NetworkFaultException(IReadOnlyList<NetworkFault> faults)
        : base(string.Join("; ", faults)) => Faults = faults;

    /// <summary>An exception for one fault.</summary>
    public NetworkFaultException(string field, string? value, string message)
        : this([new NetworkFault(field, value, message)])
    {
    }

    /// <summary>What is wrong.</summary>
    public IReadOnlyList<NetworkFault> Faults { get; }
}
