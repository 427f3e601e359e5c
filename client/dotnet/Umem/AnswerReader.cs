using System;
using System.Buffers.Text;
using System.IO;
using System.Text;
using System.Text.Json;

namespace Umem;

/// <summary>One message of the daemon's, taken apart as far as the connection needs it.</summary>
internal struct AnswerMessage
{
    /// <summary>Of an answer; null: the daemon could not read the request's.</summary>
    public long? Id;

    /// <summary>Of a notification.</summary>
    public byte[]? Method;

    /// <summary>The result, or the notification's parameters, as JSON text; of a batch, all answers.</summary>
    public byte[]? Body;

    /// <summary>The error, as JSON text.</summary>
    public byte[]? Error;

    /// <summary>It is the array that answers a batch; <see cref="Id"/> is the first one's.</summary>
    public bool IsBatch;

    /// <summary>How many raw bytes follow.</summary>
    public long RawSize;

    /// <summary>It is a line, and not served is what it says: the daemon closes the connection behind it.</summary>
    public bool IsLast;
}

/// <summary>Where the raw bytes behind a message go; to nowhere by default.</summary>
internal readonly struct RawTarget
{
    public RawTarget(ArraySegment<byte> bytes) => Bytes = bytes;

    public static RawTarget None => default;

    public ArraySegment<byte> Bytes { get; }
}

/// <summary>
/// Finds messages in what comes, by their headers, and brings raw bytes to where they are wanted. A read that has passed its
/// deadline is taken up again by the next one where it was.
/// </summary>
internal sealed class AnswerReader
{
    public delegate RawTarget Taker(in AnswerMessage message);

    private const int HeadersLimit = 8 * 1024;
    private const int InitialSize = 16 * 1024;
    private const int KeptLimit = 1024 * 1024;

    private static readonly byte[] HeadersEnd = { 13, 10, 13, 10 };

    private readonly Transport transport;
    private readonly long answerLimit;
    private readonly Taker take;

    // What was read and not used yet is from start to end.
    private byte[] bytes = new byte[InitialSize];
    private int start;
    private int end;

    private bool isInRaw;
    private long rawLeft;
    private ArraySegment<byte> rawTarget;

    public AnswerReader(Transport transport, long answerLimit, Taker take)
    {
        this.transport = transport;
        this.answerLimit = answerLimit;
        this.take = take;
    }

    /// <summary>Reads one message with its raw bytes.</summary>
    public void Read(Deadline deadline)
    {
        if (!isInRaw)
            ReadText(deadline);
        while (rawLeft > 0)
            ReadRaw(deadline);
        isInRaw = false;
    }

    private void ReadText(Deadline deadline)
    {
        if (start == end)
            Fill(1, deadline);
        if (bytes[start] == (byte)'{')
        {
            ReadLine(deadline);
            return;
        }
        int headers;
        while ((headers = bytes.AsSpan(start, end - start).IndexOf(HeadersEnd)) < 0)
        {
            if (end - start > HeadersLimit)
                throw new UmemBadAnswerException("what the daemon sent has no headers");
            Fill(end - start + 1, deadline);
        }
        ReadLengths(bytes.AsSpan(start, headers), out long textSize, out long rawSize);
        int whole = checked(headers + HeadersEnd.Length + (int)textSize);
        if (end - start < whole)
            Fill(whole, deadline);
        AnswerMessage message = Parse(bytes.AsSpan(start + headers + HeadersEnd.Length, (int)textSize));
        message.RawSize = rawSize;
        start += whole;
        rawLeft = rawSize;
        isInRaw = true;
        rawTarget = default;
        rawTarget = take(message).Bytes;
    }

    /// <summary>A connection that is not served gets a line, whatever it would have sent.</summary>
    private void ReadLine(Deadline deadline)
    {
        int size;
        while ((size = bytes.AsSpan(start, end - start).IndexOf((byte)'\n')) < 0)
        {
            if (end - start > HeadersLimit)
                throw new UmemBadAnswerException("what the daemon sent has no headers");
            Fill(end - start + 1, deadline);
        }
        AnswerMessage message = Parse(bytes.AsSpan(start, size));
        message.IsLast = true;
        start += size + 1;
        if (message.Error == null)
            throw new UmemBadAnswerException("what the daemon sent has no headers");
        take(message);
    }

