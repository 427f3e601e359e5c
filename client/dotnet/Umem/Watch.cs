using System;
using System.Collections.Generic;
using System.Text;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>What happened to bytes of a block.</summary>
public sealed class BlockChangedEventArgs : EventArgs
{
    internal BlockChangedEventArgs(long block, long offset, long size) => (Block, Offset, Size) = (block, offset, size);

    /// <summary>The block.</summary>
    public long Block { get; }

    /// <summary>Where the changed bytes begin.</summary>
    public long Offset { get; }

    /// <summary>How many bytes, at most, were changed; it may cover several changes.</summary>
    public long Size { get; }
}

/// <summary>Which block or heap is gone.</summary>
public sealed class UmemHandleEventArgs : EventArgs
{
    internal UmemHandleEventArgs(long handle) => Handle = handle;

    /// <summary>Its handle, which is stale now.</summary>
    public long Handle { get; }
}

/// <summary>
/// A watch of a block, a heap or everything. Its events are raised one after the other, on threads of the thread pool, never
/// inside of a call; their handlers may use the client. Add them first and then <see cref="Start"/>, so that none is missed.
/// </summary>
/// <remarks>
/// Up to 1,024 events wait for handlers that are slower than what happens; what comes on top of them is reported as one
/// <see cref="Overflow"/>. An exception that a handler does not catch ends the program, as in other events of the thread pool.
/// </remarks>
public sealed class Watch : IDisposable
{
    private const int Limit = 1024;

    private readonly UmemClient client;
    private readonly object gate = new();
    private readonly Queue<Action> events = new();
    private bool isStarted;
    private bool isDraining;
    private bool isOverflown;
    private bool isEnded;

    internal Watch(UmemClient client, Connection connection, long number) =>
        (this.client, Connection, Number) = (client, connection, number);

    /// <summary>Bytes of a block were written, or its size changed.</summary>
    public event EventHandler<BlockChangedEventArgs>? Changed;

    /// <summary>A block was freed.</summary>
    public event EventHandler<UmemHandleEventArgs>? Freed;

    /// <summary>A heap was destroyed, and its blocks with it.</summary>
    public event EventHandler<UmemHandleEventArgs>? HeapDestroyed;

    /// <summary>More happened than is reported one by one: read everything again.</summary>
    public event EventHandler? Overflow;

    /// <summary>The connection is lost: nothing is reported any more.</summary>
    public event EventHandler? Lost;

    /// <summary>The connection that it is of.</summary>
    internal Connection Connection { get; }

    /// <summary>Its number in the protocol.</summary>
    public long Number { get; }

    /// <summary>Begins to raise events, those that came meanwhile first.</summary>
    /// <returns>This watch.</returns>
    public Watch Start()
    {
        lock (gate)
        {
            isStarted = true;
            Drain();
        }
        return this;
    }

    /// <summary>Ends the watch. No event is raised any more, but a handler that runs at the moment goes on.</summary>
    public void Dispose()
    {
        lock (gate)
        {
            if (isEnded)
                return;
            isEnded = true;
            events.Clear();
        }
        client.Unwatch(this);
    }

    internal void Post(string method, JsonElement json)
    {
        switch (method)
        {
            case "block.changed":
                var changed = new BlockChangedEventArgs(Json.Long(json, "block"), Json.Long(json, "offset"),
                                                        Json.Long(json, "size"));
                Post(() => Changed?.Invoke(this, changed));
                break;
            case "block.freed":
                var freed = new UmemHandleEventArgs(Json.Long(json, "block"));
                Post(() => Freed?.Invoke(this, freed));
                break;
            case "heap.destroyed":
                var destroyed = new UmemHandleEventArgs(Json.Long(json, "heap"));
                Post(() => HeapDestroyed?.Invoke(this, destroyed));
                break;
            case "watch.overflow":
                Post(() => Overflow?.Invoke(this, EventArgs.Empty));
                break;
        }
    }

    internal void PostLost()
    {
        lock (gate)
        {
            if (isEnded)
                return;
            events.Enqueue(() => Lost?.Invoke(this, EventArgs.Empty));
            Drain();
        }
    }

    private void Post(Action raise)
    {
        lock (gate)
        {
            if (isEnded || isOverflown)
                return;
            if (events.Count >= Limit)
            {
                isOverflown = true;
                events.Enqueue(() => Overflow?.Invoke(this, EventArgs.Empty));
            }
            else
            {
                events.Enqueue(raise);
            }
            Drain();
        }
    }

