using System.Buffers.Binary;

namespace Danm.Tests.EndToEnd;

/// <summary>What an executable asks of the system that loads it: the program headers of a 64-bit little-endian ELF file (gABI, chapter 5).</summary>
internal static class ElfFile
{
    /// <summary>p_type of each program header.</summary>
    /// <exception cref="InvalidDataException">This is no such file.</exception>
    public static IReadOnlyList<uint> SegmentTypes(string path)
    {
        using var file = File.OpenHandle(path);
        Span<byte> header = stackalloc byte[64];
        if (RandomAccess.Read(file, header, 0) < header.Length || !header.StartsWith((ReadOnlySpan<byte>)[0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1]))
            throw new InvalidDataException($"{path} is no 64-bit little-endian ELF file");
        var offset = BinaryPrimitives.ReadInt64LittleEndian(header[32..]);
        var size = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        var count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        var types = new uint[count];
        Span<byte> type = stackalloc byte[4];
        for (var i = 0; i < count; i++)
        {
            if (RandomAccess.Read(file, type, offset + (i * size)) < type.Length)
                throw new InvalidDataException($"{path} ends within its program headers");
            types[i] = BinaryPrimitives.ReadUInt32LittleEndian(type);
        }

        return types;
    }
}
