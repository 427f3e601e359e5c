using System;
using System.Diagnostics;
using System.IO;
using System.Threading;

namespace Umem.Tests;

/// <summary>
/// A daemon of the test's own, which has ended when this is disposed of. UMEM_TEST_UMEMD is its program. The pipe of the daemon
/// that tests share, and which they leave as it was, is in UMEM_PIPE.
/// </summary>
internal sealed class Daemon : IDisposable
{
    private const string Ready = "listening on";

    private static int count;

    private readonly string arguments;
    private Process process;

    public Daemon(params string[] options)
    {
        Pipe = NewPipe();
        arguments = $"--pipe {Pipe}";
        foreach (string option in options)
            arguments += " " + option;
        process = Start();
    }

    /// <summary>Starts another one in the place of one that was killed.</summary>
    public void StartAgain()
    {
        process.Dispose();
        process = Start();
    }

    /// <summary>Another one takes the pipe over from it.</summary>
    public void Replace()
    {
        using Process replaced = process;
        process = Start(" --replace");
        replaced.WaitForExit();
    }

    private Process Start(string more = "")
    {
        var process = new Process
        {
            StartInfo = new ProcessStartInfo(Required("UMEM_TEST_UMEMD"), arguments + more)
            {
                UseShellExecute = false,
                RedirectStandardError = true,
                RedirectStandardInput = true,
            },
        };
        process.Start();
        string? line;
        while ((line = process.StandardError.ReadLine()) != null && !line.Contains(Ready))
        {
        }
        if (line == null)
            throw new InvalidOperationException("the daemon has ended before it listened");
        // What it writes later must not fill the pipe, which would hold it up.
        new Thread(() =>
        {
            try
            {
                while (process.StandardError.ReadLine() != null)
                {
                }
            }
            catch (Exception)
            {
                // The process object is gone.
            }
        }) { IsBackground = true }.Start();
        return process;
    }

    public string Pipe { get; }

    public static bool IsWindows => Path.DirectorySeparatorChar == '\\';

    public static bool IsMono => Type.GetType("Mono.Runtime") != null;

    /// <summary>A pipe on which nobody listens.</summary>
    public static string NewPipe()
    {
        string name = $"umem-net-{Process.GetCurrentProcess().Id}-{Guid.NewGuid():N}-{Interlocked.Increment(ref count)}";
        return IsWindows ? @"\\.\pipe\" + name : Path.Combine(Path.GetTempPath(), name);
    }

    public static UmemClient Connect(TimeSpan? timeout = null) => UmemClient.Connect(new UmemClientOptions
    {
        Pipe = Required("UMEM_PIPE"),
        Timeout = timeout ?? TimeSpan.FromSeconds(60),
    });

    public UmemClient ConnectHere() => UmemClient.Connect(Pipe);

    public void Kill()
    {
        process.Kill();
        process.WaitForExit();
    }

    public void Dispose()
    {
        if (!process.HasExited)
            Kill();
        process.Dispose();
        if (!IsWindows)
        {
            File.Delete(Pipe);
            File.Delete(Pipe + ".lock");
        }
    }

    private static string Required(string variable) =>
        Environment.GetEnvironmentVariable(variable) ?? throw new InvalidOperationException(variable + " is not set");
}
