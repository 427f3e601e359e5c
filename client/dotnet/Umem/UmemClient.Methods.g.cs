// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

public sealed partial class UmemClient
{
    internal static Request ServerPingRequest()
    {
        var request = new Request("server.ping");
        return request;
    }

    /// <summary>Does nothing and answers.</summary>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void ServerPing() =>
        Invoke(ServerPingRequest());

    /// <summary>Does nothing and answers.</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task ServerPingAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerPingRequest(), cancellationToken);

    internal static Request ServerInfoRequest()
    {
        var request = new Request("server.info");
        return request;
    }

    /// <summary>Describes the daemon: what it is, where it runs, and its limits.</summary>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public ServerInfo ServerInfo() =>
        Invoke(ServerInfoRequest(), Umem.ServerInfo.Read);

    /// <summary>Describes the daemon: what it is, where it runs, and its limits.</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<ServerInfo> ServerInfoAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerInfoRequest(), Umem.ServerInfo.Read, cancellationToken);

    internal static Request ServerStatsRequest()
    {
        var request = new Request("server.stats");
        return request;
    }

    /// <summary>Counts what the daemon holds and has done.</summary>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public ServerStatsResult ServerStats() =>
        Invoke(ServerStatsRequest(), Umem.ServerStatsResult.Read);

    /// <summary>Counts what the daemon holds and has done.</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<ServerStatsResult> ServerStatsAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerStatsRequest(), Umem.ServerStatsResult.Read, cancellationToken);

    internal static Request ServerMethodsRequest(ServerMethodsOptions? options)
    {
        var request = new Request("server.methods");
        if (options != null)
        {
            request.Add("after", options.After);
            request.Add("limit", options.Limit);
        }
        return request;
    }

    /// <summary>
    /// Counts the calls of each method since the start, and how long they took. Each entry has <c>method</c> (null:
    /// what was no request, or named no method there is), <c>calls</c> that were answered, those of batches and
    /// notifications counted, the <c>errors</c> among them, how many <c>waited</c> (for a change, a lock, a time, a
    /// sync, or raw bytes of their client), and of the others <c>total_us</c> and <c>longest_us</c>, in microseconds,
    /// and <c>latency</c>: a list of <c>calls</c> that took at most <c>at_most_us</c>, and longer than those before;
    /// null is however long. The bounds are the same for all methods: 1, 2, 5, 10 and so on to 10,000,000. A call's
    /// time is what the daemon worked on it: from the moment it began to read the message until the answer was
    /// written, with other clients' calls between the slices of a long one. The time that the message has waited in
    /// the pipe is not in it, nor that until a durable heap's changes are written, or until the client has read the
    /// answer. Calls of one method that come together are measured together, at most 16 of them, and count with their
    /// average.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public ServerMethodsResult ServerMethods(ServerMethodsOptions? options = null) =>
        Invoke(ServerMethodsRequest(options), Umem.ServerMethodsResult.Read);

    /// <summary>
    /// Counts the calls of each method since the start, and how long they took. Each entry has <c>method</c> (null:
    /// what was no request, or named no method there is), <c>calls</c> that were answered, those of batches and
    /// notifications counted, the <c>errors</c> among them, how many <c>waited</c> (for a change, a lock, a time, a
    /// sync, or raw bytes of their client), and of the others <c>total_us</c> and <c>longest_us</c>, in microseconds,
    /// and <c>latency</c>: a list of <c>calls</c> that took at most <c>at_most_us</c>, and longer than those before;
    /// null is however long. The bounds are the same for all methods: 1, 2, 5, 10 and so on to 10,000,000. A call's
    /// time is what the daemon worked on it: from the moment it began to read the message until the answer was
    /// written, with other clients' calls between the slices of a long one. The time that the message has waited in
    /// the pipe is not in it, nor that until a durable heap's changes are written, or until the client has read the
    /// answer. Calls of one method that come together are measured together, at most 16 of them, and count with their
    /// average.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<ServerMethodsResult> ServerMethodsAsync(ServerMethodsOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerMethodsRequest(options), Umem.ServerMethodsResult.Read, cancellationToken);

    internal static Request ServerReloadRequest()
    {
        var request = new Request("server.reload");
        return request;
    }

