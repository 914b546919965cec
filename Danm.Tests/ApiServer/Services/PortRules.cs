using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Danm.Tests.ApiServer.Schema;

namespace Danm.Tests.ApiServer.Services;

/// <summary>What the ports of Services, EndpointSlices and Endpoints have in common.</summary>
internal static partial class PortRules
{
    private const string NotANumber = "must be between 1 and 65535, inclusive";

    public static void CheckNumber(JsonNode? port, string path, List<FieldError> errors)
    {
        if (port is not JsonValue number || SchemaValidator.AsInteger(number) is not (> 0 and <= ushort.MaxValue))
            errors.Add(FieldError.Invalid(path, port, NotANumber));
    }

    /// <summary>A number, or a name of the Pod's (RFC 6335).</summary>
    public static void CheckNumberOrName(JsonNode? port, string path, List<FieldError> errors)
    {
        if (port.String() is not { } name)
            CheckNumber(port, path, errors);
        else if (name.Length is 0 or > 15 || !NamePattern().IsMatch(name) || !name.Any(char.IsAsciiLetter) || name.Contains("--"))
            errors.Add(FieldError.Invalid(path, name, "must be an IANA_SVC_NAME (at most 15 characters, matching regex [a-z0-9]([a-z0-9-]*[a-z0-9])*, it must contain at least one letter [a-z], and hyphens cannot be adjacent to other hyphens)"));
    }

    public static void CheckLabel(string label, string path, List<FieldError> errors)
    {
        if (!Names.IsLabel(label))
            errors.Add(FieldError.Invalid(path, label, "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character"));
    }

    public static void CheckAppProtocol(JsonObject port, string path, List<FieldError> errors)
    {
        if (port["appProtocol"] is { } protocol && !Names.IsQualifiedName(protocol.String()!))
            errors.Add(FieldError.Invalid($"{path}.appProtocol", protocol, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
    }

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex NamePattern();
}
