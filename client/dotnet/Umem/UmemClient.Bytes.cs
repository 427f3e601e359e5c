using System;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <content>
/// The bytes of blocks. They travel as they are, behind the message. What is large is cut into pieces, the last of which is sent
/// first: if it lies within the block, all do, so that a range that does not fit changes nothing.
/// </content>
public sealed partial class UmemClient
{
    /// <summary>Every daemon takes so many raw bytes, unless it was told to take fewer; what is more asks for its limit.</summary>
    private const int PieceMinimum = 64 * 1024;

    private const int PieceMaximum = 16 * 1024 * 1024;

    /// <summary>Reads bytes of a block (<c>block.read</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="size">How many bytes to read; null: to the end.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: unknown_handle, stale_handle, out_of_range, locked, limit_exceeded.
    /// </exception>
    public byte[] BlockRead(BlockRef block, long offset = 0, long? size = null)
    {
        if (size == null)
        {
            var call = new Call { TakesAnyRaw = true };
            Request request = ReadRequest(block, offset, null);
            Run(request, call);
            return call.Into!.Value.Array!;
        }
        byte[] bytes = NewArray(size.Value);
        BlockRead(block, offset, bytes, 0, bytes.Length);
        return bytes;
    }

    /// <summary>Reads bytes of a block into an array (<c>block.read</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">Where to put them.</param>
    /// <param name="index">Where to begin in the array.</param>
    /// <param name="count">How many.</param>
    public void BlockRead(BlockRef block, long offset, byte[] bytes, int index, int count)
    {
        Check(bytes, index, count);
        if (count > PieceMinimum)
            block = OneBlock(block);
        foreach ((int from, int size) in Pieces(count))
            ReadPiece(block, offset + from, new ArraySegment<byte>(bytes, index + from, size));
    }

    /// <summary>Reads bytes of a block (<c>block.read</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="size">How many bytes to read; null: to the end.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task<byte[]> BlockReadAsync(BlockRef block, long offset = 0, long? size = null,
                                             CancellationToken cancellationToken = default)
    {
        if (size == null)
        {
            var call = new Call { TakesAnyRaw = true };
            Request request = ReadRequest(block, offset, null);
            await RunAsync(request, call, cancellationToken).ConfigureAwait(false);
            return call.Into!.Value.Array!;
        }
        byte[] bytes = NewArray(size.Value);
        if (bytes.Length <= PieceMinimum)
            await ReadPieceAsync(block, offset, new ArraySegment<byte>(bytes), cancellationToken).ConfigureAwait(false);
        else
            await BlockReadAsync(block, offset, bytes, 0, bytes.Length, cancellationToken).ConfigureAwait(false);
        return bytes;
    }

    /// <summary>Reads bytes of a block into an array (<c>block.read</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">Where to put them; it is written to until the task has ended.</param>
    /// <param name="index">Where to begin in the array.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task BlockReadAsync(BlockRef block, long offset, byte[] bytes, int index, int count,
                                     CancellationToken cancellationToken = default)
    {
        Check(bytes, index, count);
        if (count > PieceMinimum)
            block = await PrepareAsync(block, cancellationToken).ConfigureAwait(false);
        foreach ((int from, int size) in Pieces(count))
        {
            await ReadPieceAsync(block, offset + from, new ArraySegment<byte>(bytes, index + from, size), cancellationToken)
                .ConfigureAwait(false);
        }
    }

    /// <summary>Writes bytes to a block (<c>block.write</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="bytes">The bytes.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: unknown_handle, stale_handle, out_of_range, locked, limit_exceeded.
    /// </exception>
    public void BlockWrite(BlockRef block, long offset, byte[] bytes) =>
        BlockWrite(block, offset, bytes, 0, bytes?.Length ?? 0);

    /// <summary>Writes bytes of an array to a block (<c>block.write</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">Where they are.</param>
    /// <param name="index">Where they begin in the array.</param>
    /// <param name="count">How many.</param>
    public void BlockWrite(BlockRef block, long offset, byte[] bytes, int index, int count)
    {
        Check(bytes, index, count);
        if (count > PieceMinimum)
            block = OneBlock(block);
        foreach ((int from, int size) in Pieces(count))
            Invoke(WriteRequest(block, offset + from, bytes, index + from, size));
    }

    /// <summary>Writes bytes to a block (<c>block.write</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="bytes">The bytes; they must stay as they are until the task has ended.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task BlockWriteAsync(BlockRef block, long offset, byte[] bytes, CancellationToken cancellationToken = default) =>
        BlockWriteAsync(block, offset, bytes, 0, bytes?.Length ?? 0, cancellationToken);

    /// <summary>Writes bytes of an array to a block (<c>block.write</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">Where they are; they must stay as they are until the task has ended.</param>
    /// <param name="index">Where they begin in the array.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task BlockWriteAsync(BlockRef block, long offset, byte[] bytes, int index, int count,
                                      CancellationToken cancellationToken = default)
    {
        Check(bytes, index, count);
        if (count > PieceMinimum)
            block = await PrepareAsync(block, cancellationToken).ConfigureAwait(false);
        foreach ((int from, int size) in Pieces(count))
        {
            await InvokeAsync(WriteRequest(block, offset + from, bytes, index + from, size), cancellationToken)
                .ConfigureAwait(false);
        }
    }

