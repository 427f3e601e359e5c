// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>The words for the parameter if_exists, see protocol.md.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public enum IfExists
{
    /// <summary>"fail"</summary>
    Fail,
    /// <summary>"open"</summary>
    Open,
    /// <summary>"replace"</summary>
    Replace,
}

/// <summary>The words for the parameter kind, see protocol.md.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public enum HeapKind
{
    /// <summary>"private"</summary>
    Private,
    /// <summary>"shared"</summary>
    Shared,
}

/// <summary>The words for the parameter lifetime, see protocol.md.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public enum Lifetime
{
    /// <summary>"server"</summary>
    Server,
    /// <summary>"session"</summary>
    Session,
    /// <summary>"durable"</summary>
    Durable,
}

internal static class Words
{
    public static string Of(IfExists value) =>
        value switch { IfExists.Fail => "fail", IfExists.Open => "open", IfExists.Replace => "replace", _ => throw Request.Refused("if_exists", value) };

    public static void Add(this Request request, string name, IfExists? value)
    {
        if (value != null)
            request.Add(name, Of(value.Value));
    }

    public static string Of(HeapKind value) =>
        value switch { HeapKind.Private => "private", HeapKind.Shared => "shared", _ => throw Request.Refused("kind", value) };

    public static void Add(this Request request, string name, HeapKind? value)
    {
        if (value != null)
            request.Add(name, Of(value.Value));
    }

    public static string Of(Lifetime value) =>
        value switch { Lifetime.Server => "server", Lifetime.Session => "session", Lifetime.Durable => "durable", _ => throw Request.Refused("lifetime", value) };

    public static void Add(this Request request, string name, Lifetime? value)
    {
        if (value != null)
            request.Add(name, Of(value.Value));
    }
}

/// <summary>What may be said to server.methods. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerMethodsOptions
{
    /// <summary>Where to continue: <c>next</c> of the page before; 0 for the first page.</summary>
    public long? After { get; set; }

    /// <summary>Most entries in the answer. If left out: 1000.</summary>
    public long? Limit { get; set; }
}

/// <summary>What may be said to server.shutdown. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerShutdownOptions
{
    /// <summary>Private endpoint of the daemon that this one hands its pipe over to, see above.</summary>
    public string? Successor { get; set; }
}

/// <summary>What may be said to heap.create. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapCreateOptions
{
    /// <summary>Win32 heap flags, see Flags.</summary>
    public HeapFlags? Flags { get; set; }

    /// <summary>Memory to commit at once: a hint.</summary>
    public long? InitialSize { get; set; }

    /// <summary>Most that the sizes of its blocks may add up to; a shared heap must have one.</summary>
    public long? MaximumSize { get; set; }

    /// <summary>A name that may stand for the handle.</summary>
    public string? Name { get; set; }

    /// <summary>
    /// What it is made of: "shared" is memory that clients may map, see Shared heaps. If left out: private.
    /// </summary>
    public HeapKind? Kind { get; set; }

    /// <summary>
    /// "session": destroyed when the session that made it ends; "durable": of kind shared, and there again when the
    /// daemon is started again, see Durable heaps. If left out: server.
    /// </summary>
    public Lifetime? Lifetime { get; set; }

    /// <summary>Every block starts at a multiple of it: a power of two. If left out: 16.</summary>
    public long? Alignment { get; set; }

    /// <summary>
    /// What to do if a heap has the name: fail as <c>name_taken</c>, or open that heap, see Publishing by name. If
    /// left out: fail.
    /// </summary>
    public IfExists? IfExists { get; set; }
}

/// <summary>What may be said to heap.list. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapListOptions
{
    /// <summary>Where to continue: <c>next</c> of the page before; 0 for the first page.</summary>
    public long? After { get; set; }

    /// <summary>Most entries in the answer. If left out: 1000.</summary>
    public long? Limit { get; set; }
}

/// <summary>What may be said to heap.validate. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapValidateOptions
{
    /// <summary>The heap; left out beside <c>block</c>: the block's. If left out: process.</summary>
    public HeapRef? Heap { get; set; }

    /// <summary>Only this block of the heap.</summary>
    public BlockRef? Block { get; set; }
}

/// <summary>What may be said to heap.compact. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapCompactOptions
{
    /// <summary>The heap. If left out: process.</summary>
    public HeapRef? Heap { get; set; }
}

/// <summary>What may be said to heap.lock. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapLockOptions
{
    /// <summary>How long to wait for another session's lock to end; 0: not at all.</summary>
    public long? TimeoutMs { get; set; }
}

