using System.Text.Json.Nodes;

namespace Danm.Tests.ApiServer.Security;

/// <summary>Who asks, as <c>authentication.k8s.io/v1 UserInfo</c> has it.</summary>
public sealed record UserInfo(string Name, IReadOnlyList<string> Groups)
{
    private const string Masters = "system:masters";

    /// <summary>One who is known by name alone.</summary>
    public UserInfo(string name) : this(name, UserGroups.Of(name))
    {
    }

    public string Uid { get; init; } = "";

    /// <summary>What the authenticator knows besides, such as the node that a service account's token says.</summary>
    public IReadOnlyDictionary<string, IReadOnlyList<string>> Extra { get; init; } = new Dictionary<string, IReadOnlyList<string>>();

    /// <summary>Whether no role is needed for anything.</summary>
    public bool MayAll => Groups.Contains(Masters);

    /// <summary>What is empty is left out.</summary>
    public JsonObject ToJson()
    {
        var json = new JsonObject { ["username"] = Name };
        if (Uid.Length > 0)
            json["uid"] = Uid;
        if (Groups.Count > 0)
            json["groups"] = List(Groups);
        if (Extra.Count > 0)
            json["extra"] = new JsonObject(Extra.Select(e => KeyValuePair.Create(e.Key, (JsonNode?)List(e.Value))));
        return json;

        static JsonArray List(IEnumerable<string> texts) => new([.. texts.Select(t => (JsonNode)t)]);
    }
}
