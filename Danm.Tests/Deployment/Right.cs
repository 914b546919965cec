namespace Danm.Tests.Deployment;

/// <summary>One thing that a role lets a service account do.</summary>
/// <param name="User">The account, as the API server names it.</param>
/// <param name="Role">The role that says so.</param>
/// <param name="Namespace">Null: in all of them, and in none.</param>
/// <param name="Verb">get, list, …</param>
/// <param name="Group">The API group; empty for the core.</param>
/// <param name="Resource">Plural, and its subresource behind a slash.</param>
/// <param name="Name">Null: whatever its name.</param>
internal sealed record Right(string User, string Role, string? Namespace, string Verb, string Group, string Resource, string? Name)
{
    public override string ToString() =>
        $"{Role} lets {User} {Verb} {Resource}{(Group.Length == 0 ? "" : "." + Group)}{(Name is null ? "" : $" {Name}")}{(Namespace is null ? "" : $" in {Namespace}")}";
}
