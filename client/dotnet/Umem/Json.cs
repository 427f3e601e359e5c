using System;
using System.Collections.Generic;
using System.Globalization;
using System.Text.Json;

namespace Umem;

/// <summary>
/// Reads members of results. One that must be there and is not, or is of another type, is a
/// <see cref="UmemBadAnswerException"/>; members that are not asked for are passed over.
/// </summary>
internal static class Json
{
    public static long Long(JsonElement json, string name) =>
        LongOrNull(json, name) ?? throw Bad(name);

    public static long? LongOrNull(JsonElement json, string name)
    {
        if (!Find(json, name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number : throw Bad(name);
    }

    public static ulong ULong(JsonElement json, string name)
    {
        if (Find(json, name, out JsonElement value))
        {
            if (value.ValueKind == JsonValueKind.Number && value.TryGetUInt64(out ulong number))
                return number;
            if (value.ValueKind == JsonValueKind.String &&
                ulong.TryParse(value.GetString(), NumberStyles.None, CultureInfo.InvariantCulture, out number))
                return number;
        }
        throw Bad(name);
    }

    public static bool Bool(JsonElement json, string name) => BoolOrNull(json, name) ?? throw Bad(name);

    public static bool? BoolOrNull(JsonElement json, string name)
    {
        if (!Find(json, name, out JsonElement value))
            return null;
        return value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean() : throw Bad(name);
    }

    public static string String(JsonElement json, string name) => StringOrNull(json, name) ?? throw Bad(name);

    public static string? StringOrNull(JsonElement json, string name) =>
        Find(json, name, out JsonElement value) ? Text(value) : null;

    public static string Text(JsonElement value) =>
        value.ValueKind == JsonValueKind.String ? value.GetString()! : throw Bad("text");

    public static T Object<T>(JsonElement json, string name, Func<JsonElement, T> read)
        where T : class => ObjectOrNull(json, name, read) ?? throw Bad(name);

    public static T? ObjectOrNull<T>(JsonElement json, string name, Func<JsonElement, T> read)
        where T : class
    {
        if (!Find(json, name, out JsonElement value))
            return null;
        return value.ValueKind == JsonValueKind.Object ? read(value) : throw Bad(name);
    }

    public static IReadOnlyList<T> List<T>(JsonElement json, string name, Func<JsonElement, T> read) =>
        ListOrNull(json, name, read) ?? throw Bad(name);

    public static IReadOnlyList<T>? ListOrNull<T>(JsonElement json, string name, Func<JsonElement, T> read)
    {
        if (!Find(json, name, out JsonElement value))
            return null;
        if (value.ValueKind != JsonValueKind.Array)
            throw Bad(name);
        var list = new List<T>(value.GetArrayLength());
        foreach (JsonElement item in value.EnumerateArray())
            list.Add(read(item));
        return list;
    }

    public static IReadOnlyDictionary<string, long> Map(JsonElement json, string name)
    {
        if (!Find(json, name, out JsonElement value) || value.ValueKind != JsonValueKind.Object)
            throw Bad(name);
        var map = new Dictionary<string, long>();
        foreach (JsonProperty member in value.EnumerateObject())
        {
            if (member.Value.ValueKind == JsonValueKind.Number && member.Value.TryGetInt64(out long number))
                map[member.Name] = number;
        }
        return map;
    }

    public static bool Find(JsonElement json, string name, out JsonElement value) =>
        json.TryGetProperty(name, out value) && value.ValueKind != JsonValueKind.Null;

    public static UmemBadAnswerException Bad(string name) =>
        new($"the daemon's answer has no proper member \"{name}\"");
}
