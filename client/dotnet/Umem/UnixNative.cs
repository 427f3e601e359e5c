using System;
using System.Runtime.InteropServices;
using System.Text;

namespace Umem;

/// <summary>What .NET has no call for: system calls of the C library's.</summary>
internal static class UnixNative
{
    private const int SocketLevel = 1; // SOL_SOCKET of Linux
    private const int CurrentDirectory = -100; // AT_FDCWD
    private const uint BasicStats = 0x7ff; // STATX_BASIC_STATS
    private const int StatSize = 256;
    private const int StatUser = 20; // struct statx: stx_uid, stx_mode
    private const int StatMode = 28;
    private const int TypeMask = 0xf000;
    private const int TypeDirectory = 0x4000;

    private static readonly bool IsLinux = RuntimeInformation.IsOSPlatform(OSPlatform.Linux);

    public static uint UserId() => geteuid();

    /// <summary>Whether the user owns the directory. Elsewhere than on Linux, whether it is there.</summary>
    public static bool IsOwnDirectory(string path)
    {
        if (!IsLinux)
            return System.IO.Directory.Exists(path);
        byte[] facts = new byte[StatSize];
        return statx(CurrentDirectory, Encoding.UTF8.GetBytes(path + "\0"), 0, BasicStats, facts) == 0 &&
               (BitConverter.ToUInt16(facts, StatMode) & TypeMask) == TypeDirectory &&
               BitConverter.ToUInt32(facts, StatUser) == geteuid();
    }

    /// <summary>The user of the process that listens at the other end; null where the system does not tell.</summary>
    public static uint? PeerUser(int descriptor)
    {
        if (IsLinux)
        {
            // SO_PEERCRED: struct ucred of process, user and group.
            bool isPower = RuntimeInformation.ProcessArchitecture.ToString().StartsWith("Ppc", StringComparison.Ordinal);
            byte[] credentials = new byte[12];
            int size = credentials.Length;
            return getsockopt(descriptor, SocketLevel, isPower ? 21 : 17, credentials, ref size) == 0 &&
                   size == credentials.Length
                ? BitConverter.ToUInt32(credentials, 4)
                : null;
        }
        return getpeereid(descriptor, out uint user, out _) == 0 ? user : null;
    }

    [DllImport("libc")]
    private static extern uint geteuid();

    [DllImport("libc", SetLastError = true)]
    private static extern int getsockopt(int descriptor, int level, int option, byte[] value, ref int size);

    [DllImport("libc", SetLastError = true)]
    private static extern int getpeereid(int descriptor, out uint user, out uint group);

    [DllImport("libc", SetLastError = true)]
    private static extern int statx(int directory, byte[] path, int flags, uint mask, byte[] facts);
}