/// <summary>What may be said to block.alloc. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockAllocOptions
{
    /// <summary>Where to allocate. If left out: process.</summary>
    public HeapRef? Heap { get; set; }

    /// <summary>Win32 heap flags, see Flags.</summary>
    public HeapFlags? Flags { get; set; }

    /// <summary>A name that may stand for the handle.</summary>
    public string? Name { get; set; }

    /// <summary>"session": freed when the session that made it ends. If left out: server.</summary>
    public Lifetime? Lifetime { get; set; }

    /// <summary>
    /// Bytes to begin with; the others are zero. Left out with "raw", where the bytes follow the message, as many as
    /// the block has.
    /// </summary>
    public byte[]? Data { get; set; }

    /// <summary>
    /// What to do if a block has the name: fail as <c>name_taken</c>, open that block, or free it and give the new
    /// one its name, see Publishing by name. If left out: fail.
    /// </summary>
    public IfExists? IfExists { get; set; }
}

/// <summary>What may be said to block.resize. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockResizeOptions
{
    /// <summary>
    /// Win32 heap flags, see Flags; with <c>realloc_in_place_only</c> it is <c>no_memory</c> rather than moved.
    /// </summary>
    public HeapFlags? Flags { get; set; }
}

/// <summary>What may be said to block.list. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockListOptions
{
    /// <summary>Only blocks of this heap.</summary>
    public HeapRef? Heap { get; set; }

    /// <summary>Only blocks that this session made; it may have ended.</summary>
    public long? Session { get; set; }

    /// <summary>true: only orphaned blocks.</summary>
    public bool? Orphaned { get; set; }

    /// <summary>Where to continue: <c>next</c> of the page before; 0 for the first page.</summary>
    public long? After { get; set; }

    /// <summary>Most entries in the answer. If left out: 1000.</summary>
    public long? Limit { get; set; }
}

/// <summary>What may be said to block.change. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockChangeOptions
{
    /// <summary>Its new name; "" takes the name away.</summary>
    public string? Name { get; set; }

    /// <summary>"session": of this session, which becomes its owner.</summary>
    public Lifetime? Lifetime { get; set; }

    /// <summary>
    /// What to do if another block has the name: fail as <c>name_taken</c>, or free it and give this one its name. If
    /// left out: fail.
    /// </summary>
    public IfExists? IfExists { get; set; }
}

/// <summary>What may be said to block.fill. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFillOptions
{
    /// <summary>The byte to write.</summary>
    public long? Value { get; set; }

    /// <summary>Where to begin.</summary>
    public long? Offset { get; set; }

    /// <summary>How many bytes to fill.</summary>
    public long? Size { get; set; }
}

/// <summary>What may be said to block.copy. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockCopyOptions
{
    /// <summary>Where to begin in the source.</summary>
    public long? SourceOffset { get; set; }

    /// <summary>Where to begin in the target.</summary>
    public long? TargetOffset { get; set; }

    /// <summary>How much to copy.</summary>
    public long? Size { get; set; }
}

/// <summary>What may be said to block.compare. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockCompareOptions
{
    /// <summary>Where to begin in the one.</summary>
    public long? LeftOffset { get; set; }

    /// <summary>Where to begin in the other.</summary>
    public long? RightOffset { get; set; }

    /// <summary>How much to compare.</summary>
    public long? Size { get; set; }
}

/// <summary>What may be said to block.find. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFindOptions
{
    /// <summary>Where to begin.</summary>
    public long? Offset { get; set; }
}

/// <summary>What may be said to block.wake. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockWakeOptions
{
    /// <summary>Where the bytes that were written begin.</summary>
    public long? Offset { get; set; }

    /// <summary>How many they are.</summary>
    public long? Size { get; set; }
}

/// <summary>What may be said to block.free. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFreeOptions
{
    /// <summary>true: refuse unless it is orphaned.</summary>
    public bool? IfOrphaned { get; set; }
}

/// <summary>What may be said to session.list. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class SessionListOptions
{
    /// <summary>Where to continue: <c>next</c> of the page before; 0 for the first page.</summary>
    public long? After { get; set; }

    /// <summary>Most entries in the answer. If left out: 1000.</summary>
    public long? Limit { get; set; }
}

/// <summary>What may be said to session.watch. What is left null is not sent.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class SessionWatchOptions
{
    /// <summary>A heap, with all its blocks.</summary>
    public HeapRef? Heap { get; set; }

    /// <summary>A block.</summary>
    public BlockRef? Block { get; set; }

    /// <summary>Of a block: where the bytes that matter begin.</summary>
    public long? Offset { get; set; }

    /// <summary>How many they are; to the end is wherever the block ends at the time.</summary>
    public long? Size { get; set; }
}

