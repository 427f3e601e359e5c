#!/usr/bin/env python3
"""Writes umem/methods.py from what a daemon says of its methods (rpc.discover).

    generate.py UMEMD          writes the file
    generate.py UMEMD --check  only compares it, and fails if it would be another one
"""
import argparse
import difflib
import json
import pathlib
import re
import socket
import subprocess
import sys
import tempfile
import textwrap

TARGET = pathlib.Path(__file__).resolve().parent / "umem" / "methods.py"
WIDTH = 120
HEAD = '''"""Every method of the daemon, as a function that makes a typed request.

    daemon.send(umem.methods.block_info("table"))["size"]

The same request can be sent by a Client, awaited with an AsyncClient, or put into a batch or pipeline. Written by
generate.py from the daemon's own description: `./dev generate` writes it anew.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Literal, Optional, Sequence, TypedDict, Union

from ._frames import Bytes
from ._request import Number, Ref, Request, make, nothing, numbers, raw_bytes_in_data, to_json_number
'''


def discover(umemd):
    """The daemon's OpenRPC document."""
    with tempfile.TemporaryDirectory(prefix="umemd-python-") as folder:
        path = f"{folder}/umemd.sock"
        with subprocess.Popen([umemd, "--pipe", path], stderr=subprocess.PIPE, text=True) as daemon:
            try:
                for line in daemon.stderr:
                    if "listening on" in line:
                        break
                with socket.socket(socket.AF_UNIX) as pipe:
                    pipe.connect(path)
                    lines = pipe.makefile("rw", encoding="utf-8")
                    lines.write('{"id":1,"method":"rpc.discover"}\n')
                    lines.flush()
                    return json.loads(lines.readline())["result"]
            finally:
                daemon.terminate()


def snake(method):
    name = method.replace("$/", "").replace(".", "_")
    return re.sub(r"([A-Z])", lambda letter: "_" + letter[1].lower(), name)


def without_null(schema):
    """The schema of what it is when it is not null, and whether it may be."""
    choices = schema.get("oneOf", [])
    others = [choice for choice in choices if choice.get("type") != "null"]
    if len(others) == len(choices):
        return schema, False
    return (others[0] if len(others) == 1 else dict(schema, oneOf=others)), True


class Words:
    """The words that a parameter may be, each list a type with the parameter's name. Methods may take some of them only."""

    def __init__(self, methods):
        lists = {}
        for method in methods:
            for param in method["params"]:
                schema, _ = without_null(param["schema"])
                schema = schema.get("items", schema)
                if "enum" in schema and param["name"] != "encoding":
                    words = lists.setdefault(self.name_of(param["name"]), [])
                    words += [word for word in schema["enum"] if word not in words]
        self.types = {name: f"Literal[{', '.join(json.dumps(word) for word in words)}]" for name, words in sorted(lists.items())}

    @staticmethod
    def name_of(param):
        # A list of flags is of the type Flag; if_exists is no plural.
        return "".join(part.title() for part in (param if "_" in param else re.sub("s$", "", param)).split("_"))

    def lines(self):
        lines = [""]
        for name, words in self.types.items():
            line = f"{name} = {words}"
            lines += [line] if len(line) <= WIDTH else [f"{name} = Literal[", f"    {words[len('Literal['):-1]},", "]"]
        return lines


def parameter_type(name, schema):
    schema, _ = without_null(schema)
    titles = {choice["title"] for choice in schema.get("oneOf", [])}
    if titles == {"Handle", "Name"}:
        return "Ref"
    if titles == {"ValueNumber", "ValueText"}:
        return "Number"
    if titles:
        return "Union[int, float, str]"
    kind = schema.get("type")
    if kind == "array":
        return f"Sequence[{parameter_type(name, schema['items'])}]"
    if "enum" in schema:
        return Words.name_of(name)
    return {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}.get(kind, "Any")


class Results:
    """The classes that results have; two that look alike are one."""

    def __init__(self):
        self.by_shape = {}
        self.lines = []

    def type_of(self, schema):
        schema, may_be_null = without_null(schema)
        kind = schema.get("type")
        if kind == "object":
            name = self.class_of(schema)
        elif kind == "array":
            name = f"List[{self.type_of(schema['items'])}]"
        elif "oneOf" in schema:
            name = "Union[int, float, str]"
        else:
            name = {"integer": "int", "number": "float", "string": "str", "boolean": "bool"}.get(kind, "Any")
        return f"Optional[{name}]" if may_be_null else name

    def class_of(self, schema):
        members = {name: (self.type_of(member), member.get("description", "")) for name, member in schema["properties"].items()}
        if not all(name.isidentifier() for name in members):
            return "Dict[str, Any]"
        required = [name for name in members if name in schema["required"]]
        # What a list has is a type of its own, even where it looks like that of *.info: one may gain what the other has not.
        name = re.sub(r"Result[A-Za-z]+?Item(?:([A-Za-z]+)Item)?$", r"\1Entry", schema["title"].replace("ResultOwnerValue", "Owner"))
        shape = json.dumps([members, required, name if name.endswith("Entry") else ""])
        if shape in self.by_shape:
            return self.by_shape[shape]
        self.by_shape[shape] = name
        optional = [member for member in members if member not in required]
        base = "TypedDict"
        if optional:
            base = f"_{name}Always"
            self.write_class(base, "TypedDict", {member: members[member] for member in required})
        self.write_class(name, base + (", total=False" if optional else ""), {m: members[m] for m in (optional or required)})
        return name

    def write_class(self, name, base, members):
        self.lines += ["", "", f"class {name}({base}):"]
        for member, (kind, description) in members.items():
            self.lines += [f"    {member}: {kind}", *comment(description)]


