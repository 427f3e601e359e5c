using System;
using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Umem;

/// <summary>What .NET has no call for on Windows: who made a pipe, and whether there is one.</summary>
internal static class WindowsNative
{
    public const int FileNotFound = 2;

    private const int KernelObject = 6; // SE_KERNEL_OBJECT
    private const int OwnerInformation = 1; // OWNER_SECURITY_INFORMATION
    private const int QueryLimitedInformation = 0x1000; // PROCESS_QUERY_LIMITED_INFORMATION
    private const int TokenQuery = 8;
    private const int TokenUser = 1;
    private const int LocalSystem = 22; // WinLocalSystemSid

    /// <summary>
    /// Whether the pipe's owner, or the process that made it, is this user or SYSTEM. The token's default owner, with which
    /// <c>PipeOptions.CurrentUserOnly</c> compares, is another one where a program runs elevated.
    /// </summary>
    public static bool IsTrusted(SafePipeHandle pipe)
    {
        byte[]? self = UserOf(GetCurrentProcess());
        return self != null && (IsOwnerTrusted(pipe, self) || IsServerTrusted(pipe, self));
    }

    /// <summary>Waits until the pipe has a free place. Returns 0, or the system's error.</summary>
    public static int Wait(string path, int milliseconds) =>
        WaitNamedPipe(path, milliseconds) ? 0 : Marshal.GetLastWin32Error();

    private static bool IsOwnerTrusted(SafePipeHandle pipe, byte[] self)
    {
        if (GetSecurityInfo(pipe, KernelObject, OwnerInformation, out IntPtr owner, IntPtr.Zero, IntPtr.Zero, IntPtr.Zero,
                            out IntPtr descriptor) != 0)
            return false;
        try
        {
            return owner != IntPtr.Zero && IsTrusted(owner, self);
        }
        finally
        {
            LocalFree(descriptor);
        }
    }

    private static bool IsServerTrusted(SafePipeHandle pipe, byte[] self)
    {
        if (!GetNamedPipeServerProcessId(pipe, out uint id))
            return false;
        IntPtr process = OpenProcess(QueryLimitedInformation, false, id);
        if (process == IntPtr.Zero)
            return false;
        try
        {
            byte[]? user = UserOf(process);
            if (user == null)
                return false;
            GCHandle pinned = GCHandle.Alloc(user, GCHandleType.Pinned);
            try
            {
                return IsTrusted(pinned.AddrOfPinnedObject(), self);
            }
            finally
            {
                pinned.Free();
            }
        }
        finally
        {
            CloseHandle(process);
        }
    }

    private static bool IsTrusted(IntPtr sid, byte[] self) => EqualSid(sid, self) || IsWellKnownSid(sid, LocalSystem);

    /// <summary>The SID of a process' user; null where it is not known.</summary>
    private static byte[]? UserOf(IntPtr process)
    {
        if (!OpenProcessToken(process, TokenQuery, out IntPtr token))
            return null;
        IntPtr facts = IntPtr.Zero;
        try
        {
            GetTokenInformation(token, TokenUser, IntPtr.Zero, 0, out int size);
            facts = Marshal.AllocHGlobal(size);
            if (!GetTokenInformation(token, TokenUser, facts, size, out size))
                return null;
            // A TOKEN_USER begins with the address of the SID, which lies behind it.
            IntPtr sid = Marshal.ReadIntPtr(facts);
            byte[] copy = new byte[GetLengthSid(sid)];
            Marshal.Copy(sid, copy, 0, copy.Length);
            return copy;
        }
        finally
        {
            Marshal.FreeHGlobal(facts);
            CloseHandle(token);
        }
    }

    [DllImport("kernel32.dll", CharSet = CharSet.Unicode, SetLastError = true, EntryPoint = "WaitNamedPipeW")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool WaitNamedPipe(string name, int milliseconds);

    [DllImport("kernel32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool GetNamedPipeServerProcessId(SafePipeHandle pipe, out uint id);

    [DllImport("kernel32.dll")]
    private static extern IntPtr GetCurrentProcess();

    [DllImport("kernel32.dll", SetLastError = true)]
    private static extern IntPtr OpenProcess(int access, [MarshalAs(UnmanagedType.Bool)] bool inherit, uint id);

    [DllImport("kernel32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool CloseHandle(IntPtr handle);

    [DllImport("kernel32.dll")]
    private static extern IntPtr LocalFree(IntPtr memory);

    [DllImport("advapi32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool OpenProcessToken(IntPtr process, int access, out IntPtr token);

    [DllImport("advapi32.dll", SetLastError = true)]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool GetTokenInformation(IntPtr token, int kind, IntPtr facts, int capacity, out int size);

    [DllImport("advapi32.dll")]
    private static extern int GetLengthSid(IntPtr sid);

    [DllImport("advapi32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool EqualSid(IntPtr left, byte[] right);

    [DllImport("advapi32.dll")]
    [return: MarshalAs(UnmanagedType.Bool)]
    private static extern bool IsWellKnownSid(IntPtr sid, int kind);

    [DllImport("advapi32.dll")]
    private static extern int GetSecurityInfo(SafePipeHandle handle, int type, int information, out IntPtr owner, IntPtr group,
                                              IntPtr access, IntPtr audit, out IntPtr descriptor);
}
