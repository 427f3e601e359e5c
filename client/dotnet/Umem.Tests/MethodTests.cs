using System;
using System.Collections.Generic;
using System.Linq;
using System.Reflection;
using System.Text.Json;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

public class MethodTests
{
    private static string Pascal(string name) => string.Concat(
        name.Split('.', '_').Select(part => char.ToUpperInvariant(part[0]) + part.Substring(1)));

    [Fact]
    public void EveryMethodOfTheDaemonIsThereForBothWaysOfCalling()
    {
        using UmemClient client = Daemon.Connect();
        var names = new HashSet<string>(typeof(UmemClient).GetMethods().Select(method => method.Name));
        JsonElement document = client.RpcDiscover();
        int count = 0;
        foreach (JsonElement method in document.GetProperty("methods").EnumerateArray())
        {
            string name = method.GetProperty("name").GetString()!;
            // Cancelling is what cancellation tokens do.
            if (name == "$/cancelRequest")
                continue;
            Assert.Contains(Pascal(name), names);
            Assert.Contains(Pascal(name) + "Async", names);
            count++;
        }
        Assert.True(count > 40);
    }

    [Fact]
    public void EveryErrorNameHasAClass()
    {
        using UmemClient client = Daemon.Connect();
        var names = new HashSet<string>();
        foreach (JsonElement method in client.RpcDiscover().GetProperty("methods").EnumerateArray())
        {
            foreach (JsonElement error in method.GetProperty("errors").EnumerateArray())
                names.Add(error.GetProperty("data").GetProperty("name").GetString()!);
        }
        Assert.True(names.Count > 10);
        Assembly assembly = typeof(UmemClient).Assembly;
        foreach (string name in names)
            Assert.NotNull(assembly.GetType($"Umem.Umem{Pascal(name)}Exception"));
    }

    [Fact]
    public void NotificationsOfTheDaemonAreKnown()
    {
        using UmemClient client = Daemon.Connect();
        IEnumerable<string> names = client.RpcDiscover().GetProperty("x-notifications").EnumerateArray()
            .Select(notification => notification.GetProperty("name").GetString()!);
        Assert.Equal(new[] { "block.changed", "block.freed", "heap.destroyed", "watch.overflow" }, names.OrderBy(name => name));
    }

    [Fact]
    public void DescriptionsAreRead()
    {
        using UmemClient client = Daemon.Connect();
        ServerInfo info = client.ServerInfo();
        Assert.Equal("umemd", info.Name);
        Assert.True(info.Limits["message_bytes"] > 0);
        Assert.Contains("raw", info.Features);
        Assert.True(client.ServerStats().Sessions >= 1);
        client.ServerPing();

        HeapInfo process = client.HeapInfo("process");
        Assert.Equal(client.HeapProcess().Heap, process.Heap);
        Assert.Equal("process", process.Kind);
        Assert.Null(process.Owner);

        SessionInfo session = client.SessionInfo();
        Assert.Contains(client.SessionList().Sessions, other => other.Session == session.Session);
    }

    [Fact]
    public async Task ABlockIsMadeDescribedChangedAndFreed()
    {
        using UmemClient client = Daemon.Connect();
        string name = "dotnet-" + Guid.NewGuid();
        BlockAllocResult made = client.BlockAlloc(64, new BlockAllocOptions
        {
            Name = name,
            Lifetime = Lifetime.Session,
            Flags = HeapFlags.HEAP_ZERO_MEMORY | HeapFlags.HEAP_NO_SERIALIZE,
            Data = new byte[] { 1, 2, 3 },
        });
        BlockInfo info = await client.BlockInfoAsync(name);
        Assert.Equal(made.Block, info.Block);
        Assert.Equal(64, info.Size);
        Assert.Equal(name, info.Name);
        Assert.Equal("session", info.Lifetime);
        Assert.Equal(client.SessionInfo().Session, info.Owner!.Session);
        Assert.Equal(made.Address, info.Address);
        Assert.Equal(new byte[] { 1, 2, 3, 0 }, client.BlockRead(name, 0, 4));

        Assert.Equal(2, client.BlockFind(name, new byte[] { 3 }).Offset);
        Assert.Null(client.BlockFind(name, new byte[] { 9 }).Offset);
        client.BlockFill(name, new BlockFillOptions { Value = 7, Offset = 60 });
        Assert.Equal(new byte[] { 0, 7, 7, 7, 7 }, client.BlockRead(name, 59));
        Assert.Equal(128, client.BlockResize(name, 128).Size);
        Assert.Equal("", client.BlockChange(name, new BlockChangeOptions { Name = "" }).Name ?? "");
        Assert.Equal(1, client.BlockHold(made.Block).Holders);
        Assert.Equal(128, client.BlockFree(made.Block).Size);
        var stale = Assert.Throws<UmemStaleHandleException>(() => client.BlockInfo(made.Block));
        Assert.Equal("stale_handle", stale.Name);
        Assert.Equal(-32002, stale.Code);
        Assert.Equal(made.Block, stale.Error.Integer("handle"));
    }

