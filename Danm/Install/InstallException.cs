namespace Danm.Install;

/// <summary>Something on the node or in the cluster that somebody has to mend, or to wait for.</summary>
/// <param name="message">What it is, and what to do.</param>
internal sealed class InstallException(string message) : Exception(message);
