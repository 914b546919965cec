namespace Danm.Webhook;

/// <summary>
/// How many bytes of reviews are worked on at once. One of the largest takes about six times its size in memory until it is answered: a
/// handful from one tenant would end a program with the memory that manifests/ give it. Small ones, which nearly all are, wait for nothing.
/// </summary>
/// <param name="most">The bytes, at least as many as one review may have.</param>
internal sealed class BodyBudget(long most)
{
    /// <summary>Up to this many bytes a review counts as small.</summary>
    public const int Small = 64 << 10;

    private readonly Lock gate = new();
    private readonly LinkedList<(long Bytes, TaskCompletionSource Turn)> waiting = new();
    private long free = most;

    /// <summary>Waits until there is room, whoever came first going first; <see cref="Release"/> gives it back.</summary>
    /// <param name="bytes">The body's length.</param>
    /// <param name="cancellation">Ends the waiting.</param>
    /// <exception cref="OperationCanceledException">It was cancelled: nothing is taken.</exception>
    public async Task TakeAsync(long bytes, CancellationToken cancellation)
    {
        if (bytes <= Small)
            return;
        LinkedListNode<(long Bytes, TaskCompletionSource Turn)> place;
        lock (gate)
        {
            if (waiting.First is null && bytes <= free)
            {
                free -= bytes;
                return;
            }

            place = waiting.AddLast((bytes, new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously)));
        }

        using var registration = cancellation.UnsafeRegister(_ => Leave(place), null);
        await place.Value.Turn.Task.ConfigureAwait(false);
    }

    /// <summary>Gives back what was taken.</summary>
    public void Release(long bytes)
    {
        if (bytes <= Small)
            return;
        lock (gate)
        {
            free += bytes;
            LetIn();
        }
    }

    private void Leave(LinkedListNode<(long Bytes, TaskCompletionSource Turn)> place)
    {
        lock (gate)
        {
            // Whoever has been let in already keeps its room, and gives it back as the others do.
            if (place.List is null)
                return;
            waiting.Remove(place);
            place.Value.Turn.SetCanceled();
            LetIn();
        }
    }

    private void LetIn()
    {
        while (waiting.First is { } next && next.Value.Bytes <= free)
        {
            waiting.RemoveFirst();
            free -= next.Value.Bytes;
            next.Value.Turn.SetResult();
        }
    }
}
