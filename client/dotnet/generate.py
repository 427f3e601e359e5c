#!/usr/bin/env python3
"""Writes the methods of Umem's UmemClient, with their options and results, from what a daemon says of itself (rpc.discover).

generate.py FOLDER [--check]

The daemon's pipe is in UMEM_PIPE. Files are written to FOLDER; with --check they are compared with what is there, and
the exit status tells whether they are the same.
"""
import json
import os
import re
import socket
import sys
import textwrap

# What the class has by hand: UmemClient.cs and its siblings. Of these only the options and results are written here.
BY_HAND = {"rpc.discover", "$/cancelRequest", "block.read", "block.write", "block.get", "block.set", "block.add",
           "block.exchange", "block.wait", "session.watch"}
# Parameters that are arguments though they may be left out.
ARGUMENTS = {"block.alloc": ["size"]}
# How bytes are written is the library's business.
LEFT_OUT = {"encoding"}
# Words that are types of their own: an enum has all words that any method takes there.
ENUMS = {"lifetime": "Lifetime", "kind": "HeapKind", "if_exists": "IfExists"}
# Members without a type in the schema.
UNTYPED = {"address": "ulong", "limits": "map", "refusals": "map"}
# What lists have is described as it is by itself, though some may be missing there.
ITEMS = {"heaps": "HeapInfo", "blocks": "BlockInfo", "sessions": "SessionInfo"}
WAITS = {"heap.lock": "options?.TimeoutMs"}
# Tests list the public API without what this writes, which is compared as a whole.
MARK = '[GeneratedCode("client/dotnet/generate.py", "1")]'
RESERVED = {"object", "new", "old", "ref", "params", "string", "long", "bool", "lock", "fixed"}


def pascal(name):
    return "".join(part[:1].upper() + part[1:] for part in re.split(r"[._/$]", name))


def camel(name):
    word = pascal(name)
    word = word[0].lower() + word[1:]
    return "@" + word if word in RESERVED else word


