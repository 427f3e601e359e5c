using System;
using System.Collections;
using System.Collections.Generic;
using System.Runtime.InteropServices;
using System.Threading;

namespace Umem;

/// <summary>
/// A block of the daemon's as an object. It is allocated by <see cref="Allocation(long)"/>, is indexed like an array, and lives
/// until it is freed: when this object is, the block is only if <see cref="IsFreeOnDispose"/>.
/// </summary>
/// <remarks>
/// Every access is a call to the daemon, and fails as one: <see cref="UmemOutOfRangeException"/> past the end,
/// <see cref="UmemStaleHandleException"/> once it is freed. Blocks of shared heaps can be mapped: <see cref="Map"/>.
/// </remarks>
public sealed class Memory : IDisposable, ICloneable, IEnumerable<byte>
{
    private int isFreed;
    private IntPtr? address;

    private Memory(UmemClient client, long handle, long size, ulong address)
    {
        Client = client;
        Handle = handle;
        Size = size;
        this.address = AddressOf(address);
    }

    /// <summary>
    /// Has the block freed, where nobody has disposed of an object whose <see cref="IsFreeOnDispose"/> is true. It is done on
    /// another thread and fails silently, as when the connection is gone.
    /// </summary>
    ~Memory()
    {
        if (IsFreeOnDispose && isFreed == 0)
            FreeLater();
    }

    /// <summary>The block's handle.</summary>
    public long Handle { get; }

    /// <summary>How many bytes it has.</summary>
    public long Size { get; }

    /// <summary>Where it lies in the daemon: a number to tell blocks apart by, no pointer of this program's.</summary>
    public IntPtr Address => address ?? IntPtr.Zero;

    /// <summary>The connection that is used.</summary>
    public UmemClient Client { get; }

    /// <summary>Whether <see cref="Dispose"/> frees the block. False until it is set.</summary>
    public bool IsFreeOnDispose { get; set; }

    /// <summary>One byte.</summary>
    public byte this[long index]
    {
        get => Client.BlockGet<byte>(Handle, index);
        set => Client.BlockSet(Handle, index, value);
    }

    // ---- allocating, and finding ----

    /// <summary>Allocates zeroed bytes on the process heap, by <see cref="UmemClient.Default"/>.</summary>
    public static Memory Allocation(long size) => Allocation(UmemClient.Default, size);

    /// <summary>Allocates zeroed bytes on a heap.</summary>
    public static Memory Allocation(Heap heap, long size)
    {
        if (heap == null)
            throw new ArgumentNullException(nameof(heap));
        return Allocation(heap.Client, size, new BlockAllocOptions { Heap = heap });
    }

    /// <summary>Allocates zeroed bytes on a heap.</summary>
    public static Memory Allocation(long size, Heap heap) => Allocation(heap, size);

    /// <summary>Allocates by this connection.</summary>
    /// <param name="client">The connection.</param>
    /// <param name="size">How many bytes.</param>
    /// <param name="options">The heap, a name and so on; null: all defaults.</param>
    public static Memory Allocation(UmemClient client, long size, BlockAllocOptions? options = null)
    {
        if (client == null)
            throw new ArgumentNullException(nameof(client));
        BlockAllocResult made = client.BlockAlloc(size, options);
        return new Memory(client, made.Block, made.Size, made.Address);
    }

    /// <summary>The block that starts at this address in the daemon, by <see cref="UmemClient.Default"/>.</summary>
    public static Memory FromAddress(IntPtr address) => FromAddress(UmemClient.Default, address);

    /// <summary>The block that starts at this address in the daemon: for debugging, as the daemon goes through all blocks.</summary>
    public static Memory FromAddress(UmemClient client, IntPtr address)
    {
        if (client == null)
            throw new ArgumentNullException(nameof(client));
        return Open(client, client.BlockAt(address.ToInt64()).Block);
    }

    /// <summary>The block with this handle or name, by <see cref="UmemClient.Default"/>.</summary>
    public static Memory Open(BlockRef block) => Open(UmemClient.Default, block);

    /// <summary>The block with this handle or name.</summary>
    public static Memory Open(UmemClient client, BlockRef block)
    {
        if (client == null)
            throw new ArgumentNullException(nameof(client));
        BlockInfo info = client.BlockInfo(block);
        return new Memory(client, info.Block, info.Size, info.Address);
    }

    // ---- bytes ----

    /// <summary>Copies bytes from one block to another, from the start of both (CopyMemory).</summary>
    public static void CopyMemory(Memory target, Memory source, long size)
    {
        if (target == null)
            throw new ArgumentNullException(nameof(target));
        target.Client.BlockCopy(source, target, new BlockCopyOptions { Size = size });
    }

    /// <summary>Copies the first bytes to the start of another block (CopyMemory).</summary>
    public void CopyMemory(Memory target, long size) => CopyMemory(target, this, size);

    /// <summary>Writes all bytes of an array to the start of the block.</summary>
    public void WriteBytes(byte[] bytes) => Client.BlockWrite(Handle, 0, bytes);

