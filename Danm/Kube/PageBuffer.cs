namespace Danm.Kube;

/// <summary>Holds one page of a list after the other: pages of a megabyte, each in an array of its own, keep the garbage collector busy.</summary>
internal sealed class PageBuffer
{
    /// <summary>What the last page was read into; it may be longer than that page.</summary>
    public byte[] Bytes { get; set; } = [];
}