def text(words):
    words = re.sub(r"`([^`]*)`", r"<c>\1</c>", words.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;"))
    return words


def comment(indent, tag, words, attribute=""):
    open_tag = f"<{tag}{attribute}>"
    line = f"{open_tag}{text(words)}</{tag}>"
    if len(line) + indent + 4 <= 118:
        return [" " * indent + "/// " + line]
    lines = textwrap.wrap(text(words), 114 - indent, break_long_words=False, break_on_hyphens=False)
    return [" " * indent + "/// " + part for part in [open_tag, *lines, f"</{tag}>"]]


def without_null(schema):
    """The schema, and whether null is another possibility."""
    kinds = schema.get("oneOf")
    if kinds is None:
        return schema, False
    others = [kind for kind in kinds if kind.get("type") != "null"]
    nullable = len(others) != len(kinds)
    return (others[0] if len(others) == 1 else dict(schema, oneOf=others)), nullable


class Parameter:
    def __init__(self, method, entry):
        self.name = entry["name"]
        self.doc = entry.get("description", "")
        self.required = entry["required"] or self.name in ARGUMENTS.get(method, [])
        schema, _ = without_null(entry["schema"])
        self.default = entry["schema"].get("default")
        self.type = self.find_type(schema)

    def find_type(self, schema):
        if "oneOf" in schema:
            titles = {kind.get("title") for kind in schema["oneOf"]}
            if titles == {"Handle", "Name"}:
                return "HeapRef" if self.name == "heap" else "BlockRef"
            raise SystemExit(f"generate.py: no type for the parameter {self.name}: {schema}")
        kind = schema.get("type")
        if kind == "string" and "enum" in schema:
            return ENUMS[self.name]
        if kind == "array" and "enum" in schema.get("items", {}):
            return "HeapFlags"
        if self.name == "data":
            return "byte[]"
        return {"integer": "long", "boolean": "bool", "string": "string"}[kind]

    @property
    def property_type(self):
        return self.type + "?"

    def described(self):
        words = self.doc
        if self.default not in (None, False, 0, "") and not self.required:
            words += f" If left out: {self.default}."
        return words


class Results:
    """The classes of results. What has the members of a description (HeapInfo, Owner) is one; each other method has its own."""

    def __init__(self):
        self.by_members = {}
        self.classes = {}

    def of(self, schema, name):
        members = json.dumps({key: {k: v for k, v in value.items() if k not in ("title", "description")}
                              for key, value in self.stripped(schema)["properties"].items()}, sort_keys=True)
        if members in self.by_members or name in self.classes:
            return self.by_members.get(members, name)
        if not name.endswith("Result"):
            self.by_members[members] = name
        self.classes[name] = [(key, *self.member(key, value, key in schema.get("required", []), name))
                              for key, value in schema["properties"].items()]
        return name

    def stripped(self, schema):
        if isinstance(schema, dict):
            return {key: self.stripped(value) for key, value in schema.items()
                    if not (key in ("title", "description") and isinstance(value, str))}
        if isinstance(schema, list):
            return [self.stripped(part) for part in schema]
        return schema

    def member(self, key, schema, required, owner):
        """Its type, its reader and its words."""
        doc = schema.get("description", "")
        inner, nullable = without_null(schema)
        may_miss = nullable or not required
        kind = inner.get("type")
        mark = "OrNull" if may_miss else ""
        if kind == "object":
            name = self.of(inner, "Owner" if key == "owner" else owner + pascal(key))
            return name + ("?" if may_miss else ""), f'Json.Object{mark}(json, "{key}", {name}.Read)', doc
        if kind == "array" and inner["items"].get("type") == "object":
            item = ITEMS.get(key) or self.of(inner["items"], owner + pascal(key) + "Item")
            return f"IReadOnlyList<{item}>" + ("?" if may_miss else ""), f'Json.List{mark}(json, "{key}", {item}.Read)', doc
        if kind == "array":
            return "IReadOnlyList<string>" + ("?" if may_miss else ""), f'Json.List{mark}(json, "{key}", Json.Text)', doc
        if kind is None:
            kind = UNTYPED[key]
        types = {"integer": ("long", "Long"), "boolean": ("bool", "Bool"), "string": ("string", "String"),
                 "number": ("double", "Double"), "ulong": ("ulong", "ULong"),
                 "map": ("IReadOnlyDictionary<string, long>", "Map")}
        name, reader = types[kind]
        return name + ("?" if may_miss else ""), f'Json.{reader}{mark}(json, "{key}")', doc


HEADER = """\
// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;
using System.Collections.Generic;
using System.Text.Json;
using System.Threading;
using System.Threading.Tasks;

namespace Umem;
"""

CALLS_HEADER = """\
// Written by client/dotnet/generate.py from rpc.discover: ./dev generate writes it anew.
#nullable enable
using System.CodeDom.Compiler;

namespace Umem;
"""


def write_options(method, options):
    name = pascal(method) + "Options"
    lines = ["", *comment(0, "summary", f"What may be said to {method}. What is left null is not sent."),
             MARK, f"public sealed class {name}", "{"]
    for number, parameter in enumerate(options):
        if number:
            lines.append("")
        lines += comment(4, "summary", parameter.described() or parameter.name)
        lines.append(f"    public {parameter.property_type} {pascal(parameter.name)} {{ get; set; }}")
    return lines + ["}"]


def write_result(name, members):
    lines = ["", *comment(0, "summary", f"What the daemon answers: {name}."), MARK, f"public sealed class {name}", "{",
             f"    internal {name}()", "    {", "    }", ""]
    for key, kind, _, doc in members:
        lines += comment(4, "summary", doc or key)
        lines += [f"    public {kind} {pascal(key)} {{ get; private set; }}"
                  + (" = null!;" if not kind.endswith("?") and kind not in ("long", "bool", "ulong", "double") else ""), ""]
    lines += [f"    internal static {name} Read(JsonElement json) => new()", "    {"]
    lines += [f"        {pascal(key)} = {reader}," for key, _, reader, _ in members]
    return lines + ["    };", "}"]


def write_request(method, arguments, options):
    name = pascal(method)
    head = [f"{a.type} {camel(a.name)}" for a in arguments] + ([f"{name}Options? options"] if options else [])
    lines = ["", f"    internal static Request {name}Request({', '.join(head)})", "    {",
             f'        var request = new Request("{method}");']
    lines += [f'        request.Add("{a.name}", {camel(a.name)});' for a in arguments]
    if options:
        lines += ["        if (options != null)", "        {"]
        lines += [f'            request.Add("{o.name}", options.{pascal(o.name)});' for o in options]
        lines += ["        }"]
    if method in WAITS:
        lines.append(f"        request.Waits({WAITS[method]});")
    return lines + ["        return request;", "    }"]


def write_method(method, entry, arguments, options, result):
    name = pascal(method)
    declared = [f"{a.type} {camel(a.name)}" for a in arguments] + ([f"{name}Options? options = null"] if options else [])
    passed = ", ".join([camel(a.name) for a in arguments] + (["options"] if options else []))
    words = (entry["summary"] + " " + entry.get("description", "")).strip()
    errors = ", ".join(error["data"]["name"] for error in entry["errors"])
    docs = comment(4, "summary", words)
    for argument in arguments:
        docs += comment(4, "param", argument.doc, f' name="{camel(argument.name).lstrip("@")}"')
    if options:
        docs += comment(4, "param", "What else may be said; null: nothing.", ' name="options"')
    remarks = comment(4, "exception", f"The daemon refused: {errors}.", ' cref="UmemException"')
    cancel = comment(4, "param", "Ends the waiting for the answer.", ' name="cancellationToken"')
    many = declared + ["CancellationToken cancellationToken = default"]
    if result:
        # By its whole name, since a method may have the same one.
        returns = f"Invoke({name}Request({passed}), Umem.{result}.Read)"
        later = f"InvokeAsync({name}Request({passed}), Umem.{result}.Read, cancellationToken)"
        kind, task = result, f"Task<{result}>"
    else:
        returns = f"Invoke({name}Request({passed}))"
        later = f"InvokeAsync({name}Request({passed}), cancellationToken)"
        kind, task = "void", "Task"
    lines = write_request(method, arguments, options)
    lines += ["", *docs, *remarks, "    " + MARK, f"    public {kind} {name}({', '.join(declared)}) =>", f"        {returns};"]
    lines += ["", *docs, *cancel, *remarks, "    " + MARK, f"    public {task} {name}Async({', '.join(many)}) =>", f"        {later};"]
    return lines


def write_call(method, entry, arguments, options, result):
    """The same in a batch or pipeline."""
    name = pascal(method)
    declared = [f"{a.type} {camel(a.name)}" for a in arguments] + ([f"{name}Options? options = null"] if options else [])
    passed = ", ".join([camel(a.name) for a in arguments] + (["options"] if options else []))
    docs = comment(4, "summary", entry["summary"])
    for argument in arguments:
        docs += comment(4, "param", argument.doc, f' name="{camel(argument.name).lstrip("@")}"')
    if options:
        docs += comment(4, "param", "What else may be said; null: nothing.", ' name="options"')
    reply = f"UmemReply<{result}>" if result else "UmemReply"
    # By its whole name, since a method may have the same one.
    read = f", Umem.{result}.Read" if result else ""
    return ["", *docs, "    " + MARK, f"    public {reply} {name}({', '.join(declared)}) =>",
            f"        Add(UmemClient.{name}Request({passed}){read});"]


def write_enums(methods):
    words = {}
    for entry in methods:
        for parameter in entry["params"]:
            schema, _ = without_null(parameter["schema"])
            if parameter["name"] in ENUMS and "enum" in schema:
                known = words.setdefault(parameter["name"], [])
                known += [word for word in schema["enum"] if word not in known]
    lines = []
    for parameter, known in sorted(words.items()):
        lines += ["", *comment(0, "summary", f"The words for the parameter {parameter}, see protocol.md."),
                  MARK, f"public enum {ENUMS[parameter]}", "{"]
        for word in known:
            lines += comment(4, "summary", f"\"{word}\"")
            lines.append(f"    {pascal(word)},")
        lines += ["}"]
    lines += ["", "internal static class Words", "{"]
    for number, (parameter, known) in enumerate(sorted(words.items())):
        cases = ", ".join(f'{ENUMS[parameter]}.{pascal(word)} => "{word}"' for word in known)
        lines += ([""] if number else []) + [
            f"    public static string Of({ENUMS[parameter]} value) =>",
            f'        value switch {{ {cases}, _ => throw Request.Refused("{parameter}", value) }};', "",
            f"    public static void Add(this Request request, string name, {ENUMS[parameter]}? value)", "    {",
            "        if (value != null)", "            request.Add(name, Of(value.Value));", "    }"]
    return lines + ["}"]


# Any method may have these, and so none lists them.
COMMON_ERRORS = {
    "parse_error": "the message is not JSON, or its headers are broken",
    "invalid_request": "the message is JSON, but no request",
    "method_not_found": "the daemon has no such method",
}


def write_errors(methods):
    """An exception for each error name, and what makes it."""
    errors = dict(COMMON_ERRORS)
    for entry in methods:
        errors.update({error["data"]["name"]: error["message"] for error in entry["errors"]})
    lines = []
    for name, message in sorted(errors.items()):
        lines += ["", *comment(0, "summary", message[0].upper() + message[1:] + "."), MARK,
                  f"public sealed class Umem{pascal(name)}Exception : UmemException", "{",
                  f"    internal Umem{pascal(name)}Exception(UmemError error)", "        : base(error)", "    {", "    }", "}"]
    lines += ["", "public partial class UmemException", "{", "    internal static UmemException Of(UmemError error) => error.Name switch",
              "    {"]
    lines += [f'        "{name}" => new Umem{pascal(name)}Exception(error),' for name in sorted(errors)]
    return lines + ["        _ => new UmemException(error),", "    };", "}"]


def generate(document):
    """The files, by their names."""
    results = Results()
    methods, calls, options_out = [], [], []
    # The descriptions first, as other results consist of them.
    for entry in sorted(document["methods"], key=lambda entry: not entry["name"].endswith(".info")):
        schema = entry["result"]["schema"]
        if schema.get("properties") and entry["name"] not in BY_HAND:
            name = pascal(entry["name"])
            results.of(schema, name if name.endswith("Info") else name + "Result")
    for entry in document["methods"]:
        method = entry["name"]
        parameters = []
        if method not in BY_HAND:
            parameters = [Parameter(method, p) for p in entry["params"] if p["name"] not in LEFT_OUT]
        elif method == "session.watch":
            parameters = [Parameter(method, p) for p in entry["params"]]
        arguments = [p for p in parameters if p.required]
        options = [p for p in parameters if not p.required]
        if options:
            options_out += write_options(method, options)
        if method == "session.watch":
            methods += write_request(method, arguments, options)
        if method in BY_HAND:
            continue
        schema, name = entry["result"]["schema"], pascal(method)
        result = results.of(schema, name + "Result") if schema.get("properties") else None
        methods += write_method(method, entry, arguments, options, result)
        calls += write_call(method, entry, arguments, options, result)
    records = [line for name, members in results.classes.items() for line in write_result(name, members)]
    return {
        "UmemClient.Methods.g.cs": "\n".join([HEADER, "public sealed partial class UmemClient", "{", *methods[1:], "}", ""]),
        "UmemCalls.Methods.g.cs": "\n".join([CALLS_HEADER, "public sealed partial class UmemCalls", "{", *calls[1:], "}", ""]),
        "Exceptions.g.cs": "\n".join([HEADER, *write_errors(document["methods"])[1:], ""]),
        "Results.g.cs": "\n".join([HEADER, *write_enums(document["methods"])[1:], *options_out, *records, ""]),
    }


def discover(pipe):
    with socket.socket(socket.AF_UNIX) as connection:
        connection.connect(pipe)
        connection.sendall(b'{"id":1,"method":"rpc.discover"}\n')
        answer = json.loads(connection.makefile("r", encoding="utf-8").readline())
    return answer["result"]


def main():
    folder = sys.argv[1]
    is_check = sys.argv[2:] == ["--check"]
    differ = []
    for name, content in generate(discover(os.environ["UMEM_PIPE"])).items():
        path = os.path.join(folder, name)
        if is_check:
            with open(path, encoding="utf-8") as file:
                if file.read() != content:
                    differ.append(path)
        else:
            with open(path, "w", encoding="utf-8", newline="\n") as file:
                file.write(content)
    for path in differ:
        print(f"{path} is not what the daemon's methods are: ./dev generate writes it anew", file=sys.stderr)
    return 1 if differ else 0


if __name__ == "__main__":
    sys.exit(main())