    [Fact]
    public void ANameOfDigitsIsAName()
    {
        using UmemClient client = Daemon.Connect();
        long other = client.BlockAlloc(1, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;
        string digits = other.ToString();
        long named = client.BlockAlloc(2, new BlockAllocOptions { Lifetime = Lifetime.Session, Name = digits }).Block;
        Assert.NotEqual(other, named);
        Assert.Equal(named, client.BlockInfo(digits).Block);
        Assert.Equal(other, client.BlockInfo(other).Block);
        client.BlockFree(digits);
        // There is no block of that name, though there is one of that handle.
        Assert.Throws<UmemUnknownHandleException>(() => client.BlockInfo(digits));
    }

    [Fact]
    public void HeapsAreListedInPages()
    {
        using UmemClient client = Daemon.Connect();
        for (int i = 0; i < 5; i++)
            client.HeapCreate(new HeapCreateOptions { Lifetime = Lifetime.Session });
        HeapListResult page = client.HeapList(new HeapListOptions { Limit = 2 });
        Assert.True(page.Heaps.Count <= 2);
        Assert.NotNull(page.Next);
        Assert.True(Heap.GetProcessHeaps(client).Length >= 6);
    }

    [Fact]
    public void AnyMethodIsCalledByItsName()
    {
        using UmemClient client = Daemon.Connect();
        long block = client.Call("block.alloc", new { size = 8, lifetime = "session" }).GetProperty("block").GetInt64();
        Assert.Equal(8, client.Call("block.info", new object[] { block }).GetProperty("size").GetInt64());
        var parameters = new Dictionary<string, object> { ["block"] = block };
        Assert.Equal(8, client.Call("block.free", parameters).GetProperty("size").GetInt64());
        Assert.Equal(JsonValueKind.Object, client.Call("server.ping").ValueKind);
        var unknown = Assert.Throws<UmemMethodNotFoundException>(() => client.Call("block.\"nonesuch\"é"));
        Assert.Equal(-32601, unknown.Code);
        Assert.Throws<ArgumentException>(() => client.Call("server.ping", 5));
        Assert.Throws<ArgumentException>(() => client.Call(""));
    }

    [Fact]
    public void ErrorsHaveTheDaemonsFacts()
    {
        using UmemClient client = Daemon.Connect();
        long heap = client.HeapCreate(new HeapCreateOptions
        {
            MaximumSize = 100,
            Lifetime = Lifetime.Session,
            Flags = HeapFlags.HEAP_GENERATE_EXCEPTIONS,
        }).Heap;
        long block = client.BlockAlloc(10, new BlockAllocOptions { Heap = heap }).Block;

        var range = Assert.Throws<UmemOutOfRangeException>(() => client.BlockRead(block, 8, 4));
        Assert.Equal((8L, 4L, 10L, block), (range.Offset, range.Size, range.BlockSize, range.Block));
        var memory = Assert.Throws<UmemNoMemoryException>(
            () => client.BlockAlloc(1000, new BlockAllocOptions { Heap = heap }));
        Assert.Equal("0xC0000017", memory.NtStatus);
        Assert.Equal(heap, memory.Heap);
        var parameter = Assert.Throws<UmemInvalidParamsException>(() => client.BlockAlloc(-1));
        Assert.Equal("size", parameter.Parameter);
        Assert.Throws<UmemDeniedException>(
            () => client.HeapCreate(new HeapCreateOptions { Flags = HeapFlags.HEAP_CREATE_ENABLE_EXECUTE }));
        Assert.Throws<ArgumentException>(() => client.HeapCreate(new HeapCreateOptions { Flags = (HeapFlags)2 }));
        Assert.Throws<ArgumentException>(() => client.BlockInfo(default));
        Assert.Throws<ArgumentException>(() => client.BlockAlloc(1, new BlockAllocOptions { Name = "\ud800" }));
        Assert.Throws<ArgumentException>(() => client.BlockAlloc(1, new BlockAllocOptions { Lifetime = (Lifetime)99 }));
        // What was refused here was never begun there: the next request is served.
        client.ServerPing();
    }

    [Fact]
    public void AMessageThatIsTooLongIsRefusedAndNothingElse()
    {
        using var daemon = new Daemon("--limit message_bytes=64k");
        using UmemClient client = daemon.ConnectHere();
        Assert.Throws<UmemTooLargeException>(
            () => client.BlockAlloc(100_000, new BlockAllocOptions { Data = new byte[100_000] }));
        Assert.Equal(0, client.ServerStats().Blocks);
        Assert.True(client.IsConnected);
    }

    [Fact]
    public async Task ALockKeepsOthersOutUntilItEnds()
    {
        using UmemClient one = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        long heap = one.HeapCreate(new HeapCreateOptions { Lifetime = Lifetime.Session }).Heap;
        one.HeapLock(heap);
        Assert.Throws<UmemLockedException>(() => other.BlockAlloc(1, new BlockAllocOptions { Heap = heap }));
        Assert.Throws<UmemTimeoutException>(() => other.HeapLock(heap, new HeapLockOptions { TimeoutMs = 1 }));
        Task waiting = other.HeapLockAsync(heap, new HeapLockOptions { TimeoutMs = 60_000 },
                                           TestContext.Current.CancellationToken);
        other.ServerPing();
        Assert.False(waiting.IsCompleted);
        one.HeapUnlock(heap);
        await waiting;
        other.HeapUnlock(heap);
    }
}