/// <summary>What the daemon answers: ServerInfo.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerInfo
{
    internal ServerInfo()
    {
    }

    /// <summary>Always "umemd".</summary>
    public string Name { get; private set; } = null!;

    /// <summary>The program's version.</summary>
    public string Version { get; private set; } = null!;

    /// <summary>The protocol's version: 1.</summary>
    public long Protocol { get; private set; }

    /// <summary>"windows", "linux" or another system's name.</summary>
    public string Platform { get; private set; } = null!;

    /// <summary>What the heaps are: "win32" or "posix".</summary>
    public string Backend { get; private set; } = null!;

    /// <summary>The daemon's process id.</summary>
    public long Pid { get; private set; }

    /// <summary>Where clients connect.</summary>
    public string Pipe { get; private set; } = null!;

    /// <summary>When it started.</summary>
    public long Started { get; private set; }

    /// <summary>How long it has run.</summary>
    public long UptimeSeconds { get; private set; }

    /// <summary>Each limit by name.</summary>
    public IReadOnlyDictionary<string, long> Limits { get; private set; } = null!;

    /// <summary>
    /// What can differ between daemons: "guard" and "wipe" where it was started with these options, "headers", "raw",
    /// "shared", "wait", "watch".
    /// </summary>
    public IReadOnlyList<string> Features { get; private set; } = null!;

    internal static ServerInfo Read(JsonElement json) => new()
    {
        Name = Json.String(json, "name"),
        Version = Json.String(json, "version"),
        Protocol = Json.Long(json, "protocol"),
        Platform = Json.String(json, "platform"),
        Backend = Json.String(json, "backend"),
        Pid = Json.Long(json, "pid"),
        Pipe = Json.String(json, "pipe"),
        Started = Json.Long(json, "started"),
        UptimeSeconds = Json.Long(json, "uptime_seconds"),
        Limits = Json.Map(json, "limits"),
        Features = Json.List(json, "features", Json.Text),
    };
}

/// <summary>What the daemon answers: Owner.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class Owner
{
    internal Owner()
    {
    }

    /// <summary>The session that made it.</summary>
    public long Session { get; private set; }

    /// <summary>That client's process id; 0 where it is not known.</summary>
    public long Pid { get; private set; }

    /// <summary>That client's program; "" where it is not known.</summary>
    public string Program { get; private set; } = null!;

    /// <summary>Who ran it; "" where it is not known.</summary>
    public string User { get; private set; } = null!;

    internal static Owner Read(JsonElement json) => new()
    {
        Session = Json.Long(json, "session"),
        Pid = Json.Long(json, "pid"),
        Program = Json.String(json, "program"),
        User = Json.String(json, "user"),
    };
}

/// <summary>What the daemon answers: HeapInfoSizeClassesItem.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapInfoSizeClassesItem
{
    internal HeapInfoSizeClassesItem()
    {
    }

    /// <summary>Of a slot: a block is at most so large.</summary>
    public long Size { get; private set; }

    /// <summary>Slots that are blocks.</summary>
    public long Used { get; private set; }

    /// <summary>Slots beside them that are not.</summary>
    public long Free { get; private set; }

    internal static HeapInfoSizeClassesItem Read(JsonElement json) => new()
    {
        Size = Json.Long(json, "size"),
        Used = Json.Long(json, "used"),
        Free = Json.Long(json, "free"),
    };
}

/// <summary>What the daemon answers: HeapInfo.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapInfo
{
    internal HeapInfo()
    {
    }

    /// <summary>The handle.</summary>
    public long Heap { get; private set; }

    /// <summary>Its name.</summary>
    public string? Name { get; private set; }

    /// <summary>"process", "private" or "shared".</summary>
    public string Kind { get; private set; } = null!;

    /// <summary>As it was created with.</summary>
    public IReadOnlyList<string> Flags { get; private set; } = null!;

    /// <summary>As it was created with.</summary>
    public long InitialSize { get; private set; }

    /// <summary>As it was created with; 0: growable.</summary>
    public long MaximumSize { get; private set; }

    /// <summary>Of its blocks.</summary>
    public long Alignment { get; private set; }

    /// <summary>Blocks on it.</summary>
    public long Blocks { get; private set; }

    /// <summary>Their sizes together.</summary>
    public long Bytes { get; private set; }

    /// <summary>Most that bytes has been.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Calls about it or its blocks since the daemon was started.</summary>
    public long Calls { get; private set; }

    /// <summary>Of its blocks that these calls were about: read, written, compared or searched.</summary>
    public long TouchedBytes { get; private set; }

    /// <summary>When the last of them came; null: there was none.</summary>
    public long? LastUsed { get; private set; }

    /// <summary>"server", "session" or "durable".</summary>
    public string Lifetime { get; private set; } = null!;

    /// <summary>Who made it; null: the daemon.</summary>
    public Owner? Owner { get; private set; }

    /// <summary>Whether a session holds its lock.</summary>
    public bool Locked { get; private set; }

    /// <summary>
    /// Of address space, or of the shared memory object; this and what follows not for Win32 heaps.
    /// </summary>
    public long? Reserved { get; private set; }

    /// <summary>Of these, how many the system has promised memory for.</summary>
    public long? Committed { get; private set; }

    /// <summary>In no block; a block takes up a multiple of the alignment, or a slot of its size class.</summary>
    public long? Free { get; private set; }

    /// <summary>Pieces that these lie in, beside the slots of size classes.</summary>
    public long? FreeRanges { get; private set; }

    /// <summary>The largest piece; the less of <c>free</c> it is, the more fragmented the heap.</summary>
    public long? LargestFree { get; private set; }

    /// <summary>
    /// Whether a client has truncated the shared memory object, or a durable heap's files are damaged.
    /// </summary>
    public bool? Corrupted { get; private set; }

    /// <summary>Size classes that have slots, by size: small blocks share pages by their sizes.</summary>
    public IReadOnlyList<HeapInfoSizeClassesItem>? SizeClasses { get; private set; }

    internal static HeapInfo Read(JsonElement json) => new()
    {
        Heap = Json.Long(json, "heap"),
        Name = Json.StringOrNull(json, "name"),
        Kind = Json.String(json, "kind"),
        Flags = Json.List(json, "flags", Json.Text),
        InitialSize = Json.Long(json, "initial_size"),
        MaximumSize = Json.Long(json, "maximum_size"),
        Alignment = Json.Long(json, "alignment"),
        Blocks = Json.Long(json, "blocks"),
        Bytes = Json.Long(json, "bytes"),
        PeakBytes = Json.Long(json, "peak_bytes"),
        Calls = Json.Long(json, "calls"),
        TouchedBytes = Json.Long(json, "touched_bytes"),
        LastUsed = Json.LongOrNull(json, "last_used"),
        Lifetime = Json.String(json, "lifetime"),
        Owner = Json.ObjectOrNull(json, "owner", Owner.Read),
        Locked = Json.Bool(json, "locked"),
        Reserved = Json.LongOrNull(json, "reserved"),
        Committed = Json.LongOrNull(json, "committed"),
        Free = Json.LongOrNull(json, "free"),
        FreeRanges = Json.LongOrNull(json, "free_ranges"),
        LargestFree = Json.LongOrNull(json, "largest_free"),
        Corrupted = Json.BoolOrNull(json, "corrupted"),
        SizeClasses = Json.ListOrNull(json, "size_classes", HeapInfoSizeClassesItem.Read),
    };
}

