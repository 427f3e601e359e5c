using System;
using System.Runtime.InteropServices;
using Xunit.Runner.InProc.SystemConsole;

namespace Umem.Tests;

/// <summary>Runs the tests, and ends with what they came to.</summary>
internal static class Program
{
    public static int Main(string[] arguments)
    {
        int status = ConsoleRunner.Run(arguments).GetAwaiter().GetResult();
        if (!Daemon.IsMono || Daemon.IsWindows)
            return status;
        // A program that returns from here has its threads aborted by Mono. Where its timers' thread is sorting them at that moment,
        // Mono reports an unhandled exception and ends with 1, whatever the tests came to.
        Console.Out.Flush();
        Console.Error.Flush();
        Exit(status);
        return status;
    }

    [DllImport("libc", EntryPoint = "_exit")]
    private static extern void Exit(int status);
}