    /// <summary>
    /// Reads the daemon's settings again, and applies those that can change while it runs. The configuration file is
    /// read as at the start, with the daemon's own environment and command line, which count more. Settings that can
    /// change are <c>log-level</c>, <c>log-format</c>, <c>log-calls</c>, <c>log-sessions</c>, <c>slow-ms</c>, and the
    /// limits but <c>message_bytes</c>, <c>payload_bytes</c>, <c>batch_requests</c>, <c>batch_bytes</c>,
    /// <c>unsent_bytes</c> and <c>waits</c>. A limit that is lower than what is in use takes nothing away. With an
    /// error in the file nothing is changed, and <c>bad_settings</c> tells the first one. In any case the log file is
    /// reopened, which may have been renamed.
    /// </summary>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded, unsupported, bad_settings.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public ServerReloadResult ServerReload() =>
        Invoke(ServerReloadRequest(), Umem.ServerReloadResult.Read);

    /// <summary>
    /// Reads the daemon's settings again, and applies those that can change while it runs. The configuration file is
    /// read as at the start, with the daemon's own environment and command line, which count more. Settings that can
    /// change are <c>log-level</c>, <c>log-format</c>, <c>log-calls</c>, <c>log-sessions</c>, <c>slow-ms</c>, and the
    /// limits but <c>message_bytes</c>, <c>payload_bytes</c>, <c>batch_requests</c>, <c>batch_bytes</c>,
    /// <c>unsent_bytes</c> and <c>waits</c>. A limit that is lower than what is in use takes nothing away. With an
    /// error in the file nothing is changed, and <c>bad_settings</c> tells the first one. In any case the log file is
    /// reopened, which may have been renamed.
    /// </summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded, unsupported, bad_settings.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<ServerReloadResult> ServerReloadAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerReloadRequest(), Umem.ServerReloadResult.Read, cancellationToken);

    internal static Request ServerShutdownRequest(ServerShutdownOptions? options)
    {
        var request = new Request("server.shutdown");
        if (options != null)
        {
            request.Add("successor", options.Successor);
        }
        return request;
    }

    /// <summary>
    /// Ends the daemon in order: answers that are due are sent, then all memory is freed. Long calls are finished
    /// within <c>closing_ms</c>, calls that wait are not answered, and requests that come behind this one may not be
    /// done. With <c>successor</c> the pipe stays: <c>umemd --replace</c> calls this, after it has opened a private
    /// endpoint beside the pipe (on POSIX systems a socket, on Windows a pipe). The daemon connects to that endpoint,
    /// hands its pipe over, and answers; clients that connect from then on are the successor's. A session that has
    /// had no answer yet gets its first one within <c>closing_ms</c>. When all memory is freed, the daemon closes its
    /// connection to the endpoint. A daemon that a service manager has started is <c>unsupported</c>.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, denied, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void ServerShutdown(ServerShutdownOptions? options = null) =>
        Invoke(ServerShutdownRequest(options));

    /// <summary>
    /// Ends the daemon in order: answers that are due are sent, then all memory is freed. Long calls are finished
    /// within <c>closing_ms</c>, calls that wait are not answered, and requests that come behind this one may not be
    /// done. With <c>successor</c> the pipe stays: <c>umemd --replace</c> calls this, after it has opened a private
    /// endpoint beside the pipe (on POSIX systems a socket, on Windows a pipe). The daemon connects to that endpoint,
    /// hands its pipe over, and answers; clients that connect from then on are the successor's. A session that has
    /// had no answer yet gets its first one within <c>closing_ms</c>. When all memory is freed, the daemon closes its
    /// connection to the endpoint. A daemon that a service manager has started is <c>unsupported</c>.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, denied, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task ServerShutdownAsync(ServerShutdownOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(ServerShutdownRequest(options), cancellationToken);

    internal static Request HeapProcessRequest()
    {
        var request = new Request("heap.process");
        return request;
    }

    /// <summary>Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap).</summary>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapProcessResult HeapProcess() =>
        Invoke(HeapProcessRequest(), Umem.HeapProcessResult.Read);

    /// <summary>Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap).</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapProcessResult> HeapProcessAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapProcessRequest(), Umem.HeapProcessResult.Read, cancellationToken);

    internal static Request HeapCreateRequest(HeapCreateOptions? options)
    {
        var request = new Request("heap.create");
        if (options != null)
        {
            request.Add("flags", options.Flags);
            request.Add("initial_size", options.InitialSize);
            request.Add("maximum_size", options.MaximumSize);
            request.Add("name", options.Name);
            request.Add("kind", options.Kind);
            request.Add("lifetime", options.Lifetime);
            request.Add("alignment", options.Alignment);
            request.Add("if_exists", options.IfExists);
        }
        return request;
    }

