using System;
using System.Collections.Generic;
using System.IO;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>
/// One connection that threads share. One of them writes at a time, and one of those that wait for answers reads, for all:
/// a program with one thread needs no other one, and no switch between threads. For asynchronous calls, watches, and calls that
/// were given up, a thread of the connection's own reads; it ends when it has had nothing to do for a while.
/// </summary>
internal sealed class Connection : IDisposable
{
    private const int IdleMs = 10_000;
    private const int ArrayLimit = 0x7fffffc7;

    /// <summary>Bytes of requests from which on the next one waits until they are sent.</summary>
    private const int QueueLimit = 256 * 1024;

    private readonly Transport transport;
    private readonly AnswerReader reader;
    private readonly SemaphoreSlim writing = new(1, 1);

    // Guards the order of requests: the next members. It is taken before the gate.
    private readonly object order = new();
    private long lastId;

    // Requests of asynchronous calls that go out together, before any later one, and a buffer that takes turns with it.
    private ByteBuffer queued = new();
    private ByteBuffer spare = new();

    // Asynchronous calls that wait until they may write: none that comes later may be queued before them.
    private int writers;

    // Guards everything below, and calls.
    private readonly object gate = new();
    private readonly Dictionary<long, Call> pending = new();
    private readonly LinkedList<Call> sleepers = new();
    // Asynchronous calls that wait until others are sent.
    private readonly LinkedList<(Deadline Deadline, CancellationTokenSource Turn)> turns = new();

    // Calls under way that the daemon answers as soon as it can.
    private int prompt;
    private bool isReading;

    // Calls and watches that no thread waits for.
    private int unattended;
    private bool hasThread;
    private Func<Exception>? loss;
    private bool hasSessionThings;

    // The call whose raw bytes are just coming.
    private Call? receiving;

    // One for the deadlines of all asynchronous calls: Mono keeps each timer in its list until it would have run.
    private readonly Timer timer;
    private Deadline earliest = Deadline.None;

    public Connection(Transport transport, long answerLimit, WatchTable watches)
    {
        this.transport = transport;
        reader = new AnswerReader(transport, answerLimit, TakeMessage);
        timer = new Timer(_ => Expire());
        Watches = watches;
    }

    /// <summary>The watches of this session.</summary>
    public WatchTable Watches { get; }

    /// <summary>How many raw bytes the daemon takes at a time; 0: nobody has asked yet.</summary>
    public int PieceSize { get; set; }

    /// <summary>Whether it is noted that locks and the like were asked for, which end with the connection.</summary>
    public bool KeepsSessionThings { get; set; }

    public bool IsOpen
    {
        get
        {
            lock (gate)
                return loss == null;
        }
    }

    /// <summary>Whether it is open, after a look at whether the daemon has closed it.</summary>
    public bool LooksOpen()
    {
        lock (gate)
        {
            // Who reads sees it.
            if (loss == null && !isReading && HasEnded())
                LoseInside(() => new UmemConnectionException("the connection is lost, the daemon closed it"));
            return loss == null;
        }
    }

    /// <summary>Whether locks and the like were asked for; false from then on.</summary>
    public bool TakeSessionThings()
    {
        lock (gate)
        {
            bool had = hasSessionThings;
            hasSessionThings = false;
            return had;
        }
    }

    private bool HasEnded()
    {
        try
        {
            return transport.HasEnded();
        }
        catch (IOException)
        {
            return true;
        }
    }

    // ---- calls ----

    /// <summary>Sends the request and waits for its answer. Its raw bytes are read until then.</summary>
    public void Run(Request request, Call call, Deadline deadline)
    {
        Send(request, call, deadline);
        Wait(call, deadline, request);
        call.Check();
    }

    public async Task RunAsync(Request request, Call call, int timeoutMs, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        call.Task = new TaskCompletionSource<bool>(TaskCreationOptions.RunContinuationsAsynchronously);
        call.Deadline = Deadline.After(timeoutMs);
        call.LeavesLock = request.LeavesLock;
        if (!Queue(request, call))
            await SendAsync(request, call, cancellation).ConfigureAwait(false);
        using (cancellation.Register(() => Cancel(call)))
            await call.Task.Task.ConfigureAwait(false);
        if (call.IsAbandoned)
        {
            cancellation.ThrowIfCancellationRequested();
            throw Late();
        }
        if (call.IsWaiting && call.Error != null && cancellation.IsCancellationRequested &&
            UmemError.Read(call.Error).Name == "cancelled")
            cancellation.ThrowIfCancellationRequested();
        call.Check();
    }