#if NET8_0_OR_GREATER
    /// <summary>Reads bytes of a block (<c>block.read</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">Where to put them: as many as it has.</param>
    public void BlockRead(BlockRef block, long offset, Span<byte> bytes)
    {
        byte[] rented = System.Buffers.ArrayPool<byte>.Shared.Rent(bytes.Length);
        try
        {
            BlockRead(block, offset, rented, 0, bytes.Length);
            rented.AsSpan(0, bytes.Length).CopyTo(bytes);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }

    /// <summary>Writes bytes to a block (<c>block.write</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin in the block, in bytes.</param>
    /// <param name="bytes">The bytes.</param>
    public void BlockWrite(BlockRef block, long offset, ReadOnlySpan<byte> bytes)
    {
        byte[] rented = System.Buffers.ArrayPool<byte>.Shared.Rent(bytes.Length);
        try
        {
            bytes.CopyTo(rented);
            BlockWrite(block, offset, rented, 0, bytes.Length);
        }
        finally
        {
            System.Buffers.ArrayPool<byte>.Shared.Return(rented);
        }
    }
#endif

    internal static Request ReadRequest(BlockRef block, long offset, long? size)
    {
        var request = new Request("block.read");
        request.Add("block", (BlockRef?)block);
        request.Add("offset", offset);
        request.Add("size", size);
        request.Add("encoding", "raw");
        return request;
    }

    internal static Request WriteRequest(BlockRef block, long offset, byte[] bytes, int index, int count)
    {
        var request = new Request("block.write");
        request.Add("block", (BlockRef?)block);
        request.Add("offset", offset);
        request.Add("size", count);
        request.Add("encoding", "raw");
        request.Send(bytes, index, count);
        return request;
    }

    private void ReadPiece(BlockRef block, long offset, ArraySegment<byte> target) =>
        Run(ReadRequest(block, offset, target.Count), new Call { Into = target });

    private Task ReadPieceAsync(BlockRef block, long offset, ArraySegment<byte> target, CancellationToken cancellation) =>
        RunAsync(ReadRequest(block, offset, target.Count), new Call { Into = target }, cancellation);

    /// <summary>The pieces of so many bytes: the last one, then the others in order.</summary>
    private System.Collections.Generic.IEnumerable<(int From, int Size)> Pieces(int count)
    {
        if (count <= PieceMinimum)
        {
            yield return (0, count);
            yield break;
        }
        int piece = connections.Current.PieceSize;
        if (piece == 0)
        {
            piece = PieceSizeOf(ServerInfo());
            connections.Current.PieceSize = piece;
        }
        int last = (count - 1) / piece * piece;
        yield return (last, count - last);
        for (int from = 0; from < last; from += piece)
            yield return (from, piece);
    }

    /// <summary>The block by its handle: a name may become another block's between two pieces.</summary>
    private BlockRef OneBlock(BlockRef block) => block.Name == null ? block : BlockInfo(block).Block;

    /// <summary>The same, and whatever else <see cref="Pieces"/> needs, so that it does not block an asynchronous call.</summary>
    private async Task<BlockRef> PrepareAsync(BlockRef block, CancellationToken cancellation)
    {
        if (connections.Current.PieceSize == 0)
        {
            int piece = PieceSizeOf(await ServerInfoAsync(cancellation).ConfigureAwait(false));
            connections.Current.PieceSize = piece;
        }
        return block.Name == null ? block : (await BlockInfoAsync(block, cancellation).ConfigureAwait(false)).Block;
    }

    private static int PieceSizeOf(ServerInfo info) =>
        info.Limits.TryGetValue("payload_bytes", out long limit) && limit > 0 ? (int)Math.Min(limit, PieceMaximum) : PieceMinimum;

    private static byte[] NewArray(long size)
    {
        if (size is < 0 or > 0x7fffffc7)
            throw new ArgumentOutOfRangeException(nameof(size), size, "an array cannot have so many bytes");
        return new byte[size];
    }

    private static void Check(byte[]? bytes, int index, int count)
    {
        if (bytes == null)
            throw new ArgumentNullException(nameof(bytes));
        if (index < 0 || count < 0 || count > bytes.Length - index)
            throw new ArgumentOutOfRangeException(nameof(count), "the array has no such part");
    }
}
