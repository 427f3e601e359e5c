using System;
using System.Linq;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

public class CallsTests
{
    private static long Block(UmemClient client, long size) =>
        client.BlockAlloc(size, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;

    private static UmemCalls New(UmemClient client, bool isBatch) => isBatch ? client.Batch() : client.Pipeline();

    private static async Task Send(UmemCalls calls, bool isAsync, bool throwError = true)
    {
        if (isAsync)
            await calls.SendAsync(throwError);
        else
            calls.Send(throwError);
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task EachCallHasItsReply(bool isBatch, bool isAsync)
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 100);
        UmemCalls calls = New(client, isBatch);
        UmemReply first = calls.BlockWrite(block, 0, new byte[] { 1, 2, 3, 4 });
        UmemReply<byte[]> part = calls.BlockRead(block, 1, 2);
        UmemReply empty = calls.BlockWrite(block, 100, new byte[0]);
        UmemReply<byte[]> none = calls.BlockRead(block, 100);
        UmemReply second = calls.BlockSet(block, 8, 41L, 7L);
        UmemReply<BlockAddResult<long>> sum = calls.BlockAdd(block, 8, 1L);
        UmemReply<BlockExchangeResult<long>> exchange = calls.BlockExchange(block, 16, 9L, 8L);
        UmemReply<long> one = calls.BlockGet<long>(block, 8);
        UmemReply<long[]> two = calls.BlockGet<long>(block, 8, 2);
        UmemReply<BlockInfo> info = calls.BlockInfo(block);
        UmemReply<JsonElement> any = calls.Call("block.info", new { block });
        UmemReply<long> wait = calls.BlockWait(block, 8, 41L);
        Assert.Equal(12, calls.Count);
        Assert.Throws<InvalidOperationException>(() => part.Value);
        Assert.Throws<InvalidOperationException>(() => first.Check());
        await Send(calls, isAsync);
        Assert.Equal(0, calls.Count);
        first.Check();
        second.Check();
        empty.Check();
        Assert.Equal(new byte[] { 2, 3 }, part.Value);
        Assert.Empty(none.Value);
        Assert.Equal(new BlockAddResult<long>(41, 42), sum.Value);
        Assert.Equal(new BlockExchangeResult<long>(7, false), exchange.Value);
        Assert.Equal(42, one.Value);
        Assert.Equal(new[] { 42L, 7L }, two.Value);
        Assert.Equal(100, info.Value.Size);
        Assert.Equal(100, any.Value.GetProperty("size").GetInt64());
        Assert.Equal(42, wait.Value);
        // It can be used again, and to send nothing is nothing.
        await Send(calls, isAsync);
        UmemReply<long> again = calls.BlockGet<long>(block, 16);
        await Send(calls, isAsync);
        Assert.Equal(7, again.Value);
        client.ServerPing();
    }

    [Theory]
    [InlineData(true, true)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    [InlineData(false, false)]
    public async Task OneThatFailsHoldsBackNone(bool isBatch, bool isAsync)
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        UmemCalls calls = New(client, isBatch);
        UmemReply bad = calls.BlockWrite(block, 6, new byte[] { 1, 2, 3 });
        UmemReply<byte[]> worse = calls.BlockRead("no-such-block", 0, 4);
        UmemReply good = calls.BlockWrite(block, 6, new byte[] { 4, 5 });
        UmemReply<byte[]> read = calls.BlockRead(block, 6, 2);
        await Send(calls, isAsync, throwError: false);
        Assert.Equal(8, Assert.IsType<UmemOutOfRangeException>(bad.Error).BlockSize);
        Assert.Throws<UmemOutOfRangeException>(() => bad.Check());
        Assert.Throws<UmemUnknownHandleException>(() => worse.Value);
        good.Check();
        Assert.Equal(new byte[] { 4, 5 }, read.Value);

        UmemReply<long> unknown = calls.BlockGet<long>("no-such-block", 0);
        UmemReply done = calls.BlockSet(block, 0, (byte)9);
        await Assert.ThrowsAsync<UmemUnknownHandleException>(() => Send(calls, isAsync));
        Assert.NotNull(unknown.Error);
        done.Check();
        Assert.Equal(9, client.BlockGet<byte>(block, 0));
    }

