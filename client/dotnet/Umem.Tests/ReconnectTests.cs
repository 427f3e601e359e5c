using System;
using System.IO;
using System.Linq;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

/// <summary>The daemon is killed and started again under clients that connect anew.</summary>
public sealed class ReconnectTests : IDisposable
{
    private readonly string folder = Path.Combine(Path.GetTempPath(), "umem-net-" + Guid.NewGuid().ToString("N"));
    private readonly Daemon daemon;

    public ReconnectTests()
    {
        Directory.CreateDirectory(folder);
        daemon = new Daemon($"--state \"{Path.Combine(folder, "state")}\"");
    }

    public void Dispose()
    {
        daemon.Dispose();
        Directory.Delete(folder, true);
    }

    private UmemClient Connect(TimeSpan? reconnect = null) => UmemClient.Connect(new UmemClientOptions
    {
        Pipe = daemon.Pipe,
        Timeout = TimeSpan.FromSeconds(60),
        Reconnect = reconnect ?? TimeSpan.FromSeconds(60),
    });

    private void Restart()
    {
        daemon.Kill();
        daemon.StartAgain();
    }

    [Fact]
    public async Task HandlesOfDurableHeapsAreGoodAgain()
    {
        using UmemClient client = Connect();
        long heap = client.HeapCreate(new HeapCreateOptions
        {
            Kind = HeapKind.Shared,
            Lifetime = Lifetime.Durable,
            MaximumSize = 1 << 20,
        }).Heap;
        long block = client.BlockAlloc(200_000, new BlockAllocOptions { Heap = heap }).Block;
        long gone = client.BlockAlloc(8).Block;
        byte[] bytes = new byte[200_000];
        for (byte number = 1; number < 4; number++)
        {
            bytes[number] = number;
            client.BlockWrite(block, 0, bytes);
            Restart();
            Assert.Equal(bytes, number == 2 ? await client.BlockReadAsync(block) : client.BlockRead(block, 0, bytes.Length));
        }
        Exception? failure = Record.Exception(() => client.BlockInfo(gone));
        Assert.True(failure is UmemStaleHandleException or UmemUnknownHandleException, $"{failure}");
        client.HeapDestroy(heap);
    }

    [Fact]
    public void WithoutItTheConnectionStaysLost()
    {
        using UmemClient client = Connect(TimeSpan.Zero);
        Restart();
        Assert.Throws<UmemConnectionException>(() => client.ServerPing());
        Assert.Throws<UmemConnectionException>(() => client.ServerPing());
    }

    [Fact]
    public async Task CallsWaitForADaemonThatIsBeingStarted()
    {
        using UmemClient client = Connect();
        daemon.Kill();
        Task[] awaited = Enumerable.Range(0, 4).Select(_ => client.ServerPingAsync()).ToArray();
        Thread[] threads = Enumerable.Range(0, 4).Select(_ => new Thread(() => client.ServerPing())).ToArray();
        foreach (Thread thread in threads)
            thread.Start();
        daemon.StartAgain();
        foreach (Thread thread in threads)
            thread.Join();
        await Task.WhenAll(awaited);
        // All of them use the one new connection.
        Assert.Equal(1, client.ServerStats().Sessions);
    }

    [Fact]
    public async Task WithoutADaemonThatEnds()
    {
        using UmemClient client = Connect(TimeSpan.FromMilliseconds(20));
        daemon.Kill();
        Assert.Throws<UmemConnectionException>(() => client.ServerPing());
        await Assert.ThrowsAsync<UmemConnectionException>(() => client.ServerPingAsync());
        daemon.StartAgain();
        client.ServerPing();
        Assert.Throws<ArgumentOutOfRangeException>(() => Connect(TimeSpan.FromMilliseconds(-1)));
        Assert.Throws<ArgumentOutOfRangeException>(() => Connect(TimeSpan.FromDays(-1)));
    }

    [Fact]
    public async Task BatchesAndPipelinesAreSentOnTheNewConnection()
    {
        using UmemClient client = Connect();
        foreach (bool isBatch in new[] { true, false })
        {
            foreach (bool isAsync in new[] { true, false })
            {
                Restart();
                UmemCalls calls = isBatch ? client.Batch() : client.Pipeline();
                UmemReply<SessionInfo>[] sessions = Enumerable.Range(0, 3).Select(_ => calls.SessionInfo()).ToArray();
                if (isAsync)
                    await calls.SendAsync();
                else
                    calls.Send();
                Assert.Single(sessions.Select(session => session.Value.Session).Distinct());
            }
        }
    }

    public static TheoryData<string> SessionThings => new() { "lock", "lock in a batch", "hold", "block", "any method" };

    private static void Take(UmemClient client, string what)
    {
        switch (what)
        {
            case "lock":
                client.HeapLock(client.HeapCreate().Heap);
                break;
            case "lock in a batch":
                long heap = client.HeapCreate().Heap;
                UmemCalls batch = client.Batch();
                batch.HeapLock(heap);
                batch.Send();
                break;
            case "hold":
                client.BlockHold(client.BlockAlloc(8).Block);
                break;
            case "block":
                client.BlockAlloc(8, new BlockAllocOptions { Lifetime = Lifetime.Session });
                break;
            default:
                client.Call("block.alloc", new { size = 8, lifetime = "session" });
                break;
        }
    }

