using System;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>
/// The connection of a client. Where the client's options say so, one that is lost is replaced by a new one when a call needs it.
/// </summary>
internal sealed class ConnectionSource : IDisposable
{
    /// <summary>Most time between two attempts.</summary>
    private const int PauseLimitMs = 100;

    private readonly string path;
    private readonly int timeoutMs;
    private readonly int reconnectMs;
    private readonly long answerLimit;
    private readonly SemaphoreSlim renewing = new(1, 1);
    private volatile Connection current;
    private volatile bool isDisposed;

    public ConnectionSource(string path, int timeoutMs, int reconnectMs, long answerLimit)
    {
        this.path = path;
        this.timeoutMs = timeoutMs;
        this.reconnectMs = reconnectMs;
        this.answerLimit = answerLimit;
        current = Connect();
    }

    /// <summary>The last connection, open or lost.</summary>
    public Connection Current => current;

    /// <summary>The connection for a call, if that need not wait for it.</summary>
    public Connection? Ready => reconnectMs == 0 || current.LooksOpen() ? current : null;

    /// <summary>The connection for a call: connects if it is lost.</summary>
    public Connection Open(Deadline deadline)
    {
        Connection? connection = Ready;
        if (connection != null)
            return connection;
        // Calls that wait here for another one's attempts have no more time than that one.
        Deadline until = Until(deadline);
        if (!renewing.Wait(deadline.RemainingMs))
            throw TimeIsOver();
        try
        {
            for (int pauseMs = 1; (connection = Renew(until, pauseMs)) == null; pauseMs = Longer(pauseMs))
                Thread.Sleep(pauseMs);
            return connection;
        }
        finally
        {
            renewing.Release();
        }
    }

    /// <summary>The same, for a call that is awaited.</summary>
    public async Task<Connection> OpenAsync(Deadline deadline, CancellationToken cancellation)
    {
        Deadline until = Until(deadline);
        if (!await renewing.WaitAsync(deadline.RemainingMs, cancellation).ConfigureAwait(false))
            throw TimeIsOver();
        try
        {
            for (int pauseMs = 1; ; pauseMs = Longer(pauseMs))
            {
                int next = pauseMs;
                Connection? connection = await Task.Run(() => Renew(until, next), cancellation).ConfigureAwait(false);
                if (connection != null)
                    return connection;
                await Task.Delay(pauseMs, cancellation).ConfigureAwait(false);
            }
        }
        finally
        {
            renewing.Release();
        }
    }

    public void Dispose()
    {
        isDisposed = true;
        current.Dispose();
    }

    /// <summary>Tries to put a new connection in the place of a lost one; null: try again after the pause.</summary>
    private Connection? Renew(Deadline until, int pauseMs)
    {
        if (isDisposed)
            throw new ObjectDisposedException(nameof(UmemClient));
        // Another call was here before.
        if (current.IsOpen)
            return current;
        if (current.TakeSessionThings())
        {
            throw new UmemConnectionException(
                "the connection was lost, and with it its locks, holds and watches and what had lifetime session; nothing was " +
                "sent, and the next call connects anew");
        }
        try
        {
            current = Connect();
        }
        catch (UmemConnectionException e) when (e is not UmemNotTrustedException && Lasts(until, pauseMs))
        {
            return null;
        }
        if (isDisposed)
            current.Dispose();
        return current;
    }

    private Connection Connect()
    {
        var watches = new WatchTable();
        Transport transport = Transport.Open(path, Deadline.After(timeoutMs));
        return new Connection(transport, answerLimit, watches) { KeepsSessionThings = reconnectMs != 0 };
    }

    private Deadline Until(Deadline deadline)
    {
        Deadline until = Deadline.After(reconnectMs);
        return deadline.IsBefore(until) ? deadline : until;
    }

    private static bool Lasts(Deadline until, int pauseMs) => until.RemainingMs > pauseMs;

    private static int Longer(int pauseMs) => Math.Min(2 * pauseMs, PauseLimitMs);

    private static UmemDeadlineException TimeIsOver() =>
        new("other calls took all of the time to connect anew; this one was not sent");
}