    /// <summary>Makes a heap (Win32 HeapCreate).</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, no_memory, limit_exceeded, name_taken, locked, denied,
    /// unsupported, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapCreateResult HeapCreate(HeapCreateOptions? options = null) =>
        Invoke(HeapCreateRequest(options), Umem.HeapCreateResult.Read);

    /// <summary>Makes a heap (Win32 HeapCreate).</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, no_memory, limit_exceeded, name_taken, locked, denied,
    /// unsupported, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapCreateResult> HeapCreateAsync(HeapCreateOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapCreateRequest(options), Umem.HeapCreateResult.Read, cancellationToken);

    internal static Request HeapListRequest(HeapListOptions? options)
    {
        var request = new Request("heap.list");
        if (options != null)
        {
            request.Add("after", options.After);
            request.Add("limit", options.Limit);
        }
        return request;
    }

    /// <summary>
    /// Lists the heaps, a page at a time. A page may hold fewer entries than <c>limit</c>, even none: only a
    /// <c>next</c> of null is the end. What is made or ends between two pages may be listed or not.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapListResult HeapList(HeapListOptions? options = null) =>
        Invoke(HeapListRequest(options), Umem.HeapListResult.Read);

    /// <summary>
    /// Lists the heaps, a page at a time. A page may hold fewer entries than <c>limit</c>, even none: only a
    /// <c>next</c> of null is the end. What is made or ends between two pages may be listed or not.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapListResult> HeapListAsync(HeapListOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapListRequest(options), Umem.HeapListResult.Read, cancellationToken);

    internal static Request HeapInfoRequest(HeapRef heap)
    {
        var request = new Request("heap.info");
        request.Add("heap", heap);
        return request;
    }

    /// <summary>Describes a heap.</summary>
    /// <param name="heap">The heap.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapInfo HeapInfo(HeapRef heap) =>
        Invoke(HeapInfoRequest(heap), Umem.HeapInfo.Read);

    /// <summary>Describes a heap.</summary>
    /// <param name="heap">The heap.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapInfo> HeapInfoAsync(HeapRef heap, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapInfoRequest(heap), Umem.HeapInfo.Read, cancellationToken);

    internal static Request HeapValidateRequest(HeapValidateOptions? options)
    {
        var request = new Request("heap.validate");
        if (options != null)
        {
            request.Add("heap", options.Heap);
            request.Add("block", options.Block);
        }
        return request;
    }

    /// <summary>
    /// Checks a heap, or one of its blocks, for damage (Win32 HeapValidate). On Windows the system checks the memory,
    /// that of the process heap only block by block; everywhere the daemon checks its own records of the blocks. A
    /// shared heap is damaged when a client has truncated its memory. A whole heap is not checked in a batch.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapValidateResult HeapValidate(HeapValidateOptions? options = null) =>
        Invoke(HeapValidateRequest(options), Umem.HeapValidateResult.Read);

    /// <summary>
    /// Checks a heap, or one of its blocks, for damage (Win32 HeapValidate). On Windows the system checks the memory,
    /// that of the process heap only block by block; everywhere the daemon checks its own records of the blocks. A
    /// shared heap is damaged when a client has truncated its memory. A whole heap is not checked in a batch.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapValidateResult> HeapValidateAsync(HeapValidateOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapValidateRequest(options), Umem.HeapValidateResult.Read, cancellationToken);

    internal static Request HeapCompactRequest(HeapCompactOptions? options)
    {
        var request = new Request("heap.compact");
        if (options != null)
        {
            request.Add("heap", options.Heap);
        }
        return request;
    }

    /// <summary>
    /// Joins free ranges of a heap and returns memory to the system (Win32 HeapCompact). It is answered when all that
    /// was free when it began is with the system.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapCompactResult HeapCompact(HeapCompactOptions? options = null) =>
        Invoke(HeapCompactRequest(options), Umem.HeapCompactResult.Read);

    /// <summary>
    /// Joins free ranges of a heap and returns memory to the system (Win32 HeapCompact). It is answered when all that
    /// was free when it began is with the system.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapCompactResult> HeapCompactAsync(HeapCompactOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapCompactRequest(options), Umem.HeapCompactResult.Read, cancellationToken);

