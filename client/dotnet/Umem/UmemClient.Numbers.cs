using System;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>What <c>block.add</c> answers.</summary>
/// <typeparam name="T">The number's type.</typeparam>
/// <param name="Old">What was there before.</param>
/// <param name="New">What is there now.</param>
public readonly record struct BlockAddResult<T>(T Old, T New);

/// <summary>What <c>block.exchange</c> answers.</summary>
/// <typeparam name="T">The number's type.</typeparam>
/// <param name="Old">What was there before.</param>
/// <param name="Exchanged">Whether the value was written.</param>
public readonly record struct BlockExchangeResult<T>(T Old, bool Exchanged);

/// <content>
/// Numbers in blocks, little-endian, at any offset: <see cref="byte"/>, <see cref="sbyte"/>, <see cref="ushort"/>,
/// <see cref="short"/>, <see cref="uint"/>, <see cref="int"/>, <see cref="ulong"/>, <see cref="long"/>, <see cref="float"/> and
/// <see cref="double"/>. Another type is an <see cref="ArgumentException"/>. Those that are only read or written travel as
/// bytes, so that all bits stay as they are.
/// </content>
public sealed partial class UmemClient
{
    /// <summary>Reads a number (<c>block.get</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where it is, in bytes.</param>
    public T BlockGet<T>(BlockRef block, long offset)
        where T : unmanaged => BlockGet<T>(block, offset, 1)[0];

    /// <summary>Reads numbers (<c>block.get</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the first one is, in bytes.</param>
    /// <param name="count">How many.</param>
    public T[] BlockGet<T>(BlockRef block, long offset, int count)
        where T : unmanaged => Number<T>.FromBytes(BlockRead(block, offset, Number<T>.SizeOf(count)));

    /// <summary>Reads numbers (<c>block.get</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the first one is, in bytes.</param>
    /// <param name="count">How many.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public async Task<T[]> BlockGetAsync<T>(BlockRef block, long offset, int count = 1,
                                            CancellationToken cancellationToken = default)
        where T : unmanaged =>
        Number<T>.FromBytes(await BlockReadAsync(block, offset, Number<T>.SizeOf(count), cancellationToken)
                                .ConfigureAwait(false));

    /// <summary>Writes numbers (<c>block.set</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to put the first one, in bytes.</param>
    /// <param name="values">The numbers.</param>
    public void BlockSet<T>(BlockRef block, long offset, params T[] values)
        where T : unmanaged => BlockWrite(block, offset, Number<T>.ToBytes(values));

    /// <summary>Writes numbers (<c>block.set</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to put the first one, in bytes.</param>
    /// <param name="values">The numbers.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task BlockSetAsync<T>(BlockRef block, long offset, T[] values, CancellationToken cancellationToken = default)
        where T : unmanaged => BlockWriteAsync(block, offset, Number<T>.ToBytes(values), cancellationToken);

    /// <summary>Adds to a number; no other client comes in between (<c>block.add</c>). Integers wrap around.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to add.</param>
    public BlockAddResult<T> BlockAdd<T>(BlockRef block, long offset, T value)
        where T : unmanaged => Invoke(NumberRequest("block.add", block, offset, value), ReadAdd<T>);

    /// <summary>Adds to a number, as <see cref="BlockAdd"/> does.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to add.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task<BlockAddResult<T>> BlockAddAsync<T>(BlockRef block, long offset, T value,
                                                    CancellationToken cancellationToken = default)
        where T : unmanaged =>
        InvokeAsync(NumberRequest("block.add", block, offset, value), ReadAdd<T>, cancellationToken);

    /// <summary>Writes a number and gives what was there; no other client comes in between (<c>block.exchange</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to write.</param>
    /// <param name="expected">Write only where this is there, compared bit by bit; null: in any case.</param>
    public BlockExchangeResult<T> BlockExchange<T>(BlockRef block, long offset, T value, T? expected = null)
        where T : unmanaged => Invoke(ExchangeRequest(block, offset, value, expected), ReadExchange<T>);

    /// <summary>Writes a number and gives what was there, as <see cref="BlockExchange"/> does.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to write.</param>
    /// <param name="expected">Write only where this is there, compared bit by bit; null: in any case.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task<BlockExchangeResult<T>> BlockExchangeAsync<T>(BlockRef block, long offset, T value, T? expected = null,
                                                              CancellationToken cancellationToken = default)
        where T : unmanaged =>
        InvokeAsync(ExchangeRequest(block, offset, value, expected), ReadExchange<T>, cancellationToken);

    /// <summary>
    /// Waits until a number is no longer what it was (<c>block.wait</c>). Other threads' calls are served meanwhile.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What is there now, as far as is known; compared bit by bit.</param>
    /// <param name="timeoutMs">How long to wait, in milliseconds; null: without an end.</param>
    /// <returns>What is there now.</returns>
    /// <exception cref="UmemTimeoutException">The time is over.</exception>
    public T BlockWait<T>(BlockRef block, long offset, T value, long? timeoutMs = null)
        where T : unmanaged => Invoke(WaitRequest(block, offset, value, timeoutMs), ReadValue<T>);

    /// <summary>Waits until a number is no longer what it was, as <see cref="BlockWait"/> does.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What is there now, as far as is known; compared bit by bit.</param>
    /// <param name="timeoutMs">How long to wait, in milliseconds; null: without an end.</param>
    /// <param name="cancellationToken">Ends the wait, in the daemon as well.</param>
    /// <returns>What is there now.</returns>
    public Task<T> BlockWaitAsync<T>(BlockRef block, long offset, T value, long? timeoutMs = null,
                                     CancellationToken cancellationToken = default)
        where T : unmanaged =>
        InvokeAsync(WaitRequest(block, offset, value, timeoutMs), ReadValue<T>, cancellationToken);

    internal static Request NumberRequest<T>(string method, BlockRef block, long offset, T value)
        where T : unmanaged
    {
        var request = new Request(method);
        request.Add("block", (BlockRef?)block);
        request.Add("offset", offset);
        request.Add("type", Number<T>.Word);
        Number<T>.Add(request, "value", value);
        return request;
    }

    internal static Request ExchangeRequest<T>(BlockRef block, long offset, T value, T? expected)
        where T : unmanaged
    {
        Request request = NumberRequest("block.exchange", block, offset, value);
        if (expected != null)
            Number<T>.Add(request, "expected", expected.Value);
        return request;
    }

    internal static Request WaitRequest<T>(BlockRef block, long offset, T value, long? timeoutMs)
        where T : unmanaged
    {
        Request request = NumberRequest("block.wait", block, offset, value);
        request.Add("timeout_ms", timeoutMs);
        request.Waits(timeoutMs);
        return request;
    }

    internal static BlockAddResult<T> ReadAdd<T>(JsonElement json)
        where T : unmanaged => new(Number<T>.Read(json, "old"), Number<T>.Read(json, "new"));

    internal static BlockExchangeResult<T> ReadExchange<T>(JsonElement json)
        where T : unmanaged => new(Number<T>.Read(json, "old"), Json.Bool(json, "exchanged"));

    internal static T ReadValue<T>(JsonElement json)
        where T : unmanaged => Number<T>.Read(json, "value");
}
