using System;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>How a client connects.</summary>
public sealed class UmemClientOptions
{
    /// <summary>
    /// Where the daemon listens: a socket's path, or a Windows pipe's name. Null: the environment's UMEM_PIPE, else the user's
    /// own.
    /// </summary>
    public string? Pipe { get; set; }

    /// <summary>
    /// How long one call may take; a call that waits in the daemon takes its own time more. Without an end by default
    /// (<see cref="System.Threading.Timeout.InfiniteTimeSpan"/>).
    /// </summary>
    public TimeSpan Timeout { get; set; } = System.Threading.Timeout.InfiniteTimeSpan;

    /// <summary>
    /// How long a call that finds the connection lost tries to make a new one. Never by default (<see cref="TimeSpan.Zero"/>).
    /// </summary>
    public TimeSpan Reconnect { get; set; }

    /// <summary>The longest answer that is accepted, in bytes, raw bytes not counted: at most 1 GiB.</summary>
    public long AnswerBytesMax { get; set; } = 64 * 1024 * 1024;
}

/// <summary>
/// A connection to a daemon, which is a session there. Any number of threads may use it at a time, and each call is as if it
/// were alone. Each method of the protocol is a method here, and another one that is awaited: <c>block.alloc</c> is
/// <see cref="BlockAlloc"/> and <see cref="BlockAllocAsync"/>.
/// </summary>
/// <remarks>
/// A call that the daemon refuses throws a <see cref="UmemException"/> and has changed nothing. A connection that is lost
/// throws a <see cref="UmemConnectionException"/>, as all later calls do, unless the options have
/// <see cref="UmemClientOptions.Reconnect"/>: connect anew, and handles are good as long as the daemon lives, those of durable
/// heaps longer. Cancelling a call that waits in the daemon (<see cref="BlockWaitAsync"/>, <see cref="HeapLockAsync"/>) ends it
/// there. Cancelling another one ends the waiting for its answer: whether the daemon does it is not known then.
/// </remarks>
public sealed partial class UmemClient : IDisposable
{
    private static readonly object DefaultGate = new();
    private static UmemClient? shared;

    private readonly ConnectionSource connections;
    private readonly int timeoutMs;

    private UmemClient(string pipe, UmemClientOptions options)
    {
        Pipe = pipe;
        timeoutMs = Milliseconds(options.Timeout);
        int reconnectMs = options.Reconnect == TimeSpan.Zero ? 0 : Milliseconds(options.Reconnect);
        if (reconnectMs < 0)
            throw new ArgumentOutOfRangeException(nameof(options), options.Reconnect, "to connect anew takes some end");
        connections = new ConnectionSource(pipe, timeoutMs, reconnectMs, options.AnswerBytesMax);
    }

    /// <summary>
    /// The connection of <see cref="Memory"/> and <see cref="Heap"/>: made when it is first needed, and anew when it was lost.
    /// </summary>
    public static UmemClient Default
    {
        get
        {
            lock (DefaultGate)
            {
                if (shared == null || !shared.IsConnected)
                    shared = Connect();
                return shared;
            }
        }
    }

    /// <summary>The pipe that this client is connected to.</summary>
    public string Pipe { get; }

    /// <summary>Whether the connection is open, as far as is known without a call.</summary>
    public bool IsConnected => connections.Current.IsOpen;

    /// <summary>
    /// Connects, and checks that the daemon is run by this user, by root or by SYSTEM before anything is sent to it.
    /// </summary>
    /// <exception cref="UmemConnectionException">No daemon listens there.</exception>
    /// <exception cref="UmemNotTrustedException">Another user's process listens there.</exception>
    /// <exception cref="ArgumentException">The pipe's name cannot be one.</exception>
    public static UmemClient Connect(UmemClientOptions? options = null)
    {
        options ??= new UmemClientOptions();
        if (options.AnswerBytesMax is <= 0 or > 1 << 30)
            throw new ArgumentOutOfRangeException(nameof(options), options.AnswerBytesMax, "answers have from 1 byte to 1 GiB");
        return new UmemClient(Endpoint.Find(options.Pipe), options);
    }

    /// <summary>Connects to this pipe, as <see cref="Connect(UmemClientOptions?)"/> does.</summary>
    public static UmemClient Connect(string pipe) => Connect(new UmemClientOptions { Pipe = pipe });

    /// <summary>Connects, as <see cref="Connect(UmemClientOptions?)"/> does.</summary>
    public static Task<UmemClient> ConnectAsync(UmemClientOptions? options = null,
                                                CancellationToken cancellationToken = default) =>
        Task.Run(() => Connect(options), cancellationToken);

    /// <summary>The pipe that is used where none is named.</summary>
    public static string DefaultPipe() => Endpoint.Find(null);

    /// <summary>Ends the session: what has lifetime "session" is freed, and locks, holds and watches end.</summary>
    public void Dispose() => connections.Dispose();

    // ---- any method ----

    /// <summary>Calls a method by its name.</summary>
    /// <param name="method">"block.alloc"</param>
    /// <param name="parameters">
    /// The parameters: what <see cref="JsonSerializer"/> makes a JSON object of, an anonymous object say; a
    /// <see cref="JsonElement"/> as it is. Null: none.
    /// </param>
    /// <returns>The result.</returns>
    public JsonElement Call(string method, object? parameters = null) => Element(Invoke(RequestOf(method, parameters)));

