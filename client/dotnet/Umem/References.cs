using System;

namespace Umem;

/// <summary>A block, by its handle or its name. Both convert to it, and a <see cref="Memory"/> does.</summary>
public readonly struct BlockRef : IEquatable<BlockRef>
{
    /// <summary>The block with this handle.</summary>
    public BlockRef(long handle) => (Handle, Name) = (handle, null);

    /// <summary>The block with this name, which may be digits.</summary>
    public BlockRef(string name) => (Handle, Name) = (0, name ?? throw new ArgumentNullException(nameof(name)));

    /// <summary>The handle; 0 where the block is meant by its name.</summary>
    public long Handle { get; }

    /// <summary>The name; null where the block is meant by its handle.</summary>
    public string? Name { get; }

    /// <summary>The block with this handle.</summary>
    public static implicit operator BlockRef(long handle) => new(handle);

    /// <summary>The block with this name.</summary>
    public static implicit operator BlockRef(string name) => new(name);

    /// <summary>The block of this object.</summary>
    public static implicit operator BlockRef(Memory memory) =>
        new((memory ?? throw new ArgumentNullException(nameof(memory))).Handle);

    /// <summary>Whether two are the same.</summary>
    public static bool operator ==(BlockRef left, BlockRef right) => left.Equals(right);

    /// <summary>Whether two are not the same.</summary>
    public static bool operator !=(BlockRef left, BlockRef right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(BlockRef other) => Handle == other.Handle && Name == other.Name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is BlockRef other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Name?.GetHashCode() ?? Handle.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Name ?? Handle.ToString(System.Globalization.CultureInfo.InvariantCulture);
}

/// <summary>A heap, by its handle or its name. Both convert to it, and a <see cref="Heap"/> does.</summary>
public readonly struct HeapRef : IEquatable<HeapRef>
{
    /// <summary>The heap with this handle.</summary>
    public HeapRef(long handle) => (Handle, Name) = (handle, null);

    /// <summary>The heap with this name; "process" is the daemon's process heap.</summary>
    public HeapRef(string name) => (Handle, Name) = (0, name ?? throw new ArgumentNullException(nameof(name)));

    /// <summary>The handle; 0 where the heap is meant by its name.</summary>
    public long Handle { get; }

    /// <summary>The name; null where the heap is meant by its handle.</summary>
    public string? Name { get; }

    /// <summary>The heap with this handle.</summary>
    public static implicit operator HeapRef(long handle) => new(handle);

    /// <summary>The heap with this name.</summary>
    public static implicit operator HeapRef(string name) => new(name);

    /// <summary>The heap of this object.</summary>
    public static implicit operator HeapRef(Heap heap) =>
        new((heap ?? throw new ArgumentNullException(nameof(heap))).Handle);

    /// <summary>Whether two are the same.</summary>
    public static bool operator ==(HeapRef left, HeapRef right) => left.Equals(right);

    /// <summary>Whether two are not the same.</summary>
    public static bool operator !=(HeapRef left, HeapRef right) => !left.Equals(right);

    /// <inheritdoc/>
    public bool Equals(HeapRef other) => Handle == other.Handle && Name == other.Name;

    /// <inheritdoc/>
    public override bool Equals(object? obj) => obj is HeapRef other && Equals(other);

    /// <inheritdoc/>
    public override int GetHashCode() => Name?.GetHashCode() ?? Handle.GetHashCode();

    /// <inheritdoc/>
    public override string ToString() => Name ?? Handle.ToString(System.Globalization.CultureInfo.InvariantCulture);
}