    private void ReadLengths(ReadOnlySpan<byte> headers, out long textSize, out long rawSize)
    {
        textSize = -1;
        rawSize = 0;
        while (headers.Length > 0)
        {
            int next = headers.IndexOf((byte)'\n');
            ReadOnlySpan<byte> line = next < 0 ? headers : headers.Slice(0, next);
            headers = next < 0 ? default : headers.Slice(next + 1);
            int colon = line.IndexOf((byte)':');
            if (colon < 0)
                continue;
            string name = Encoding.ASCII.GetString(line.Slice(0, colon).ToArray());
            ReadOnlySpan<byte> value = line.Slice(colon + 1);
            while (value.Length > 0 && value[0] == (byte)' ')
                value = value.Slice(1);
            if (name.Equals("Content-Length", StringComparison.OrdinalIgnoreCase))
                textSize = Length(value);
            else if (name.Equals("Payload-Length", StringComparison.OrdinalIgnoreCase))
                rawSize = Length(value);
        }
        if (textSize < 0)
            throw new UmemBadAnswerException("what the daemon sent has no length");
        if (textSize > answerLimit)
            throw new UmemBadAnswerException($"an answer of {textSize} bytes is longer than this client accepts");
    }

    private static long Length(ReadOnlySpan<byte> digits) =>
        Utf8Parser.TryParse(digits, out long length, out _) && length >= 0
            ? length
            : throw new UmemBadAnswerException("a length that the daemon sent is no number");

    private void ReadRaw(Deadline deadline)
    {
        int have = end - start;
        if (have > 0)
        {
            int size = (int)Math.Min(have, rawLeft);
            if (rawTarget.Array != null)
                Buffer.BlockCopy(bytes, start, rawTarget.Array, rawTarget.Offset, size);
            start += size;
            Took(size);
        }
        else if (rawTarget.Array != null)
        {
            // Straight to where they are wanted.
            int size = transport.Read(rawTarget.Array, rawTarget.Offset, (int)Math.Min(rawTarget.Count, rawLeft), deadline);
            if (size == 0)
                throw new EndOfStreamException("the connection was closed within an answer");
            Took(size);
        }
        else
        {
            Fill(1, deadline);
        }
    }

    private void Took(int size)
    {
        rawLeft -= size;
        if (rawTarget.Array != null)
            rawTarget = new ArraySegment<byte>(rawTarget.Array, rawTarget.Offset + size, rawTarget.Count - size);
    }

    /// <summary>Reads until there are so many bytes.</summary>
    private void Fill(int count, Deadline deadline)
    {
        if (start == end)
        {
            start = end = 0;
            if (bytes.Length > KeptLimit)
                bytes = new byte[InitialSize];
        }
        if (bytes.Length - start < count)
        {
            byte[] larger = bytes.Length < count ? new byte[Math.Max(count, InitialSize)] : bytes;
            Buffer.BlockCopy(bytes, start, larger, 0, end - start);
            bytes = larger;
            end -= start;
            start = 0;
        }
        while (end - start < count)
        {
            int size = transport.Read(bytes, end, bytes.Length - end, deadline);
            if (size == 0)
                throw new EndOfStreamException("it has ended, or has closed this session");
            end += size;
        }
    }

    private static AnswerMessage Parse(ReadOnlySpan<byte> text)
    {
        var message = default(AnswerMessage);
        try
        {
            var json = new Utf8JsonReader(text);
            json.Read();
            message.IsBatch = json.TokenType == JsonTokenType.StartArray;
            if (message.IsBatch)
            {
                message.Body = Whole(text);
                json.Read();
            }
            if (json.TokenType != JsonTokenType.StartObject)
                throw new UmemBadAnswerException("what the daemon sent is no object");
            while (json.Read() && json.TokenType == JsonTokenType.PropertyName)
            {
                if (json.ValueTextEquals("id"))
                {
                    json.Read();
                    if (json.TokenType == JsonTokenType.Number && json.TryGetInt64(out long id))
                        message.Id = id;
                }
                else if (message.IsBatch)
                {
                    json.Read();
                    json.Skip();
                }
                else if (json.ValueTextEquals("method"))
                {
                    json.Read();
                    message.Method = json.TokenType == JsonTokenType.String ? json.ValueSpan.ToArray() : null;
                }
                else if (json.ValueTextEquals("result") || json.ValueTextEquals("params"))
                {
                    message.Body = Value(ref json, text);
                }
                else if (json.ValueTextEquals("error"))
                {
                    message.Error = Value(ref json, text);
                }
                else
                {
                    json.Read();
                    json.Skip();
                }
            }
        }
        catch (JsonException e)
        {
            throw new UmemBadAnswerException("what the daemon sent is not JSON", e);
        }
        if (message.Body == null && message.Error == null)
            throw new UmemBadAnswerException("what the daemon sent has neither a result nor an error");
        return message;
    }

    /// <summary>The text, if it is JSON as a whole: what reads it later takes that for granted.</summary>
    private static byte[] Whole(ReadOnlySpan<byte> text)
    {
        var json = new Utf8JsonReader(text);
        while (json.Read())
        {
        }
        return text.ToArray();
    }

    private static byte[] Value(ref Utf8JsonReader json, ReadOnlySpan<byte> text)
    {
        json.Read();
        int from = (int)json.TokenStartIndex;
        json.Skip();
        return text.Slice(from, (int)json.BytesConsumed - from).ToArray();
    }
}
