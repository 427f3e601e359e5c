using System;
using System.IO;
using System.IO.Pipes;
using System.Security.Principal;
using System.Threading.Tasks;

namespace Umem;

/// <summary>A Windows named pipe, opened so that its server may see who this is and not act in this user's name.</summary>
internal sealed class PipeTransport : Transport
{
    /// <summary>The system keeps what one write has in its non-paged pool.</summary>
    private const int WriteLimit = 1 << 20;

    private const int ReadSize = 64 * 1024;
    private const int WaitStepMs = 1000;

    private readonly NamedPipeClientStream pipe;

    // A read that has passed its caller's deadline goes on, into this memory, and the next caller gets what it brings.
    private readonly byte[] staging = new byte[ReadSize];
    private Task<int>? reading;
    private int stagedOffset;
    private int stagedCount;

    private PipeTransport(NamedPipeClientStream pipe) => this.pipe = pipe;

    public static PipeTransport Connect(string path, Deadline deadline)
    {
        var pipe = new NamedPipeClientStream(".", Endpoint.NameOf(path), PipeDirection.InOut, PipeOptions.Asynchronous,
                                             TokenImpersonationLevel.Identification);
        try
        {
            ConnectPipe(pipe, path, deadline);
            if (!WindowsNative.IsTrusted(pipe.SafePipeHandle))
                throw new UmemNotTrustedException($"{path}: the daemon there is run by another user, not by this one or SYSTEM");
            return new PipeTransport(pipe);
        }
        catch
        {
            pipe.Dispose();
            throw;
        }
    }

    public override int Read(byte[] bytes, int offset, int count, Deadline deadline)
    {
        if (stagedCount == 0)
        {
            reading ??= Begin(() => pipe.ReadAsync(staging, 0, staging.Length));
            if (!Wait(reading, deadline))
                throw new TimeoutException();
            stagedCount = reading.Result;
            stagedOffset = 0;
            reading = null;
        }
        int size = Math.Min(count, stagedCount);
        Buffer.BlockCopy(staging, stagedOffset, bytes, offset, size);
        stagedOffset += size;
        stagedCount -= size;
        return size;
    }

    public override void Write(byte[] bytes, int offset, int count, Deadline deadline)
    {
        while (count > 0)
        {
            int size = Math.Min(count, WriteLimit);
            int from = offset;
            if (!Wait(Begin(() => pipe.WriteAsync(bytes, from, size)), deadline))
                throw new TimeoutException();
            offset += size;
            count -= size;
        }
    }

    public override async Task WriteAsync(byte[] bytes, int offset, int count)
    {
        while (count > 0)
        {
            int size = Math.Min(count, WriteLimit);
            int from = offset;
            try
            {
                await Begin(() => pipe.WriteAsync(bytes, from, size)).ConfigureAwait(false);
            }
            catch (Exception e) when (IsClosed(e))
            {
                throw new IOException("the connection was closed", e);
            }
            offset += size;
            count -= size;
        }
    }

    public override bool HasEnded()
    {
        if (stagedCount != 0)
            return false;
        reading ??= Begin(() => pipe.ReadAsync(staging, 0, staging.Length));
        return reading.IsFaulted || reading.IsCanceled || (reading.IsCompleted && reading.Result == 0);
    }

    public override void Dispose() => pipe.Dispose();

    private static void ConnectPipe(NamedPipeClientStream pipe, string path, Deadline deadline)
    {
        for (;;)
        {
            try
            {
                pipe.Connect(0);
                return;
            }
            catch (TimeoutException)
            {
                // It is not there, or all its places are taken.
            }
            catch (UnauthorizedAccessException e)
            {
                throw new UmemConnectionException(
                    $"{path}: this program may not open it: the daemon is another user's, or this program runs with low integrity",
                    e);
            }
            catch (IOException)
            {
                // Another program took the place that was free.
            }
            int remaining = deadline.RemainingMs;
            if (remaining == 0)
                throw new UmemDeadlineException($"{path}: all of the pipe's places stayed taken");
            int step = remaining < 0 ? WaitStepMs : Math.Min(remaining, WaitStepMs);
            if (WindowsNative.Wait(path, step) == WindowsNative.FileNotFound)
                throw new UmemConnectionException($"{path}: no daemon listens there");
        }
    }

    private static T Begin<T>(Func<T> begin)
    {
        try
        {
            return begin();
        }
        catch (Exception e) when (IsClosed(e))
        {
            throw new IOException("the connection was closed", e);
        }
    }

    /// <summary>Returns whether it has ended.</summary>
    private static bool Wait(Task task, Deadline deadline)
    {
        try
        {
            return task.Wait(deadline.RemainingMs);
        }
        catch (AggregateException e)
        {
            throw new IOException(e.InnerException!.Message, e.InnerException);
        }
    }

    private static bool IsClosed(Exception e) => e is ObjectDisposedException or InvalidOperationException or IOException;
}
