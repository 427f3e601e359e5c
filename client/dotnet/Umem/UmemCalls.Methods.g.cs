// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;

namespace Umem;

public sealed partial class UmemCalls
{
    /// <summary>Does nothing and answers.</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply ServerPing() =>
        Add(UmemClient.ServerPingRequest());

    /// <summary>Describes the daemon: what it is, where it runs, and its limits.</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<ServerInfo> ServerInfo() =>
        Add(UmemClient.ServerInfoRequest(), Umem.ServerInfo.Read);

    /// <summary>Counts what the daemon holds and has done.</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<ServerStatsResult> ServerStats() =>
        Add(UmemClient.ServerStatsRequest(), Umem.ServerStatsResult.Read);

    /// <summary>Counts the calls of each method since the start, and how long they took.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<ServerMethodsResult> ServerMethods(ServerMethodsOptions? options = null) =>
        Add(UmemClient.ServerMethodsRequest(options), Umem.ServerMethodsResult.Read);

    /// <summary>Reads the daemon's settings again, and applies those that can change while it runs.</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<ServerReloadResult> ServerReload() =>
        Add(UmemClient.ServerReloadRequest(), Umem.ServerReloadResult.Read);

    /// <summary>Ends the daemon in order: answers that are due are sent, then all memory is freed.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply ServerShutdown(ServerShutdownOptions? options = null) =>
        Add(UmemClient.ServerShutdownRequest(options));

    /// <summary>Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap).</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapProcessResult> HeapProcess() =>
        Add(UmemClient.HeapProcessRequest(), Umem.HeapProcessResult.Read);

    /// <summary>Makes a heap (Win32 HeapCreate).</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapCreateResult> HeapCreate(HeapCreateOptions? options = null) =>
        Add(UmemClient.HeapCreateRequest(options), Umem.HeapCreateResult.Read);

    /// <summary>Lists the heaps, a page at a time.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapListResult> HeapList(HeapListOptions? options = null) =>
        Add(UmemClient.HeapListRequest(options), Umem.HeapListResult.Read);

    /// <summary>Describes a heap.</summary>
    /// <param name="heap">The heap.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapInfo> HeapInfo(HeapRef heap) =>
        Add(UmemClient.HeapInfoRequest(heap), Umem.HeapInfo.Read);

    /// <summary>Checks a heap, or one of its blocks, for damage (Win32 HeapValidate).</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapValidateResult> HeapValidate(HeapValidateOptions? options = null) =>
        Add(UmemClient.HeapValidateRequest(options), Umem.HeapValidateResult.Read);

    /// <summary>Joins free ranges of a heap and returns memory to the system (Win32 HeapCompact).</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapCompactResult> HeapCompact(HeapCompactOptions? options = null) =>
        Add(UmemClient.HeapCompactRequest(options), Umem.HeapCompactResult.Read);

    /// <summary>Waits until all that was written to a durable heap before is on the disk.</summary>
    /// <param name="heap">The heap, which is durable.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply HeapFlush(HeapRef heap) =>
        Add(UmemClient.HeapFlushRequest(heap));

    /// <summary>
    /// Locks a heap for this session: others get <c>locked</c> until it is unlocked (Win32 HeapLock).
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply HeapLock(HeapRef heap, HeapLockOptions? options = null) =>
        Add(UmemClient.HeapLockRequest(heap, options));

    /// <summary>
    /// Undoes one heap.lock (Win32 HeapUnlock); <c>denied</c> where this session has not locked the heap.
    /// </summary>
    /// <param name="heap">The heap.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply HeapUnlock(HeapRef heap) =>
        Add(UmemClient.HeapUnlockRequest(heap));

    /// <summary>Destroys a heap and frees all blocks on it (Win32 HeapDestroy).</summary>
    /// <param name="heap">The heap.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<HeapDestroyResult> HeapDestroy(HeapRef heap) =>
        Add(UmemClient.HeapDestroyRequest(heap), Umem.HeapDestroyResult.Read);

    /// <summary>Allocates a block of zeroed memory, or of the bytes given (Win32 HeapAlloc).</summary>
    /// <param name="size">Its size; 0 makes a block too.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockAllocResult> BlockAlloc(long size, BlockAllocOptions? options = null) =>
        Add(UmemClient.BlockAllocRequest(size, options), Umem.BlockAllocResult.Read);

    /// <summary>Resizes a block (Win32 HeapReAlloc).</summary>
    /// <param name="block">The block.</param>
    /// <param name="size">Its new size.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockResizeResult> BlockResize(BlockRef block, long size, BlockResizeOptions? options = null) =>
        Add(UmemClient.BlockResizeRequest(block, size, options), Umem.BlockResizeResult.Read);

