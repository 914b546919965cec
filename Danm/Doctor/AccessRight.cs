namespace Danm.Doctor;

/// <summary>One thing that a role lets somebody do.</summary>
/// <param name="Group">The API group; empty for the core.</param>
/// <param name="Resource">Plural, and its subresource behind a slash.</param>
/// <param name="Verb">get, list, …</param>
/// <param name="Name">Only this object; empty: any.</param>
internal sealed record AccessRight(string Group, string Resource, string Verb, string Name)
{
    private const string Any = "*";

    /// <summary>What rules give, one by one (rbac.authorization.k8s.io/v1 PolicyRule, and the ResourceRule of a SelfSubjectRulesReview).</summary>
    public static IEnumerable<AccessRight> Of(IEnumerable<Document> rules) =>
        from rule in rules
        from name in rule["resourceNames"].Items.Any() ? rule["resourceNames"].Texts : [""]
        from resource in rule["resources"].Texts
        from gr in rule["apiGroups"].Texts
        from verb in rule["verbs"].Texts
        select new AccessRight(gr, resource, verb, name);

    /// <summary>Whether whoever has this may do the other.</summary>
    public bool Covers(AccessRight other) =>
        Matches(Group, other.Group) && Matches(Resource, other.Resource) && Matches(Verb, other.Verb) && (Name.Length == 0 || Name == other.Name);

    /// <inheritdoc/>
    public override string ToString() => $"{Verb} {Resource}{(Group.Length == 0 ? "" : "." + Group)}{(Name.Length == 0 ? "" : $" {Name}")}";

    private static bool Matches(string has, string wants) => has == Any || has == wants;
}
