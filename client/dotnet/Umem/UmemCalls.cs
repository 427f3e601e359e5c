using System;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>
/// Calls that are collected and then sent together: a batch (<see cref="UmemClient.Batch"/>) or a pipeline
/// (<see cref="UmemClient.Pipeline"/>). Each method here is the client's own of that name, and gives the reply that will be
/// there when they have been sent. One thread at a time may use it.
/// </summary>
public sealed partial class UmemCalls
{
    private readonly UmemClient client;
    private readonly bool isBatch;
    private List<Request> requests = new();
    private List<UmemReply> replies = new();

    internal UmemCalls(UmemClient client, bool isBatch) => (this.client, this.isBatch) = (client, isBatch);

    /// <summary>How many calls were added and not sent yet.</summary>
    public int Count => requests.Count;

    // ---- sending ----

    /// <summary>
    /// Sends the calls that were added, and waits until all are answered. One that fails does not hold back those behind it.
    /// More can be added then, and sent.
    /// </summary>
    /// <param name="throwError">
    /// Whether the first error of a call is thrown, after all were answered. False: it is only in the call's own reply. What
    /// concerns a batch as a whole, that it is refused or the connection is lost, is thrown in any case.
    /// </param>
    public void Send(bool throwError = true)
    {
        (List<Request> sent, List<UmemReply> awaited) = Take();
        if (sent.Count == 0)
            return;
        if (isBatch)
        {
            Call call = BatchCall();
            Do(awaited, () => client.Run(new Request(sent), call));
            Do(awaited, () => Share(call, awaited));
        }
        else
        {
            RunPipelineAsync(sent, awaited, default).GetAwaiter().GetResult();
        }
        if (throwError)
            ThrowFirst(awaited);
    }

    /// <summary>Sends the calls, as <see cref="Send"/> does.</summary>
    /// <param name="throwError">As in <see cref="Send"/>.</param>
    /// <param name="cancellationToken">Ends the waiting for answers.</param>
    public async Task SendAsync(bool throwError = true, CancellationToken cancellationToken = default)
    {
        (List<Request> sent, List<UmemReply> awaited) = Take();
        if (sent.Count == 0)
            return;
        if (isBatch)
        {
            Call call = BatchCall();
            try
            {
                await client.RunAsync(new Request(sent), call, cancellationToken).ConfigureAwait(false);
            }
            catch (Exception e)
            {
                FailAll(awaited, e);
                throw;
            }
            Do(awaited, () => Share(call, awaited));
        }
        else
        {
            await RunPipelineAsync(sent, awaited, cancellationToken).ConfigureAwait(false);
        }
        if (throwError)
            ThrowFirst(awaited);
    }

    private (List<Request> Requests, List<UmemReply> Replies) Take()
    {
        (List<Request>, List<UmemReply>) taken = (requests, replies);
        (requests, replies) = (new List<Request>(), new List<UmemReply>());
        return taken;
    }

    private static Call BatchCall() => new() { IsBatch = true, TakesAnyRaw = true };

    /// <summary>What this throws is the failure of all.</summary>
    private static void Do(List<UmemReply> replies, Action action)
    {
        try
        {
            action();
        }
        catch (Exception e)
        {
            FailAll(replies, e);
            throw;
        }
    }

    private static void FailAll(List<UmemReply> replies, Exception error)
    {
        foreach (UmemReply reply in replies)
            reply.Fail(error);
    }

    private static void ThrowFirst(List<UmemReply> replies)
    {
        foreach (UmemReply reply in replies)
            reply.Check();
    }

    /// <summary>Gives each reply its part of the answer to a batch.</summary>
    private static void Share(Call call, List<UmemReply> replies)
    {
        using JsonDocument document = JsonDocument.Parse(call.Result!);
        if (document.RootElement.GetArrayLength() != replies.Count)
            throw new UmemBadAnswerException("the answer to a batch has not as many elements as the batch");
        ArraySegment<byte> rest = call.Into!.Value;
        int number = 0;
        foreach (JsonElement answer in document.RootElement.EnumerateArray())
        {
            if (answer.ValueKind != JsonValueKind.Object || Json.Long(answer, "id") != call.Id + number)
                throw new UmemBadAnswerException("the answers to a batch are not in its order");
            UmemReply reply = replies[number++];
            if (Json.Find(answer, "error", out JsonElement error))
            {
                reply.Fail(UmemException.Of(UmemError.Read(error)));
                continue;
            }
            if (!answer.TryGetProperty("result", out JsonElement result))
                throw Json.Bad("result");
            ArraySegment<byte> raw = default;
            if (reply.TakesRaw)
            {
                if (result.ValueKind != JsonValueKind.Object)
                    throw Json.Bad("result");
                long size = Json.Long(result, "size");
                if (size < 0 || size > rest.Count)
                    throw new UmemBadAnswerException("the answer to a batch has not the raw bytes that its reads are to have");
                raw = new ArraySegment<byte>(rest.Array!, rest.Offset, (int)size);
                rest = new ArraySegment<byte>(rest.Array!, rest.Offset + (int)size, rest.Count - (int)size);
            }
            reply.Succeed(result, raw);
        }
        if (rest.Count != 0)
            throw new UmemBadAnswerException("the answer to a batch has more raw bytes than its reads");
    }

    /// <summary>Sends all before any is answered; each has its own outcome.</summary>
    private async Task RunPipelineAsync(List<Request> sent, List<UmemReply> awaited, CancellationToken cancellation)
    {
        var tasks = new Task[sent.Count];
        for (int i = 0; i < tasks.Length; i++)
            tasks[i] = RunOneAsync(sent[i], awaited[i], cancellation);
        await Task.WhenAll(tasks).ConfigureAwait(false);
    }

