#!/usr/bin/env python3
"""The examples of the library that Umem grew from as tests: origin.py OUTPUT DOCUMENT [README]

DOCUMENT is docs/dotnet.md, whose first session has the calls of these examples. README is that library's own, Unmanaged Memory's.
Its code is taken as it stands, each example in a scope of its own. What a reader has to add is added:

- An example that uses `memory` or a heap without declaring it means that of the example before.
- The example with `delete` is C++, and left out.
- A line `...` stands for any code, and is left out.
"""
import pathlib
import re
import sys

DECLARED = r"(?<!using \()\b(Memory|Heap)\s+(\w+)\s*="
NAMES = {"memory": "Memory", "memoryHeap": "Heap", "heap": "Heap"}


def sessions(path, language):
    return re.findall(rf"^```{language}\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def scope(code):
    """One example, with what it takes for granted."""
    code = re.sub(r"^\s*\.\.\.\s*$", "", code, flags=re.MULTILINE)
    plain = re.sub(r"//.*", "", code)
    own = re.findall(r"\b(?:Memory|Heap)\s+(\w+)\s*=", plain)
    before = [f"{kind} {name} = last{kind};\n" for name, kind in NAMES.items()
              if name not in own and re.search(rf"\b{name}\b", plain)]
    after = [f"last{kind} = {name};\n" for kind, name in re.findall(DECLARED, plain)]
    return "{\n" + "".join(before) + code + "".join(after) + "}\n"


def examples(path):
    found = [code for code in sessions(path, "") if not re.search(r"^\s*delete\b", code, re.MULTILINE)]
    if not found:
        raise SystemExit(f"{path} has no examples")
    return "Memory lastMemory = null;\nHeap lastHeap = null;\n" + "".join(map(scope, found))


def main():
    output, document, *readme = map(pathlib.Path, sys.argv[1:])
    first = re.sub(r"^using Umem;\n", "", sessions(document, "csharp")[0], flags=re.MULTILINE)
    tests = {"TheCallsOfItsReadmeRun": first}
    if readme:
        tests["ItsReadmeRunsAsItStands"] = examples(readme[0])
    facts = "".join(f"[Xunit.Fact]\npublic void {name}()\n{{\n{body}}}\n" for name, body in tests.items())
    output.parent.mkdir(parents=True, exist_ok=True)
    # Documents have variables that they do not use, and comments that begin like those of declarations.
    output.write_text("#pragma warning disable CS0219, CS1587\n#nullable disable\nnamespace Umem.Tests;\n\n"
                      f"public class OriginTests\n{{\n{facts}}}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