    private void Drain()
    {
        if (!isStarted || isDraining || events.Count == 0)
            return;
        isDraining = true;
        ThreadPool.QueueUserWorkItem(_ => Raise());
    }

    private void Raise()
    {
        for (;;)
        {
            Action raise;
            lock (gate)
            {
                if (events.Count == 0)
                {
                    isDraining = false;
                    isOverflown = false;
                    return;
                }
                raise = events.Dequeue();
            }
            raise();
        }
    }
}

/// <summary>The watches of a client, by their numbers.</summary>
internal sealed class WatchTable
{
    private readonly object gate = new();
    private readonly Dictionary<long, Watch> watches = new();

    public void Add(Watch watch)
    {
        lock (gate)
            watches[watch.Number] = watch;
    }

    public bool Remove(Watch watch)
    {
        lock (gate)
            return watches.Remove(watch.Number);
    }

    /// <summary>A notification came. Those of unknown methods are passed over.</summary>
    public void Take(byte[] method, byte[] parameters)
    {
        using JsonDocument document = JsonDocument.Parse(parameters);
        if (document.RootElement.ValueKind != JsonValueKind.Object ||
            !Json.Find(document.RootElement, "watch", out JsonElement number) || !number.TryGetInt64(out long key))
            return;
        Watch? watch;
        lock (gate)
            watches.TryGetValue(key, out watch);
        watch?.Post(Encoding.UTF8.GetString(method), document.RootElement);
    }

    public void Lost()
    {
        Watch[] all;
        lock (gate)
        {
            all = new Watch[watches.Count];
            watches.Values.CopyTo(all, 0);
            watches.Clear();
        }
        foreach (Watch watch in all)
            watch.PostLost();
    }
}

/// <content>Watches.</content>
public sealed partial class UmemClient
{
    /// <summary>
    /// Asks to be told when a block, a heap's blocks, or any blocks are written, resized or freed (<c>session.watch</c>). What
    /// this client does itself is told, too.
    /// </summary>
    /// <param name="options">A block, or a part of one, or a heap; null: everything.</param>
    /// <returns>The watch, which has to be started, and to be disposed of when it is not needed any more.</returns>
    public Watch SessionWatch(SessionWatchOptions? options = null)
    {
        Request request = SessionWatchRequest(options);
        var call = new Call();
        Watch? watch = null;
        call.OnResult = (connection, result) => watch = Begin(connection, result);
        Run(request, call);
        return watch!;
    }

    /// <summary>Watches, as <see cref="SessionWatch"/> does.</summary>
    /// <param name="options">A block, or a part of one, or a heap; null: everything.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task<Watch> SessionWatchAsync(SessionWatchOptions? options = null,
                                               CancellationToken cancellationToken = default)
    {
        Request request = SessionWatchRequest(options);
        var call = new Call();
        Watch? watch = null;
        call.OnResult = (connection, result) => watch = Begin(connection, result);
        await RunAsync(request, call, cancellationToken).ConfigureAwait(false);
        return watch!;
    }

    /// <summary>Watches a block: <see cref="SessionWatch"/>.</summary>
    public Watch Watch(BlockRef block) => SessionWatch(new SessionWatchOptions { Block = block });

    /// <summary>Watches a heap and its blocks: <see cref="SessionWatch"/>.</summary>
    public Watch WatchHeap(HeapRef heap) => SessionWatch(new SessionWatchOptions { Heap = heap });

    internal void Unwatch(Watch watch)
    {
        if (!watch.Connection.Watches.Remove(watch))
            return;
        watch.Connection.Attend(-1);
        try
        {
            Request request = SessionUnwatchRequest(watch.Number);
            watch.Connection.Run(request, new Call(), DeadlineOf(request));
        }
        catch (Exception e) when (e is UmemConnectionException or UmemException or ObjectDisposedException or TimeoutException)
        {
            // It has ended with its connection, or does soon.
        }
    }

    // Run before the first notification of the watch is looked at.
    private Watch Begin(Connection connection, byte[] result)
    {
        Watch watch = Read(result, json => new Watch(this, connection, Json.Long(json, "watch")));
        connection.Watches.Add(watch);
        connection.Attend(1);
        return watch;
    }
}