    /// <summary>Writes the first bytes of an array to the start of the block.</summary>
    public void WriteBytes(byte[] bytes, int length) => Client.BlockWrite(Handle, 0, bytes, 0, length);

    /// <summary>Writes the first bytes of an array.</summary>
    /// <param name="bytes">The array.</param>
    /// <param name="offset">Where to write them in the block.</param>
    /// <param name="length">How many.</param>
    public void WriteBytes(byte[] bytes, long offset, int length) => Client.BlockWrite(Handle, offset, bytes, 0, length);

    /// <summary>Reads all bytes.</summary>
    public byte[] GetBytes() => ReadBytes(0, checked((int)Size));

    /// <summary>Reads bytes.</summary>
    public byte[] ReadBytes(long offset, int length) => Client.BlockRead(Handle, offset, length);

    /// <summary>Reads bytes into the start of an array.</summary>
    public void ReadBytes(byte[] bytes, long offset, int length) => Client.BlockRead(Handle, offset, bytes, 0, length);

    /// <summary>Writes a number.</summary>
    public void WriteInt64(long value, long offset) => Client.BlockSet(Handle, offset, value);

    /// <summary>Writes a number.</summary>
    public void WriteInt32(int value, long offset) => Client.BlockSet(Handle, offset, value);

    /// <summary>Writes a number.</summary>
    public void WriteInt16(short value, long offset) => Client.BlockSet(Handle, offset, value);

    /// <summary>Reads a number.</summary>
    public long ReadInt64(long offset) => Client.BlockGet<long>(Handle, offset);

    /// <summary>Reads a number.</summary>
    public int ReadInt32(long offset) => Client.BlockGet<int>(Handle, offset);

    /// <summary>Reads a number.</summary>
    public short ReadInt16(long offset) => Client.BlockGet<short>(Handle, offset);

    /// <summary>Writes an object to the start of the block, as <see cref="Marshal"/> lays it out.</summary>
    public void WriteObject<T>(T value)
        where T : struct
    {
        byte[] bytes = new byte[Marshal.SizeOf<T>()];
        GCHandle pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        try
        {
            Marshal.StructureToPtr(value, pinned.AddrOfPinnedObject(), false);
        }
        finally
        {
            pinned.Free();
        }
        WriteBytes(bytes);
    }

    /// <summary>Reads an object from the start of the block, as <see cref="Marshal"/> lays it out.</summary>
    public T ReadObject<T>()
        where T : struct
    {
        byte[] bytes = ReadBytes(0, Marshal.SizeOf<T>());
        GCHandle pinned = GCHandle.Alloc(bytes, GCHandleType.Pinned);
        try
        {
            return Marshal.PtrToStructure<T>(pinned.AddrOfPinnedObject());
        }
        finally
        {
            pinned.Free();
        }
    }

    /// <summary>Maps the block, of a shared heap, into this program: <see cref="UmemClient.Map"/>.</summary>
    public MappedBlock Map() => Client.Map(Handle);

    // ---- the object ----

    /// <summary>Another block of the same size and bytes, on the same heap.</summary>
    public object Clone()
    {
        Memory copy = Allocation(Client, Size, new BlockAllocOptions { Heap = Client.BlockInfo(Handle).Heap });
        try
        {
            CopyMemory(copy, this, Size);
        }
        catch
        {
            copy.Free();
            throw;
        }
        return copy;
    }

    /// <summary>Frees the block now.</summary>
    public void Free()
    {
        Client.BlockFree(Handle);
        isFreed = 1;
        address = null;
        GC.SuppressFinalize(this);
    }

    /// <summary>
    /// Ends the object, and frees its block if <see cref="IsFreeOnDispose"/>. That the block is gone, or the connection, is no
    /// failure here.
    /// </summary>
    public void Dispose()
    {
        GC.SuppressFinalize(this);
        if (!IsFreeOnDispose || isFreed != 0)
            return;
        try
        {
            Free();
        }
        catch (Exception e) when (e is UmemStaleHandleException or UmemConnectionException or ObjectDisposedException)
        {
            isFreed = 1;
        }
    }

    /// <summary>Goes through the bytes as they are now.</summary>
    public IEnumerator<byte> GetEnumerator() => ((IEnumerable<byte>)GetBytes()).GetEnumerator();

    IEnumerator IEnumerable.GetEnumerator() => GetEnumerator();

    /// <inheritdoc/>
    public override string ToString() => Address.ToString();

    private static IntPtr AddressOf(ulong address) => IntPtr.Size == 8 ? new IntPtr((long)address) : new IntPtr((int)(uint)address);

    // A finalizer neither waits nor throws. Where the thread pool takes nothing any more, the program ends.
    private void FreeLater()
    {
        try
        {
            UmemClient client = Client;
            long handle = Handle;
            ThreadPool.QueueUserWorkItem(_ => client.TryFree(handle));
        }
        catch (Exception e) when (e is NotSupportedException or OutOfMemoryException)
        {
            // The block stays, as it does when the program is killed.
        }
    }
}
