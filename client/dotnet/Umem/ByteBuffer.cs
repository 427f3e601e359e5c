using System;
using System.Buffers;

namespace Umem;

/// <summary>Bytes that are written one behind the other, in memory that grows.</summary>
internal sealed class ByteBuffer : IBufferWriter<byte>
{
    private byte[] bytes = new byte[512];

    public int Count { get; private set; }

    public byte[] Bytes => bytes;

    /// <summary>Begins anew, with a gap of so many bytes.</summary>
    public void Reset(int gap)
    {
        Count = 0;
        Reserve(gap);
        Count = gap;
    }

    public void Advance(int count) => Count += count;

    public Memory<byte> GetMemory(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return bytes.AsMemory(Count);
    }

    public Span<byte> GetSpan(int sizeHint = 0)
    {
        Reserve(Math.Max(sizeHint, 1));
        return bytes.AsSpan(Count);
    }

    public void Append(byte[] source, int offset, int count)
    {
        Reserve(count);
        Buffer.BlockCopy(source, offset, bytes, Count, count);
        Count += count;
    }

    public void Append(byte value)
    {
        Reserve(1);
        bytes[Count++] = value;
    }

    private void Reserve(int count)
    {
        int needed = checked(Count + count);
        if (needed > bytes.Length)
            Array.Resize(ref bytes, Math.Max(needed, (int)Math.Min(2L * bytes.Length, 0x7fffffc7)));
    }
}
