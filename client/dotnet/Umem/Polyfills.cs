#if !NET8_0_OR_GREATER
namespace System.Runtime.CompilerServices;

/// <summary>What the compiler looks for where a record has members; .NET Standard 2.0 lacks it.</summary>
internal static class IsExternalInit
{
}
#endif
