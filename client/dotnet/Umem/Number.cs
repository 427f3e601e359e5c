using System;
using System.Globalization;
using System.Text.Json;

namespace Umem;

/// <summary>A type of numbers in blocks: its word in the protocol, and how its numbers are written.</summary>
internal static class Number<T>
    where T : unmanaged
{
    private static readonly string? KnownWord = WordOf(typeof(T));

    public static string Word => KnownWord ??
        throw new ArgumentException($"blocks have no numbers of the type {typeof(T)}");

    private static unsafe int Size => Word.Length != 0 ? sizeof(T) : 0;

    public static long SizeOf(int count)
    {
        if (count < 0)
            throw new ArgumentOutOfRangeException(nameof(count), count, "a number of numbers is not negative");
        return (long)count * Size;
    }

    public static T[] FromBytes(byte[] bytes)
    {
        var values = new T[bytes.Length / Size];
        Buffer.BlockCopy(InOrder(bytes), 0, values, 0, bytes.Length);
        return values;
    }

    public static byte[] ToBytes(T[] values)
    {
        if (values == null)
            throw new ArgumentNullException(nameof(values));
        byte[] bytes = new byte[checked(values.Length * Size)];
        Buffer.BlockCopy(values, 0, bytes, 0, bytes.Length);
        return InOrder(bytes);
    }

    /// <summary>Integers are written as text, which those past 2^53 and all others may be.</summary>
    public static void Add(Request request, string name, T value)
    {
        switch (value)
        {
            case float number:
                AddReal(request, name, number, number.ToString("R", CultureInfo.InvariantCulture));
                break;
            case double number:
                AddReal(request, name, number, number.ToString("R", CultureInfo.InvariantCulture));
                break;
            case IFormattable number:
                request.Add(name, number.ToString(null, CultureInfo.InvariantCulture));
                break;
        }
    }

    public static T Read(JsonElement json, string name)
    {
        if (!Json.Find(json, name, out JsonElement value) ||
            value.ValueKind is not (JsonValueKind.Number or JsonValueKind.String))
            throw Json.Bad(name);
        string text = value.ValueKind == JsonValueKind.String ? value.GetString()! : value.GetRawText();
        try
        {
            return (T)Parse(text);
        }
        catch (Exception e) when (e is FormatException or OverflowException)
        {
            throw Json.Bad(name);
        }
    }

    private static object Parse(string text)
    {
        CultureInfo culture = CultureInfo.InvariantCulture;
        return default(T) switch
        {
            byte => (object)byte.Parse(text, culture),
            sbyte => sbyte.Parse(text, culture),
            ushort => ushort.Parse(text, culture),
            short => short.Parse(text, culture),
            uint => uint.Parse(text, culture),
            int => int.Parse(text, culture),
            ulong => ulong.Parse(text, culture),
            long => long.Parse(text, culture),
            // Here, too.
            float => text == "-0.0" ? -0.0f : float.Parse(text, culture),
            double => text == "-0.0" ? -0.0 : double.Parse(text, culture),
            _ => throw new FormatException(),
        };
    }

    private static void AddReal(Request request, string name, double number, string text)
    {
        if (double.IsNaN(number))
            request.Add(name, "NaN");
        else if (double.IsInfinity(number))
            request.Add(name, number > 0 ? "Infinity" : "-Infinity");
        else if (number == 0 && double.IsNegativeInfinity(1 / number))
            // Some systems lose the sign.
            request.AddJson(name, "-0.0");
        else
            request.AddJson(name, text);
    }

    private static byte[] InOrder(byte[] bytes)
    {
        if (BitConverter.IsLittleEndian || Size == 1)
            return bytes;
        byte[] turned = (byte[])bytes.Clone();
        for (int i = 0; i < turned.Length; i += Size)
            Array.Reverse(turned, i, Size);
        return turned;
    }

    private static string? WordOf(Type type) => Type.GetTypeCode(type) switch
    {
        _ when type.IsEnum => null,
        TypeCode.Byte => "u8",
        TypeCode.SByte => "i8",
        TypeCode.UInt16 => "u16",
        TypeCode.Int16 => "i16",
        TypeCode.UInt32 => "u32",
        TypeCode.Int32 => "i32",
        TypeCode.UInt64 => "u64",
        TypeCode.Int64 => "i64",
        TypeCode.Single => "f32",
        TypeCode.Double => "f64",
        _ => null,
    };
}
