#!/usr/bin/env python3
"""Compares the documents with the tree: what they name must exist.

    check_docs.py SOURCES [UMEMD]

- README.md has less than 200 lines.
- Paths of the repository, links, tests and functions that a document names exist.
- docs/operating.md lists the options that `umemd --help` prints, no more and no fewer.
"""
import pathlib
import re
import subprocess
import sys

README_LINES_MAXIMUM = 199
ROOTS = "client|cmake|common|docs|packaging|server|tests"
TEST_KINDS = "docs|faults|fuzz|hostile|integration|interop|loop|mutate|package|python|server|soak|steps|unit"
SOURCE_FOLDERS = ("client", "common", "server", "tests")

root = pathlib.Path(sys.argv[1]).resolve()
umemd = sys.argv[2] if len(sys.argv) > 2 else None
failures = []


def read(path):
    return path.read_text(encoding="utf-8")


def fail(document, line, text):
    failures.append(f"{document.relative_to(root)}:{line}: {text}")


def documents():
    found = [path for pattern in ("*.md", "docs/*.md", "client/*/*.md", "tests/**/*.md") for path in sorted(root.glob(pattern))]
    # What a change was about may be gone since.
    return [path for path in found if path.name != "CHANGELOG.md" and "node_modules" not in path.parts]


def without_code(text):
    """The text with the lines of fenced blocks empty: what stands there is run by other tests."""
    lines, inside = [], False
    for line in text.split("\n"):
        fence = line.startswith("```")
        lines.append("" if inside or fence else line)
        inside ^= fence
    return lines


def anchor(heading):
    text = re.sub(r"[^\w\- ]", "", heading.strip().lower())
    return text.replace(" ", "-")


def check_paths(document, number, line):
    for path in re.findall(rf"(?<![\w./<-])(?:\./)?((?:{ROOTS})/[\w.*/-]*[\w*])", line):
        if re.search(r"\b[A-Z]{4,}\b(?!\.md)", path) and not (root / path).exists():
            continue  # a placeholder, as in tests/fuzz/corpus/TARGET
        if not any(root.glob(path)) and not any(root.glob(path + ".*")):
            fail(document, number, f"there is no {path}")
    for name in re.findall(r"(?<![\w./*-])([A-Z]{4,}\.md|[a-z]+\.md)\b", line):
        if not (root / name).exists() and not (document.parent / name).exists():
            fail(document, number, f"there is no {name}")


def check_links(document, number, line, anchors):
    for target in re.findall(r"\]\(([^)\s]+)\)", line):
        if target.startswith("#"):
            if target[1:] not in anchors:
                fail(document, number, f"there is no heading {target}")
        elif "://" not in target and not (document.parent / target.split("#")[0]).exists():
            fail(document, number, f"there is no {target}")


def named_tests(line):
    """Tests in backticks, and those that a `ctest -R` would choose, of which one group of alternatives is expanded."""
    yield from re.findall(rf"`((?:{TEST_KINDS})(?:\.[a-z0-9_+]+)+)`", line)
    for pattern in re.findall(r"ctest [^`]*-R '?([^`' ]+)", line.replace("\\|", "|")):
        group = re.fullmatch(r"([\w.]*)\(([\w|]+)\)", pattern)
        yield from [group[1] + word for word in group[2].split("|")] if group else pattern.split("|")


def check_tests(document, number, line, declared, methods):
    """A test's name is made of its kind, and words that stand in a CMakeLists.txt of that kind."""
    for name in named_tests(line):
        if name in methods or not re.match(rf"({TEST_KINDS})\.", name):
            continue
        kind, last = name.split(".")[0], re.sub("_(posix|win32)$", "", name.split(".")[-1])
        if not re.search(r"\.(c|h|md|js|py|sh|txt|json)$", name) and last not in declared.get(kind, set()):
            fail(document, number, f"there is no test {name}")


def check_functions(document, number, line, sources):
    for name in re.findall(r"`(um_[a-z0-9_]+|umem_[a-z0-9_]+)\(\)`", line):
        if not re.search(rf"\b{name}\b", sources):
            fail(document, number, f"there is no function {name}")


def check_options():
    document = root / "docs" / "operating.md"
    printed = subprocess.run([umemd, "--help"], capture_output=True, text=True, check=True).stdout
    wanted = set(re.findall(r"^  (--[a-z-]+)", printed, re.MULTILINE))
    listed = set(re.findall(r"^\| `(--[a-z-]+)", read(document), re.MULTILINE))
    for option in sorted(wanted - listed):
        fail(document, 1, f"{option} is not listed")
    for option in sorted(listed - wanted):
        fail(document, 1, f"umemd has no option {option}")


def declared_tests():
    declared = {}
    for path in root.glob("tests/**/CMakeLists.txt"):
        words = set(re.findall(r"[a-z0-9_+]+", read(path)))
        for kind in TEST_KINDS.split("|"):
            if kind in path.parts or kind in words:
                declared.setdefault(kind, set()).update(words)
    for path in root.glob("tests/**/*.cmake"):
        for words in declared.values():
            words.update(re.findall(r"[a-z0-9_+]+", read(path)))
    declared.setdefault("fuzz", set()).update(path.stem[len("fuzz_"):] for path in root.glob("tests/fuzz/fuzz_*.c"))
    return declared


def all_sources():
    parts = [read(path) for folder in SOURCE_FOLDERS for path in (root / folder).rglob("*.[ch]") if path.is_file()]
    return "\n".join(parts)


readme = root / "README.md"
if len(read(readme).splitlines()) > README_LINES_MAXIMUM:
    fail(readme, 1, f"more than {README_LINES_MAXIMUM} lines: move what only some readers need to docs/")
declared = declared_tests()
sources = all_sources()
methods = set(re.findall(r"^### ([a-z]+\.[a-z]+)$", read(root / "protocol.md"), re.MULTILINE))
for document in documents():
    lines = without_code(read(document))
    anchors = {anchor(line.lstrip("#")) for line in lines if line.startswith("#")}
    for number, line in enumerate(lines, 1):
        check_paths(document, number, line)
        check_links(document, number, line, anchors)
        check_tests(document, number, line, declared, methods)
        check_functions(document, number, line, sources)
if umemd:
    check_options()
if failures:
    print("\n".join(failures))
    sys.exit(1)
print("the documents name what there is")
