using System.Text;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Danm.Tests.ApiServer;

/// <summary>The rules for names, labels and annotations of apimachinery's validation package.</summary>
public static partial class Names
{
    private const int AnnotationsLimit = 256 * 1024;
    private const string Subdomain = "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
    private const string Label = "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";
    private const string LetterLabel = "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for validation is '[a-z]([-a-z0-9]*[a-z0-9])?')";

    public static void Validate(JsonObject metadata, ResourceType type, List<FieldError> errors)
    {
        var name = metadata["name"].String() ?? "";
        var problem = type switch
        {
            { Group: "rbac.authorization.k8s.io" } => IsPathSegment(name) ? null : "may not be '.' or '..', and may not contain '/' or '%'",
            { Plural: "namespaces" } => IsLabel(name) ? null : Label,
            { Group: "", Plural: "services" } => IsLabel(name) && char.IsAsciiLetter(name[0]) ? null : LetterLabel,
            _ => IsSubdomain(name) ? null : Subdomain,
        };
        if (problem is not null)
            errors.Add(FieldError.Invalid("metadata.name", name, problem));
        foreach (var (key, value) in metadata["labels"] as JsonObject ?? [])
        {
            if (!IsQualifiedName(key))
                errors.Add(FieldError.Invalid("metadata.labels", key, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')"));
            if (!IsLabelValue(value.String()!))
                errors.Add(FieldError.Invalid("metadata.labels", value, "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')"));
        }
        var size = 0;
        foreach (var (key, value) in metadata["annotations"] as JsonObject ?? [])
        {
            if (!IsQualifiedName(key.ToLowerInvariant()))
                errors.Add(FieldError.Invalid("metadata.annotations", key, "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"));
            size += Encoding.UTF8.GetByteCount(key) + Encoding.UTF8.GetByteCount(value.String()!);
        }
        if (size > AnnotationsLimit)
            errors.Add(new FieldError("FieldValueTooLong", "metadata.annotations", $"Too long: may not be more than {AnnotationsLimit} bytes"));
    }

    public static bool IsSubdomain(string name) => name.Length is > 0 and <= 253 && name.Split('.').All(p => LabelPattern().IsMatch(p));

    private static bool IsPathSegment(string name) => name is not ("" or "." or "..") && name.AsSpan().IndexOfAny('/', '%') < 0;

    public static bool IsLabel(string name) => name.Length is > 0 and <= 63 && LabelPattern().IsMatch(name);

    public static bool IsQualifiedName(string key)
    {
        var slash = key.IndexOf('/');
        var name = key[(slash + 1)..];
        return (slash < 0 || IsSubdomain(key[..slash])) && name.Length is > 0 and <= 63 && QualifiedPattern().IsMatch(name);
    }

    public static bool IsLabelValue(string value) => value.Length == 0 || (value.Length <= 63 && QualifiedPattern().IsMatch(value));

    [GeneratedRegex(@"\A[a-z0-9]([-a-z0-9]*[a-z0-9])?\z")]
    private static partial Regex LabelPattern();

    [GeneratedRegex(@"\A[A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?\z")]
    private static partial Regex QualifiedPattern();
}
