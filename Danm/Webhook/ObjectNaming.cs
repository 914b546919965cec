using Danm.Api;
using Danm.Networks;

namespace Danm.Webhook;

/// <summary>
/// Whether the API server will take the name of an object that is being created. It asks that itself, but after mutating webhooks, which may
/// have set something aside for the object by then.
/// </summary>
internal static class ObjectNaming
{
    private const int MaxLength = 253;

    /// <summary>What is wrong with the name, or with the prefix that the server is to make one of; null: nothing.</summary>
    public static NetworkFault? Check(ObjectMeta metadata)
    {
        if (metadata.Name is { Length: > 0 } name && !Names.IsSubdomain(name))
            return new NetworkFault("metadata.name", name, "must be a DNS subdomain: at most 253 characters, of a-z, 0-9, '-' and '.', each part with a letter or digit first and last");
        // The server adds letters and digits. Where it cuts the prefix before, that ends within a name still.
        return metadata.GenerateName is { Length: > 0 } prefix && !(prefix.Length <= MaxLength && Names.IsSubdomain(prefix.AsSpan().TrimEnd('-')))
            ? new NetworkFault("metadata.generateName", prefix, "must be the beginning of a DNS subdomain: at most 253 characters, of a-z, 0-9, '-' and '.', each part with a letter or digit first")
            : null;
    }
}
