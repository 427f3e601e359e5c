using System;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>A request that was sent and not answered yet, and then what it was answered. Its connection's lock guards it.</summary>
internal sealed class Call
{
    public long Id { get; set; }

    /// <summary>The daemon may answer it after others that were sent later.</summary>
    public bool IsWaiting { get; set; }

    /// <summary>Of a batch: its answer is an array, and is found by its first request's id.</summary>
    public bool IsBatch { get; set; }

    /// <summary>Raw bytes are wanted: exactly so many, to here.</summary>
    public ArraySegment<byte>? Into { get; set; }

    /// <summary>Raw bytes are wanted, however many there are: they are put here.</summary>
    public bool TakesAnyRaw { get; set; }

    /// <summary>Run by whoever reads the result, before any later message is looked at.</summary>
    public Action<Connection, byte[]>? OnResult { get; set; }

    /// <summary>The result as JSON text; empty where raw bytes were wanted.</summary>
    public byte[]? Result { get; set; }

    public byte[]? Error { get; set; }

    /// <summary>Not the daemon's answer, but what went wrong: mostly that the connection is lost.</summary>
    public Func<Exception>? Loss { get; set; }

    public bool IsDone { get; set; }

    /// <summary>Nobody waits for it any more; its answer is passed over.</summary>
    public bool IsAbandoned { get; set; }

    /// <summary>Nobody reads for it: the connection's own thread does.</summary>
    public bool IsUnattended => Task != null || IsAbandoned;

    /// <summary>Of an asynchronous call.</summary>
    public TaskCompletionSource<bool>? Task { get; set; }

    /// <summary>Of an asynchronous call: when it is given up.</summary>
    public Deadline Deadline { get; set; } = Deadline.None;

    /// <summary>Of an asynchronous call: the daemon has the whole of it, or it is queued and will be sent in any case.</summary>
    public bool IsSent { get; set; }

    /// <summary>Given up, it would leave a lock behind that nobody knows of.</summary>
    public bool LeavesLock { get; set; }

    /// <summary>Of a thread that sleeps while another one reads.</summary>
    public ManualResetEventSlim? Wake { get; set; }

    /// <summary>The thread that sleeps is the one that reads from now on.</summary>
    public bool IsPromoted { get; set; }

    /// <summary>Throws what it failed with.</summary>
    public void Check()
    {
        if (Loss != null)
            throw Loss();
        if (Error != null)
            throw UmemException.Of(UmemError.Read(Error));
    }
}
