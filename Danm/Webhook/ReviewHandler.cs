using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Danm.Api;
using Danm.Kube;
using Danm.Networks;
using Danm.Tenants;
using Microsoft.AspNetCore.Connections.Features;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Danm.Webhook;

/// <summary>
/// One admission review over HTTP: read, decided, answered in the version that it came in. What goes wrong on the way is a denial that says
/// so, never an exception; a body that is no review is the caller's fault, 400.
/// </summary>
/// <param name="log">What is said.</param>
internal sealed class ReviewHandler(ILogger log)
{
    /// <summary>The most that a review may have: two objects of 1.5 MB, the most that etcd takes, and what is around them.</summary>
    public const int MaxBody = 4 << 20;

    // With all that becomes of them, within half of the memory that manifests/ give the webhook.
    private const long MostAtOnce = 2 * MaxBody;

    // Below the 10 s that manifests/ give the API server's patience, so that the user reads why.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(8);

    private readonly BodyBudget budget = new(MostAtOnce);

    /// <summary>Whether connections are to be given up after their next answer, since the program is about to end.</summary>
    public bool IsDraining { get; set; }

    /// <summary>Answers.</summary>
    public async Task AnswerAsync(HttpContext context, IAdmission admission)
    {
        var began = Stopwatch.GetTimestamp();
        using var _ = WebhookMetrics.InFlight(admission.Name);
        if (IsDraining)
            context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        var code = await TryAnswerAsync(context, admission).ConfigureAwait(false);
        WebhookMetrics.Answered(admission.Name, code, Stopwatch.GetElapsedTime(began));
    }

    private async Task<int> TryAnswerAsync(HttpContext context, IAdmission admission)
    {
        var (request, response) = (context.Request, context.Response);
        if (!HttpMethods.IsPost(request.Method))
            return await RefuseAsync(response, StatusCodes.Status405MethodNotAllowed, "POST an AdmissionReview").ConfigureAwait(false);
        if (request.ContentType?.StartsWith("application/json", StringComparison.OrdinalIgnoreCase) != true)
            return await RefuseAsync(response, StatusCodes.Status415UnsupportedMediaType, "the Content-Type must be application/json").ConfigureAwait(false);
        var length = request.ContentLength ?? MaxBody;
        if (length > MaxBody)
            return await RefuseAsync(response, StatusCodes.Status413PayloadTooLarge, $"a review has at most {MaxBody} bytes").ConfigureAwait(false);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted);
        limit.CancelAfter(Patience);
        try
        {
            await budget.TakeAsync(length, limit.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            return await RefuseAsync(response, StatusCodes.Status503ServiceUnavailable, "too many large reviews at once: try again").ConfigureAwait(false);
        }

        try
        {
            return await ReviewAsync(context, admission, limit.Token).ConfigureAwait(false);
        }
        catch (OutOfMemoryException) when (!response.HasStarted)
        {
            // Of one large array: nothing else is hurt, and the next one may find room.
            return await RefuseAsync(response, StatusCodes.Status503ServiceUnavailable, "no memory for a review of this size at this moment: try again").ConfigureAwait(false);
        }
        finally
        {
            budget.Release(length);
        }
    }

    private async Task<int> ReviewAsync(HttpContext context, IAdmission admission, CancellationToken limit)
    {
        var (request, response) = (context.Request, context.Response);
        AdmissionReview? review;
        try
        {
            review = await ReadAsync(request, limit).ConfigureAwait(false);
        }
        catch (JsonException)
        {
            return await RefuseAsync(response, StatusCodes.Status400BadRequest, "the body is no AdmissionReview").ConfigureAwait(false);
        }
        catch (BadHttpRequestException e)
        {
            return await RefuseAsync(response, e.StatusCode, e.Message).ConfigureAwait(false);
        }
        catch (OperationCanceledException) when (!context.RequestAborted.IsCancellationRequested)
        {
            return await RefuseAsync(response, StatusCodes.Status408RequestTimeout, $"the body did not come within {Patience.TotalSeconds:0} s").ConfigureAwait(false);
        }

        if (review?.Request is not { } asked || review.ApiVersion is not ("admission.k8s.io/v1" or "admission.k8s.io/v1beta1"))
            return await RefuseAsync(response, StatusCodes.Status400BadRequest, "the body is no AdmissionReview of admission.k8s.io/v1 or v1beta1").ConfigureAwait(false);

        var decision = await DecideAsync(asked, admission, limit).ConfigureAwait(false);
        var answer = new AdmissionReview { ApiVersion = review.ApiVersion, Kind = "AdmissionReview", Response = decision.ToResponse(asked.Uid) };
        var body = JsonSerializer.SerializeToUtf8Bytes(answer, AdmissionJson.Default.AdmissionReview);
        response.ContentType = "application/json";
        response.ContentLength = body.Length;
        await response.Body.WriteAsync(body, context.RequestAborted).ConfigureAwait(false);
        if (!decision.IsAllowed)
            log.Denied(admission.Name, asked.Operation, asked.Kind?.Kind, asked.Namespace, asked.Name, decision.Status?.Message);
        WebhookMetrics.Decided(admission.Name, asked.Operation, decision.IsAllowed);
        return StatusCodes.Status200OK;
    }

