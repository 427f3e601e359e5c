using System;
using System.Buffers.Text;
using System.Collections.Generic;
using System.Linq;
using System.Text;
using System.Text.Json;

namespace Umem;

/// <summary>
/// One request: its method, its parameters as JSON text, and the raw bytes that go with it. It knows no connection; the text
/// becomes a message, with headers, when the connection gives it an id.
/// </summary>
internal sealed class Request
{
    /// <summary>Bytes up to which raw bytes are copied behind the text, so that both are one write.</summary>
    private const int CopyLimit = 64 * 1024;

    private const int CachedLimit = 64 * 1024;

    // What the headers and the members before "params" take at most, without the method's name.
    private const int Gap = 192;

    private static readonly UTF8Encoding StrictUtf8 = new(false, true);

    private static readonly byte[][] SessionWords =
        new[] { "\"heap.lock\"", "\"block.hold\"", "\"session.watch\"", "\"session\"" }.Select(Encoding.ASCII.GetBytes).ToArray();

    [ThreadStatic]
    private static Text? cached;

    private readonly string method;
    private readonly int gap;
    private Text text;

    public Request(string method)
    {
        this.method = method;
        text = Text.Rent();
        // A character is at most six bytes as an escape.
        gap = Gap + (6 * method.Length);
        text.Buffer.Reset(gap);
        text.Writer.Reset(text.Buffer);
        text.Writer.WriteStartObject();
    }

    /// <summary>A request whose parameters are a JSON text already.</summary>
    public Request(string method, JsonElement parameters)
    {
        this.method = method;
        text = Text.Rent();
        gap = Gap + (6 * method.Length);
        text.Buffer.Reset(gap);
        text.Writer.Reset(text.Buffer);
        parameters.WriteTo(text.Writer);
        isWhole = true;
    }

    /// <summary>A batch of requests, in this order. They are of no other use then.</summary>
    public Request(IReadOnlyList<Request> batch)
    {
        this.batch = batch;
        method = "";
        gap = Gap;
        text = Text.Rent();
        text.Buffer.Reset(gap);
        long size = 0;
        foreach (Request request in batch)
            size += request.PayloadCount;
        if (size > int.MaxValue / 2)
            throw new ArgumentException($"no batch has {size} raw bytes", nameof(batch));
        if (size == 0)
            return;
        byte[] all = new byte[size];
        int at = 0;
        foreach (Request request in batch)
        {
            if (request.Payload == null)
                continue;
            Buffer.BlockCopy(request.Payload, request.PayloadOffset, all, at, request.PayloadCount);
            at += request.PayloadCount;
        }
        Send(all, 0, all.Length);
    }

    private readonly bool isWhole;
    private readonly IReadOnlyList<Request>? batch;

    /// <summary>How many ids it takes.</summary>
    public int Count => batch?.Count ?? 1;

    /// <summary>The raw bytes that follow the message; null: none.</summary>
    public byte[]? Payload { get; private set; }

    public int PayloadOffset { get; private set; }

    public int PayloadCount { get; private set; }

    /// <summary>Whether it is one request, whose bytes are few enough to be copied.</summary>
    public bool IsSmall => batch == null && text.Writer.BytesCommitted + text.Writer.BytesPending + PayloadCount <= CopyLimit;

    /// <summary>Whether the daemon may answer this much later than others, and other answers before it.</summary>
    public bool IsWaiting { get; private set; }

    /// <summary>How long the daemon may let it wait, in milliseconds; null: without an end.</summary>
    public long? WaitsMs { get; private set; }

    /// <summary>
    /// Whether what a message asks for, which <see cref="Finish"/> has made, ends with its connection: a lock, a hold, a watch, or
    /// lifetime session. In doubt it does.
    /// </summary>
    public static bool IsOfSession(ArraySegment<byte> message)
    {
        foreach (byte[] word in SessionWords)
        {
            if (message.AsSpan().IndexOf(word) >= 0)
                return true;
        }
        return false;
    }

    /// <summary>Whether an answer that comes after its caller has given up would leave something behind: a lock.</summary>
    public bool LeavesLock => batch != null ? batch.Any(request => request.LeavesLock) : method == "heap.lock";

    public static ArgumentException Refused(string parameter, object? value) =>
        new($"{value} is none of the values that there are", parameter);

    public void Add(string name, long value) => text.Writer.WriteNumber(name, value);

    public void Add(string name, long? value)
    {
        if (value != null)
            text.Writer.WriteNumber(name, value.Value);
    }

    public void Add(string name, ulong value) => text.Writer.WriteNumber(name, value);

    public void Add(string name, bool? value)
    {
        if (value != null)
            text.Writer.WriteBoolean(name, value.Value);
    }

    public void Add(string name, string? value)
    {
        if (value == null)
            return;
        // The writer would put another character in place of half a surrogate pair.
        try
        {
            StrictUtf8.GetByteCount(value);
        }
        catch (EncoderFallbackException e)
        {
            throw new ArgumentException("the text is not Unicode: it has half of a surrogate pair", name, e);
        }
        text.Writer.WriteString(name, value);
    }