    internal static Request HeapFlushRequest(HeapRef heap)
    {
        var request = new Request("heap.flush");
        request.Add("heap", heap);
        return request;
    }

    /// <summary>
    /// Waits until all that was written to a durable heap before is on the disk. Records and bytes, by any session;
    /// see Durable heaps for those that were written through a mapping. It waits, and others do not.
    /// </summary>
    /// <param name="heap">The heap, which is durable.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded, locked,
    /// unsupported, corrupted, cancelled.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void HeapFlush(HeapRef heap) =>
        Invoke(HeapFlushRequest(heap));

    /// <summary>
    /// Waits until all that was written to a durable heap before is on the disk. Records and bytes, by any session;
    /// see Durable heaps for those that were written through a mapping. It waits, and others do not.
    /// </summary>
    /// <param name="heap">The heap, which is durable.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded, locked,
    /// unsupported, corrupted, cancelled.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task HeapFlushAsync(HeapRef heap, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapFlushRequest(heap), cancellationToken);

    internal static Request HeapLockRequest(HeapRef heap, HeapLockOptions? options)
    {
        var request = new Request("heap.lock");
        request.Add("heap", heap);
        if (options != null)
        {
            request.Add("timeout_ms", options.TimeoutMs);
        }
        request.Waits(options?.TimeoutMs);
        return request;
    }

    /// <summary>
    /// Locks a heap for this session: others get <c>locked</c> until it is unlocked (Win32 HeapLock). A session may
    /// lock a heap more than once and unlocks it as often. Sessions that wait get the lock in the order in which they
    /// came. A lock ends with its session.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded, locked,
    /// unsupported, timeout, cancelled.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void HeapLock(HeapRef heap, HeapLockOptions? options = null) =>
        Invoke(HeapLockRequest(heap, options));

    /// <summary>
    /// Locks a heap for this session: others get <c>locked</c> until it is unlocked (Win32 HeapLock). A session may
    /// lock a heap more than once and unlocks it as often. Sessions that wait get the lock in the order in which they
    /// came. A lock ends with its session.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded, locked,
    /// unsupported, timeout, cancelled.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task HeapLockAsync(HeapRef heap, HeapLockOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapLockRequest(heap, options), cancellationToken);

    internal static Request HeapUnlockRequest(HeapRef heap)
    {
        var request = new Request("heap.unlock");
        request.Add("heap", heap);
        return request;
    }

    /// <summary>
    /// Undoes one heap.lock (Win32 HeapUnlock); <c>denied</c> where this session has not locked the heap.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, denied.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void HeapUnlock(HeapRef heap) =>
        Invoke(HeapUnlockRequest(heap));

    /// <summary>
    /// Undoes one heap.lock (Win32 HeapUnlock); <c>denied</c> where this session has not locked the heap.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, denied.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task HeapUnlockAsync(HeapRef heap, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapUnlockRequest(heap), cancellationToken);

    internal static Request HeapDestroyRequest(HeapRef heap)
    {
        var request = new Request("heap.destroy");
        request.Add("heap", heap);
        return request;
    }

    /// <summary>
    /// Destroys a heap and frees all blocks on it (Win32 HeapDestroy). The process heap cannot be destroyed, nor a
    /// durable heap whose files are damaged.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, locked, denied,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public HeapDestroyResult HeapDestroy(HeapRef heap) =>
        Invoke(HeapDestroyRequest(heap), Umem.HeapDestroyResult.Read);

    /// <summary>
    /// Destroys a heap and frees all blocks on it (Win32 HeapDestroy). The process heap cannot be destroyed, nor a
    /// durable heap whose files are damaged.
    /// </summary>
    /// <param name="heap">The heap.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, locked, denied,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<HeapDestroyResult> HeapDestroyAsync(HeapRef heap, CancellationToken cancellationToken = default) =>
        InvokeAsync(HeapDestroyRequest(heap), Umem.HeapDestroyResult.Read, cancellationToken);

    internal static Request BlockAllocRequest(long size, BlockAllocOptions? options)
    {
        var request = new Request("block.alloc");
        request.Add("size", size);
        if (options != null)
        {
            request.Add("heap", options.Heap);
            request.Add("flags", options.Flags);
            request.Add("name", options.Name);
            request.Add("lifetime", options.Lifetime);
            request.Add("data", options.Data);
            request.Add("if_exists", options.IfExists);
        }
        return request;
    }

