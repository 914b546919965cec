namespace Danm.Tests.ApiServer.Admission;

/// <summary>A webhook could not be asked, or its answer is none: what <c>failurePolicy</c> decides about.</summary>
public sealed class WebhookFailure(string why) : Exception(why);