    /// <summary>Calls a method by its name, as <see cref="Call"/> does.</summary>
    /// <param name="method">"block.alloc"</param>
    /// <param name="parameters">As in <see cref="Call"/>.</param>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    /// <returns>The result.</returns>
    public Task<JsonElement> CallAsync(string method, object? parameters = null,
                                       CancellationToken cancellationToken = default) =>
        InvokeAsync(RequestOf(method, parameters), result => result.Clone(), cancellationToken);

    /// <summary>Describes all methods, as an OpenRPC document.</summary>
    public JsonElement RpcDiscover() => Call("rpc.discover");

    /// <summary>Describes all methods, as an OpenRPC document.</summary>
    /// <param name="cancellationToken">Ends the waiting for the answer.</param>
    public Task<JsonElement> RpcDiscoverAsync(CancellationToken cancellationToken = default) =>
        CallAsync("rpc.discover", null, cancellationToken);

    internal static Request RequestOf(string method, object? parameters)
    {
        if (string.IsNullOrEmpty(method))
            throw new ArgumentException("a method has a name", nameof(method));
        if (parameters == null)
            return new Request(method);
        JsonElement json = parameters is JsonElement element
            ? element
            : JsonSerializer.SerializeToElement(parameters, parameters.GetType());
        if (json.ValueKind is not (JsonValueKind.Object or JsonValueKind.Array))
            throw new ArgumentException("parameters are an object or an array", nameof(parameters));
        var request = new Request(method, json);
        if (method is "block.wait" or "heap.lock")
            request.Waits(Json.LongOrNull(json, "timeout_ms"));
        return request;
    }

    // ---- many calls ----

    /// <summary>
    /// A batch: the calls that are added to it are sent as one message, and done in order, with no request of another session in
    /// between. What may take long is a <see cref="UmemUnsupportedException"/> in it; protocol.md, "Batches in detail".
    /// </summary>
    public UmemCalls Batch() => new(this, true);

    /// <summary>
    /// A pipeline: the calls that are added to it are sent one behind the other, without waiting for answers. Other sessions'
    /// requests may come in between.
    /// </summary>
    public UmemCalls Pipeline() => new(this, false);

    // ---- what the methods consist of ----

    internal void Run(Request request, Call call)
    {
        Deadline deadline = DeadlineOf(request);
        connections.Open(deadline).Run(request, call, deadline);
    }

    internal Task RunAsync(Request request, Call call, CancellationToken cancellation)
    {
        Connection? connection = connections.Ready;
        return connection != null
            ? connection.RunAsync(request, call, TimeoutOf(request), cancellation)
            : RunAnewAsync(request, call, cancellation);
    }

    private async Task RunAnewAsync(Request request, Call call, CancellationToken cancellation)
    {
        Deadline deadline = DeadlineOf(request);
        Connection connection = await connections.OpenAsync(deadline, cancellation).ConfigureAwait(false);
        await connection.RunAsync(request, call, deadline.RemainingMs, cancellation).ConfigureAwait(false);
    }

    private Deadline DeadlineOf(Request request)
    {
        int milliseconds = TimeoutOf(request);
        return milliseconds < 0 ? Deadline.None : Deadline.After(milliseconds);
    }

    private int TimeoutOf(Request request)
    {
        if (timeoutMs < 0 || (request.IsWaiting && request.WaitsMs == null && !request.LeavesLock))
            return -1;
        return (int)Math.Min(int.MaxValue, timeoutMs + (request.WaitsMs ?? 0));
    }

    private byte[] Invoke(Request request)
    {
        var call = new Call();
        Run(request, call);
        return call.Result!;
    }

    private async Task<byte[]> InvokeAsync(Request request, CancellationToken cancellation)
    {
        var call = new Call();
        await RunAsync(request, call, cancellation).ConfigureAwait(false);
        return call.Result!;
    }

    private async Task<T> InvokeAsync<T>(Request request, Func<JsonElement, T> read, CancellationToken cancellation) =>
        Read(await InvokeAsync(request, cancellation).ConfigureAwait(false), read);

    private T Invoke<T>(Request request, Func<JsonElement, T> read) => Read(Invoke(request), read);

    private static T Read<T>(byte[] result, Func<JsonElement, T> read)
    {
        using JsonDocument document = JsonDocument.Parse(result);
        if (document.RootElement.ValueKind != JsonValueKind.Object)
            throw Json.Bad("result");
        return read(document.RootElement);
    }

    private static JsonElement Element(byte[] result)
    {
        using JsonDocument document = JsonDocument.Parse(result);
        return document.RootElement.Clone();
    }

    /// <summary>For a finalizer: what fails is of no interest any more.</summary>
    internal void TryFree(long block)
    {
        try
        {
            var request = new Request("block.free");
            request.Add("block", block);
            connections.Current.Notify(request, Deadline.None);
        }
        catch (Exception e) when (e is UmemConnectionException or UmemException or ObjectDisposedException or TimeoutException)
        {
            // The block stays, or has gone with its session.
        }
    }

    private static int Milliseconds(TimeSpan timeout)
    {
        if (timeout == Timeout.InfiniteTimeSpan)
            return -1;
        if (timeout <= TimeSpan.Zero || timeout.TotalMilliseconds > int.MaxValue)
            throw new ArgumentOutOfRangeException(nameof(timeout), timeout, "a time-out is more than 0 and less than 24 days");
        return (int)Math.Ceiling(timeout.TotalMilliseconds);
    }
}