    /// <summary>Allocates a block of zeroed memory, or of the bytes given (Win32 HeapAlloc).</summary>
    /// <param name="size">Its size; 0 makes a block too.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range, no_memory,
    /// limit_exceeded, name_taken, locked, denied, unsupported, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockAllocResult BlockAlloc(long size, BlockAllocOptions? options = null) =>
        Invoke(BlockAllocRequest(size, options), Umem.BlockAllocResult.Read);

    /// <summary>Allocates a block of zeroed memory, or of the bytes given (Win32 HeapAlloc).</summary>
    /// <param name="size">Its size; 0 makes a block too.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range, no_memory,
    /// limit_exceeded, name_taken, locked, denied, unsupported, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockAllocResult> BlockAllocAsync(long size, BlockAllocOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockAllocRequest(size, options), Umem.BlockAllocResult.Read, cancellationToken);

    internal static Request BlockResizeRequest(BlockRef block, long size, BlockResizeOptions? options)
    {
        var request = new Request("block.resize");
        request.Add("block", block);
        request.Add("size", size);
        if (options != null)
        {
            request.Add("flags", options.Flags);
        }
        return request;
    }

    /// <summary>
    /// Resizes a block (Win32 HeapReAlloc). The handle and the name stay, the bytes added are zero. The address may
    /// change.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="size">Its new size.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockResizeResult BlockResize(BlockRef block, long size, BlockResizeOptions? options = null) =>
        Invoke(BlockResizeRequest(block, size, options), Umem.BlockResizeResult.Read);

    /// <summary>
    /// Resizes a block (Win32 HeapReAlloc). The handle and the name stay, the bytes added are zero. The address may
    /// change.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="size">Its new size.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockResizeResult> BlockResizeAsync(BlockRef block, long size, BlockResizeOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockResizeRequest(block, size, options), Umem.BlockResizeResult.Read, cancellationToken);

    internal static Request BlockInfoRequest(BlockRef block)
    {
        var request = new Request("block.info");
        request.Add("block", block);
        return request;
    }

    /// <summary>Describes a block.</summary>
    /// <param name="block">The block.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockInfo BlockInfo(BlockRef block) =>
        Invoke(BlockInfoRequest(block), Umem.BlockInfo.Read);

    /// <summary>Describes a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockInfo> BlockInfoAsync(BlockRef block, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockInfoRequest(block), Umem.BlockInfo.Read, cancellationToken);

    internal static Request BlockListRequest(BlockListOptions? options)
    {
        var request = new Request("block.list");
        if (options != null)
        {
            request.Add("heap", options.Heap);
            request.Add("session", options.Session);
            request.Add("orphaned", options.Orphaned);
            request.Add("after", options.After);
            request.Add("limit", options.Limit);
        }
        return request;
    }

    /// <summary>
    /// Lists the blocks, a page at a time. A page may hold fewer entries than <c>limit</c>, even none: only a
    /// <c>next</c> of null is the end. What is made or ends between two pages may be listed or not.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockListResult BlockList(BlockListOptions? options = null) =>
        Invoke(BlockListRequest(options), Umem.BlockListResult.Read);

    /// <summary>
    /// Lists the blocks, a page at a time. A page may hold fewer entries than <c>limit</c>, even none: only a
    /// <c>next</c> of null is the end. What is made or ends between two pages may be listed or not.
    /// </summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockListResult> BlockListAsync(BlockListOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockListRequest(options), Umem.BlockListResult.Read, cancellationToken);

    internal static Request BlockAtRequest(long address)
    {
        var request = new Request("block.at");
        request.Add("address", address);
        return request;
    }

    /// <summary>Finds the block that starts at an address: for debugging, since it goes through all blocks.</summary>
    /// <param name="address">As in block.alloc and block.info.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockAtResult BlockAt(long address) =>
        Invoke(BlockAtRequest(address), Umem.BlockAtResult.Read);

    /// <summary>Finds the block that starts at an address: for debugging, since it goes through all blocks.</summary>
    /// <param name="address">As in block.alloc and block.info.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, unsupported.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockAtResult> BlockAtAsync(long address, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockAtRequest(address), Umem.BlockAtResult.Read, cancellationToken);

    internal static Request BlockChangeRequest(BlockRef block, BlockChangeOptions? options)
    {
        var request = new Request("block.change");
        request.Add("block", block);
        if (options != null)
        {
            request.Add("name", options.Name);
            request.Add("lifetime", options.Lifetime);
            request.Add("if_exists", options.IfExists);
        }
        return request;
    }

