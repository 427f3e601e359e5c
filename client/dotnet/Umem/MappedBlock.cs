using System;
using System.IO;
using System.IO.MemoryMappedFiles;
using System.Threading;

namespace Umem;

/// <summary>
/// The bytes of a block of a shared heap as this program's own memory: what is read and written here takes no call, and other
/// programs that have it mapped see it at once. Only the block's own range is mapped. It stays mapped until this is disposed of
/// and all pins are, whatever becomes of the block.
/// </summary>
/// <remarks>
/// Once the block is freed its bytes may become another block's. A block that is resized may have moved: map it anew. Calls that
/// wait for the block, and watches of it, are told of writes by <see cref="Wake"/>.
/// </remarks>
public sealed unsafe class MappedBlock : IDisposable
{
    private readonly UmemClient client;
    private readonly MemoryMappedViewAccessor? view;
    private readonly MappedPin? own;

    // Null once this is disposed of, so that a late access is an exception and not one to memory of something else.
    private byte* start;
    private long size;
    private int isDisposed;

    private MappedBlock(UmemClient client, long block, long size, MemoryMappedViewAccessor? view)
    {
        this.client = client;
        this.view = view;
        this.size = size;
        Block = block;
        Size = size;
        if (view != null)
        {
            own = new MappedPin(view, size);
            start = own.Pointer;
        }
    }

    /// <summary>The block's handle.</summary>
    public long Block { get; }

    /// <summary>How many bytes are mapped: the block's size when it was.</summary>
    public long Size { get; }

    /// <summary>The bytes, to be read and written by any type; offsets are the block's.</summary>
    public UnmanagedMemoryAccessor Accessor
    {
        get
        {
            Check();
            // An empty block has nothing that could be mapped.
            return (UnmanagedMemoryAccessor?)view ?? new EmptyAccessor();
        }
    }

    /// <summary>One byte. As fast as an array's; hold a pin where another thread may dispose of this meanwhile.</summary>
    public byte this[long index]
    {
        get
        {
            if ((ulong)index >= (ulong)size)
                ThrowRange();
            return start[index];
        }

        set
        {
            if ((ulong)index >= (ulong)size)
                ThrowRange();
            start[index] = value;
        }
    }

#if NET8_0_OR_GREATER
    /// <summary>
    /// The bytes. The span must not be used once this is disposed of, unless a pin is held. A block of more than 2 GiB does not
    /// fit one: <see cref="AsSpan(long, int)"/>.
    /// </summary>
    public Span<byte> Span => AsSpan(0, checked((int)Size));

    /// <summary>A part of the bytes, as <see cref="Span"/>.</summary>
    public Span<byte> AsSpan(long offset, int length)
    {
        Check();
        if (offset < 0 || length < 0 || offset > size - length)
            ThrowRange();
        return new Span<byte>(start + offset, length);
    }
#endif

    /// <summary>
    /// Keeps the bytes mapped, and gives their address, until the pin is disposed of, even if this is disposed of before.
    /// </summary>
    public MappedPin Pin()
    {
        Check();
        return view != null ? new MappedPin(view, Size) : new MappedPin();
    }

    /// <summary>The bytes as a stream of its own, which keeps them mapped until it is disposed of.</summary>
    public Stream OpenStream()
    {
        Check();
        if (view == null)
            return new MemoryStream(Array.Empty<byte>(), writable: true);
        return new PinnedStream(Pin());
    }

    /// <summary>
    /// Has calls that wait for these bytes look again, and reports them to watches: the daemon does not see what is written here.
    /// </summary>
    /// <param name="offset">Where the bytes that were written begin.</param>
    /// <param name="size">How many they are; null: to the end.</param>
    public void Wake(long offset = 0, long? size = null) =>
        client.BlockWake(Block, new BlockWakeOptions { Offset = offset, Size = size });

    /// <summary>Ends the mapping, as soon as no pin and no stream needs it.</summary>
    public void Dispose()
    {
        if (Interlocked.Exchange(ref isDisposed, 1) != 0)
            return;
        size = 0;
        start = null;
        own?.Dispose();
        view?.Dispose();
    }

