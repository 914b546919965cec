using System.Text.Json.Nodes;
using Cel;
using Danm.Tests.ApiServer.Security;
using Danm.Tests.ApiServer.Store;

namespace Danm.Tests.ApiServer.Admission;

/// <summary>One ValidatingAdmissionPolicy, which <see cref="AdmissionPolicyRules"/> checked when it was written.</summary>
public sealed class AdmissionPolicy
{
    private const int LongestMessage = 5 * 1024;

    private readonly AdmissionMatch constraints;
    private readonly CelProgramDelegate[] conditions;
    private readonly (string Name, CelProgramDelegate Program)[] variables;
    private readonly Validation[] validations;
    private readonly bool ignoresFailures;

    public AdmissionPolicy(JsonObject policy)
    {
        var spec = policy["spec"]!;
        var match = spec["matchConstraints"];
        Name = policy.At("metadata", "name").String()!;
        constraints = new AdmissionMatch(match.At("resourceRules"), match.At("namespaceSelector"), match.At("objectSelector"));
        ignoresFailures = spec["failurePolicy"].String() == "Ignore";
        conditions = [.. List("matchConditions").Select(c => Program(c, "expression")!)];
        variables = [.. List("variables").Select(v => (v["name"].String()!, Program(v, "expression")!))];
        validations = [.. List("validations").Select(v => new Validation(
            Program(v, "expression")!, v["expression"].String()!.Trim(), v["message"].String()?.Trim(), Program(v, "messageExpression"), v["reason"].String() ?? "Invalid"))];

        IEnumerable<JsonNode> List(string name) => (spec[name] as JsonArray ?? []).Select(n => n!);

        static CelProgramDelegate? Program(JsonNode node, string field) => node[field].String() is { } text ? PolicyExpressions.Compile(text) : null;
    }

    public string Name { get; }

    public bool Matches(AdmissionAttributes request, ObjectStore store) => constraints.Matches(request, store);

    /// <summary>Why the request is to be refused; nothing if it may pass.</summary>
    /// <param name="request">A write that the policy is about.</param>
    /// <param name="user">Whose it is.</param>
    /// <param name="options">The request's CreateOptions, UpdateOptions, PatchOptions or DeleteOptions.</param>
    public IEnumerable<PolicyRefusal> Refusals(AdmissionAttributes request, UserInfo user, JsonObject options)
    {
        var values = new Dictionary<string, object?>
        {
            ["object"] = PolicyExpressions.Value(request.Object),
            ["oldObject"] = PolicyExpressions.Value(request.OldObject),
            ["request"] = PolicyExpressions.Value(AdmissionReviews.Request(request, user, options)),
        };
        if (IsMeant(values, out var failure) is not { } meant)
            return Failed(failure!);
        return meant ? [.. Judge(values)] : [];
    }

    /// <returns>Whether all conditions hold; null if that cannot be said, and none is known not to.</returns>
    private bool? IsMeant(Dictionary<string, object?> values, out string? failure)
    {
        failure = null;
        foreach (var condition in conditions)
        {
            if (Run(condition, values, out var why) is not true && why is null)
                return false;
            failure ??= why;
        }

        return failure is null ? true : null;
    }

    private IEnumerable<PolicyRefusal> Judge(Dictionary<string, object?> values)
    {
        var computed = new Dictionary<string, object?>();
        values["variables"] = computed;
        foreach (var (name, program) in variables)
        {
            // One that cannot be computed fails whoever reads it, and nobody else.
            var value = Run(program, values, out var why);
            if (why is null)
                computed[name] = value;
        }

        foreach (var validation in validations)
        {
            var result = Run(validation.Program, values, out var why);
            if (why is not null)
            {
                foreach (var failed in Failed(why))
                    yield return failed;
            }
            else if (result is not true)
            {
                yield return new(validation.Reason, MessageOf(validation, values));
            }
        }
    }

    private PolicyRefusal[] Failed(string why) => ignoresFailures ? [] : [new("Invalid", why)];

    private static string MessageOf(Validation validation, Dictionary<string, object?> values)
    {
        if (validation.MessageProgram is { } program && Run(program, values, out _) is string text
            && text.Trim() is { Length: > 0 and <= LongestMessage } message && !message.Contains('\n'))
            return message;
        return validation.Message is { Length: > 0 } fixedMessage ? fixedMessage : $"failed expression: {validation.Expression}";
    }

    private static object? Run(CelProgramDelegate program, Dictionary<string, object?> values, out string? why)
    {
        try
        {
            why = null;
            return program(values);
        }
        catch (Exception e) when (e is CelException or SystemException)
        {
            why = $"evaluation error: {e.Message}";
            return null;
        }
    }

    private sealed record Validation(CelProgramDelegate Program, string Expression, string? Message, CelProgramDelegate? MessageProgram, string Reason);
}
