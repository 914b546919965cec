using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer;

/// <summary>A refusal as a <c>v1.Status</c>: the only exception that the server turns into an HTTP answer on purpose.</summary>
public sealed class StatusException(int code, string reason, string message, JsonObject? details = null) : Exception(message)
{
    public int Code { get; } = code;

    public string Reason { get; } = reason;

    /// <summary>The value of a <c>Retry-After</c> header, if the answer has one.</summary>
    public TimeSpan? RetryAfter { get; init; }

    public JsonObject ToStatus()
    {
        var status = new JsonObject
        {
            ["kind"] = "Status",
            ["apiVersion"] = "v1",
            ["metadata"] = new JsonObject(),
            ["status"] = "Failure",
            ["message"] = Message,
        };
        if (Reason.Length > 0)
            status["reason"] = Reason;
        var shown = (JsonObject?)details?.DeepClone();
        if (RetryAfter is { } wait)
            (shown ??= [])["retryAfterSeconds"] = (int)Math.Ceiling(wait.TotalSeconds);
        if (shown is not null)
            status["details"] = shown;
        status["code"] = Code;
        return status;
    }

    public static StatusException BadRequest(string message) => new(400, "BadRequest", message);

    public static StatusException Internal(string message) => new(500, "InternalError", $"Internal error occurred: {message}");

    public static StatusException Unauthorized() => new(401, "Unauthorized", "Unauthorized");

    public static StatusException Forbidden(string message) => new(403, "Forbidden", message);

    /// <summary>No such path: what the server says for a group, version or resource that it does not know.</summary>
    public static StatusException NoSuchResource() =>
        new(404, "NotFound", "the server could not find the requested resource", []);

    public static StatusException NotFound(ResourceType type, string name) =>
        new(404, "NotFound", $"{type.QualifiedName} \"{name}\" not found", Details(type, name));

    public static StatusException AlreadyExists(ResourceType type, string name) =>
        new(409, "AlreadyExists", $"{type.QualifiedName} \"{name}\" already exists", Details(type, name));

    public static StatusException Modified(ResourceType type, string name) => Conflict(type, name,
        "the object has been modified; please apply your changes to the latest version and try again");

    public static StatusException Conflict(ResourceType type, string name, string why) =>
        new(409, "Conflict", $"Operation cannot be fulfilled on {type.QualifiedName} \"{name}\": {why}", Details(type, name));

    public static StatusException Expired(string message) => new(410, "Expired", message);

    public static StatusException MethodNotAllowed(string what) => new(405, "MethodNotAllowed", what);

    public static StatusException NotAcceptable(string accept) => new(406, "NotAcceptable",
        $"only the following media types are accepted: application/json (asked for: {accept})");

    public static StatusException UnsupportedMediaType(string what) => new(415, "UnsupportedMediaType", what);

    public static StatusException TooLarge(int limit) =>
        new(413, "RequestEntityTooLarge", $"Request entity too large: limit is {limit}");

    /// <summary>What a real server does and this one does not, so that no test passes by accident.</summary>
    public static StatusException NotImplemented(string what) =>
        new(501, "NotImplemented", $"the embedded API server does not implement {what}");

    public static StatusException Invalid(ResourceType type, string name, IReadOnlyList<FieldError> errors)
    {
        var details = Details(type, name);
        details["kind"] = type.Kind;
        details["causes"] = new JsonArray([.. errors.Select(e => (JsonNode)new JsonObject
        {
            ["reason"] = e.Reason,
            ["message"] = e.Message,
            ["field"] = e.Field,
        })]);
        var kind = type.Group.Length == 0 ? type.Kind : $"{type.Kind}.{type.Group}";
        var text = errors.Count == 1 ? errors[0].ToString() : $"[{string.Join(", ", errors)}]";
        return new(422, "Invalid", $"{kind} \"{name}\" is invalid: {text}", details);
    }

    private static JsonObject Details(ResourceType type, string name)
    {
        var details = new JsonObject { ["name"] = name };
        if (type.Group.Length > 0)
            details["group"] = type.Group;
        details["kind"] = type.Plural;
        return details;
    }
}