    internal static MappedBlock Open(UmemClient client, long block, BlockMapResult place)
    {
        if (place.Size == 0)
            return new MappedBlock(client, block, 0, null);
        MemoryMappedViewAccessor view;
        try
        {
            using MemoryMappedFile file = OpenFile(place);
            // It is mapped from where a page, or on Windows 64 KiB, begins; the view's own offset leads to the block.
            view = file.CreateViewAccessor(place.Offset, place.Size, MemoryMappedFileAccess.ReadWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or PlatformNotSupportedException)
        {
            throw new NotSupportedException($"the memory of the block's heap cannot be mapped in this process: {e.Message}", e);
        }
        return new MappedBlock(client, block, place.Size, view);
    }

    private static MemoryMappedFile OpenFile(BlockMapResult place)
    {
        if (Endpoint.IsWindows)
#pragma warning disable CA1416 // On Windows only.
            return MemoryMappedFile.OpenExisting(place.Name, MemoryMappedFileRights.ReadWrite);
#pragma warning restore CA1416
        if (place.Path == null)
            throw new PlatformNotSupportedException("this system shows no files for shared memory");
        var file = new FileStream(place.Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        try
        {
            return MemoryMappedFile.CreateFromFile(file, null, 0, MemoryMappedFileAccess.ReadWrite, HandleInheritability.None,
                                                   leaveOpen: false);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private void Check()
    {
        if (isDisposed != 0)
            throw new ObjectDisposedException(nameof(MappedBlock));
    }

    private void ThrowRange()
    {
        Check();
        throw new IndexOutOfRangeException("the block has no such bytes");
    }

    private sealed class EmptyAccessor : UnmanagedMemoryAccessor
    {
    }

    private sealed class PinnedStream : UnmanagedMemoryStream
    {
        private readonly MappedPin pin;

        public PinnedStream(MappedPin pin)
            : base(pin.Pointer, pin.Size, pin.Size, FileAccess.ReadWrite) => this.pin = pin;

        protected override void Dispose(bool disposing)
        {
            base.Dispose(disposing);
            if (disposing)
                pin.Dispose();
        }
    }
}

/// <summary>Keeps a block's bytes mapped.</summary>
public sealed unsafe class MappedPin : IDisposable
{
    private readonly MemoryMappedViewAccessor? view;
    private int isDisposed;

    internal MappedPin()
    {
    }

    internal MappedPin(MemoryMappedViewAccessor view, long size)
    {
        byte* pointer = null;
        // Counts: the view is not unmapped as long as somebody has its pointer.
        view.SafeMemoryMappedViewHandle.AcquirePointer(ref pointer);
        this.view = view;
        Pointer = pointer + view.PointerOffset;
        Size = size;
    }

    /// <summary>Where the block's first byte is; null if the block is empty.</summary>
    public byte* Pointer { get; }

    /// <summary>Where the block's first byte is.</summary>
    public IntPtr Address => (IntPtr)Pointer;

    /// <summary>How many bytes there are.</summary>
    public long Size { get; }

    /// <summary>The pointer is not used any more.</summary>
    public void Dispose()
    {
        if (view != null && Interlocked.Exchange(ref isDisposed, 1) == 0)
            view.SafeMemoryMappedViewHandle.ReleasePointer();
    }
}

/// <content>Mapping.</content>
public sealed partial class UmemClient
{
    /// <summary>
    /// Maps a block of a heap of kind "shared" into this program (<c>block.map</c>): its bytes are read and written at memory
    /// speed then.
    /// </summary>
    /// <exception cref="UmemUnsupportedException">The block's heap is not shared.</exception>
    /// <exception cref="NotSupportedException">
    /// The memory cannot be opened in this process, in another container or Windows session say.
    /// </exception>
    public MappedBlock Map(BlockRef block)
    {
        long handle = block.Name == null ? block.Handle : BlockInfo(block).Block;
        return MappedBlock.Open(this, handle, BlockMap(handle));
    }

    /// <summary>Maps a block, as <see cref="Map"/> does.</summary>
    public async System.Threading.Tasks.Task<MappedBlock> MapAsync(BlockRef block, CancellationToken cancellationToken = default)
    {
        long handle = block.Name == null
            ? block.Handle
            : (await BlockInfoAsync(block, cancellationToken).ConfigureAwait(false)).Block;
        return MappedBlock.Open(this, handle, await BlockMapAsync(handle, cancellationToken).ConfigureAwait(false));
    }
}
