// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;

/// <summary>The daemon's settings are wrong.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemBadSettingsException : UmemException
{
    internal UmemBadSettingsException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The waiting call was cancelled by its client.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemCancelledException : UmemException
{
    internal UmemCancelledException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>Damage was found in the heap.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemCorruptedException : UmemException
{
    internal UmemCorruptedException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>This is not allowed.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemDeniedException : UmemException
{
    internal UmemDeniedException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The daemon failed.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemInternalErrorException : UmemException
{
    internal UmemInternalErrorException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>A parameter is missing, unknown, mistyped or out of bounds.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemInvalidParamsException : UmemException
{
    internal UmemInvalidParamsException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The message is JSON, but no request.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemInvalidRequestException : UmemException
{
    internal UmemInvalidRequestException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>A limit of the daemon is reached.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemLimitExceededException : UmemException
{
    internal UmemLimitExceededException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>Another session holds the heap.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemLockedException : UmemException
{
    internal UmemLockedException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The daemon has no such method.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemMethodNotFoundException : UmemException
{
    internal UmemMethodNotFoundException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The name is in use.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemNameTakenException : UmemException
{
    internal UmemNameTakenException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The heap's maximum or the system's memory is used up.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemNoMemoryException : UmemException
{
    internal UmemNoMemoryException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The range passes the end of the block.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemOutOfRangeException : UmemException
{
    internal UmemOutOfRangeException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The message is not JSON, or its headers are broken.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemParseErrorException : UmemException
{
    internal UmemParseErrorException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The handle was freed or destroyed.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemStaleHandleException : UmemException
{
    internal UmemStaleHandleException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The time was up.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemTimeoutException : UmemException
{
    internal UmemTimeoutException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The message or its answer passes a limit.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemTooLargeException : UmemException
{
    internal UmemTooLargeException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>The handle or name was never given out.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemUnknownHandleException : UmemException
{
    internal UmemUnknownHandleException(UmemError error)
        : base(error)
    {
    }
}

/// <summary>Not on this platform, heap kind or framing.</summary>
[GeneratedCode("client/dotnet/generate.py", "1")]
public sealed class UmemUnsupportedException : UmemException
{
    internal UmemUnsupportedException(UmemError error)
        : base(error)
    {
    }
}

public partial class UmemException
{
    internal static UmemException Of(UmemError error) => error.Name switch
    {
        "bad_settings" => new UmemBadSettingsException(error),
        "cancelled" => new UmemCancelledException(error),
        "corrupted" => new UmemCorruptedException(error),
        "denied" => new UmemDeniedException(error),
        "internal_error" => new UmemInternalErrorException(error),
        "invalid_params" => new UmemInvalidParamsException(error),
        "invalid_request" => new UmemInvalidRequestException(error),
        "limit_exceeded" => new UmemLimitExceededException(error),
        "locked" => new UmemLockedException(error),
        "method_not_found" => new UmemMethodNotFoundException(error),
        "name_taken" => new UmemNameTakenException(error),
        "no_memory" => new UmemNoMemoryException(error),
        "out_of_range" => new UmemOutOfRangeException(error),
        "parse_error" => new UmemParseErrorException(error),
        "stale_handle" => new UmemStaleHandleException(error),
        "timeout" => new UmemTimeoutException(error),
        "too_large" => new UmemTooLargeException(error),
        "unknown_handle" => new UmemUnknownHandleException(error),
        "unsupported" => new UmemUnsupportedException(error),
        _ => new UmemException(error),
    };
}
