namespace Danm.Tests.ApiServer.Security;

/// <summary>What role-based access control is asked: may somebody do this.</summary>
/// <param name="User">Who.</param>
/// <param name="Namespace">Null: at the cluster scope.</param>
/// <param name="Group">The API group; empty for the core.</param>
/// <param name="Resource">Plural, and its subresource behind a slash.</param>
/// <param name="Name">Null: it has none yet, or all are meant.</param>
/// <param name="Verb">get, list, …</param>
public sealed record AccessQuestion(string User, string? Namespace, string Group, string Resource, string? Name, string Verb);
