using System;
using System.IO;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Tasks;

namespace Umem;

/// <summary>
/// A Unix domain socket. It is never put to asynchronous use, which would make it a non-blocking one for good: blocking calls
/// with the system's own time-outs are the fastest way to a daemon that answers within microseconds.
/// </summary>
internal sealed class UnixTransport : Transport
{
    /// <summary>Most bytes of a path.</summary>
    public const int PathLimit = 107;

    /// <summary>What fits a socket that takes anything at all, so that writing it does not block.</summary>
    private const int SmallWrite = 64 * 1024;

    private readonly Socket socket;
    private readonly Transfer receive;
    private readonly Transfer send;
    private int receiveTimeoutMs;
    private int sendTimeoutMs;

    private UnixTransport(Socket socket)
    {
        this.socket = socket;
        receive = socket.Receive;
        send = socket.Send;
    }

    public static UnixTransport Connect(string path, Deadline deadline)
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        try
        {
            // The system lets connecting take so long as well, where the daemon's queue is full.
            int timeout = TimeoutFor(0, deadline);
            if (timeout != 0)
                socket.SendTimeout = timeout;
            socket.Connect(EndPointOf(path));
            uint? user = UnixNative.PeerUser((int)socket.Handle);
            if (user != 0 && user != UnixNative.UserId())
                throw new UmemNotTrustedException(
                    $"{path}: the daemon there is run by another user, not by this one or root");
            return new UnixTransport(socket) { sendTimeoutMs = timeout };
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.TimedOut)
        {
            socket.Dispose();
            throw new UmemDeadlineException($"{path}: the daemon there did not take the connection in time");
        }
        catch (SocketException e)
        {
            socket.Dispose();
            throw new UmemConnectionException($"{path}: no daemon listens there: {e.Message}", e);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    public override int Read(byte[] bytes, int offset, int count, Deadline deadline)
    {
        for (;;)
        {
            int wanted = TimeoutFor(receiveTimeoutMs, deadline);
            if (wanted != receiveTimeoutMs)
            {
                Do(() => socket.ReceiveTimeout = wanted);
                receiveTimeoutMs = wanted;
            }
            int size = Do(receive, bytes, offset, count, deadline);
            if (size >= 0)
                return size;
        }
    }

    public override void Write(byte[] bytes, int offset, int count, Deadline deadline)
    {
        while (count > 0)
        {
            int wanted = TimeoutFor(sendTimeoutMs, deadline);
            if (wanted != sendTimeoutMs)
            {
                Do(() => socket.SendTimeout = wanted);
                sendTimeoutMs = wanted;
            }
            int size = Math.Max(0, Do(send, bytes, offset, count, deadline));
            offset += size;
            count -= size;
        }
    }

    public override Task WriteAsync(byte[] bytes, int offset, int count)
    {
        bool isReady = false;
        if (count <= SmallWrite)
            Do(() => isReady = socket.Poll(0, SelectMode.SelectWrite));
        if (!isReady)
            return Task.Run(() => Write(bytes, offset, count, Deadline.None));
        Write(bytes, offset, count, Deadline.None);
        return Task.CompletedTask;
    }

    public override bool HasEnded()
    {
        bool hasEnded = false;
        // What can be read and has no bytes is the end.
        Do(() => hasEnded = socket.Poll(0, SelectMode.SelectRead) && socket.Available == 0);
        return hasEnded;
    }

    public override void Dispose()
    {
        try
        {
            // A thread that reads is woken by this on every system.
            socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The daemon was faster.
        }
        catch (ObjectDisposedException)
        {
            return;
        }
        socket.Dispose();
    }

    private delegate int Transfer(byte[] bytes, int offset, int count, SocketFlags flags, out SocketError error);

    /// <summary>Returns how many bytes were moved; -1: none in the time that was set, but the deadline has not passed.</summary>
    private static int Do(Transfer transfer, byte[] bytes, int offset, int count, Deadline deadline)
    {
        int size;
        SocketError error;
        try
        {
            size = transfer(bytes, offset, count, SocketFlags.None, out error);
        }
        catch (ObjectDisposedException e)
        {
            throw new IOException("the connection was closed", e);
        }
        switch (error)
        {
            case SocketError.Success:
                return size;
            case SocketError.Interrupted when !deadline.HasPassed:
            case SocketError.TimedOut when !deadline.HasPassed:
            case SocketError.WouldBlock when !deadline.HasPassed:
                return -1;
            case SocketError.Interrupted:
            case SocketError.TimedOut:
            case SocketError.WouldBlock:
                throw new TimeoutException();
            default:
                throw new IOException(new SocketException((int)error).Message);
        }
    }

    private static void Do(Action action)
    {
        try
        {
            action();
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            throw new IOException("the connection was closed", e);
        }
    }

    /// <summary>
    /// The time-out to set, in milliseconds; 0: none. The one that is set is left as it is where it comes close, since setting
    /// it is a system call.
    /// </summary>
    private static int TimeoutFor(int current, Deadline deadline)
    {
        int remaining = deadline.RemainingMs;
        if (remaining < 0)
            return 0;
        remaining = Math.Max(1, remaining);
        return current >= remaining && current - remaining <= remaining / 4 ? current : remaining;
    }

#if NET8_0_OR_GREATER
    private static EndPoint EndPointOf(string path) => new UnixDomainSocketEndPoint(path);
#else
    private static EndPoint EndPointOf(string path) => new UnixEndPoint(path);

    /// <summary>.NET Standard 2.0 has none of its own.</summary>
    private sealed class UnixEndPoint : EndPoint
    {
        private readonly byte[] path;

        public UnixEndPoint(string path) => this.path = Encoding.UTF8.GetBytes(path);

        public override AddressFamily AddressFamily => AddressFamily.Unix;

        public override SocketAddress Serialize()
        {
            // The family, the path, and its end.
            var address = new SocketAddress(AddressFamily.Unix, 2 + path.Length + 1);
            for (int i = 0; i < path.Length; i++)
                address[2 + i] = path[i];
            address[2 + path.Length] = 0;
            return address;
        }

        // Nobody asks a connected socket who is at the other end.
        public override EndPoint Create(SocketAddress socketAddress) => this;
    }
#endif
}
