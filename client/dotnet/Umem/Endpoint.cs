using System;
using System.IO;
using System.Text;

namespace Umem;

/// <summary>Where the daemon listens: protocol.md, "The pipe".</summary>
internal static class Endpoint
{
    private const string Prefix = @"\\.\pipe\";
    private const int NameLimit = 256;

    public static bool IsWindows { get; } = Path.DirectorySeparatorChar == '\\';

    /// <summary>The pipe's path: the one that is wanted, else that of the environment, else the user's own.</summary>
    public static string Find(string? wanted)
    {
        if (string.IsNullOrEmpty(wanted))
            wanted = Environment.GetEnvironmentVariable("UMEM_PIPE");
        return IsWindows ? FindWindows(wanted) : FindUnix(wanted);
    }

    /// <summary>A Windows pipe's name as <c>NamedPipeClientStream</c> wants it.</summary>
    public static string NameOf(string path) => path.Substring(Prefix.Length);

    private static string FindWindows(string? wanted)
    {
        string path = string.IsNullOrEmpty(wanted) ? "umemd-" + Environment.UserName : wanted!;
        path = path.Replace('/', '\\');
        if (path.IndexOf('\\') < 0)
            path = Prefix + path;
        if (path.Length > NameLimit)
            throw new ArgumentException("the name of the pipe is longer than 256 characters");
        if (!path.StartsWith(Prefix, StringComparison.OrdinalIgnoreCase) || path.Length == Prefix.Length)
            throw new ArgumentException(@"the name of a pipe begins with \\.\pipe\ or has no backslash in it");
        if (path.IndexOf('\\', Prefix.Length) >= 0)
            throw new ArgumentException(@"the name of a pipe has no backslash after \\.\pipe\");
        return path;
    }

    private static string FindUnix(string? wanted)
    {
        string path;
        if (!string.IsNullOrEmpty(wanted))
        {
            path = Path.IsPathRooted(wanted!) ? wanted! : Path.Combine(Environment.CurrentDirectory, wanted!);
        }
        else
        {
            string? runtime = Environment.GetEnvironmentVariable("XDG_RUNTIME_DIR");
            path = !string.IsNullOrEmpty(runtime) && runtime![0] == '/' && UnixNative.IsOwnDirectory(runtime)
                ? runtime + "/umemd.sock"
                : $"/tmp/umemd-{UnixNative.UserId()}/umemd.sock";
        }
        if (path.IndexOf('\0') >= 0)
            throw new ArgumentException("the path of the pipe has a character that no path has");
        if (Encoding.UTF8.GetByteCount(path) > UnixTransport.PathLimit)
            throw new ArgumentException($"the path of the pipe is longer than {UnixTransport.PathLimit} bytes");
        return path;
    }
}