    private async Task RunOneAsync(Request request, UmemReply reply, CancellationToken cancellation)
    {
        var call = new Call { TakesAnyRaw = reply.TakesRaw };
        try
        {
            await client.RunAsync(request, call, cancellation).ConfigureAwait(false);
            using JsonDocument document = JsonDocument.Parse(call.Result!);
            reply.Succeed(document.RootElement, call.Into ?? default);
        }
        catch (Exception e)
        {
            reply.Fail(e);
        }
    }

    // ---- adding ----

    /// <summary>Calls a method by its name.</summary>
    /// <param name="method">"block.alloc"</param>
    /// <param name="parameters">As in <see cref="UmemClient.Call"/>.</param>
    public UmemReply<JsonElement> Call(string method, object? parameters = null) =>
        Add(UmemClient.RequestOf(method, parameters), new UmemReply<JsonElement>((result, _) => result.Clone(), false));

    /// <summary>Reads bytes of a block (<c>block.read</c>), in one piece: <c>payload_bytes</c> at most.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="size">How many bytes to read; null: to the end.</param>
    public UmemReply<byte[]> BlockRead(BlockRef block, long offset = 0, long? size = null) =>
        AddRead(block, offset, size, bytes => bytes);

    /// <summary>Writes bytes to a block (<c>block.write</c>), in one piece: <c>payload_bytes</c> at most.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to begin, in bytes.</param>
    /// <param name="bytes">The bytes; they are taken from the array when the calls are sent.</param>
    public UmemReply BlockWrite(BlockRef block, long offset, byte[] bytes)
    {
        if (bytes == null)
            throw new ArgumentNullException(nameof(bytes));
        return Add(UmemClient.WriteRequest(block, offset, bytes, 0, bytes.Length));
    }

    /// <summary>Reads a number (<c>block.get</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where it is, in bytes.</param>
    public UmemReply<T> BlockGet<T>(BlockRef block, long offset)
        where T : unmanaged => AddRead(block, offset, Number<T>.SizeOf(1), bytes => Number<T>.FromBytes(bytes)[0]);

    /// <summary>Reads numbers (<c>block.get</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the first one is, in bytes.</param>
    /// <param name="count">How many.</param>
    public UmemReply<T[]> BlockGet<T>(BlockRef block, long offset, int count)
        where T : unmanaged => AddRead(block, offset, Number<T>.SizeOf(count), Number<T>.FromBytes);

    /// <summary>Writes numbers (<c>block.set</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where to put the first one, in bytes.</param>
    /// <param name="values">The numbers.</param>
    public UmemReply BlockSet<T>(BlockRef block, long offset, params T[] values)
        where T : unmanaged => BlockWrite(block, offset, Number<T>.ToBytes(values));

    /// <summary>Adds to a number (<c>block.add</c>). Integers wrap around.</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to add.</param>
    public UmemReply<BlockAddResult<T>> BlockAdd<T>(BlockRef block, long offset, T value)
        where T : unmanaged => Add(UmemClient.NumberRequest("block.add", block, offset, value), UmemClient.ReadAdd<T>);

    /// <summary>Writes a number and gives what was there (<c>block.exchange</c>).</summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What to write.</param>
    /// <param name="expected">Write only where this is there, compared bit by bit; null: in any case.</param>
    public UmemReply<BlockExchangeResult<T>> BlockExchange<T>(BlockRef block, long offset, T value, T? expected = null)
        where T : unmanaged => Add(UmemClient.ExchangeRequest(block, offset, value, expected), UmemClient.ReadExchange<T>);

    /// <summary>
    /// Waits until a number is no longer what it was (<c>block.wait</c>). Calls behind it in a pipeline are done meanwhile; a
    /// batch cannot wait: there it is a <see cref="UmemUnsupportedException"/> unless the number is another one already.
    /// </summary>
    /// <param name="block">The block.</param>
    /// <param name="offset">Where the number is, in bytes.</param>
    /// <param name="value">What is there now, as far as is known; compared bit by bit.</param>
    /// <param name="timeoutMs">How long to wait, in milliseconds; null: without an end.</param>
    public UmemReply<T> BlockWait<T>(BlockRef block, long offset, T value, long? timeoutMs = null)
        where T : unmanaged => Add(UmemClient.WaitRequest(block, offset, value, timeoutMs), UmemClient.ReadValue<T>);

    private UmemReply<T> AddRead<T>(BlockRef block, long offset, long? size, Func<byte[], T> read)
    {
        T Read(JsonElement result, ArraySegment<byte> raw)
        {
            if (raw.Count != (size ?? raw.Count))
                throw new UmemBadAnswerException("an answer has more or fewer raw bytes than were asked for");
            byte[] bytes = new byte[raw.Count];
            if (raw.Count != 0)
                Buffer.BlockCopy(raw.Array!, raw.Offset, bytes, 0, raw.Count);
            return read(bytes);
        }
        return Add(UmemClient.ReadRequest(block, offset, size), new UmemReply<T>(Read, true));
    }

    private UmemReply<T> Add<T>(Request request, Func<JsonElement, T> read)
    {
        T Read(JsonElement result, ArraySegment<byte> raw) =>
            result.ValueKind == JsonValueKind.Object ? read(result) : throw Json.Bad("result");
        return Add(request, new UmemReply<T>(Read, false));
    }

    private UmemReply Add(Request request) => Add(request, new UmemReply());

    private TReply Add<TReply>(Request request, TReply reply)
        where TReply : UmemReply
    {
        requests.Add(request);
        replies.Add(reply);
        return reply;
    }
}
