using System.Text.Json;

namespace Danm.State;

/// <summary>
/// The journal of one sandbox, locked while it is open: a file of JSON lines, each a whole <see cref="SandboxRecord"/>, the last whole
/// one counting. A line torn by a crash is passed over, so a damaged file never reads as "nothing to do" while an earlier line is there.
/// </summary>
public sealed class Journal : IDisposable
{
    // Holds the last whole line of nearly every journal, however long that has become.
    private const int TailSize = 1 << 20;

    private readonly NodeState state;
    private readonly StateFile file;

    /// <exception cref="JournalFormatException">A later build has written what this one must not act on.</exception>
    internal Journal(NodeState state, StateFile file)
    {
        this.state = state;
        this.file = file;
        if (file.Fault is not null)
        {
            IsDamaged = true;
            return;
        }

        // A sandbox of many networks with many routes has a larger record.
        var size = TailSize;
        JournalContent content;
        do
            content = Read(file.ReadTail(size));
        while (content is { Last: null, Needs: 0 } && size < file.Length && (size *= 4) > 0);
        if (content.Needs > 0)
            throw new JournalFormatException(file.Path, content.Needs);
        (Last, IsDamaged) = (content.Last, content.IsDamaged);
    }

    /// <summary>The last whole record; null in a new or wholly damaged journal.</summary>
    public SandboxRecord? Last { get; private set; }

    /// <summary>Whether there was content, and not one line of it could be read, or be believed.</summary>
    public bool IsDamaged { get; }

    /// <summary>What makes the whole file untrustworthy, as the end of "the journal …"; null if nothing does.</summary>
    public string? Fault => file.Fault;

    /// <summary>
    /// Writes the record. With <paramref name="durable"/> it is on the disk on return, which every name that is about to be created
    /// must be; what only spares later work need not.
    /// </summary>
    /// <exception cref="IOException">The disk is full or read-only.</exception>
    public void Write(SandboxRecord record, bool durable)
    {
        ArgumentNullException.ThrowIfNull(record);
        record = record with { BootId = NodeState.BootId };
        var json = JsonSerializer.SerializeToUtf8Bytes(record, StateJson.Default.SandboxRecord);
        var line = new byte[json.Length + 2];
        line[0] = (byte)'\n'; // ends a line that a crash has torn
        json.CopyTo(line, 1);
        line[^1] = (byte)'\n';
        file.Append(line, durable);
        Last = record;
    }

    /// <summary>Writes what is left to release, and marks the journal so that the next call on this node finds it.</summary>
    /// <exception cref="IOException">The disk is full or read-only: nothing is remembered.</exception>
    public void Defer(SandboxRecord record)
    {
        ArgumentNullException.ThrowIfNull(record);
        state.Mark(file.Name);
        Write(
            record.Phase == SandboxPhase.Deferred
                ? record
                : record with { Phase = SandboxPhase.Deferred, DeferredAt = NodeState.Uptime },
            durable: true);
    }

    /// <summary>Forgets the sandbox: nothing of it is left.</summary>
    public void Remove()
    {
        file.Delete();
        state.Unmark(file.Name);
    }

    /// <summary>Unlocks.</summary>
    public void Dispose() => file.Dispose();

    /// <summary>What a journal's content says.</summary>
    internal static JournalContent Read(ReadOnlySpan<byte> content)
    {
        var any = false;
        while (!content.IsEmpty)
        {
            var start = content.LastIndexOf((byte)'\n') + 1;
            var line = content[start..];
            content = start == 0 ? default : content[..(start - 1)];
            if (line.IsEmpty)
                continue;
            any = true;
            try
            {
                if (JsonSerializer.Deserialize(line, StateJson.Default.SandboxRecord) is { ContainerId.Length: > 0 } record)
                    return record.Needs > SandboxRecord.Format ? new(null, true, record.Needs) : new(record, false, 0);
            }
            catch (JsonException)
            {
                // Torn or foreign: the line before it counts. But not where a later build has written what cannot be read here.
                if (TryReadFormat(line) is { Needs: > SandboxRecord.Format } later)
                    return new(null, true, later.Needs);
            }
        }

        return new(null, any, 0);
    }

    private static RecordFormat? TryReadFormat(ReadOnlySpan<byte> line)
    {
        try
        {
            return JsonSerializer.Deserialize(line, StateJson.Default.RecordFormat);
        }
        catch (JsonException)
        {
            return null;
        }
    }
}

/// <summary>What a journal's content says.</summary>
/// <param name="Last">The last whole record; null if there is none, or a later build wrote it and this one must not act on it.</param>
/// <param name="IsDamaged">Whether there is content, and no record.</param>
/// <param name="Needs">The format that its readers must have, if this build has an older one; else 0.</param>
internal readonly record struct JournalContent(SandboxRecord? Last, bool IsDamaged, int Needs);
