using System;
using System.Linq;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Threading;
using Xunit;

namespace Umem.Tests;

/// <summary>The objects of the library that this one grew from, by the default connection: UMEM_PIPE.</summary>
public class ObjectTests
{
    [StructLayout(LayoutKind.Sequential)]
    private struct Pair
    {
        public int Left;
        public double Right;
    }

    [Fact]
    public void ABlockIsAnArray()
    {
        Memory memory = Memory.Allocation(4);
        Assert.Equal(4, memory.Size);
        Assert.Equal(new byte[4], memory.GetBytes());
        memory[0] = 2;
        Assert.Equal(2, memory[0]);
        byte[] datas = { 0xFF, 0xFE, 0xFD, 0xFC };
        memory.WriteBytes(datas, 0, datas.Length);
        Assert.Equal(datas, memory.ReadBytes(0, 4));
        Assert.Equal(datas, memory.ToArray());
        memory.WriteBytes(new byte[] { 1 }, 3, 1);
        Assert.Equal(1, memory[3]);
        Assert.Throws<UmemOutOfRangeException>(() => memory[4]);
        Assert.Throws<UmemOutOfRangeException>(() => memory.WriteBytes(datas, 1, 4));
        memory.Free();
        Assert.Throws<UmemStaleHandleException>(() => memory[0]);
        Assert.Throws<UmemStaleHandleException>(() => memory.Free());
        memory.Dispose();
    }

    [Fact]
    public void NumbersAndObjectsAreRead()
    {
        using Memory memory = Memory.Allocation(32);
        memory.IsFreeOnDispose = true;
        memory.WriteInt64(-5, 0);
        memory.WriteInt32(6, 8);
        memory.WriteInt16(-7, 12);
        Assert.Equal((-5L, 6, (short)-7), (memory.ReadInt64(0), memory.ReadInt32(8), memory.ReadInt16(12)));
        memory.WriteObject(new Pair { Left = 3, Right = 0.5 });
        Assert.Equal((3, 0.5), (memory.ReadObject<Pair>().Left, memory.ReadObject<Pair>().Right));
    }

    [Fact]
    public void DisposingFreesIfItIsToldTo()
    {
        Memory kept;
        Memory freed;
        using (kept = Memory.Allocation(4))
        {
            Assert.False(kept.IsFreeOnDispose);
        }
        using (freed = Memory.Allocation(4))
        {
            freed.IsFreeOnDispose = true;
        }
        Assert.Equal(0, kept[0]);
        Assert.Throws<UmemStaleHandleException>(() => freed[0]);
        using (Memory gone = Memory.Allocation(4))
        {
            gone.IsFreeOnDispose = true;
            gone.Client.BlockFree(gone.Handle);
        }
        kept.Free();
    }

    [Fact]
    public void AHeapIsMadeUsedAndDestroyed()
    {
        Heap heap = Heap.CreateHeap();
        Memory memory = Memory.Allocation(heap, 8);
        Assert.Contains(heap, Heap.GetProcessHeaps());
        Assert.NotEqual(heap, Heap.GetProcessHeap());
        Assert.Equal(1, heap.GetInfo().Blocks);
        heap.Destory();
        Assert.Throws<UmemStaleHandleException>(() => memory[0]);
        Assert.Throws<UmemStaleHandleException>(() => heap.Destroy());

        heap = Heap.CreateHeap(HeapFlags.HEAP_NO_SERIALIZE | HeapFlags.HEAP_ZERO_MEMORY, 4096, 65_536);
        Assert.Equal(65_536, heap.GetInfo().MaximumSize);
        Assert.Throws<UmemNoMemoryException>(() => Memory.Allocation(heap, 65_537));
        Assert.Equal(heap, Heap.Open(heap.Client, heap.Handle));
        heap.Destroy();
        Assert.Throws<UmemDeniedException>(() => Heap.GetProcessHeap().Destroy());
    }

    [Fact]
    public void BlocksAreCopiedAndFound()
    {
        Heap heap = Heap.CreateHeap();
        Memory source = Memory.Allocation(heap, 8);
        Memory target = Memory.Allocation(8, heap);
        source.WriteBytes(new byte[] { 1, 2, 3, 4 });
        Memory.CopyMemory(target, source, 3);
        Assert.Equal(new byte[] { 1, 2, 3, 0 }, target.ReadBytes(0, 4));
        source.CopyMemory(target, 8);
        Assert.Equal(source.GetBytes(), target.GetBytes());
        var copy = (Memory)source.Clone();
        Assert.Equal(source.GetBytes(), copy.GetBytes());
        Assert.NotEqual(source.Handle, copy.Handle);
        Assert.Equal(heap.Handle, copy.Client.BlockInfo(copy).Heap);

        Memory found = Memory.FromAddress(source.Address);
        Assert.Equal((source.Handle, source.Size), (found.Handle, found.Size));
        Assert.Equal(source.Handle, Memory.Open(source.Handle).Handle);
        Assert.Throws<UmemUnknownHandleException>(() => Memory.FromAddress(new IntPtr(1)));
        heap.Destroy();
    }

    [MethodImpl(MethodImplOptions.NoInlining)]
    private static long Forget(UmemClient client)
    {
        Memory memory = Memory.Allocation(client, 4);
        memory.IsFreeOnDispose = true;
        return memory.Handle;
    }

    private static bool IsFreed(UmemClient client, long block)
    {
        try
        {
            client.BlockInfo(block);
            return false;
        }
        catch (UmemStaleHandleException)
        {
            return true;
        }
    }

    [Fact]
    public void AnObjectThatIsForgottenFreesItsBlock()
    {
        // Mono looks for references on the stack where there are only traces of them.
        if (Daemon.IsMono)
            return;
        using UmemClient client = Daemon.Connect();
        long block = Forget(client);
        // The finalizer has it done by another thread: its request comes before or after ours, but it comes.
        for (int i = 0; i < 10_000 && !IsFreed(client, block); i++)
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            Thread.Yield();
        }
        Assert.True(IsFreed(client, block));
    }

    [Fact]
    public void AFinalizerWithoutAConnectionIsQuiet()
    {
        using var daemon = new Daemon();
        UmemClient client = daemon.ConnectHere();
        for (int i = 0; i < 10; i++)
            Forget(client);
        client.Dispose();
        using UmemClient lost = daemon.ConnectHere();
        for (int i = 0; i < 10; i++)
            Forget(lost);
        daemon.Kill();
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // An exception in a finalizer, or in what it has done by another thread, would have ended the program.
        Memory still = Memory.Allocation(1);
        still.Free();
    }

    [Fact]
    public void TheDefaultConnectionIsMadeAnewWhenItIsLost()
    {
        UmemClient first = UmemClient.Default;
        Assert.Same(first, UmemClient.Default);
        Assert.Equal(Environment.GetEnvironmentVariable("UMEM_PIPE"), first.Pipe);
    }
}
