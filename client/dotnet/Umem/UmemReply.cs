using System;
using System.Runtime.ExceptionServices;
using System.Text.Json;

namespace Umem;

/// <summary>The answer to a call of a batch or pipeline (<see cref="UmemCalls"/>), which is there when that has been sent.</summary>
public class UmemReply
{
    private bool isThere;

    internal UmemReply()
    {
    }

    /// <summary>
    /// What the call failed with, mostly a <see cref="UmemException"/>; null: it succeeded, or was not sent yet.
    /// </summary>
    public Exception? Error { get; private set; }

    /// <summary>Throws what the call failed with.</summary>
    /// <exception cref="InvalidOperationException">The call was not sent yet.</exception>
    public void Check()
    {
        if (Error != null)
            ExceptionDispatchInfo.Capture(Error).Throw();
        if (!isThere)
            throw new InvalidOperationException("the call was not sent yet: Send() does that");
    }

    /// <summary>Whether the result has raw bytes behind the message.</summary>
    internal virtual bool TakesRaw => false;

    internal void Fail(Exception error) => Error = error;

    internal void Succeed(JsonElement result, ArraySegment<byte> raw)
    {
        Read(result, raw);
        isThere = true;
    }

    private protected virtual void Read(JsonElement result, ArraySegment<byte> raw)
    {
    }
}

/// <summary>As <see cref="UmemReply"/>, of a call that has a result.</summary>
/// <typeparam name="T">The result's type.</typeparam>
public sealed class UmemReply<T> : UmemReply
{
    private readonly Func<JsonElement, ArraySegment<byte>, T> read;
    private T value = default!;

    internal UmemReply(Func<JsonElement, ArraySegment<byte>, T> read, bool takesRaw) => (this.read, TakesRaw) = (read, takesRaw);

    /// <summary>The result; or throws what the call failed with.</summary>
    /// <exception cref="InvalidOperationException">The call was not sent yet.</exception>
    public T Value
    {
        get
        {
            Check();
            return value;
        }
    }

    internal override bool TakesRaw { get; }

    private protected override void Read(JsonElement result, ArraySegment<byte> raw) => value = read(result, raw);
}
