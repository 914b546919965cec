namespace Danm.Kube;

/// <summary>The body of an answer. One of any size may come from what only claims to be an API server: it is read up to a limit and no further.</summary>
internal static class ResponseBody
{
    // One page of names has room in this, and it is no large object yet.
    private const int ExpectedList = 80_000, ExpectedObject = 4096, SmallestList = 16 << 20;

    /// <summary>Reads it to its end.</summary>
    /// <param name="request">What was asked, for the error.</param>
    /// <param name="response">The answer.</param>
    /// <param name="limit">The most that is read, in bytes.</param>
    /// <param name="cancellation">Ends it.</param>
    /// <param name="reused">Memory that is used again, and grown as needed; null: new memory each time.</param>
    /// <exception cref="ApiException">It is larger than the limit.</exception>
    public static async Task<ReadOnlyMemory<byte>> ReadAsync(string request, HttpResponseMessage response, int limit, CancellationToken cancellation, PageBuffer? reused = null)
    {
        if (response.Content.Headers.ContentLength > limit)
            throw TooLarge();
        using var stream = await response.Content.ReadAsStreamAsync(cancellation).ConfigureAwait(false);
        // Servers do not tell how long a list is.
        var expected = response.Content.Headers.ContentLength ?? (limit >= SmallestList ? ExpectedList : ExpectedObject);
        var size = (int)Math.Clamp(expected, 256, limit) + 1;
        var buffer = reused?.Bytes.Length >= size ? reused.Bytes : GC.AllocateUninitializedArray<byte>(size);
        var length = 0;
        while (true)
        {
            if (length > limit)
                throw TooLarge();
            if (length == buffer.Length)
                Array.Resize(ref buffer, (int)Math.Min(buffer.Length * 2L, limit + 1L));
            var read = await stream.ReadAsync(buffer.AsMemory(length), cancellation).ConfigureAwait(false);
            if (read == 0)
            {
                reused?.Bytes = buffer;
                return buffer.AsMemory(0, length);
            }

            length += read;
        }

        ApiException TooLarge() => new(request, $"the answer is larger than {limit} bytes", null);
    }
}