/// <summary>What the daemon answers: BlockInfo.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockInfo
{
    internal BlockInfo()
    {
    }

    /// <summary>The handle.</summary>
    public long Block { get; private set; }

    /// <summary>Its name.</summary>
    public string? Name { get; private set; }

    /// <summary>Where it was allocated.</summary>
    public long Heap { get; private set; }

    /// <summary>Its size.</summary>
    public long Size { get; private set; }

    /// <summary>Where it lies in the daemon: unique among the blocks alive.</summary>
    public ulong Address { get; private set; }

    /// <summary>"server" or "session".</summary>
    public string Lifetime { get; private set; } = null!;

    /// <summary>Who made it.</summary>
    public Owner? Owner { get; private set; }

    /// <summary>Open sessions that hold it.</summary>
    public long Holders { get; private set; }

    /// <summary>No name, and no open session holds it.</summary>
    public bool Orphaned { get; private set; }

    /// <summary>When it was allocated.</summary>
    public long Created { get; private set; }

    internal static BlockInfo Read(JsonElement json) => new()
    {
        Block = Json.Long(json, "block"),
        Name = Json.StringOrNull(json, "name"),
        Heap = Json.Long(json, "heap"),
        Size = Json.Long(json, "size"),
        Address = Json.ULong(json, "address"),
        Lifetime = Json.String(json, "lifetime"),
        Owner = Json.ObjectOrNull(json, "owner", Owner.Read),
        Holders = Json.Long(json, "holders"),
        Orphaned = Json.Bool(json, "orphaned"),
        Created = Json.Long(json, "created"),
    };
}

/// <summary>What the daemon answers: SessionInfo.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class SessionInfo
{
    internal SessionInfo()
    {
    }

    /// <summary>Its number.</summary>
    public long Session { get; private set; }

    /// <summary>The client's process id; 0 where it is not known.</summary>
    public long Pid { get; private set; }

    /// <summary>The client's program; "" where it is not known.</summary>
    public string Program { get; private set; } = null!;

    /// <summary>Who runs it; "" where it is not known.</summary>
    public string User { get; private set; } = null!;

    /// <summary>When it connected.</summary>
    public long Opened { get; private set; }

    /// <summary>Blocks alive that it made.</summary>
    public long Blocks { get; private set; }

    /// <summary>Their sizes together.</summary>
    public long Bytes { get; private set; }

    /// <summary>Answers that it has not taken yet.</summary>
    public long QueuedBytes { get; private set; }

    /// <summary>Requests of it that were answered, those of batches by themselves.</summary>
    public long Calls { get; private set; }

    /// <summary>Of these, how many with an error.</summary>
    public long Errors { get; private set; }

    /// <summary>Received from it.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Sent to it.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>When its last request was answered; null: none was.</summary>
    public long? LastUsed { get; private set; }

    internal static SessionInfo Read(JsonElement json) => new()
    {
        Session = Json.Long(json, "session"),
        Pid = Json.Long(json, "pid"),
        Program = Json.String(json, "program"),
        User = Json.String(json, "user"),
        Opened = Json.Long(json, "opened"),
        Blocks = Json.Long(json, "blocks"),
        Bytes = Json.Long(json, "bytes"),
        QueuedBytes = Json.Long(json, "queued_bytes"),
        Calls = Json.Long(json, "calls"),
        Errors = Json.Long(json, "errors"),
        BytesRead = Json.Long(json, "bytes_read"),
        BytesWritten = Json.Long(json, "bytes_written"),
        LastUsed = Json.LongOrNull(json, "last_used"),
    };
}

