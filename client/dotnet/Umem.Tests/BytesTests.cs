using System;
using System.Linq;
using System.Threading.Tasks;
using Xunit;

namespace Umem.Tests;

public class BytesTests
{
    private static byte[] Pattern(int size)
    {
        byte[] bytes = new byte[size];
        new Random(size).NextBytes(bytes);
        return bytes;
    }

    private static long Block(UmemClient client, long size) =>
        client.BlockAlloc(size, new BlockAllocOptions { Lifetime = Lifetime.Session }).Block;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(64)]
    [InlineData(65_536)]
    [InlineData(65_537)]
    [InlineData(3_000_000)]
    public async Task BytesOfAnySizeComeBackAsTheyWere(int size)
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, size);
        byte[] bytes = Pattern(size);
        client.BlockWrite(block, 0, bytes);
        Assert.Equal(bytes, client.BlockRead(block));
        Assert.Equal(bytes, client.BlockRead(block, 0, size));
        Array.Reverse(bytes);
        await client.BlockWriteAsync(block, 0, bytes);
        Assert.Equal(bytes, await client.BlockReadAsync(block));
        Assert.Equal(bytes, await client.BlockReadAsync(block, 0, size));
    }

    [Fact]
    public async Task WhatIsLargerThanTheDaemonTakesGoesInPieces()
    {
        using var daemon = new Daemon("--limit payload_bytes=100k");
        using UmemClient client = daemon.ConnectHere();
        byte[] bytes = Pattern(1_000_003);
        long block = Block(client, bytes.Length + 10);
        client.BlockWrite(block, 10, bytes);
        Assert.Equal(bytes, client.BlockRead(block, 10, bytes.Length));
        // One byte too far: nothing of it is written.
        Assert.Throws<UmemOutOfRangeException>(() => client.BlockWrite(block, 11, new byte[bytes.Length]));
        Assert.Equal(bytes, client.BlockRead(block, 10, bytes.Length));
        await Assert.ThrowsAsync<UmemOutOfRangeException>(() => client.BlockWriteAsync(
            block, 11, new byte[bytes.Length]));
        Assert.Equal(bytes, await client.BlockReadAsync(block, 10, bytes.Length));
    }

    [Fact]
    public void PartsOfArraysAreReadAndWritten()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        client.BlockWrite(block, 2, new byte[] { 9, 1, 2, 3, 9 }, 1, 3);
        byte[] read = { 5, 5, 5, 5, 5 };
        client.BlockRead(block, 2, read, 1, 3);
        Assert.Equal(new byte[] { 5, 1, 2, 3, 5 }, read);
        Assert.Throws<ArgumentOutOfRangeException>(() => client.BlockRead(block, 0, read, 3, 3));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.BlockWrite(block, 0, read, -1, 1));
        Assert.Throws<ArgumentNullException>(() => client.BlockWrite(block, 0, null!));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.BlockRead(block, 0, -1));
        Assert.Throws<UmemOutOfRangeException>(() => client.BlockRead(block, 9));
    }

#if NET
    [Fact]
    public void SpansAreReadAndWritten()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 200_000);
        byte[] bytes = Pattern(150_000);
        client.BlockWrite(block, 3, bytes.AsSpan());
        Span<byte> read = new byte[150_000];
        client.BlockRead(block, 3, read);
        Assert.True(read.SequenceEqual(bytes));
    }