    /// <summary>A value that is JSON text already.</summary>
    public void AddJson(string name, string json)
    {
        text.Writer.WritePropertyName(name);
        text.Writer.WriteRawValue(json);
    }

    public void Add(string name, byte[]? value)
    {
        if (value != null)
            text.Writer.WriteBase64String(name, value);
    }

    public void Add(string name, HeapRef? value)
    {
        if (value != null)
            AddReference(name, value.Value.Handle, value.Value.Name);
    }

    public void Add(string name, BlockRef? value)
    {
        if (value != null)
            AddReference(name, value.Value.Handle, value.Value.Name);
    }

    public void Add(string name, HeapFlags? value)
    {
        if (value == null)
            return;
        text.Writer.WriteStartArray(name);
        foreach (string word in HeapFlagWords.Of(value.Value))
            text.Writer.WriteStringValue(word);
        text.Writer.WriteEndArray();
    }

    /// <summary>The call may wait in the daemon for this long; null: without an end.</summary>
    public void Waits(long? milliseconds)
    {
        IsWaiting = true;
        WaitsMs = milliseconds;
    }

    public void Send(byte[] bytes, int offset, int count)
    {
        Payload = bytes;
        PayloadOffset = offset;
        PayloadCount = count;
    }

    /// <summary>
    /// Completes the message; <paramref name="id"/> 0: a notification. Raw bytes are behind it if they are few; those that
    /// are not are left in <see cref="Payload"/>.
    /// </summary>
    public ArraySegment<byte> Finish(long id)
    {
        ByteBuffer buffer = text.Buffer;
        int start = batch != null ? FinishBatch(id) : FinishMessage(id);
        int end = buffer.Count;
        Span<byte> head = stackalloc byte[Gap];
        int headers = 0;
        Put(head, ref headers, "Content-Length: ");
        Put(head, ref headers, end - start);
        if (Payload != null && PayloadCount != 0)
        {
            Put(head, ref headers, "\r\nPayload-Length: ");
            Put(head, ref headers, PayloadCount);
        }
        Put(head, ref headers, "\r\n\r\n");
        start -= headers;
        head.Slice(0, headers).CopyTo(buffer.Bytes.AsSpan(start));

        if (Payload != null && PayloadCount <= CopyLimit)
        {
            buffer.Append(Payload, PayloadOffset, PayloadCount);
            Payload = null;
            end = buffer.Count;
        }
        return new ArraySegment<byte>(buffer.Bytes, start, end - start);
    }

    /// <summary>Completes the message without headers, and returns where it begins; it ends where the buffer does.</summary>
    private int FinishMessage(long id)
    {
        ByteBuffer buffer = text.Buffer;
        if (!isWhole)
            text.Writer.WriteEndObject();
        text.Writer.Flush();
        buffer.Append((byte)'}');

        Span<byte> head = gap <= 2 * Gap ? stackalloc byte[2 * Gap] : new byte[gap];
        int size = 0;
        Put(head, ref size, "{\"jsonrpc\":\"2.0\",");
        if (id != 0)
        {
            Put(head, ref size, "\"id\":");
            Put(head, ref size, id);
            Put(head, ref size, ",");
        }
        Put(head, ref size, "\"method\":\"");
        ReadOnlySpan<byte> name = JsonEncodedText.Encode(method).EncodedUtf8Bytes;
        name.CopyTo(head.Slice(size));
        size += name.Length;
        Put(head, ref size, "\",\"params\":");
        int start = gap - size;
        head.Slice(0, size).CopyTo(buffer.Bytes.AsSpan(start));
        return start;
    }

    private int FinishBatch(long id)
    {
        ByteBuffer buffer = text.Buffer;
        foreach (Request request in batch!)
        {
            buffer.Append(buffer.Count == gap ? (byte)'[' : (byte)',');
            int start = request.FinishMessage(id++);
            ByteBuffer message = request.text.Buffer;
            buffer.Append(message.Bytes, start, message.Count - start);
            request.Release();
        }
        buffer.Append((byte)']');
        return gap;
    }

    /// <summary>The text's memory is for the next request. Nothing else may be done with this one then.</summary>
    public void Release()
    {
        Text used = text;
        text = null!;
        if (used.Buffer.Bytes.Length <= CachedLimit)
            cached = used;
    }

    private void AddReference(string name, long handle, string? named)
    {
        if (named != null)
            // With the colon it is a name in any case, even if it is digits.
            Add(name, ":" + named);
        else if (handle != 0)
            Add(name, handle);
        else
            throw new ArgumentException("neither a handle nor a name is given", name);
    }

    private static void Put(Span<byte> bytes, ref int size, string ascii)
    {
        foreach (char character in ascii)
            bytes[size++] = (byte)character;
    }

    private static void Put(Span<byte> bytes, ref int size, long number)
    {
        Utf8Formatter.TryFormat(number, bytes.Slice(size), out int written);
        size += written;
    }

    private sealed class Text
    {
        public ByteBuffer Buffer { get; } = new();

        public Utf8JsonWriter Writer { get; }

        private Text() => Writer = new Utf8JsonWriter(Buffer);

        public static Text Rent()
        {
            Text rented = cached ?? new Text();
            cached = null;
            return rented;
        }
    }
}