    [Fact]
    public async Task CallsThatAreNotAwaitedOneByOneAreDoneInTheirOrder()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        // Some are sent together, some alone, and some by a thread that waits: more bytes than are kept to be sent together.
        var sums = new Task<BlockAddResult<long>>[3000];
        for (int i = 0; i < sums.Length; i++)
        {
            sums[i] = client.BlockAddAsync(block, 0, 1L);
            if (i % 1000 == 999)
                Assert.Equal(i + 1, client.BlockGet<long>(block, 0));
        }
        for (int i = 0; i < sums.Length; i++)
            Assert.Equal(new BlockAddResult<long>(i, i + 1), await sums[i]);
        byte[] bytes = new byte[50_000];
        Task[] writes = Enumerable.Range(0, 20).Select(_ => client.BlockWriteAsync(Block(client, 50_000), 0, bytes)).ToArray();
        await Task.WhenAll(writes);
    }

    [Fact]
    public async Task OneOfManyThatIsCancelledOrRefusedEndsNoOther()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        using var cancellation = new CancellationTokenSource();
        Task<long> first = client.BlockWaitAsync(block, 0, 0L, null, cancellation.Token);
        Task<long> second = client.BlockWaitAsync(block, 0, 0L);
        Task<byte[]> read = client.BlockReadAsync(block, 0, 8);
        Task<byte[]> refused = client.BlockReadAsync(block, 0, 9);
        cancellation.Cancel();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => first);
        await Assert.ThrowsAsync<UmemOutOfRangeException>(() => refused);
        Assert.Equal(new byte[8], await read);
        await client.BlockSetAsync(block, 0, new[] { 5L });
        Assert.Equal(5, await second);
    }

    [Fact]
    public async Task CallsThatAreQueuedWhenTheClientEndsFail()
    {
        UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        Task<byte[]>[] reads = Enumerable.Range(0, 500).Select(_ => client.BlockReadAsync(block, 0, 8)).ToArray();
        client.Dispose();
        foreach (Task<byte[]> read in reads)
        {
            // Some were answered before.
            if (await Record.ExceptionAsync(() => read) is { } failure)
                Assert.IsType<ObjectDisposedException>(failure);
        }
        await Assert.ThrowsAsync<ObjectDisposedException>(() => client.ServerPingAsync());
    }

    [Fact]
    public void NoOtherSessionComesInBetweenInABatch()
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long block = Block(client, 16);
        bool ends = false;
        var thread = new Thread(() =>
        {
            while (!Volatile.Read(ref ends))
                other.BlockAdd(block, 0, 1L);
        });
        thread.Start();
        try
        {
            for (int round = 0; round < 50; round++)
            {
                UmemCalls batch = client.Batch();
                UmemReply<BlockAddResult<long>>[] sums =
                    Enumerable.Range(0, 20).Select(_ => batch.BlockAdd(block, 0, 1L)).ToArray();
                batch.Send();
                for (int i = 1; i < sums.Length; i++)
                    Assert.Equal(sums[i - 1].Value.New, sums[i].Value.Old);
            }
        }
        finally
        {
            Volatile.Write(ref ends, true);
            thread.Join();
        }
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task ABatchThatIsRefusedChangesNothing(bool isAsync)
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        long most = client.ServerInfo().Limits["batch_requests"];
        UmemCalls batch = client.Batch();
        UmemReply first = batch.BlockSet(block, 0, 1L);
        for (long i = 0; i < most; i++)
            batch.ServerPing();
        UmemException error =
            await Assert.ThrowsAnyAsync<UmemException>(() => Send(batch, isAsync, throwError: false));
        Assert.Same(error, first.Error);
        Assert.Equal(0, client.BlockGet<long>(block, 0));
    }

    [Fact]
    public void WhatMayTakeLongIsNotForABatch()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        UmemCalls batch = client.Batch();
        UmemReply<long> wait = batch.BlockWait(block, 0, 0L);
        batch.Send(throwError: false);
        Assert.IsType<UmemUnsupportedException>(wait.Error);
    }

    [Fact]
    public async Task ManyCallsAreUnderWayAtATime()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 4096);
        UmemCalls pipeline = client.Pipeline();
        byte[] bytes = Enumerable.Range(0, 4096).Select(i => (byte)(i * 7)).ToArray();
        pipeline.BlockWrite(block, 0, bytes);
        // More than a socket takes, in both directions.
        UmemReply<byte[]>[] reads = Enumerable.Range(0, 2000).Select(_ => pipeline.BlockRead(block)).ToArray();
        UmemReply<BlockAddResult<int>>[] sums = Enumerable.Range(0, 500).Select(_ => pipeline.BlockAdd(block, 0, 1)).ToArray();
        await pipeline.SendAsync();
        Assert.All(reads, read => Assert.Equal(bytes, read.Value));
        // They are done in their order.
        for (int i = 1; i < sums.Length; i++)
            Assert.Equal(sums[i - 1].Value.New, sums[i].Value.Old);
    }

    [Fact]
    public void APipelineWaitsForWhatWaits()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        UmemCalls pipeline = client.Pipeline();
        UmemReply<long> wait = pipeline.BlockWait(block, 0, 0L);
        pipeline.BlockSet(block, 0, 5L);
        pipeline.Send();
        Assert.Equal(5, wait.Value);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void AllFailWhenTheConnectionIsLost(bool isBatch)
    {
        using var daemon = new Daemon();
        using UmemClient client = daemon.ConnectHere();
        UmemCalls calls = New(client, isBatch);
        UmemReply<ServerInfo> first = calls.ServerInfo();
        UmemReply last = calls.ServerPing();
        daemon.Kill();
        Assert.ThrowsAny<UmemConnectionException>(() => calls.Send());
        Assert.ThrowsAny<UmemConnectionException>(() => first.Value);
        Assert.ThrowsAny<UmemConnectionException>(() => last.Check());
    }

    [Fact]
    public void ArgumentsThatNoDaemonTakesAreNotAdded()
    {
        using UmemClient client = Daemon.Connect();
        UmemCalls batch = client.Batch();
        Assert.Throws<ArgumentException>(() => batch.BlockInfo("\ud800"));
        Assert.Throws<ArgumentNullException>(() => batch.BlockWrite(1, 0, null!));
        Assert.Throws<ArgumentException>(() => batch.Call(""));
        Assert.Equal(0, batch.Count);
    }

    [Fact]
    public void EveryMethodIsThereForABatch()
    {
        using UmemClient client = Daemon.Connect();
        var names = new System.Collections.Generic.HashSet<string>(typeof(UmemCalls).GetMethods().Select(method => method.Name));
        // Described by Call(); watches are objects of the client's.
        string[] others = { "rpc.discover", "$/cancelRequest", "session.watch" };
        foreach (JsonElement method in client.RpcDiscover().GetProperty("methods").EnumerateArray())
        {
            string name = method.GetProperty("name").GetString()!;
            if (!others.Contains(name))
                Assert.Contains(string.Concat(name.Split('.', '_').Select(p => char.ToUpperInvariant(p[0]) + p.Substring(1))), names);
        }
    }
}
