using System;
using System.Diagnostics;

namespace Umem;

/// <summary>A moment until which something must have ended, or none.</summary>
internal readonly struct Deadline
{
    private readonly long end;

    private Deadline(long end) => this.end = end;

    public static Deadline None => new(long.MaxValue);

    public bool IsNone => end == long.MaxValue;

    public bool HasPassed => RemainingMs == 0;

    public bool IsBefore(Deadline other) => end < other.end;

    /// <summary>Milliseconds that are left, rounded up; -1: without an end.</summary>
    public int RemainingMs
    {
        get
        {
            if (IsNone)
                return -1;
            long left = end - Stopwatch.GetTimestamp();
            return left <= 0 ? 0 : (int)Math.Min(int.MaxValue, (left * 1000 / Stopwatch.Frequency) + 1);
        }
    }

    /// <summary>So many milliseconds from now; negative: none.</summary>
    public static Deadline After(long milliseconds)
    {
        if (milliseconds < 0)
            return None;
        long left = long.MaxValue - Stopwatch.GetTimestamp();
        return milliseconds >= left / Stopwatch.Frequency
            ? None
            : new Deadline(Stopwatch.GetTimestamp() + (milliseconds * Stopwatch.Frequency / 1000));
    }
}
