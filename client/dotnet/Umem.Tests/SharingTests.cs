using System;
using System.Collections.Generic;
using System.Diagnostics;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

public class SharingTests
{
    private static long Block(UmemClient client, long size) =>
        client.BlockAlloc(size, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;

    [Fact]
    public void ThreadsShareAClientAndLoseNoAddition()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8 + (8 * 64));
        const int Rounds = 200;
        var threads = new List<Thread>();
        var failures = new List<Exception>();
        for (int i = 0; i < 8; i++)
        {
            int own = i;
            var thread = new Thread(() =>
            {
                try
                {
                    byte[] bytes = new byte[64];
                    for (int round = 0; round < Rounds; round++)
                    {
                        client.BlockAdd(block, 0, 1L);
                        bytes[0] = (byte)round;
                        bytes[63] = (byte)own;
                        client.BlockWrite(block, 8 + (64 * own), bytes);
                        Assert.Equal(bytes, client.BlockRead(block, 8 + (64 * own), 64));
                    }
                }
                catch (Exception e)
                {
                    lock (failures)
                        failures.Add(e);
                }
            });
            threads.Add(thread);
            thread.Start();
        }
        threads.ForEach(thread => thread.Join());
        Assert.Empty(failures);
        Assert.Equal(8 * Rounds, client.BlockGet<long>(block, 0));
    }

    [Fact]
    public async Task AwaitedCallsAndOthersShareAClient()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        const int Rounds = 100;
        Task[] tasks = Enumerable.Range(0, 8).Select(i => i % 2 == 0
            ? Task.Run(() =>
            {
                for (int round = 0; round < Rounds; round++)
                    client.BlockAdd(block, 0, 1L);
            })
            : Task.Run(async () =>
            {
                for (int round = 0; round < Rounds; round++)
                    await client.BlockAddAsync(block, 0, 1L);
            })).ToArray();
        await Task.WhenAll(tasks);
        Assert.Equal(8 * Rounds, client.BlockGet<long>(block, 0));
    }

    [Fact]
    public async Task ManyCallsAreUnderWayAtOneTime()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        BlockAddResult<long>[] results = await Task.WhenAll(
            Enumerable.Range(0, 2000).Select(_ => client.BlockAddAsync(block, 0, 1L)));
        // They are done in the order in which they were called.
        Assert.Equal(Enumerable.Range(1, 2000).Select(number => (long)number), results.Select(result => result.New));
    }

    [Fact]
    public async Task AThreadThatWaitsHoldsNobodyUp()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        Task<int> waiting = Task.Run(() => client.BlockWait(block, 0, 0, 60_000));
        for (int i = 0; i < 100; i++)
            client.ServerPing();
        Assert.False(waiting.IsCompleted);
        client.BlockSet(block, 0, 5);
        Assert.Equal(5, await waiting);
        Assert.Throws<UmemTimeoutException>(() => client.BlockWait(block, 0, 5, 1));
    }

    [Fact]
    public async Task AWaitThatIsCancelledEndsInTheDaemon()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        using var source = new CancellationTokenSource();
        Task<int> waiting = client.BlockWaitAsync(block, 0, 0, null, source.Token);
        client.ServerPing();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        // The daemon takes the wait off its list before it answers that it is cancelled.
        Assert.Equal(0, client.SessionInfo().QueuedBytes);
        using var late = new CancellationTokenSource();
        late.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.ServerPingAsync(late.Token));
        client.ServerPing();
    }

    [Fact]
    public async Task ALockThatIsCancelledIsNotLeftBehind()
    {
        using UmemClient one = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long heap = one.HeapCreate(new HeapCreateOptions { Lifetime = Lifetime.Session }).Heap;
        one.HeapLock(heap);
        using var source = new CancellationTokenSource();
        Task waiting = other.HeapLockAsync(heap, new HeapLockOptions { TimeoutMs = 60_000 }, source.Token);
        other.ServerPing();
        source.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => waiting);
        one.HeapUnlock(heap);
        Assert.False(one.HeapInfo(heap).Locked);
    }

    // ---- watches ----

    private static T Next<T>(System.Collections.Concurrent.BlockingCollection<T> events)
    {
        Assert.True(events.TryTake(out T? item, 60_000));
        return item!;
    }

    [Fact]
    public void AWatchReportsWhatHappens()
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long block = Block(client, 100);
        var events = new System.Collections.Concurrent.BlockingCollection<string>();
        using Watch watch = client.Watch(block);
        watch.Changed += (_, e) => events.Add($"changed {e.Block == block} {e.Offset} {e.Size}");
        watch.Freed += (_, e) => events.Add($"freed {e.Handle == block}");
        other.BlockWrite(block, 10, new byte[] { 1, 2, 3 });
        watch.Start();
        Assert.Equal("changed True 10 3", Next(events));
        other.BlockFree(block);
        Assert.Equal("freed True", Next(events));
    }

    [Fact]
    public async Task AWatchOfAHeapReportsItsEnd()
    {
        using UmemClient client = Daemon.Connect();
        long heap = client.HeapCreate().Heap;
        var events = new System.Collections.Concurrent.BlockingCollection<long>();
        using Watch watch = await client.SessionWatchAsync(new SessionWatchOptions { Heap = heap },
                                                           TestContext.Current.CancellationToken);
        watch.HeapDestroyed += (_, e) => events.Add(e.Handle);
        watch.Start();
        client.HeapDestroy(heap);
        Assert.Equal(heap, Next(events));
    }

    [Fact]
    public void HandlersMayCall()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        var events = new System.Collections.Concurrent.BlockingCollection<byte>();
        using Watch watch = client.Watch(block);
        watch.Changed += (_, e) => events.Add(client.BlockGet<byte>(e.Block, e.Offset));
        watch.Start();
        client.BlockSet(block, 2, (byte)77);
        Assert.Equal(77, Next(events));
    }

    [Fact]
    public void ASlowHandlerGetsAnOverflow()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        var events = new System.Collections.Concurrent.BlockingCollection<string>();
        using Watch watch = client.Watch(block);
        watch.Changed += (_, _) => events.Add("changed");
        watch.Overflow += (_, _) => events.Add("overflow");
        // Nothing is taken from the queue until it is started; each of these is a message and so an event of its own.
        for (int i = 0; i < 1500; i++)
            client.BlockSet(block, 0, (byte)i);
        watch.Start();
        int changes = 0;
        string last;
        while ((last = Next(events)) == "changed")
            changes++;
        Assert.Equal("overflow", last);
        Assert.True(changes <= 1024);
    }

    [Fact]
    public void AWatchThatHasEndedReportsNothing()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        int count = 0;
        Watch watch = client.Watch(block);
        watch.Changed += (_, _) => Interlocked.Increment(ref count);
        watch.Start();
        watch.Dispose();
        watch.Dispose();
        client.BlockSet(block, 0, (byte)1);
        client.ServerPing();
        Assert.Equal(0, count);
    }

    // ---- mapping ----

    private static long SharedHeap(UmemClient client, long size = 1 << 20) => client.HeapCreate(new HeapCreateOptions
    {
        Kind = HeapKind.Shared,
        MaximumSize = size,
        Lifetime = Lifetime.Session,
    }).Heap;

    private static long BlockOf(UmemClient client, long heap, long size) =>
        client.BlockAlloc(size, new BlockAllocOptions { Heap = heap, Lifetime = Lifetime.Session }).Block;

    [Fact]
    public async Task WhatIsWrittenThroughAMappingIsSeenByAll()
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long heap = SharedHeap(client);
        // The second block begins neither at a page nor at 64 KiB.
        BlockOf(client, heap, 70_000);
        long block = BlockOf(client, heap, 100);
        using MappedBlock mine = client.Map(block);
        using MappedBlock theirs = await other.MapAsync(block);
        Assert.Equal(100, mine.Size);

        mine[0] = 1;
        mine[99] = 2;
        Assert.Equal(1, theirs[0]);
        Assert.Equal(2, client.BlockGet<byte>(block, 99));
        client.BlockSet(block, 50, 0x1122334455667788);
        Assert.Equal(0x1122334455667788, theirs.Accessor.ReadInt64(50));
        mine.Accessor.Write(8, 2.5);
        Assert.Equal(2.5, client.BlockGet<double>(block, 8));
        using (Stream stream = theirs.OpenStream())
        {
            Assert.Equal(100, stream.Length);
            stream.Position = 99;
            Assert.Equal(2, stream.ReadByte());
            Assert.Equal(-1, stream.ReadByte());
            stream.Position = 1;
            stream.WriteByte(42);
        }
        Assert.Equal(42, mine[1]);
