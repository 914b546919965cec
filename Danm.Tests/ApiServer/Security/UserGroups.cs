namespace Danm.Tests.ApiServer.Security;

/// <summary>The groups that a user is in by its name alone.</summary>
public static class UserGroups
{
    public const string ServiceAccountPrefix = "system:serviceaccount:";

    public static IReadOnlyList<string> Of(string user)
    {
        if (user == EmbeddedApiServer.Administrator)
            return ["system:masters", "system:authenticated"];
        return [.. Implied(user), "system:authenticated"];
    }

    /// <summary>Those of service accounts.</summary>
    public static IReadOnlyList<string> Implied(string user) =>
        user.StartsWith(ServiceAccountPrefix, StringComparison.Ordinal) && user[ServiceAccountPrefix.Length..].Split(':') is [var ns, _]
            ? ["system:serviceaccounts", $"system:serviceaccounts:{ns}"]
            : [];
}