    /// <summary>
    /// Names a block, changes its lifetime, or adopts an orphan. Whoever changes an orphan becomes its owner and
    /// holds it.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// name_taken, locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockChangeResult BlockChange(BlockRef block, BlockChangeOptions? options = null) =>
        Invoke(BlockChangeRequest(block, options), Umem.BlockChangeResult.Read);

    /// <summary>
    /// Names a block, changes its lifetime, or adopts an orphan. Whoever changes an orphan becomes its owner and
    /// holds it.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// name_taken, locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockChangeResult> BlockChangeAsync(BlockRef block, BlockChangeOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockChangeRequest(block, options), Umem.BlockChangeResult.Read, cancellationToken);

    internal static Request BlockFillRequest(BlockRef block, BlockFillOptions? options)
    {
        var request = new Request("block.fill");
        request.Add("block", block);
        if (options != null)
        {
            request.Add("value", options.Value);
            request.Add("offset", options.Offset);
            request.Add("size", options.Size);
        }
        return request;
    }

    /// <summary>Sets every byte of a range to one value (Win32 FillMemory).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockFillResult BlockFill(BlockRef block, BlockFillOptions? options = null) =>
        Invoke(BlockFillRequest(block, options), Umem.BlockFillResult.Read);

    /// <summary>Sets every byte of a range to one value (Win32 FillMemory).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockFillResult> BlockFillAsync(BlockRef block, BlockFillOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockFillRequest(block, options), Umem.BlockFillResult.Read, cancellationToken);

    internal static Request BlockCopyRequest(BlockRef source, BlockRef target, BlockCopyOptions? options)
    {
        var request = new Request("block.copy");
        request.Add("source", source);
        request.Add("target", target);
        if (options != null)
        {
            request.Add("source_offset", options.SourceOffset);
            request.Add("target_offset", options.TargetOffset);
            request.Add("size", options.Size);
        }
        return request;
    }

    /// <summary>
    /// Copies bytes from one block to another, or within one (Win32 CopyMemory). The ranges may overlap.
    /// </summary>
    /// <param name="source">The block to copy from.</param>
    /// <param name="target">The block to copy to; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockCopyResult BlockCopy(BlockRef source, BlockRef target, BlockCopyOptions? options = null) =>
        Invoke(BlockCopyRequest(source, target, options), Umem.BlockCopyResult.Read);

    /// <summary>
    /// Copies bytes from one block to another, or within one (Win32 CopyMemory). The ranges may overlap.
    /// </summary>
    /// <param name="source">The block to copy from.</param>
    /// <param name="target">The block to copy to; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockCopyResult> BlockCopyAsync(BlockRef source, BlockRef target, BlockCopyOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockCopyRequest(source, target, options), Umem.BlockCopyResult.Read, cancellationToken);

    internal static Request BlockCompareRequest(BlockRef left, BlockRef right, BlockCompareOptions? options)
    {
        var request = new Request("block.compare");
        request.Add("left", left);
        request.Add("right", right);
        if (options != null)
        {
            request.Add("left_offset", options.LeftOffset);
            request.Add("right_offset", options.RightOffset);
            request.Add("size", options.Size);
        }
        return request;
    }

    /// <summary>Compares bytes of two blocks (RtlCompareMemory).</summary>
    /// <param name="left">One block.</param>
    /// <param name="right">The other; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockCompareResult BlockCompare(BlockRef left, BlockRef right, BlockCompareOptions? options = null) =>
        Invoke(BlockCompareRequest(left, right, options), Umem.BlockCompareResult.Read);

    /// <summary>Compares bytes of two blocks (RtlCompareMemory).</summary>
    /// <param name="left">One block.</param>
    /// <param name="right">The other; it may be the same.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockCompareResult> BlockCompareAsync(BlockRef left, BlockRef right, BlockCompareOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockCompareRequest(left, right, options), Umem.BlockCompareResult.Read, cancellationToken);

    internal static Request BlockFindRequest(BlockRef block, byte[] data, BlockFindOptions? options)
    {
        var request = new Request("block.find");
        request.Add("block", block);
        request.Add("data", data);
        if (options != null)
        {
            request.Add("offset", options.Offset);
        }
        return request;
    }