def comment(text):
    if not text:
        return []
    if len(text) + 10 <= WIDTH:
        return [f"    {docstring(text)}"]
    lines = textwrap.wrap(text, WIDTH - 10)
    return [f'    """{lines[0]}', *(f"    {line}" for line in lines[1:]), '    """']


def docstring(text):
    # A quote at the end would be read as one of the three.
    return f'"""{text} """' if text.endswith('"') else f'"""{text}"""'


class Function:
    def __init__(self, method, results):
        self.method = method
        self.params = {param["name"]: param for param in method["params"]}
        encoding = self.params.pop("encoding", None)
        encodings = without_null(encoding["schema"])[0]["enum"] if encoding else []
        self.sends_raw = "raw" in encodings and "data" in self.params
        self.reads_raw = "raw" in encodings and "data" not in self.params
        # Without these bytes there would be nothing to write.
        if self.sends_raw and "block" in self.params:
            self.params["data"]["required"] = True
            self.params.pop("size")
        self.waits = self.params.get("timeout_ms")
        self.result = self.result_type(results)

    def result_type(self, results):
        schema = self.method["result"]["schema"]
        if not schema["properties"]:
            return "None"
        if self.reads_raw:
            schema["properties"]["data"] = {"title": "Data", "bytes": True, "description": "The bytes."}
            schema["required"].append("data")
        name = results.type_of(schema)
        if self.reads_raw:
            results.lines = [line.replace("data: Any", "data: bytes") for line in results.lines]
        return name

    def signature(self):
        given = [(name, param) for name, param in self.params.items() if param["required"]]
        optional = [(name, param) for name, param in self.params.items() if not param["required"]]
        words = [f"{name}: {self.type_of(name, param)}" for name, param in given]
        if optional:
            words += ["*", *(f"{name}: Optional[{self.type_of(name, param)}] = None" for name, param in optional)]
        head = f"def {snake(self.method['name'])}"
        line = f"{head}({', '.join(words)}) -> Request[{self.result}]:"
        if len(line) <= WIDTH:
            return [line]
        return [f"{head}(", *(f"    {word}," for word in words), f") -> Request[{self.result}]:"]

    def type_of(self, name, param):
        return "Bytes" if name == "data" else parameter_type(name, param["schema"])

    def value(self, name, param):
        kind = self.type_of(name, param)
        convert = {"Number": "to_json_number", "Sequence[Number]": "numbers"}.get(kind)
        if convert is None:
            return name
        return f"{convert}({name})" if param["required"] else f"None if {name} is None else {convert}({name})"

    def documentation(self):
        lines = [self.method["summary"], *self.method.get("description", "").splitlines()]
        paragraphs = [part for line in lines for part in textwrap.wrap(line, WIDTH - 4)]
        if self.params:
            paragraphs.append("")
        for name, param in self.params.items():
            paragraphs += textwrap.wrap(f"{name}: {param['description']}", WIDTH - 4, subsequent_indent="    ")
        if len(paragraphs) == 1 and len(paragraphs[0]) + 10 <= WIDTH:
            return [f"    {docstring(paragraphs[0])}"]
        return [f'    """{paragraphs[0]}', *(f"    {line}".rstrip() for line in paragraphs[1:]), '    """']

    def body(self):
        entries = [f'"{name}": {self.value(name, param)}' for name, param in self.params.items()]
        arguments = [f'"{self.method["name"]}"']
        if self.reads_raw:
            entries.append('"encoding": "raw"')
        extra = []
        if self.sends_raw:
            extra.append("raw=True")
        if self.waits:
            schema = self.waits["schema"]
            extra.append("waits=timeout_ms or 0" if "default" in schema else "waits=timeout_ms")
        if self.result == "None":
            extra.append("convert=nothing")
        if self.reads_raw:
            extra.append("convert=raw_bytes_in_data")
        line = f"    return make({', '.join([*arguments, '{' + ', '.join(entries) + '}', *extra])})"
        if len(line) <= WIDTH:
            return [line]
        return ["    params: Dict[str, Any] = {", *(f"        {entry}," for entry in entries), "    }",
                f"    return make({', '.join([*arguments, 'params', *extra])})"]  # fmt: skip

    def lines(self):
        return ["", "", *self.signature(), *self.documentation(), *self.body()]


def generate(document):
    results = Results()
    # First those whose names are good ones for what lists have, too.
    for method in document["methods"]:
        if method["name"].endswith(".info"):
            results.class_of(method["result"]["schema"])
    words = Words(document["methods"])
    functions = [Function(method, results) for method in document["methods"]]
    lines = [HEAD.rstrip(), *words.lines(), *results.lines]
    for function in functions:
        lines += function.lines()
    lines += ["", "", "# Each by its name.", "BY_NAME: Dict[str, Callable[..., Request[Any]]] = {"]
    lines += [f'    "{function.method["name"]}": {snake(function.method["name"])},' for function in functions]
    return "\n".join([*lines, "}"]) + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("umemd")
    parser.add_argument("--check", action="store_true")
    arguments = parser.parse_args()
    wanted = generate(discover(arguments.umemd))
    present = TARGET.read_text(encoding="utf-8") if TARGET.exists() else ""
    if not arguments.check:
        if wanted != present:
            TARGET.write_text(wanted, encoding="utf-8")
        return 0
    sys.stdout.writelines(difflib.unified_diff(present.splitlines(True), wanted.splitlines(True), str(TARGET), "as the daemon describes it"))
    if wanted != present:
        print("client/python/umem/methods.py is not what the daemon describes; ./dev generate writes it")
    return 0 if wanted == present else 1


if __name__ == "__main__":
    sys.exit(main())