    /// <summary>Sends a request that is not answered.</summary>
    public void Notify(Request request, Deadline deadline)
    {
        TakeWriting(deadline);
        try
        {
            Write(request, null, deadline);
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>Has notifications read though no call is under way.</summary>
    public void Attend(int watches)
    {
        lock (gate)
        {
            unattended += watches;
            StartThread();
        }
    }

    public void Dispose() => Lose(() => new ObjectDisposedException(nameof(UmemClient)));

    // ---- sending ----

    private void Send(Request request, Call call, Deadline deadline)
    {
        TakeWriting(deadline);
        try
        {
            Write(request, call, deadline);
        }
        finally
        {
            writing.Release();
        }
    }

    private void TakeWriting(Deadline deadline)
    {
        if (!writing.Wait(deadline.RemainingMs))
            throw NotSent();
    }

    private void Write(Request request, Call? call, Deadline deadline)
    {
        ArraySegment<byte> text = BeginBehindQueue(request, call);
        try
        {
            transport.Write(text.Array!, text.Offset, text.Count, deadline);
            if (request.Payload != null)
                transport.Write(request.Payload, request.PayloadOffset, request.PayloadCount, deadline);
        }
        catch (TimeoutException)
        {
            Lose(PartlySent);
            throw Late();
        }
        catch (IOException e)
        {
            LoseBy(e, "the daemon no longer takes requests");
            throw Lost();
        }
        finally
        {
            request.Release();
        }
    }

    /// <summary>
    /// Leaves the request to be sent with those of other asynchronous calls, in one write. False: no call is under way that this
    /// one could wait with, so that it is better sent at once, or it is large, or the queue is full; <see cref="SendAsync"/>
    /// must come next.
    /// </summary>
    private bool Queue(Request request, Call call)
    {
        lock (order)
        {
            if (writers > 0 || Volatile.Read(ref prompt) == 0 || queued.Count >= QueueLimit || !request.IsSmall)
            {
                writers++;
                return false;
            }
            bool isFirst = queued.Count == 0;
            call.IsSent = true;
            ArraySegment<byte> text = Begin(request, call);
            queued.Append(text.Array!, text.Offset, text.Count);
            request.Release();
            if (!isFirst)
                return true;
        }
        _ = Task.Run(SendQueueAsync);
        return true;
    }

    /// <summary>Sends what is queued by then. What fails is the failure of the calls, and told to nobody else.</summary>
    private async Task SendQueueAsync()
    {
        await writing.WaitAsync().ConfigureAwait(false);
        try
        {
            ArraySegment<byte> text;
            lock (order)
                text = TakeQueue();
            await transport.WriteAsync(text.Array!, text.Offset, text.Count).ConfigureAwait(false);
        }
        catch (IOException e)
        {
            LoseBy(e, "the daemon no longer takes requests");
        }
        finally
        {
            writing.Release();
        }
    }

    /// <summary>The bytes are the caller's to send, who has the right to write, until the next call of this.</summary>
    private ArraySegment<byte> TakeQueue()
    {
        (queued, spare) = (spare.Bytes.Length <= 2 * QueueLimit ? spare : new ByteBuffer(), queued);
        queued.Reset(0);
        return new ArraySegment<byte>(spare.Bytes, 0, spare.Count);
    }

    /// <summary>A request that was partly sent when its time is over ends the connection; cancelling waits until it is sent.</summary>
    private async Task SendAsync(Request request, Call call, CancellationToken cancellation)
    {
        if (!writing.Wait(0))
            await WaitForWriting(call, cancellation).ConfigureAwait(false);
        try
        {
            ArraySegment<byte> text = BeginBehindQueue(request, call);
            await transport.WriteAsync(text.Array!, text.Offset, text.Count).ConfigureAwait(false);
            if (request.Payload != null)
                await transport.WriteAsync(request.Payload, request.PayloadOffset, request.PayloadCount).ConfigureAwait(false);
            lock (gate)
                call.IsSent = true;
        }
        catch (IOException) when (call.Deadline.HasPassed)
        {
            throw Late();
        }
        catch (IOException e)
        {
            LoseBy(e, "the daemon no longer takes requests");
            throw Lost();
        }
        finally
        {
            request.Release();
            writing.Release();
        }
    }

    private async Task WaitForWriting(Call call, CancellationToken cancellation)
    {
        using var turn = CancellationTokenSource.CreateLinkedTokenSource(cancellation);
        LinkedListNode<(Deadline Deadline, CancellationTokenSource Turn)> place;
        lock (gate)
        {
            place = turns.AddLast((call.Deadline, turn));
            Arm(call.Deadline);
        }
        try
        {
            await writing.WaitAsync(turn.Token).ConfigureAwait(false);
        }
        catch (OperationCanceledException)
        {
            lock (order)
                writers--;
            cancellation.ThrowIfCancellationRequested();
            throw NotSent();
        }
        finally
        {
            lock (gate)
                turns.Remove(place);
        }
    }

    /// <summary>The message, behind those that are queued: it is sent after them, in the same write.</summary>
    private ArraySegment<byte> BeginBehindQueue(Request request, Call? call)
    {
        lock (order)
        {
            if (call?.Task != null)
                writers--;
            ArraySegment<byte> text = Begin(request, call);
            if (queued.Count == 0)
                return text;
            queued.Append(text.Array!, text.Offset, text.Count);
            return TakeQueue();
        }
    }

    /// <summary>
    /// Makes the message, and notes who waits for its answer: requests are sent in the order of their ids, which the caller
    /// guards.
    /// </summary>
    private ArraySegment<byte> Begin(Request request, Call? call)
    {
        long id = call != null ? lastId + 1 : 0;
        ArraySegment<byte> text = request.Finish(id);
        if (call != null)
            lastId += request.Count;
        lock (gate)
        {
            if (loss != null)
                throw loss();
            if (call == null)
                return text;
            if (KeepsSessionThings && !hasSessionThings)
                hasSessionThings = Request.IsOfSession(text);
            call.Id = id;
            call.IsWaiting = request.IsWaiting;
            pending.Add(call.Id, call);
            if (!call.IsWaiting)
                prompt++;
            if (call.Task != null)
            {
                Arm(call.Deadline);
                unattended++;
                StartThread();
            }
        }
        return text;
    }

    // ---- waiting ----

    private void Wait(Call call, Deadline deadline, Request request)
    {
        lock (gate)
        {
            if (call.IsDone)
                return;
            if (!isReading)
            {
                isReading = true;
                call.IsPromoted = true;
            }
            else
            {
                call.Wake = new ManualResetEventSlim(false);
                sleepers.AddLast(call);
            }
        }
        if (call.Wake != null)
        {
            call.Wake.Wait(deadline.RemainingMs);
            lock (gate)
            {
                sleepers.Remove(call);
                if (!call.IsDone && !call.IsPromoted)
                {
                    // Others go on reading, and pass the answer over.
                    Abandon(call, request.LeavesLock);
                    throw Late();
                }
            }
        }
        if (call.IsPromoted)
            ReadUntil(call, deadline, request.LeavesLock);
    }

    /// <summary>Reads, for all, until this call is answered.</summary>
    private void ReadUntil(Call call, Deadline deadline, bool leavesLock)
    {
        try
        {
            while (!call.IsDone)
                ReadMessage(deadline);
        }
        catch (TimeoutException)
        {
            lock (gate)
                Abandon(call, leavesLock);
            throw Late();
        }
        finally
        {
            lock (gate)
                HandOver();
        }
    }

    /// <summary>Reads one message. What fails is the failure of all calls.</summary>
    private void ReadMessage(Deadline deadline)
    {
        try
        {
            reader.Read(deadline);
            Finish();
        }
        catch (IOException e)
        {
            LoseBy(e, "the daemon closed the connection");
        }
        catch (Exception e) when (e is not TimeoutException)
        {
            Lose(() => new UmemBadAnswerException(e.Message, e));
        }
    }

    /// <summary>The next one reads: a thread that waits for an answer, else the connection's own, if there is need.</summary>
    private void HandOver()
    {
        isReading = false;
        if (loss != null)
            return;
        LinkedListNode<Call>? next = sleepers.First;
        if (next != null)
        {
            sleepers.RemoveFirst();
            isReading = true;
            next.Value.IsPromoted = true;
            next.Value.Wake!.Set();
        }
        else
        {
            StartThread();
        }
    }

    private void StartThread()
    {
        if (unattended == 0 || isReading || loss != null)
            return;
        if (hasThread)
        {
            Monitor.PulseAll(gate);
            return;
        }
        hasThread = true;
        new Thread(ReadForOthers) { IsBackground = true, Name = "umem reader" }.Start();
    }

    private void ReadForOthers()
    {
        for (;;)
        {
            lock (gate)
            {
                while (loss == null && (isReading || unattended == 0))
                {
                    if (!Monitor.Wait(gate, IdleMs) && unattended == 0 && loss == null)
                    {
                        hasThread = false;
                        return;
                    }
                }
                if (loss != null)
                    return;
                isReading = true;
            }
            ReadMessage(Deadline.None);
            lock (gate)
                HandOver();
        }
    }

    // ---- giving up ----

    /// <summary>The answer will be passed over.</summary>
    private void Abandon(Call call, bool leavesLock)
    {
        if (call.IsDone)
            return;
        if (call == receiving)
        {
            LoseInside(() => new UmemConnectionException("a call was given up while its raw bytes were coming"));
            return;
        }
        if (leavesLock)
        {
            LoseInside(() => new UmemConnectionException("a lock was given up that the daemon may have granted"));
            return;
        }
        if (!call.IsUnattended)
            unattended++;
        call.IsAbandoned = true;
        StartThread();
    }

    private void Expire(Call call)
    {
        if (!call.IsSent)
            LoseInside(PartlySent);
        else
            Abandon(call, call.LeavesLock);
        if (call.IsAbandoned)
            call.Task!.TrySetResult(true);
    }

    /// <summary>Asynchronous calls whose time is over.</summary>
    private void Expire()
    {
        var late = new List<CancellationTokenSource>();
        lock (gate)
        {
            earliest = Deadline.None;
            foreach ((Deadline deadline, CancellationTokenSource turn) in turns)
            {
                if (deadline.HasPassed)
                    late.Add(turn);
                else
                    Arm(deadline);
            }
            var waiting = new List<Call>(pending.Values);
            if (receiving != null)
                waiting.Add(receiving);
            foreach (Call call in waiting)
            {
                if (call.Task == null || call.IsDone || call.IsAbandoned)
                    continue;
                if (call.Deadline.HasPassed)
                    Expire(call);
                else
                    Arm(call.Deadline);
            }
        }
        // Not with the lock: what waited goes on in this thread.
        foreach (CancellationTokenSource turn in late)
        {
            try
            {
                turn.Cancel();
            }
            catch (ObjectDisposedException)
            {
                // It has just had its turn.
            }
        }
    }

    private void Arm(Deadline deadline)
    {
        if (loss != null || !deadline.IsBefore(earliest))
            return;
        earliest = deadline;
        timer.Change(deadline.RemainingMs, Timeout.Infinite);
    }

    /// <summary>
    /// A call that waits in the daemon is ended there, and then answered: nothing is left behind. Another one is given up, unless
    /// its raw bytes are coming already.
    /// </summary>
    private void Cancel(Call call)
    {
        if (!call.IsWaiting)
        {
            lock (gate)
            {
                if (call != receiving)
                    Expire(call);
            }
            return;
        }
        var request = new Request("$/cancelRequest");
        request.Add("id", call.Id);
        Task.Run(() =>
        {
            try
            {
                Notify(request, Deadline.None);
            }
            catch (Exception e) when (e is UmemConnectionException or ObjectDisposedException or TimeoutException)
            {
                // The call has failed for the same reason.
            }
        });
    }

    private static UmemDeadlineException Late() =>
        new("the daemon did not answer in time; whether it does what was requested is not known");

    private static UmemDeadlineException NotSent() =>
        new("other threads' requests took all of the time; this one was not sent");

    private static UmemConnectionException PartlySent() =>
        new("the connection is lost, the daemon did not take a request in time, and had a part of it");

    private Exception Lost()
    {
        lock (gate)
            return (loss ?? (() => new UmemConnectionException("the connection is lost")))();
    }

    private void LoseBy(IOException e, string what) =>
        Lose(() => new UmemConnectionException($"the connection is lost, {what}: {e.Message}", e));

    private void Lose(Func<Exception> why)
    {
        lock (gate)
            LoseInside(why);
    }

    /// <summary>Ends all calls. Those who sleep are woken, and find their calls done.</summary>
    private void LoseInside(Func<Exception> why)
    {
        if (loss != null)
            return;
        loss = why;
        if (receiving != null)
            pending[receiving.Id] = receiving;
        foreach (Call call in pending.Values)
        {
            call.Loss = why;
            call.IsDone = true;
            call.Wake?.Set();
            call.Task?.TrySetResult(true);
        }
        pending.Clear();
        sleepers.Clear();
        receiving = null;
        Monitor.PulseAll(gate);
        timer.Dispose();
        transport.Dispose();
        ThreadPool.QueueUserWorkItem(_ => Watches.Lost());
    }

    // ---- what comes ----

    /// <summary>Called by the reader with a message, before its raw bytes. Returns where they go.</summary>
    private RawTarget TakeMessage(in AnswerMessage message)
    {
        if (message.Method != null)
        {
            if (message.RawSize != 0)
                throw new UmemBadAnswerException("raw bytes follow a notification");
            Watches.Take(message.Method, message.Body!);
            return RawTarget.None;
        }
        lock (gate)
        {
            Call? call = Find(message);
            if (call == null)
            {
                if (message.Error != null && message.Id == null)
                {
                    // Nobody has asked anything: the daemon says why it does not serve this connection.
                    UmemError error = UmemError.Read(message.Error);
                    LoseInside(() => UmemException.Of(error));
                    return RawTarget.None;
                }
                throw new UmemBadAnswerException("an answer came for a request that was not sent");
            }
            if (message.IsLast)
            {
                UmemError error = UmemError.Read(message.Error!);
                LoseInside(() => UmemException.Of(error));
                return RawTarget.None;
            }
            if (message.Error == null && message.IsBatch != call.IsBatch)
                throw new UmemBadAnswerException("a batch is answered by one answer, or a request by many");
            pending.Remove(call.Id);
            if (!call.IsWaiting)
                prompt--;
            receiving = call;
            call.Error = message.Error;
            call.Result = message.Body;
            return message.Error == null ? TargetOf(call, message.RawSize) : RawTarget.None;
        }
    }

    private static RawTarget TargetOf(Call call, long rawSize)
    {
        if (call.IsAbandoned || (rawSize == 0 && call.Into == null && !call.TakesAnyRaw))
            return RawTarget.None;
        if (call.TakesAnyRaw)
        {
            if (rawSize > ArrayLimit)
            {
                call.Loss = () => new InvalidOperationException(
                    $"an array cannot have {rawSize} bytes: read the block in parts");
                return RawTarget.None;
            }
            call.Into = new ArraySegment<byte>(new byte[rawSize]);
        }
        if (call.Into == null || call.Into.Value.Count != rawSize)
            throw new UmemBadAnswerException("an answer has more or fewer raw bytes than were asked for");
        return new RawTarget(call.Into.Value);
    }

    /// <summary>An error without an id is about the oldest that cannot be waiting: answers come in order.</summary>
    private Call? Find(in AnswerMessage message)
    {
        if (message.Id != null)
            return pending.TryGetValue(message.Id.Value, out Call? found) ? found : null;
        Call? oldest = null;
        foreach (Call call in pending.Values)
        {
            if (oldest == null || (oldest.IsWaiting && !call.IsWaiting) ||
                (oldest.IsWaiting == call.IsWaiting && call.Id < oldest.Id))
                oldest = call;
        }
        return oldest;
    }

    /// <summary>All of the message is here.</summary>
    private void Finish()
    {
        TaskCompletionSource<bool>? task = null;
        lock (gate)
        {
            Call? call = receiving;
            if (call == null)
                return;
            if (call.Error == null && call.OnResult != null)
                call.OnResult(this, call.Result!);
            receiving = null;
            if (call.IsUnattended)
                unattended--;
            call.IsDone = true;
            call.Wake?.Set();
            task = call.Task;
        }
        task?.TrySetResult(true);
    }
}
