namespace Danm.State;

/// <summary>A later build has written a journal that this one must not act on. The journal stays as it is.</summary>
public sealed class JournalFormatException : IOException
{
    /// <param name="path">The journal.</param>
    /// <param name="needs">The format that its readers must have.</param>
    public JournalFormatException(string path, int needs)
        : base($"\"{path}\" is of a later Danm: it needs format {needs}, and this one reads up to {SandboxRecord.Format}. Install the later one on this node again")
    {
    }
}