/// <summary>What the daemon answers: ServerStatsResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerStatsResult
{
    internal ServerStatsResult()
    {
    }

    /// <summary>Heaps, the process heap counted.</summary>
    public long Heaps { get; private set; }

    /// <summary>Blocks.</summary>
    public long Blocks { get; private set; }

    /// <summary>Sizes of all blocks together.</summary>
    public long Bytes { get; private set; }

    /// <summary>Most that bytes has been.</summary>
    public long PeakBytes { get; private set; }

    /// <summary>Blocks without a name that no open session holds.</summary>
    public long OrphanedBlocks { get; private set; }

    /// <summary>Their sizes together.</summary>
    public long OrphanedBytes { get; private set; }

    /// <summary>
    /// Of blocks that are gone, from which answers are still sent; they count for the limits as blocks do.
    /// </summary>
    public long PinnedBytes { get; private set; }

    /// <summary>Clients connected.</summary>
    public long Sessions { get; private set; }

    /// <summary>Requests since the start, bad ones and this one counted.</summary>
    public long Requests { get; private set; }

    /// <summary>Those that were answered with an error.</summary>
    public long Errors { get; private set; }

    /// <summary>Received from all clients since the start.</summary>
    public long BytesRead { get; private set; }

    /// <summary>Sent to all clients since the start.</summary>
    public long BytesWritten { get; private set; }

    /// <summary>Most that sessions has been.</summary>
    public long PeakSessions { get; private set; }

    /// <summary>Calls that wait.</summary>
    public long Waits { get; private set; }

    /// <summary>Watches of all sessions.</summary>
    public long Watches { get; private set; }

    /// <summary>Holds of sessions on blocks that others made.</summary>
    public long Holds { get; private set; }

    /// <summary>Memory that answers take which clients have not read yet.</summary>
    public long UnsentBytes { get; private set; }

    /// <summary>Most that it has been.</summary>
    public long PeakUnsentBytes { get; private set; }

    /// <summary>Memory that messages and batches' payloads take which are not whole yet or not done yet.</summary>
    public long GatheredBytes { get; private set; }

    /// <summary>Most that it has been.</summary>
    public long PeakGatheredBytes { get; private set; }

    /// <summary>
    /// Of processor time that the daemon has taken; 0 where the system does not tell, as for the next two.
    /// </summary>
    public long CpuUserUs { get; private set; }

    /// <summary>Likewise, in the system's calls.</summary>
    public long CpuSystemUs { get; private set; }

    /// <summary>Of memory that the daemon has now.</summary>
    public long ResidentBytes { get; private set; }

    /// <summary>Errors since the start that were about a limit, for each limit by name.</summary>
    public IReadOnlyDictionary<string, long> Refusals { get; private set; } = null!;

    internal static ServerStatsResult Read(JsonElement json) => new()
    {
        Heaps = Json.Long(json, "heaps"),
        Blocks = Json.Long(json, "blocks"),
        Bytes = Json.Long(json, "bytes"),
        PeakBytes = Json.Long(json, "peak_bytes"),
        OrphanedBlocks = Json.Long(json, "orphaned_blocks"),
        OrphanedBytes = Json.Long(json, "orphaned_bytes"),
        PinnedBytes = Json.Long(json, "pinned_bytes"),
        Sessions = Json.Long(json, "sessions"),
        Requests = Json.Long(json, "requests"),
        Errors = Json.Long(json, "errors"),
        BytesRead = Json.Long(json, "bytes_read"),
        BytesWritten = Json.Long(json, "bytes_written"),
        PeakSessions = Json.Long(json, "peak_sessions"),
        Waits = Json.Long(json, "waits"),
        Watches = Json.Long(json, "watches"),
        Holds = Json.Long(json, "holds"),
        UnsentBytes = Json.Long(json, "unsent_bytes"),
        PeakUnsentBytes = Json.Long(json, "peak_unsent_bytes"),
        GatheredBytes = Json.Long(json, "gathered_bytes"),
        PeakGatheredBytes = Json.Long(json, "peak_gathered_bytes"),
        CpuUserUs = Json.Long(json, "cpu_user_us"),
        CpuSystemUs = Json.Long(json, "cpu_system_us"),
        ResidentBytes = Json.Long(json, "resident_bytes"),
        Refusals = Json.Map(json, "refusals"),
    };
}

