using System;
using System.Collections.Generic;

namespace Umem;

#pragma warning disable CA1707 // Win32's own names, which the programs have that this library grew from.

/// <summary>Win32's heap flags, with their values there.</summary>
[Flags]
public enum HeapFlags : uint
{
    /// <summary>None.</summary>
    HEAP_NONE = 0,

    /// <summary>Accepted; one thread of the daemon touches a heap anyway.</summary>
    HEAP_NO_SERIALIZE = 0x00000001,

    /// <summary>The error of an allocation that fails has <see cref="UmemException.NtStatus"/>.</summary>
    HEAP_GENERATE_EXCEPTIONS = 0x00000004,

    /// <summary>Always so: new memory is zero.</summary>
    HEAP_ZERO_MEMORY = 0x00000008,

    /// <summary>A block that is resized stays where it is, or the call fails.</summary>
    HEAP_REALLOC_IN_PLACE_ONLY = 0x00000010,

    /// <summary>Refused with <see cref="UmemDeniedException"/>.</summary>
    HEAP_CREATE_ENABLE_EXECUTE = 0x00040000,
}

internal static class HeapFlagWords
{
    private static readonly (HeapFlags Flag, string Word)[] Known =
    {
        (HeapFlags.HEAP_NO_SERIALIZE, "no_serialize"),
        (HeapFlags.HEAP_GENERATE_EXCEPTIONS, "generate_exceptions"),
        (HeapFlags.HEAP_ZERO_MEMORY, "zero_memory"),
        (HeapFlags.HEAP_REALLOC_IN_PLACE_ONLY, "realloc_in_place_only"),
        (HeapFlags.HEAP_CREATE_ENABLE_EXECUTE, "create_enable_execute"),
    };

    public static IEnumerable<string> Of(HeapFlags flags)
    {
        HeapFlags left = flags;
        var words = new List<string>();
        foreach ((HeapFlags flag, string word) in Known)
        {
            if ((flags & flag) != 0)
                words.Add(word);
            left &= ~flag;
        }
        if (left != 0)
            throw new ArgumentException($"0x{(uint)left:X} is no heap flag that umemd has", nameof(flags));
        return words;
    }
}