    /// <summary>
    /// Into one array of the length that the sender names: one that grows would be three times as much. Where none is named, the byte beyond
    /// the most is the server's to refuse.
    /// </summary>
    private static async Task<AdmissionReview?> ReadAsync(HttpRequest request, CancellationToken limit)
    {
        var body = GC.AllocateUninitializedArray<byte>((int)(request.ContentLength ?? MaxBody + 1));
        var length = await request.Body.ReadAtLeastAsync(body, body.Length, throwOnEndOfStream: request.ContentLength is not null, limit).ConfigureAwait(false);
        return JsonSerializer.Deserialize(body.AsSpan(0, length), AdmissionJson.Default.AdmissionReview);
    }

    private async Task<Decision> DecideAsync(AdmissionRequest request, IAdmission admission, CancellationToken limit)
    {
        if (!string.IsNullOrEmpty(request.SubResource) || (request.Kind?.Group is { } group && group != ApiNames.Group))
            return Decision.Allow();
        try
        {
            return await admission.DecideAsync(request, limit).ConfigureAwait(false);
        }
        catch (NetworkFaultException e)
        {
            return Decision.Invalid(request, e.Faults);
        }
        catch (TenantNetworkExistsException e)
        {
            return Decision.Deny(StatusCodes.Status409Conflict, "AlreadyExists", e.Message);
        }
        catch (VniException e) when (e.IsTemporary)
        {
            return Decision.Deny(StatusCodes.Status503ServiceUnavailable, "ServiceUnavailable", e.Message);
        }
        catch (VniException e)
        {
            return Decision.Deny(StatusCodes.Status403Forbidden, "Forbidden", e.Message);
        }
        catch (ApiException e) when (e.Code == HttpStatusCode.UnprocessableEntity)
        {
            return Decision.Deny(StatusCodes.Status422UnprocessableEntity, "Invalid", $"the API server refuses what would have to be reserved for it: {e.Message}");
        }
        catch (ApiException e)
        {
            log.ApiFailed(e.Message);
            return Decision.Deny(StatusCodes.Status503ServiceUnavailable, "ServiceUnavailable", $"danm's webhook cannot ask the API server what the decision depends on: {e.Message}. Try again");
        }
        catch (OperationCanceledException)
        {
            return Decision.Deny(
                StatusCodes.Status503ServiceUnavailable, "ServiceUnavailable",
                $"danm's webhook could not decide within {Patience.TotalSeconds:0} s: the API server did not answer it, or TenantNetworks of this namespace that came before are not stored yet. Try again. "
                + "Where TenantNetworks of one namespace are denied again and again, ids reserved for them are free after the grace of danm controller");
        }
        catch (Exception e) when (e is not OutOfMemoryException)
        {
            log.Broke(admission.Name, request.Kind?.Kind, request.Namespace, request.Name, e);
            return Decision.Deny(StatusCodes.Status500InternalServerError, "InternalError", $"danm's webhook failed: {e.GetType().Name}; its log says more");
        }
    }

    private static async Task<int> RefuseAsync(HttpResponse response, int code, string message)
    {
        response.StatusCode = code;
        response.ContentType = "text/plain; charset=utf-8";
        await response.WriteAsync(message + "\n").ConfigureAwait(false);
        return code;
    }
}
