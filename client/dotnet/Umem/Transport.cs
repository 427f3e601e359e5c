using System;
using System.IO;
using System.Threading.Tasks;

namespace Umem;

/// <summary>
/// Bytes to the daemon and back. One caller writes and one reads at a time. What passes a deadline is a
/// <see cref="TimeoutException"/>: after a read everything is as it was, after a write the connection is of no use any more.
/// Everything else that goes wrong is an <see cref="IOException"/>.
/// </summary>
internal abstract class Transport : IDisposable
{
    public static Transport Open(string path, Deadline deadline) =>
        Endpoint.IsWindows ? PipeTransport.Connect(path, deadline) : UnixTransport.Connect(path, deadline);

    /// <summary>Returns how many bytes came, at least one; 0: the daemon has closed the connection.</summary>
    public abstract int Read(byte[] bytes, int offset, int count, Deadline deadline);

    public abstract void Write(byte[] bytes, int offset, int count, Deadline deadline);

    public abstract Task WriteAsync(byte[] bytes, int offset, int count);

    /// <summary>Whether the daemon has closed the connection, as far as can be seen at once. Nobody reads meanwhile.</summary>
    public abstract bool HasEnded();

    /// <summary>Ends reads and writes that are under way, in other threads too.</summary>
    public abstract void Dispose();
}