    /// <summary>Finds bytes in a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="data">The bytes to look for: at most 1 MiB.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockFindResult BlockFind(BlockRef block, byte[] data, BlockFindOptions? options = null) =>
        Invoke(BlockFindRequest(block, data, options), Umem.BlockFindResult.Read);

    /// <summary>Finds bytes in a block.</summary>
    /// <param name="block">The block.</param>
    /// <param name="data">The bytes to look for: at most 1 MiB.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range,
    /// limit_exceeded, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockFindResult> BlockFindAsync(BlockRef block, byte[] data, BlockFindOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockFindRequest(block, data, options), Umem.BlockFindResult.Read, cancellationToken);

    internal static Request BlockHoldRequest(BlockRef block)
    {
        var request = new Request("block.hold");
        request.Add("block", block);
        return request;
    }

    /// <summary>
    /// Holds a block for this session, so that it is not orphaned while the session is open. A session holds a block
    /// once, however often it calls this. A hold does not lengthen lifetime "session".
    /// </summary>
    /// <param name="block">The block.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockHoldResult BlockHold(BlockRef block) =>
        Invoke(BlockHoldRequest(block), Umem.BlockHoldResult.Read);

    /// <summary>
    /// Holds a block for this session, so that it is not orphaned while the session is open. A session holds a block
    /// once, however often it calls this. A hold does not lengthen lifetime "session".
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockHoldResult> BlockHoldAsync(BlockRef block, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockHoldRequest(block), Umem.BlockHoldResult.Read, cancellationToken);

    internal static Request BlockReleaseRequest(BlockRef block)
    {
        var request = new Request("block.release");
        request.Add("block", block);
        return request;
    }

    /// <summary>
    /// Ends this session's hold on a block; the session that made a block holds it from the start. Nothing is freed.
    /// A block that this session does not hold stays as it is.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockReleaseResult BlockRelease(BlockRef block) =>
        Invoke(BlockReleaseRequest(block), Umem.BlockReleaseResult.Read);

    /// <summary>
    /// Ends this session's hold on a block; the session that made a block holds it from the start. Nothing is freed.
    /// A block that this session does not hold stays as it is.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockReleaseResult> BlockReleaseAsync(BlockRef block, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockReleaseRequest(block), Umem.BlockReleaseResult.Read, cancellationToken);

    internal static Request BlockMapRequest(BlockRef block)
    {
        var request = new Request("block.map");
        request.Add("block", block);
        return request;
    }

    /// <summary>
    /// Gives the place of a block of a shared heap in shared memory. See Shared heaps. This is good until the block
    /// is freed, or resized to where it has to move.
    /// </summary>
    /// <param name="block">The block, of a heap of kind "shared".</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockMapResult BlockMap(BlockRef block) =>
        Invoke(BlockMapRequest(block), Umem.BlockMapResult.Read);

    /// <summary>
    /// Gives the place of a block of a shared heap in shared memory. See Shared heaps. This is good until the block
    /// is freed, or resized to where it has to move.
    /// </summary>
    /// <param name="block">The block, of a heap of kind "shared".</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, locked, unsupported,
    /// corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockMapResult> BlockMapAsync(BlockRef block, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockMapRequest(block), Umem.BlockMapResult.Read, cancellationToken);

    internal static Request BlockWakeRequest(BlockRef block, BlockWakeOptions? options)
    {
        var request = new Request("block.wake");
        request.Add("block", block);
        if (options != null)
        {
            request.Add("offset", options.Offset);
            request.Add("size", options.Size);
        }
        return request;
    }

    /// <summary>
    /// Wakes calls that wait for a block, and notifies watches of it, that it was written through a mapping.
    /// block.wait looks again, and watches send block.changed, as after a write by the protocol. Blocks of any heap
    /// may be named.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void BlockWake(BlockRef block, BlockWakeOptions? options = null) =>
        Invoke(BlockWakeRequest(block, options));

    /// <summary>
    /// Wakes calls that wait for a block, and notifies watches of it, that it was written through a mapping.
    /// block.wait looks again, and watches send block.changed, as after a write by the protocol. Blocks of any heap
    /// may be named.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, out_of_range, locked.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task BlockWakeAsync(BlockRef block, BlockWakeOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockWakeRequest(block, options), cancellationToken);