/// <summary>What the daemon answers: ServerMethodsResultMethodsItemLatencyItem.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerMethodsResultMethodsItemLatencyItem
{
    internal ServerMethodsResultMethodsItemLatencyItem()
    {
    }

    /// <summary>
    /// How long these calls took at most, and longer than the entry before; null: longer than that.
    /// </summary>
    public long? AtMostUs { get; private set; }

    /// <summary>How many they are.</summary>
    public long Calls { get; private set; }

    internal static ServerMethodsResultMethodsItemLatencyItem Read(JsonElement json) => new()
    {
        AtMostUs = Json.LongOrNull(json, "at_most_us"),
        Calls = Json.Long(json, "calls"),
    };
}

/// <summary>What the daemon answers: ServerMethodsResultMethodsItem.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerMethodsResultMethodsItem
{
    internal ServerMethodsResultMethodsItem()
    {
    }

    /// <summary>The method; null: what was no request, or named no method there is.</summary>
    public string? Method { get; private set; }

    /// <summary>Calls that were answered, those of batches and notifications counted.</summary>
    public long Calls { get; private set; }

    /// <summary>Of these, how many with an error.</summary>
    public long Errors { get; private set; }

    /// <summary>
    /// Of these, how many waited for a change, a lock, a time, a sync, or bytes of their client; their time is not
    /// measured.
    /// </summary>
    public long Waited { get; private set; }

    /// <summary>What all took together that did not wait.</summary>
    public long TotalUs { get; private set; }

    /// <summary>What the longest of these took.</summary>
    public long LongestUs { get; private set; }

    /// <summary>How many of these took how long; the bounds are always the same.</summary>
    public IReadOnlyList<ServerMethodsResultMethodsItemLatencyItem> Latency { get; private set; } = null!;

    internal static ServerMethodsResultMethodsItem Read(JsonElement json) => new()
    {
        Method = Json.StringOrNull(json, "method"),
        Calls = Json.Long(json, "calls"),
        Errors = Json.Long(json, "errors"),
        Waited = Json.Long(json, "waited"),
        TotalUs = Json.Long(json, "total_us"),
        LongestUs = Json.Long(json, "longest_us"),
        Latency = Json.List(json, "latency", ServerMethodsResultMethodsItemLatencyItem.Read),
    };
}

/// <summary>What the daemon answers: ServerMethodsResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerMethodsResult
{
    internal ServerMethodsResult()
    {
    }

    /// <summary>Those that were called.</summary>
    public IReadOnlyList<ServerMethodsResultMethodsItem> Methods { get; private set; } = null!;

    /// <summary>What to pass as <c>after</c>; null at the end.</summary>
    public long? Next { get; private set; }

    internal static ServerMethodsResult Read(JsonElement json) => new()
    {
        Methods = Json.List(json, "methods", ServerMethodsResultMethodsItem.Read),
        Next = Json.LongOrNull(json, "next"),
    };
}

/// <summary>What the daemon answers: ServerReloadResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class ServerReloadResult
{
    internal ServerReloadResult()
    {
    }

    /// <summary>The configuration file; null: there is none.</summary>
    public string? Config { get; private set; }

    /// <summary>The settings that have new values now.</summary>
    public IReadOnlyList<string> Applied { get; private set; } = null!;

    /// <summary>Settings that have other values than the daemon runs with, which only a restart applies.</summary>
    public IReadOnlyList<string> Restart { get; private set; } = null!;

    internal static ServerReloadResult Read(JsonElement json) => new()
    {
        Config = Json.StringOrNull(json, "config"),
        Applied = Json.List(json, "applied", Json.Text),
        Restart = Json.List(json, "restart", Json.Text),
    };
}

/// <summary>What the daemon answers: HeapProcessResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapProcessResult
{
    internal HeapProcessResult()
    {
    }

    /// <summary>The heap.</summary>
    public long Heap { get; private set; }

    internal static HeapProcessResult Read(JsonElement json) => new()
    {
        Heap = Json.Long(json, "heap"),
    };
}

/// <summary>What the daemon answers: HeapCreateResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapCreateResult
{
    internal HeapCreateResult()
    {
    }

    /// <summary>The heap.</summary>
    public long Heap { get; private set; }

    /// <summary>With <c>if_exists</c>: whether the heap is new; false: it was opened.</summary>
    public bool? Created { get; private set; }

    internal static HeapCreateResult Read(JsonElement json) => new()
    {
        Heap = Json.Long(json, "heap"),
        Created = Json.BoolOrNull(json, "created"),
    };
}

/// <summary>What the daemon answers: HeapListResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapListResult
{
    internal HeapListResult()
    {
    }

    /// <summary>Each as in heap.info, without <c>size_classes</c>.</summary>
    public IReadOnlyList<HeapInfo> Heaps { get; private set; } = null!;

    /// <summary>What to pass as <c>after</c>; null at the end.</summary>
    public long? Next { get; private set; }

    /// <summary>How many heaps Win32 GetProcessHeaps counts; Windows only.</summary>
    public long? ProcessHeaps { get; private set; }

    internal static HeapListResult Read(JsonElement json) => new()
    {
        Heaps = Json.List(json, "heaps", HeapInfo.Read),
        Next = Json.LongOrNull(json, "next"),
        ProcessHeaps = Json.LongOrNull(json, "process_heaps"),
    };
}

