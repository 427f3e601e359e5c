using System;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <content>Publishing by name.</content>
public sealed partial class UmemClient
{
    /// <summary>
    /// Publishes bytes under a name: a new block has it as soon as all of them are there, and the block that had it is freed, in
    /// one step. Whoever gets them by the name has all of the old bytes or all of the new ones. If it fails, the old block stays
    /// as it was.
    /// </summary>
    /// <param name="name">The name.</param>
    /// <param name="bytes">The bytes, which are all of the block.</param>
    /// <param name="options">
    /// The heap, the lifetime and the flags of the new block. Its name, data and what to do if the name exists are not used.
    /// </param>
    /// <returns>The new block's handle.</returns>
    /// <exception cref="UmemException">
    /// The daemon refused: no_memory or limit_exceeded (there is no space for both), locked.
    /// </exception>
    public long Put(string name, byte[] bytes, BlockAllocOptions? options = null)
    {
        Check(bytes, 0, bytes?.Length ?? 0);
        if (bytes!.Length <= PieceMinimum || name == "") // which the daemon refuses at once
            return Invoke(PutRequest(name, bytes, options), BlockAllocResult.Read).Block;
        long block = BlockAlloc(bytes.Length, WithoutName(options)).Block;
        try
        {
            BlockWrite(block, 0, bytes);
            BlockChange(block, NameOptions(name, options));
            return block;
        }
        catch (UmemException)
        {
            TryFree(block);
            throw;
        }
    }

    /// <summary>Publishes bytes under a name, as <see cref="Put"/> does.</summary>
    /// <param name="name">The name.</param>
    /// <param name="bytes">The bytes, which must stay as they are until the task has ended.</param>
    /// <param name="options">The heap, the lifetime and the flags of the new block.</param>
    /// <param name="cancellationToken">Ends the waiting for answers.</param>
    /// <returns>The new block's handle.</returns>
    public async Task<long> PutAsync(string name, byte[] bytes, BlockAllocOptions? options = null,
                                     CancellationToken cancellationToken = default)
    {
        Check(bytes, 0, bytes?.Length ?? 0);
        if (bytes!.Length <= PieceMinimum || name == "") // which the daemon refuses at once
        {
            BlockAllocResult made = await InvokeAsync(PutRequest(name, bytes, options), BlockAllocResult.Read, cancellationToken)
                .ConfigureAwait(false);
            return made.Block;
        }
        BlockAllocResult large = await BlockAllocAsync(bytes.Length, WithoutName(options), cancellationToken)
            .ConfigureAwait(false);
        try
        {
            await BlockWriteAsync(large.Block, 0, bytes, cancellationToken).ConfigureAwait(false);
            await BlockChangeAsync(large.Block, NameOptions(name, options), cancellationToken).ConfigureAwait(false);
            return large.Block;
        }
        catch (Exception e) when (e is UmemException or OperationCanceledException)
        {
            TryFree(large.Block);
            throw;
        }
    }

    /// <summary>
    /// Gets what is published under a name, by one request: all of it is of one moment.
    /// </summary>
    /// <exception cref="UmemUnknownHandleException">Nothing has this name.</exception>
    public byte[] Get(string name) => BlockRead(new BlockRef(name));

    /// <summary>Gets what is published under a name, as <see cref="Get"/> does.</summary>
    public Task<byte[]> GetAsync(string name, CancellationToken cancellationToken = default) =>
        BlockReadAsync(new BlockRef(name), cancellationToken: cancellationToken);

    private static Request PutRequest(string name, byte[] bytes, BlockAllocOptions? options)
    {
        var request = new Request("block.alloc");
        request.Add("size", bytes.Length);
        request.Add("name", name ?? throw new ArgumentNullException(nameof(name)));
        request.Add("if_exists", (IfExists?)IfExists.Replace);
        request.Add("encoding", "raw");
        request.Add("heap", options?.Heap);
        request.Add("flags", options?.Flags);
        request.Add("lifetime", options?.Lifetime);
        request.Send(bytes, 0, bytes.Length);
        return request;
    }

    // Until it has its name, and the lifetime that it is to have, it ends with this session.
    private static BlockAllocOptions WithoutName(BlockAllocOptions? options) => new()
    {
        Heap = options?.Heap,
        Flags = options?.Flags,
        Lifetime = Lifetime.Session,
    };

    private static BlockChangeOptions NameOptions(string name, BlockAllocOptions? options) => new()
    {
        Name = name ?? throw new ArgumentNullException(nameof(name)),
        Lifetime = options?.Lifetime ?? Lifetime.Server,
        IfExists = IfExists.Replace,
    };
}
