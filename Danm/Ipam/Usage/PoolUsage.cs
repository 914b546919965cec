using System.Net;
using Danm.Api;
using Danm.Networks;

namespace Danm.Ipam.Usage;

/// <summary>How one family of a network's addresses is used.</summary>
public sealed class PoolUsage
{
    /// <summary>How many parts the map divides a large pool into.</summary>
    public const int MaxCells = 256;

    private readonly long[] used;
    private readonly bool[] reserved;

    internal PoolUsage(NetworkRef network, Segment segment, AddressPool pool)
    {
        (Network, Segment, Pool) = (network, segment, pool);
        CellSize = pool.Size / MaxCells + (pool.Size % MaxCells == 0 ? (UInt128)0 : 1);
        used = new long[(int)((pool.Size + CellSize - 1) / CellSize)];
        reserved = new bool[used.Length];
        for (var i = 0; CellSize == 1 && i < reserved.Length; i++)
            reserved[i] = pool.IsReserved(pool.At((UInt128)i));
    }

    /// <summary>The network.</summary>
    public NetworkRef Network { get; }

    /// <summary>The wire; networks of one wire share its addresses.</summary>
    public Segment Segment { get; }

    /// <summary>The pool.</summary>
    public AddressPool Pool { get; }

    /// <summary>Addresses of the pool that somebody has, through this network or another one of the wire.</summary>
    public long Used { get; private set; }

    /// <summary>Addresses that this network gave and that are not in its pool: static ones, or given before the pool was changed.</summary>
    public long Outside { get; private set; }

    /// <summary>Of both, those whose Pod is gone.</summary>
    public long Leaked { get; private set; }

    /// <summary>Addresses of the pool that nobody can have.</summary>
    public int Reserved => Pool.Reserved;

    /// <summary>Addresses of the pool that the next Pods can have.</summary>
    public UInt128 Free => Pool.Size - (UInt128)Reserved - (UInt128)Used;

    /// <summary>The used part of what can be used, 0 to 1.</summary>
    public double Share => Pool.Size == (UInt128)Reserved ? 1 : (double)Used / (double)(Pool.Size - (UInt128)Reserved);

    /// <summary>Nodes that leaked addresses were given on, with how many.</summary>
    public Dictionary<string, long> LeakedOn { get; } = [];

    /// <summary>How many addresses a cell of the map stands for.</summary>
    public UInt128 CellSize { get; }

    /// <summary>How many cells the map has.</summary>
    public int Cells => used.Length;

    /// <summary>The used part of a cell, 0 to 1.</summary>
    public double ShareOf(int cell)
    {
        var size = UInt128.Min(CellSize, Pool.Size - (CellSize * (UInt128)cell));
        return (double)used[cell] / (double)size;
    }

    /// <summary>Whether a cell is one address that nobody can have.</summary>
    public bool IsReserved(int cell) => reserved[cell];

    /// <summary>Counts an allocation of the wire; false if it is not of this network.</summary>
    /// <param name="address">The address.</param>
    /// <param name="isOwn">Whether this network gave it.</param>
    internal bool Add(IPAddress address, bool isOwn)
    {
        if (Pool.IndexOf(address) is { } index)
        {
            // A reserved address that somebody has all the same (given before a route's gateway was) leaves as much free as before.
            if (!Pool.IsReserved(address))
                Used++;
            used[(int)(index / CellSize)]++;
            return true;
        }

        if (!isOwn || address.AddressFamily != Pool.First.AddressFamily)
            return false;
        Outside++;
        return true;
    }

    /// <summary>Counts an address that has leaked.</summary>
    /// <param name="node">The node that gave it; empty if nobody knows.</param>
    internal void AddLeaked(string node)
    {
        Leaked++;
        LeakedOn[node] = LeakedOn.GetValueOrDefault(node) + 1;
    }
}