    /// <summary>Describes a block.</summary>
    /// <param name="block">The block.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockInfo> BlockInfo(BlockRef block) =>
        Add(UmemClient.BlockInfoRequest(block), Umem.BlockInfo.Read);

    /// <summary>Lists the blocks, a page at a time.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockListResult> BlockList(BlockListOptions? options = null) =>
        Add(UmemClient.BlockListRequest(options), Umem.BlockListResult.Read);

    /// <summary>Finds the block that starts at an address: for debugging, since it goes through all blocks.</summary>
    /// <param name="address">As in block.alloc and block.info.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockAtResult> BlockAt(long address) =>
        Add(UmemClient.BlockAtRequest(address), Umem.BlockAtResult.Read);

    /// <summary>Names a block, changes its lifetime, or adopts an orphan.</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockChangeResult> BlockChange(BlockRef block, BlockChangeOptions? options = null) =>
        Add(UmemClient.BlockChangeRequest(block, options), Umem.BlockChangeResult.Read);

    /// <summary>Sets every byte of a range to one value (Win32 FillMemory).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockFillResult> BlockFill(BlockRef block, BlockFillOptions? options = null) =>
        Add(UmemClient.BlockFillRequest(block, options), Umem.BlockFillResult.Read);

    /// <summary>Copies bytes from one block to another, or within one (Win32 CopyMemory).</summary>
    /// <param name="source">The block to copy from.</param>
    /// <param name="target">The block to copy to; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockCopyResult> BlockCopy(BlockRef source, BlockRef target, BlockCopyOptions? options = null) =>
        Add(UmemClient.BlockCopyRequest(source, target, options), Umem.BlockCopyResult.Read);

    /// <summary>Compares bytes of two blocks (RtlCompareMemory).</summary>
    /// <param name="left">One block.</param>
    /// <param name="right">The other; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockCompareResult> BlockCompare(BlockRef left, BlockRef right, BlockCompareOptions? options = null) =>
        Add(UmemClient.BlockCompareRequest(left, right, options), Umem.BlockCompareResult.Read);

    /// <summary>Finds bytes in a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="data">The bytes to look for: at most 1 MiB.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockFindResult> BlockFind(BlockRef block, byte[] data, BlockFindOptions? options = null) =>
        Add(UmemClient.BlockFindRequest(block, data, options), Umem.BlockFindResult.Read);

    /// <summary>Holds a block for this session, so that it is not orphaned while the session is open.</summary>
    /// <param name="block">The block.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockHoldResult> BlockHold(BlockRef block) =>
        Add(UmemClient.BlockHoldRequest(block), Umem.BlockHoldResult.Read);

    /// <summary>Ends this session's hold on a block; the session that made a block holds it from the start.</summary>
    /// <param name="block">The block.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockReleaseResult> BlockRelease(BlockRef block) =>
        Add(UmemClient.BlockReleaseRequest(block), Umem.BlockReleaseResult.Read);

    /// <summary>Gives the place of a block of a shared heap in shared memory.</summary>
    /// <param name="block">The block, of a heap of kind "shared".</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockMapResult> BlockMap(BlockRef block) =>
        Add(UmemClient.BlockMapRequest(block), Umem.BlockMapResult.Read);

    /// <summary>
    /// Wakes calls that wait for a block, and notifies watches of it, that it was written through a mapping.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply BlockWake(BlockRef block, BlockWakeOptions? options = null) =>
        Add(UmemClient.BlockWakeRequest(block, options));

    /// <summary>Frees a block (Win32 HeapFree).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<BlockFreeResult> BlockFree(BlockRef block, BlockFreeOptions? options = null) =>
        Add(UmemClient.BlockFreeRequest(block, options), Umem.BlockFreeResult.Read);

    /// <summary>Describes this session.</summary>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<SessionInfo> SessionInfo() =>
        Add(UmemClient.SessionInfoRequest(), Umem.SessionInfo.Read);

    /// <summary>Lists the sessions, a page at a time.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply<SessionListResult> SessionList(SessionListOptions? options = null) =>
        Add(UmemClient.SessionListRequest(options), Umem.SessionListResult.Read);

    /// <summary>Ends a watch of this session. No notification of it comes after this is answered.</summary>
    /// <param name="watch">The watch's number.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply SessionUnwatch(long watch) =>
        Add(UmemClient.SessionUnwatchRequest(watch));

    /// <summary>Ends a session in order: it gets the answers that are due, then its connection is closed.</summary>
    /// <param name="session">The session; it may be one's own.</param>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public UmemReply SessionClose(long session) =>
        Add(UmemClient.SessionCloseRequest(session));
}