    internal static Request BlockFreeRequest(BlockRef block, BlockFreeOptions? options)
    {
        var request = new Request("block.free");
        request.Add("block", block);
        if (options != null)
        {
            request.Add("if_orphaned", options.IfOrphaned);
        }
        return request;
    }

    /// <summary>Frees a block (Win32 HeapFree).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public BlockFreeResult BlockFree(BlockRef block, BlockFreeOptions? options = null) =>
        Invoke(BlockFreeRequest(block, options), Umem.BlockFreeResult.Read);

    /// <summary>Frees a block (Win32 HeapFree).</summary>
    /// <param name="block">The block.</param>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle, stale_handle, no_memory, limit_exceeded,
    /// locked, denied, corrupted.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<BlockFreeResult> BlockFreeAsync(BlockRef block, BlockFreeOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(BlockFreeRequest(block, options), Umem.BlockFreeResult.Read, cancellationToken);

    internal static Request SessionInfoRequest()
    {
        var request = new Request("session.info");
        return request;
    }

    /// <summary>Describes this session.</summary>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public SessionInfo SessionInfo() =>
        Invoke(SessionInfoRequest(), Umem.SessionInfo.Read);

    /// <summary>Describes this session.</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">The daemon refused: invalid_params, internal_error.</exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<SessionInfo> SessionInfoAsync(CancellationToken cancellationToken = default) =>
        InvokeAsync(SessionInfoRequest(), Umem.SessionInfo.Read, cancellationToken);

    internal static Request SessionListRequest(SessionListOptions? options)
    {
        var request = new Request("session.list");
        if (options != null)
        {
            request.Add("after", options.After);
            request.Add("limit", options.Limit);
        }
        return request;
    }

    /// <summary>Lists the sessions, a page at a time.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public SessionListResult SessionList(SessionListOptions? options = null) =>
        Invoke(SessionListRequest(options), Umem.SessionListResult.Read);

    /// <summary>Lists the sessions, a page at a time.</summary>
    /// <param name="options">What else may be said; null: nothing.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, limit_exceeded.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task<SessionListResult> SessionListAsync(SessionListOptions? options = null, CancellationToken cancellationToken = default) =>
        InvokeAsync(SessionListRequest(options), Umem.SessionListResult.Read, cancellationToken);

    internal static Request SessionWatchRequest(SessionWatchOptions? options)
    {
        var request = new Request("session.watch");
        if (options != null)
        {
            request.Add("heap", options.Heap);
            request.Add("block", options.Block);
            request.Add("offset", options.Offset);
            request.Add("size", options.Size);
        }
        return request;
    }

    internal static Request SessionUnwatchRequest(long watch)
    {
        var request = new Request("session.unwatch");
        request.Add("watch", watch);
        return request;
    }

    /// <summary>Ends a watch of this session. No notification of it comes after this is answered.</summary>
    /// <param name="watch">The watch's number.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void SessionUnwatch(long watch) =>
        Invoke(SessionUnwatchRequest(watch));

    /// <summary>Ends a watch of this session. No notification of it comes after this is answered.</summary>
    /// <param name="watch">The watch's number.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task SessionUnwatchAsync(long watch, CancellationToken cancellationToken = default) =>
        InvokeAsync(SessionUnwatchRequest(watch), cancellationToken);

    internal static Request SessionCloseRequest(long session)
    {
        var request = new Request("session.close");
        request.Add("session", session);
        return request;
    }

    /// <summary>
    /// Ends a session in order: it gets the answers that are due, then its connection is closed. Its waiting calls
    /// (unanswered), watches, locks, holds, and what it made with lifetime "session" end with it. Until then it is
    /// listed, and may be closed again.
    /// </summary>
    /// <param name="session">The session; it may be one's own.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public void SessionClose(long session) =>
        Invoke(SessionCloseRequest(session));

    /// <summary>
    /// Ends a session in order: it gets the answers that are due, then its connection is closed. Its waiting calls
    /// (unanswered), watches, locks, holds, and what it made with lifetime "session" end with it. Until then it is
    /// listed, and may be closed again.
    /// </summary>
    /// <param name="session">The session; it may be one's own.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <exception cref="UmemException">
    /// The daemon refused: invalid_params, internal_error, unknown_handle.
    /// </exception>
    [GeneratedCode("client/dotnet/generate.py", "1")]
    public Task SessionCloseAsync(long session, CancellationToken cancellationToken = default) =>
        InvokeAsync(SessionCloseRequest(session), cancellationToken);
}
