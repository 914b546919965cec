using Microsoft.AspNetCore.Http;

namespace Danm.Tests.ApiServer.Security;

/// <summary>
/// Requests on behalf of somebody else: <c>Impersonate-User</c>, with <c>Impersonate-Group</c>, <c>Impersonate-Uid</c> and
/// <c>Impersonate-Extra-KEY</c>, for whom the verb <c>impersonate</c> is let on each of them.
/// </summary>
internal static class Impersonation
{
    private const string User = "Impersonate-User", Group = "Impersonate-Group", Uid = "Impersonate-Uid", Extra = "Impersonate-Extra-";
    private const string Authenticated = "system:authenticated", Unauthenticated = "system:unauthenticated", Authentication = "authentication.k8s.io";

    /// <returns>Whose request it is then; the caller if nobody is named.</returns>
    /// <exception cref="StatusException">The caller may not be that one.</exception>
    public static UserInfo Apply(UserInfo caller, IHeaderDictionary headers, Authorizer? authorizer)
    {
        var groups = headers[Group].OfType<string>().ToList();
        var extra = headers.Where(h => h.Key.StartsWith(Extra, StringComparison.OrdinalIgnoreCase))
            .ToDictionary(h => Uri.UnescapeDataString(h.Key[Extra.Length..].ToLowerInvariant()), h => (IReadOnlyList<string>)[.. h.Value.OfType<string>()]);
        var (name, uid) = (headers[User].ToString(), headers[Uid].ToString());
        if (name.Length == 0)
            return groups.Count + extra.Count + uid.Length == 0 ? caller : throw StatusException.Internal("requested groups, uid or extra without impersonating a user");

        if (ServiceAccount(name) is var (ns, account))
            Require(ns, "", "serviceaccounts", account);
        else
            Require(null, "", "users", name);
        foreach (var group in groups)
            Require(null, "", "groups", group);
        if (uid.Length > 0)
            Require(null, Authentication, "uids", uid);
        foreach (var (key, values) in extra)
            foreach (var value in values)
                Require(null, Authentication, $"userextras/{key}", value);

        IReadOnlyList<string> own = groups.Count == 0 ? UserGroups.Implied(name) : groups;
        if (!own.Contains(Authenticated) && !own.Contains(Unauthenticated))
            own = [.. own, Authenticated];
        return new UserInfo(name, own) { Uid = uid, Extra = extra };

        void Require(string? place, string apiGroup, string resource, string what) => authorizer?.Require(caller, place, apiGroup, resource, what, "impersonate");
    }

    private static (string Namespace, string Name)? ServiceAccount(string user) =>
        user.StartsWith(UserGroups.ServiceAccountPrefix, StringComparison.Ordinal) && user[UserGroups.ServiceAccountPrefix.Length..].Split(':') is [var ns, var name] ? (ns, name) : null;
}