#endif

    private static void Try<T>(UmemClient client, long block, T one, T sum, params T[] values)
        where T : unmanaged, IEquatable<T>
    {
        client.BlockSet(block, 1, values);
        Assert.Equal(values, client.BlockGet<T>(block, 1, values.Length));
        foreach (T value in values)
        {
            client.BlockSet(block, 3, value);
            Assert.Equal(value, client.BlockGet<T>(block, 3));
            BlockExchangeResult<T> exchanged = client.BlockExchange(block, 3, one, value);
            Assert.True(exchanged.Exchanged);
            Assert.Equal(value, exchanged.Old);
            exchanged = client.BlockExchange(block, 3, value);
            Assert.Equal(one, exchanged.Old);
            Assert.Equal(value, client.BlockGet<T>(block, 3));
            // Another value is there already, so that this does not wait.
            Assert.Equal(value, value.Equals(one) ? value : client.BlockWait(block, 3, one, 0));
        }
        client.BlockSet(block, 3, one);
        BlockAddResult<T> added = client.BlockAdd(block, 3, one);
        Assert.Equal(one, added.Old);
        Assert.Equal(sum, added.New);
    }

    [Fact]
    public void NumbersOfAllTypesKeepTheirBits()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 200);
        Try<byte>(client, block, 1, 2, 0, 255);
        Try<sbyte>(client, block, 1, 2, -128, 127);
        Try<ushort>(client, block, 1, 2, 0, 65535);
        Try<short>(client, block, 1, 2, short.MinValue, short.MaxValue);
        Try<uint>(client, block, 1, 2, 0, uint.MaxValue);
        Try<int>(client, block, 1, 2, int.MinValue, int.MaxValue);
        Try<ulong>(client, block, 1, 2, 0, (1UL << 53) + 1, ulong.MaxValue);
        Try<long>(client, block, 1, 2, long.MinValue, -(1L << 53) - 1, long.MaxValue);
        Try(client, block, 1.5f, 3f, float.MaxValue, float.Epsilon, 0.1f, float.PositiveInfinity);
        Try(client, block, 1.5, 3.0, double.MaxValue, double.Epsilon, 0.1, 1e300, double.NegativeInfinity);
        client.BlockSet(block, 0, double.NaN, -0.0);
        Assert.True(double.IsNaN(client.BlockExchange(block, 0, -0.0).Old));
        double old = client.BlockExchange(block, 0, 0.0, -0.0).Old;
        Assert.True(old == 0 && double.IsNegativeInfinity(1 / old));
        Assert.False(client.BlockExchange(block, 0, 1.0, -0.0).Exchanged);
        Assert.True(double.IsNaN(client.BlockAdd(block, 0, double.NaN).New));
    }

    [Fact]
    public void OtherTypesAreNoNumbers()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 16);
        Assert.Throws<ArgumentException>(() => client.BlockGet<char>(block, 0));
        Assert.Throws<ArgumentException>(() => client.BlockSet(block, 0, true));
        Assert.Throws<ArgumentException>(() => client.BlockAdd(block, 0, DayOfWeek.Friday));
        Assert.Throws<ArgumentOutOfRangeException>(() => client.BlockGet<int>(block, 0, -1));
        Assert.Equal(Enumerable.Repeat((byte)0, 16), client.BlockRead(block));
    }

    [Fact]
    public void IntegersWrapAround()
    {
        using UmemClient client = Daemon.Connect();
        long block = Block(client, 8);
        client.BlockSet(block, 0, long.MaxValue);
        Assert.Equal(long.MinValue, client.BlockAdd(block, 0, 1L).New);
        Assert.Equal(255, client.BlockAdd<byte>(Block(client, 1), 0, 255).New);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(100)]
    [InlineData(65_537)]
    [InlineData(2_000_000)]
    public async Task WhatIsPutIsThereAsAWhole(int size)
    {
        using UmemClient client = Daemon.Connect();
        using UmemClient other = Daemon.Connect();
        string name = "put-" + Guid.NewGuid();
        Assert.Throws<UmemUnknownHandleException>(() => other.Get(name));
        byte[] bytes = Pattern(size);
        long first = client.Put(name, bytes);
        Assert.Equal(bytes, other.Get(name));
        Assert.Equal("server", client.BlockInfo(first).Lifetime);
        byte[] longer = Pattern(size + 1);
        long second = await client.PutAsync(name, longer, new BlockAllocOptions { Lifetime = Lifetime.Session });
        Assert.NotEqual(first, second);
        Assert.Equal(longer, await other.GetAsync(name));
        Assert.Equal("session", client.BlockInfo(second).Lifetime);
        Assert.Throws<UmemStaleHandleException>(() => client.BlockInfo(first));
        Assert.Equal(second, client.BlockInfo(name).Block);
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void APutThatFailsLeavesWhatWasThere(int size)
    {
        using var daemon = new Daemon();
        using UmemClient client = daemon.ConnectHere();
        long heap = client.HeapCreate(new HeapCreateOptions { MaximumSize = size + (size / 2) }).Heap;
        var here = new BlockAllocOptions { Heap = heap };
        byte[] bytes = Pattern(size);
        client.Put("name", bytes, here);
        // There is no space for both.
        Assert.Throws<UmemNoMemoryException>(() => client.Put("name", new byte[size], here));
        Assert.Throws<UmemInvalidParamsException>(() => client.Put("", new byte[10], here));
        Assert.Throws<UmemInvalidParamsException>(() => client.Put(new string('x', 300), new byte[size / 2], here));
        client.ServerPing();
        Assert.Equal(bytes, client.Get("name"));
        Assert.Equal(1, client.HeapInfo(heap).Blocks);
    }

    [Fact]
    public void ABlockIsOpenedOrMade()
    {
        using UmemClient client = Daemon.Connect();
        var options = new BlockAllocOptions
        {
            Name = "open-" + Guid.NewGuid(),
            Lifetime = Lifetime.Session,
            IfExists = IfExists.Open,
        };
        BlockAllocResult made = client.BlockAlloc(10, options);
        BlockAllocResult opened = client.BlockAlloc(10, options);
        Assert.Equal((true, false), (made.Created, opened.Created));
        Assert.Equal(made.Block, opened.Block);
        Assert.Throws<UmemNameTakenException>(() => client.BlockAlloc(11, options));
    }
}
