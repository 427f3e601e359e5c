#if NET
using System;
using System.Collections.Generic;
using System.IO;
using System.Linq;
using System.Reflection;
using Xunit;

namespace Umem.Tests;

/// <summary>
/// client/dotnet/PublicApi.txt lists all that programs can name, but for what is generated from the daemon's methods: what is
/// added there is seen in review, and what is taken away breaks programs. With UMEM_TEST_UPDATE=1 the list is written anew.
/// </summary>
public class PublicApiTests
{
    private const BindingFlags Declared =
        BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly;

    private static string NameOf(Type type)
    {
        if (type.IsByRef)
            return "ref " + NameOf(type.GetElementType()!);
        if (type.IsArray)
            return NameOf(type.GetElementType()!) + "[]";
        if (type.IsPointer)
            return NameOf(type.GetElementType()!) + "*";
        if (!type.IsGenericType)
            return type.IsGenericParameter ? type.Name : type.FullName!;
        return type.FullName == null || type.GetGenericTypeDefinition().FullName == null
            ? type.Name
            : type.GetGenericTypeDefinition().FullName!.Split('`')[0] + "<" +
              string.Join(", ", type.GetGenericArguments().Select(NameOf)) + ">";
    }

    private static bool IsByHand(MemberInfo member) =>
        member.GetCustomAttribute<System.CodeDom.Compiler.GeneratedCodeAttribute>() == null;

    private static bool IsVisible(MethodBase? method) => method is { IsPublic: true } or { IsFamily: true };

    private static string ParametersOf(MethodBase method) => string.Join(", ", method.GetParameters().Select(parameter =>
        $"{NameOf(parameter.ParameterType)} {parameter.Name}" + (parameter.IsOptional ? " = default" : "")));

    private static string? Described(MemberInfo member) => member switch
    {
        ConstructorInfo constructor when IsVisible(constructor) => $"new({ParametersOf(constructor)})",
        MethodInfo method when IsVisible(method) && (!method.IsSpecialName || method.Name.StartsWith("op_", StringComparison.Ordinal)) =>
            $"{method.Name}{(method.IsGenericMethod ? "<T>" : "")}({ParametersOf(method)}): {NameOf(method.ReturnType)}",
        PropertyInfo property when IsVisible(property.GetMethod) || IsVisible(property.SetMethod) =>
            property.Name + (property.GetIndexParameters().Length > 0 ? "[]" : "") + ": " + NameOf(property.PropertyType) +
            (IsVisible(property.GetMethod) ? " get" : "") + (IsVisible(property.SetMethod) ? " set" : ""),
        EventInfo happening => $"event {happening.Name}: {NameOf(happening.EventHandlerType!)}",
        FieldInfo { IsPublic: true, IsSpecialName: false } field => field.Name +
            (field.IsLiteral ? $" = {Convert.ToInt64(field.GetRawConstantValue())}" : ": " + NameOf(field.FieldType)),
        _ => null,
    };

    [Fact]
    public void ThePublicApiIsTheOneThatIsListed()
    {
        var lines = new List<string>();
        foreach (Type type in typeof(UmemClient).Assembly.GetExportedTypes().Where(IsByHand).OrderBy(type => type.FullName, StringComparer.Ordinal))
        {
            string kind = type.IsEnum ? "enum" : type.IsValueType ? "struct" : "class";
            lines.Add($"{kind} {NameOf(type)}");
            lines.AddRange(type.GetMembers(Declared).Where(IsByHand).Select(Described).OfType<string>().Distinct()
                               .OrderBy(line => line, StringComparer.Ordinal).Select(line => "    " + line));
        }
        string sources = Environment.GetEnvironmentVariable("UMEM_TEST_SOURCES")!;
        string path = Path.Combine(Daemon.IsWindows ? "Z:" + sources : sources, "PublicApi.txt");
        if (Environment.GetEnvironmentVariable("UMEM_TEST_UPDATE") == "1")
            File.WriteAllText(path, string.Join("\n", lines) + "\n");
        Assert.Equal(File.ReadAllLines(path), lines);
    }
}
#endif