/// <summary>What the daemon answers: HeapValidateResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapValidateResult
{
    internal HeapValidateResult()
    {
    }

    /// <summary>Always true: damage is the error <c>corrupted</c>, with the block.</summary>
    public bool Valid { get; private set; }

    internal static HeapValidateResult Read(JsonElement json) => new()
    {
        Valid = Json.Bool(json, "valid"),
    };
}

/// <summary>What the daemon answers: HeapCompactResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapCompactResult
{
    internal HeapCompactResult()
    {
    }

    /// <summary>
    /// The largest free range that the heap has committed, and of a shared heap the largest of all; 0 where the
    /// system does not report it.
    /// </summary>
    public long LargestFree { get; private set; }

    internal static HeapCompactResult Read(JsonElement json) => new()
    {
        LargestFree = Json.Long(json, "largest_free"),
    };
}

/// <summary>What the daemon answers: HeapDestroyResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class HeapDestroyResult
{
    internal HeapDestroyResult()
    {
    }

    /// <summary>How many blocks were freed with it.</summary>
    public long Blocks { get; private set; }

    /// <summary>Their sizes together.</summary>
    public long Bytes { get; private set; }

    internal static HeapDestroyResult Read(JsonElement json) => new()
    {
        Blocks = Json.Long(json, "blocks"),
        Bytes = Json.Long(json, "bytes"),
    };
}

/// <summary>What the daemon answers: BlockAllocResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockAllocResult
{
    internal BlockAllocResult()
    {
    }

    /// <summary>The block.</summary>
    public long Block { get; private set; }

    /// <summary>As requested.</summary>
    public long Size { get; private set; }

    /// <summary>Where it lies in the daemon: unique among the blocks alive.</summary>
    public ulong Address { get; private set; }

    /// <summary>With <c>if_exists</c>: whether the block is new; false: it was opened.</summary>
    public bool? Created { get; private set; }

    /// <summary>The block that had the name and was freed; missing where none was.</summary>
    public long? Replaced { get; private set; }

    internal static BlockAllocResult Read(JsonElement json) => new()
    {
        Block = Json.Long(json, "block"),
        Size = Json.Long(json, "size"),
        Address = Json.ULong(json, "address"),
        Created = Json.BoolOrNull(json, "created"),
        Replaced = Json.LongOrNull(json, "replaced"),
    };
}

/// <summary>What the daemon answers: BlockResizeResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockResizeResult
{
    internal BlockResizeResult()
    {
    }

    /// <summary>The block.</summary>
    public long Block { get; private set; }

    /// <summary>As requested.</summary>
    public long Size { get; private set; }

    /// <summary>Where it lies in the daemon: unique among the blocks alive.</summary>
    public ulong Address { get; private set; }

    internal static BlockResizeResult Read(JsonElement json) => new()
    {
        Block = Json.Long(json, "block"),
        Size = Json.Long(json, "size"),
        Address = Json.ULong(json, "address"),
    };
}

/// <summary>What the daemon answers: BlockListResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockListResult
{
    internal BlockListResult()
    {
    }

    /// <summary>Each as in block.info.</summary>
    public IReadOnlyList<BlockInfo> Blocks { get; private set; } = null!;

    /// <summary>What to pass as <c>after</c>; null at the end.</summary>
    public long? Next { get; private set; }

    internal static BlockListResult Read(JsonElement json) => new()
    {
        Blocks = Json.List(json, "blocks", BlockInfo.Read),
        Next = Json.LongOrNull(json, "next"),
    };
}

/// <summary>What the daemon answers: BlockAtResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockAtResult
{
    internal BlockAtResult()
    {
    }

    /// <summary>The block that starts there.</summary>
    public long Block { get; private set; }

    internal static BlockAtResult Read(JsonElement json) => new()
    {
        Block = Json.Long(json, "block"),
    };
}

/// <summary>What the daemon answers: BlockChangeResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockChangeResult
{
    internal BlockChangeResult()
    {
    }

    /// <summary>The handle.</summary>
    public long Block { get; private set; }

    /// <summary>Its name.</summary>
    public string? Name { get; private set; }

    /// <summary>Where it was allocated.</summary>
    public long Heap { get; private set; }

    /// <summary>Its size.</summary>
    public long Size { get; private set; }

    /// <summary>Where it lies in the daemon: unique among the blocks alive.</summary>
    public ulong Address { get; private set; }

    /// <summary>"server" or "session".</summary>
    public string Lifetime { get; private set; } = null!;

    /// <summary>Who made it.</summary>
    public Owner? Owner { get; private set; }

    /// <summary>Open sessions that hold it.</summary>
    public long Holders { get; private set; }

    /// <summary>No name, and no open session holds it.</summary>
    public bool Orphaned { get; private set; }

    /// <summary>When it was allocated.</summary>
    public long Created { get; private set; }

    /// <summary>The block that had the name and was freed; missing where none was.</summary>
    public long? Replaced { get; private set; }

    internal static BlockChangeResult Read(JsonElement json) => new()
    {
        Block = Json.Long(json, "block"),
        Name = Json.StringOrNull(json, "name"),
        Heap = Json.Long(json, "heap"),
        Size = Json.Long(json, "size"),
        Address = Json.ULong(json, "address"),
        Lifetime = Json.String(json, "lifetime"),
        Owner = Json.ObjectOrNull(json, "owner", Owner.Read),
        Holders = Json.Long(json, "holders"),
        Orphaned = Json.Bool(json, "orphaned"),
        Created = Json.Long(json, "created"),
        Replaced = Json.LongOrNull(json, "replaced"),
    };
}

