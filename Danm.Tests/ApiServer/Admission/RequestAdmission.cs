using System.Text.Json.Nodes;
using Danm.Tests.ApiServer.Security;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>Admission on behalf of one request. Writes without one, such as a test's seeds, pass every webhook and policy by.</summary>
/// <param name="webhooks">Those of the server.</param>
/// <param name="policies">Those of the server.</param>
/// <param name="owners">Null: anybody may name any owner.</param>
/// <param name="user">Whose request it is.</param>
/// <param name="options">Makes the request's CreateOptions, UpdateOptions, PatchOptions or DeleteOptions.</param>
/// <param name="cancellation">Ends it.</param>
public sealed class RequestAdmission(
    MutatingAdmission webhooks, PolicyAdmission policies, OwnerReferencePermissions? owners, UserInfo user, Func<JsonObject> options, CancellationToken cancellation)
{
    private readonly List<string> warnings = [];
    private readonly List<AdmissionCall> calls = [];

    public UserInfo User => user;

    public JsonObject Options => field ??= options();

    /// <summary>False while there are no webhooks at all, which spares most tests' servers the rest.</summary>
    public bool IsNeeded => owners is not null || webhooks.Any;

    /// <summary>False while no policy is in force.</summary>
    public bool IsJudged => policies.Any;

    public CancellationToken Cancellation => cancellation;

    /// <summary>What webhooks and policies warned of, whether they allowed the request or not.</summary>
    public IReadOnlyList<string> Warnings => warnings;

    public IReadOnlyList<AdmissionCall> Calls => calls;

    /// <returns>The object as the webhooks want it, or null if none of them changed it.</returns>
    /// <exception cref="StatusException">The user may not name such an owner, a webhook denied the request, or could not be asked and must be.</exception>
    public ValueTask<JsonObject?> AdmitAsync(AdmissionAttributes request)
    {
        owners?.Require(user, request);
        return webhooks.AdmitAsync(request, this);
    }

    /// <summary>Shows the policies what is about to be done.</summary>
    /// <exception cref="StatusException">One refuses it.</exception>
    public void Judge(AdmissionAttributes request) => policies.Judge(request, this);

    internal void Note(AdmissionCall call) => calls.Add(call);

    internal void Warn(IEnumerable<string> texts) => warnings.AddRange(texts);
}
