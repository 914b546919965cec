namespace Danm.Doctor.Node;

/// <summary>A node's folders, as seen here.</summary>
/// <param name="Bin">CNI plugins.</param>
/// <param name="Conf">CNI configurations.</param>
/// <param name="State">What the node remembers of its Pods.</param>
internal sealed record NodeFolders(string Bin, string Conf, string State);
