namespace Danm.Tests.ApiServer.Clusters;

/// <summary>For whom an administrator makes a request; in group system:masters no role is needed, so that only admission can refuse it.</summary>
/// <param name="Node">The node that the user's token would say; null: none.</param>
public sealed record Impersonated(string User, string? Node = null, string? Group = "system:masters")
{
    private const string NodeName = "authentication.kubernetes.io/node-name";

    public void ApplyTo(HttpRequestMessage request)
    {
        Add("User", User);
        if (Group is not null)
            Add("Group", Group);
        if (Node is not null)
            Add($"Extra-{Uri.EscapeDataString(NodeName)}", Node);

        void Add(string header, string value) => request.Headers.TryAddWithoutValidation($"Impersonate-{header}", value).Should().BeTrue();
    }
}