/// <summary>What the daemon answers: BlockFillResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFillResult
{
    internal BlockFillResult()
    {
    }

    /// <summary>How many bytes.</summary>
    public long Size { get; private set; }

    internal static BlockFillResult Read(JsonElement json) => new()
    {
        Size = Json.Long(json, "size"),
    };
}

/// <summary>What the daemon answers: BlockCopyResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockCopyResult
{
    internal BlockCopyResult()
    {
    }

    /// <summary>How many bytes.</summary>
    public long Size { get; private set; }

    internal static BlockCopyResult Read(JsonElement json) => new()
    {
        Size = Json.Long(json, "size"),
    };
}

/// <summary>What the daemon answers: BlockCompareResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockCompareResult
{
    internal BlockCompareResult()
    {
    }

    /// <summary>Whether all bytes are.</summary>
    public bool Equal { get; private set; }

    /// <summary>Of the first difference, from the start of the ranges; null: there is none.</summary>
    public long? Offset { get; private set; }

    internal static BlockCompareResult Read(JsonElement json) => new()
    {
        Equal = Json.Bool(json, "equal"),
        Offset = Json.LongOrNull(json, "offset"),
    };
}

/// <summary>What the daemon answers: BlockFindResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFindResult
{
    internal BlockFindResult()
    {
    }

    /// <summary>Where they first stand, from the start of the block; null: nowhere.</summary>
    public long? Offset { get; private set; }

    internal static BlockFindResult Read(JsonElement json) => new()
    {
        Offset = Json.LongOrNull(json, "offset"),
    };
}

/// <summary>What the daemon answers: BlockHoldResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockHoldResult
{
    internal BlockHoldResult()
    {
    }

    /// <summary>Open sessions that hold it now.</summary>
    public long Holders { get; private set; }

    internal static BlockHoldResult Read(JsonElement json) => new()
    {
        Holders = Json.Long(json, "holders"),
    };
}

/// <summary>What the daemon answers: BlockReleaseResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockReleaseResult
{
    internal BlockReleaseResult()
    {
    }

    /// <summary>Open sessions that hold it now.</summary>
    public long Holders { get; private set; }

    internal static BlockReleaseResult Read(JsonElement json) => new()
    {
        Holders = Json.Long(json, "holders"),
    };
}

/// <summary>What the daemon answers: BlockMapResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockMapResult
{
    internal BlockMapResult()
    {
    }

    /// <summary>
    /// The heap's object: for shm_open() or OpenFileMapping(). Of a durable heap on POSIX systems, as <c>path</c>.
    /// </summary>
    public string Name { get; private set; } = null!;

    /// <summary>The file that it is as well: on Linux, and of a durable heap.</summary>
    public string? Path { get; private set; }

    /// <summary>Where the block begins in the object.</summary>
    public long Offset { get; private set; }

    /// <summary>The block's size.</summary>
    public long Size { get; private set; }

    internal static BlockMapResult Read(JsonElement json) => new()
    {
        Name = Json.String(json, "name"),
        Path = Json.StringOrNull(json, "path"),
        Offset = Json.Long(json, "offset"),
        Size = Json.Long(json, "size"),
    };
}

/// <summary>What the daemon answers: BlockFreeResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class BlockFreeResult
{
    internal BlockFreeResult()
    {
    }

    /// <summary>How large it was.</summary>
    public long Size { get; private set; }

    internal static BlockFreeResult Read(JsonElement json) => new()
    {
        Size = Json.Long(json, "size"),
    };
}

/// <summary>What the daemon answers: SessionListResult.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class SessionListResult
{
    internal SessionListResult()
    {
    }

    /// <summary>Each as in session.info.</summary>
    public IReadOnlyList<SessionInfo> Sessions { get; private set; } = null!;

    /// <summary>What to pass as <c>after</c>; null at the end.</summary>
    public long? Next { get; private set; }

    internal static SessionListResult Read(JsonElement json) => new()
    {
        Sessions = Json.List(json, "sessions", SessionInfo.Read),
        Next = Json.LongOrNull(json, "next"),
    };
}
