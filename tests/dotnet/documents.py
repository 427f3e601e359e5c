#!/usr/bin/env python3
"""The C# of documents as one program: documents.py OUTPUT DOCUMENT...

A session that is a class is taken as it is, and so is its Main. One of statements becomes the body of a method. The program takes
the number of a session, from 0.
"""
import pathlib
import re
import sys


def sessions(path):
    return re.findall(r"^```csharp\n(.*?)^```$", path.read_text(encoding="utf-8"), re.MULTILINE | re.DOTALL)


def split(code):
    """Its using directives, and what is left."""
    directive = r"^using (?:static )?[A-Z][\w.]*;\n"
    return re.findall(directive, code, re.MULTILINE), re.sub(directive, "", code, flags=re.MULTILINE)


def main():
    output, *documents = sys.argv[1:]
    usings = {f"using System{part};\n" for part in ("", ".Threading.Tasks")}
    classes, calls = [], []
    for number, code in enumerate(code for path in documents for code in sessions(pathlib.Path(path))):
        own, body = split(code)
        if re.search(r"^class (\w+)", body, re.MULTILINE):
            # Two classes of different documents may have one name.
            classes.append(f"namespace Session{number}\n{{\n{''.join(own)}{body}}}\n")
            name = re.search(r"^class (\w+)", body, re.MULTILINE).group(1)
            body = body.replace("static void Main", "internal static void Main")
            classes[-1] = f"namespace Session{number}\n{{\n{''.join(own)}{body}}}\n"
            calls.append(f"case {number}: Session{number}.{name}.Main(args[1..]); break;")
        else:
            classes.append(f"namespace Session{number}\n{{\n{''.join(own)}class Session\n{{\n"
                           f"public static async Task Run()\n{{\nawait Task.Yield();\n{body}}}\n}}\n}}\n")
            calls.append(f"case {number}: await Session{number}.Session.Run(); break;")
    text = ("#nullable enable annotations\n" + "".join(sorted(usings)) + "\n".join(classes) +
            "class AllSessions\n{\nstatic async Task Main(string[] args)\n{\nswitch (int.Parse(args[0]))\n{\n" +
            "\n".join(calls) + "\n}\n}\n}\n")
    pathlib.Path(output).parent.mkdir(parents=True, exist_ok=True)
    pathlib.Path(output).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
