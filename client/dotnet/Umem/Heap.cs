using System;
using System.Collections.Generic;

namespace Umem;

/// <summary>A heap of the daemon's: where blocks are allocated, and a quota.</summary>
public sealed class Heap : IEquatable<Heap>
{
    private Heap(UmemClient client, long handle) => (Client, Handle) = (client, handle);

    /// <summary>The heap's handle.</summary>
    public long Handle { get; }

    /// <summary>The connection that is used.</summary>
    public UmemClient Client { get; }

    /// <summary>Makes a heap that grows as it needs to, by <see cref="UmemClient.Default"/>.</summary>
    public static Heap CreateHeap() => CreateHeap(HeapFlags.HEAP_NONE, 0, 0);

    /// <summary>Makes a heap, by <see cref="UmemClient.Default"/>.</summary>
    /// <param name="flags">Its flags.</param>
    /// <param name="initialSize">Bytes to commit at once: a hint.</param>
    /// <param name="maximumSize">Most bytes that its blocks may have together; 0: no end.</param>
    public static Heap CreateHeap(HeapFlags flags, long initialSize, long maximumSize) =>
        CreateHeap(UmemClient.Default, new HeapCreateOptions
        {
            Flags = flags,
            InitialSize = initialSize,
            MaximumSize = maximumSize,
        });

    /// <summary>Makes a heap by this connection.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="options">What it is to be like; null: all defaults.</param>
    public static Heap CreateHeap(UmemClient client, HeapCreateOptions? options = null) =>
        new(Check(client), client.HeapCreate(options).Heap);

    /// <summary>The daemon's process heap, which is the default one.</summary>
    public static Heap GetProcessHeap() => GetProcessHeap(UmemClient.Default);

    /// <summary>The daemon's process heap, by this connection.</summary>
    public static Heap GetProcessHeap(UmemClient client) => new(Check(client), client.HeapProcess().Heap);

    /// <summary>All heaps of the daemon's.</summary>
    public static Heap[] GetProcessHeaps() => GetProcessHeaps(UmemClient.Default);

    /// <summary>All heaps of the daemon's, by this connection.</summary>
    public static Heap[] GetProcessHeaps(UmemClient client)
    {
        var heaps = new List<Heap>();
        long? after = 0;
        while (after != null)
        {
            HeapListResult page = Check(client).HeapList(new HeapListOptions { After = after });
            foreach (HeapInfo info in page.Heaps)
                heaps.Add(new Heap(client, info.Heap));
            after = page.Next;
        }
        return heaps.ToArray();
    }

    /// <summary>The heap with this handle or name.</summary>
    public static Heap Open(UmemClient client, HeapRef heap) => new(Check(client), client.HeapInfo(heap).Heap);

    /// <summary>Describes it.</summary>
    public HeapInfo GetInfo() => Client.HeapInfo(Handle);

    /// <summary>Destroys it, and frees all its blocks.</summary>
    public void Destroy() => Client.HeapDestroy(Handle);

    /// <summary><see cref="Destroy"/>, by the name that the library had which this one grew from.</summary>
    public void Destory() => Destroy();

    /// <inheritdoc/>
    public bool Equals(Heap? other) => other != null && Handle == other.Handle;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => Equals(obj as Heap);

    /// <inheritdoc/>
    public override int GetHashCode() => Handle.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Handle.ToString(System.Globalization.CultureInfo.InvariantCulture);

    private static UmemClient Check(UmemClient client) => client ?? throw new ArgumentNullException(nameof(client));
}
