using System.Net.Http.Headers;
using k8s.Authentication;

namespace Danm.Kube;

/// <summary>
/// A bearer token in a file that somebody renews. It is read again when a minute has passed, so a long-lived process follows the
/// renewal well before the old token dies; a CNI call reads it once.
/// </summary>
internal sealed class TokenFile(string path, TimeProvider? time = null) : ITokenProvider
{
    private static readonly TimeSpan MaxAge = TimeSpan.FromMinutes(1);

    private readonly TimeProvider clock = time ?? TimeProvider.System;
    private volatile Read? last;

    public async Task<AuthenticationHeaderValue> GetAuthenticationHeaderAsync(CancellationToken cancellationToken)
    {
        if (last is { } read && clock.GetElapsedTime(read.At) < MaxAge)
            return read.Header;
        try
        {
            var token = (await File.ReadAllTextAsync(path, cancellationToken).ConfigureAwait(false)).Trim();
            if (token.Length == 0)
                throw new KubeConfigException($"token file \"{path}\" is empty");
            var fresh = new AuthenticationHeaderValue("Bearer", token);
            last = new Read(fresh, clock.GetTimestamp());
            return fresh;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or FormatException)
        {
            throw new KubeConfigException($"cannot read token file \"{path}\": {e.Message}", e);
        }
    }

    private sealed record Read(AuthenticationHeaderValue Header, long At);
}
