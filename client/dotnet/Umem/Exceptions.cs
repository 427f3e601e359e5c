using System;
using System.Text.Json;

namespace Umem;

/// <summary>
/// The daemon refused a request, and changed nothing. There is a class for each error name of the protocol; an error that this
/// library does not know yet is of this class. <see cref="Name"/> is for programs, the message is for people.
/// </summary>
public partial class UmemException : Exception
{
    internal UmemException(UmemError error)
        : base(error.Message) => Error = error;

    /// <summary>The error as the daemon sent it.</summary>
    public UmemError Error { get; }

    /// <summary>Its stable name: "stale_handle".</summary>
    public string Name => Error.Name;

    /// <summary>Its number: -32002.</summary>
    public int Code => Error.Code;

    /// <summary>Which parameter is meant; null where none is.</summary>
    public string? Parameter => Error.Text("param");

    /// <summary>The heap that is meant; null where none is.</summary>
    public long? Heap => Error.Integer("heap");

    /// <summary>The block that is meant; null where none is.</summary>
    public long? Block => Error.Integer("block");

    /// <summary>Of a range: where it begins, in bytes.</summary>
    public long? Offset => Error.Integer("offset");

    /// <summary>Of a range: how many bytes it has.</summary>
    public long? Size => Error.Integer("size");

    /// <summary>How many bytes the block has.</summary>
    public long? BlockSize => Error.Integer("block_size");

    /// <summary>The limit's name; null where none is meant.</summary>
    public string? Limit => Error.Text("limit");

    /// <summary>How much the limit allows.</summary>
    public long? Maximum => Error.Integer("maximum");

    /// <summary>How much is in use.</summary>
    public long? Used => Error.Integer("used");

    /// <summary>How much more was asked for.</summary>
    public long? Asked => Error.Integer("asked");

    /// <summary>What Win32 documents for it, if the heap generates exceptions: "0xC0000017".</summary>
    public string? NtStatus => Error.Text("ntstatus");
}

/// <summary>An error of the daemon's: its code, name, message and facts.</summary>
public sealed class UmemError
{
    private UmemError(int code, string name, string message, JsonElement facts) =>
        (Code, Name, Message, Facts) = (code, name, message, facts);

    /// <summary>Its number: -32002.</summary>
    public int Code { get; }

    /// <summary>Its stable name: "stale_handle"; "" where the daemon gave none.</summary>
    public string Name { get; }

    /// <summary>A sentence for people.</summary>
    public string Message { get; }

    /// <summary>All facts, as JSON: protocol.md, "Errors", lists them.</summary>
    public JsonElement Facts { get; }

    /// <summary>A fact that is a text; null where there is none of this name.</summary>
    public string? Text(string fact) =>
        Has(fact, JsonValueKind.String, out JsonElement value) ? value.GetString() : null;

    /// <summary>A fact that is an integer; null where there is none of this name.</summary>
    public long? Integer(string fact) =>
        Has(fact, JsonValueKind.Number, out JsonElement value) && value.TryGetInt64(out long number) ? number : null;

    private bool Has(string fact, JsonValueKind kind, out JsonElement value)
    {
        value = default;
        return Facts.ValueKind == JsonValueKind.Object && Facts.TryGetProperty(fact, out value) && value.ValueKind == kind;
    }

    internal static UmemError Read(byte[] json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        return Read(document.RootElement);
    }

    internal static UmemError Read(JsonElement error)
    {
        if (error.ValueKind != JsonValueKind.Object)
            throw Json.Bad("error");
        string name = "";
        JsonElement facts = default;
        if (Json.Find(error, "data", out JsonElement data) && data.ValueKind == JsonValueKind.Object)
        {
            facts = data.Clone();
            if (data.TryGetProperty("name", out JsonElement named) && named.ValueKind == JsonValueKind.String)
                name = named.GetString()!;
        }
        return new UmemError((int)Json.Long(error, "code"), name, Json.String(error, "message"), facts);
    }
}

/// <summary>
/// There is no daemon, or the connection to it is lost: whether it did what was requested last is not known. A client whose
/// connection is lost stays so, unless its options have <see cref="UmemClientOptions.Reconnect"/>; connect another one.
/// </summary>
public class UmemConnectionException : Exception
{
    internal UmemConnectionException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>Another user's process listens on the pipe: nothing was sent to it.</summary>
public sealed class UmemNotTrustedException : UmemConnectionException
{
    internal UmemNotTrustedException(string message)
        : base(message)
    {
    }
}

/// <summary>What came is no answer to the request. The connection is closed.</summary>
public sealed class UmemBadAnswerException : UmemConnectionException
{
    internal UmemBadAnswerException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }
}

/// <summary>
/// No answer came within <see cref="UmemClientOptions.Timeout"/>: whether the daemon did what was requested, or will, is not
/// known. The client goes on if it can (<see cref="UmemClient.IsConnected"/>).
/// </summary>
public sealed class UmemDeadlineException : TimeoutException
{
    internal UmemDeadlineException(string message)
        : base(message)
    {
    }
}
