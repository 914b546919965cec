namespace Danm.Tests.ApiServer.Admission;

/// <summary>One call of a webhook, as the log of requests keeps it.</summary>
/// <param name="Outcome"><c>allowed</c>, <c>denied</c>, or why the call failed.</param>
public sealed record AdmissionCall(string Webhook, TimeSpan Duration, string Outcome);