    [Theory]
    [MemberData(nameof(SessionThings))]
    public async Task WhatEndedWithTheConnectionIsToldBeforeAnythingIsDone(string what)
    {
        using UmemClient client = Connect();
        foreach (bool isAsync in new[] { true, false })
        {
            Take(client, what);
            Restart();
            UmemConnectionException told = isAsync
                ? await Assert.ThrowsAsync<UmemConnectionException>(() => client.BlockAllocAsync(8))
                : Assert.Throws<UmemConnectionException>(() => client.BlockAlloc(8));
            Assert.Contains("nothing was sent", told.Message);
            Assert.Equal(0, client.ServerStats().Blocks);
            Restart();
            // The new connection has had none of this.
            client.ServerPing();
        }
    }

    [Fact]
    public void AWatchIsToldAndAnotherOneIsAnotherOne()
    {
        using UmemClient client = Connect();
        using var lost = new ManualResetEventSlim();
        using var changed = new ManualResetEventSlim();
        Watch watch = client.SessionWatch();
        watch.Lost += (_, _) => lost.Set();
        watch.Start();
        Restart();
        Assert.True(lost.Wait(60_000));
        Assert.Throws<UmemConnectionException>(() => client.ServerPing());
        using Watch again = client.SessionWatch();
        again.Changed += (_, _) => changed.Set();
        again.Start();
        watch.Dispose();
        client.BlockWrite(client.BlockAlloc(8).Block, 0, new byte[] { 1 });
        Assert.True(changed.Wait(60_000));
    }

    [Fact]
    public async Task AClientThatWasDisposedOfStaysSo()
    {
        UmemClient client = Connect();
        daemon.Kill();
        client.Dispose();
        daemon.StartAgain();
        Assert.Throws<ObjectDisposedException>(() => client.ServerPing());
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ServerPingAsync());
    }

    [Fact]
    public void ARequestWhoseAnswerWasLostIsNotRepeated()
    {
        using UmemClient client = Connect();
        long heap = client.HeapCreate(new HeapCreateOptions
        {
            Kind = HeapKind.Shared,
            Lifetime = Lifetime.Durable,
            MaximumSize = 4096,
        }).Heap;
        long block = client.BlockAlloc(8, new BlockAllocOptions { Heap = heap }).Block;
        Task<long> waiting = client.BlockWaitAsync(block, 0, 0L);
        client.ServerPing();
        Restart();
        // It was sent; the daemon that is there now has never seen it.
        Assert.ThrowsAny<UmemConnectionException>(() => waiting.GetAwaiter().GetResult());
        Assert.Equal(0, client.ServerStats().Waits);
        Assert.Equal(0, client.BlockGet<long>(block, 0));
        client.HeapDestroy(heap);
    }

    /// <summary>What calls were told, that add 1 to a number.</summary>
    private sealed class Counts
    {
        public int Answered;
        public int Lost;
        public int Steps;
        public volatile bool HaveEnded;

        public void Take(bool isAnswered)
        {
            Interlocked.Increment(ref isAnswered ? ref Answered : ref Lost);
            Interlocked.Increment(ref Steps);
        }
    }

    /// <summary>Adds until the end, in a thread or awaited.</summary>
    private static async Task Add(UmemClient client, long block, bool isAsync, Counts counts)
    {
        try
        {
            while (!counts.HaveEnded)
            {
                try
                {
                    if (isAsync)
                        await client.BlockAddAsync(block, 0, 1L);
                    else
                        client.BlockAdd(block, 0, 1L);
                    counts.Take(true);
                }
                catch (UmemConnectionException)
                {
                    counts.Take(false);
                }
            }
        }
        finally
        {
            // One that fails must not leave the restarts waiting for its steps.
            Interlocked.Add(ref counts.Steps, 1 << 24);
        }
    }

    [Fact]
    public async Task WhatIsAnsweredUnderLoadHasHappenedOnce()
    {
        using UmemClient client = Connect();
        long heap = client.HeapCreate(new HeapCreateOptions
        {
            Kind = HeapKind.Shared,
            Lifetime = Lifetime.Durable,
            MaximumSize = 4096,
        }).Heap;
        long block = client.BlockAlloc(8, new BlockAllocOptions { Heap = heap }).Block;
        var counts = new Counts();
        Task[] tasks = Enumerable.Range(0, 4)
            .Select(i => Task.Factory.StartNew(
                () => Add(client, block, i % 2 != 0, counts), CancellationToken.None, TaskCreationOptions.LongRunning, TaskScheduler.Default).Unwrap())
            .ToArray();
        try
        {
            for (int i = 0; i < 4; i++)
            {
                int seen = Volatile.Read(ref counts.Steps);
                SpinWait.SpinUntil(() => Volatile.Read(ref counts.Steps) >= seen + 40);
                if (i % 2 == 0)
                    Restart();
                else
                    daemon.Replace();
            }
        }
        finally
        {
            counts.HaveEnded = true;
        }
        await Task.WhenAll(tasks);
        Assert.InRange(client.BlockGet<long>(block, 0), counts.Answered, counts.Answered + counts.Lost);
        Assert.NotEqual(0, counts.Answered);
        client.HeapDestroy(heap);
    }
}