#if NET
        mine.Span[2] = 43;
        Assert.Equal(100, mine.Span.Length);
        Assert.Equal(43, theirs.AsSpan(2, 1)[0]);
        Assert.Throws<IndexOutOfRangeException>(() => mine.AsSpan(99, 2).Length);
#endif
        Assert.Throws<IndexOutOfRangeException>(() => mine[100]);
        Assert.Throws<IndexOutOfRangeException>(() => mine[-1] = 1);
    }

    [Fact]
    public void OnlyTheBlocksOwnRangeIsMapped()
    {
        using UmemClient client = Daemon.Connect();
        // An object of 1 GiB, of which nobody has the memory: it is neither committed nor mapped as a whole.
        long heap = SharedHeap(client, 1L << 30);
        using MappedBlock mapped = client.Map(BlockOf(client, heap, 4096));
        Assert.Equal(4096, mapped.Accessor.Capacity);
#if NET
        if (OperatingSystem.IsLinux())
        {
            string name = Path.GetFileName(client.BlockMap(mapped.Block).Path!);
            long bytes = File.ReadLines("/proc/self/maps").Where(line => line.EndsWith(name, StringComparison.Ordinal))
                .Sum(line =>
                {
                    string[] ends = line.Split(' ')[0].Split('-');
                    return Convert.ToInt64(ends[1], 16) - Convert.ToInt64(ends[0], 16);
                });
            Assert.InRange(bytes, 4096, 65_536);
        }
#endif
    }

    [Fact]
    public unsafe void APinKeepsTheMemoryAfterItsMappingHasEnded()
    {
        using UmemClient client = Daemon.Connect();
        long block = BlockOf(client, SharedHeap(client), 64);
        MappedBlock mapped = client.Map(block);
        MappedPin pin = mapped.Pin();
        Stream stream = mapped.OpenStream();
        mapped.Dispose();
        mapped.Dispose();
        pin.Pointer[5] = 9;
        Assert.Equal(9, client.BlockGet<byte>(block, 5));
        stream.Position = 5;
        Assert.Equal(9, stream.ReadByte());
        pin.Dispose();
        pin.Dispose();
        stream.Dispose();
        Assert.Throws<ObjectDisposedException>(() => mapped[0]);
        Assert.Throws<ObjectDisposedException>(() => mapped.Pin());
        Assert.Throws<ObjectDisposedException>(() => mapped.Accessor);
        Assert.Throws<ObjectDisposedException>(() => mapped.OpenStream());
    }

    [Fact]
    public unsafe void AnEmptyBlockIsMappedAsNothing()
    {
        using UmemClient client = Daemon.Connect();
        using MappedBlock mapped = client.Map(BlockOf(client, SharedHeap(client), 0));
        Assert.Equal(0, mapped.Size);
        Assert.Throws<IndexOutOfRangeException>(() => mapped[0]);
        using Stream stream = mapped.OpenStream();
        Assert.Equal(-1, stream.ReadByte());
        using MappedPin pin = mapped.Pin();
        Assert.True(pin.Pointer == null);
    }

    [Fact]
    public void WhatIsNotSharedIsNotMapped()
    {
        using UmemClient client = Daemon.Connect();
        Assert.Throws<UmemUnsupportedException>(() => client.Map(Block(client, 8)));
        Assert.Throws<UmemUnknownHandleException>(() => client.Map("no-such-block"));
    }

    [Fact]
    public async Task WakeWakesThoseWhoWait()
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long block = BlockOf(client, SharedHeap(client), 64);
        using MappedBlock mapped = client.Map(block);
        Task<int> waiting = other.BlockWaitAsync(block, 0, 0, null);
        other.ServerPing();
        mapped.Accessor.Write(0, 7);
        mapped.Wake(0, 4);
        Assert.Equal(7, await waiting);
    }

    [Fact]
    public void TheMappingOutlivesTheDaemon()
    {
        using var daemon = new Daemon();
        using UmemClient client = daemon.ConnectHere();
        using MappedBlock mapped = client.Map(BlockOf(client, SharedHeap(client), 64));
        mapped[3] = 3;
        daemon.Kill();
        Assert.Equal(3, mapped[3]);
        Assert.ThrowsAny<UmemConnectionException>(() => mapped.Wake());
    }
}
