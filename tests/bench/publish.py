#!/usr/bin/env python3
"""Puts the figures of a whole run into docs/performance.md, and its plots beside it.

publish.py FOLDER DOCS

FOLDER is where ./dev bench has left results.json. In DOCS/performance.md the text between the lines "<!-- bench: NAME -->" and
"<!-- bench: end -->" is replaced by the table of that name; the plots that the page shows are written to DOCS/performance.
"""
import os
import re
import sys

import plots
from report import REDIS, Row, number_text, read_results

LINES, RAW, HEX = "umemd, lines, base64", "umemd, headers, raw", "umemd, lines, hex"
DURABLE, ALWAYS = "umemd, durable heap", "umemd, durable heap, sync always"
SMALL, LARGE = 64, 1 << 20


class Page:
    """Tables in Markdown, of what was measured. What was not is no row."""

    def __init__(self, data, figures):
        self.data = data
        self.figures = figures

    def rate(self, target, name, size, depth, connections=1, other=None, group="load"):
        """A rate, and its ratio to `other`."""
        figure = self.figures.get(Row(group, name, target, size, depth, connections, 0))
        against = self.figures.get(Row(group, name, other or REDIS.get(target, "Redis"), size, depth, connections, 0))
        if figure is None:
            return None
        ratio = figure.ratio(against) if against else None
        return f"{figure.median:,.0f}/s", f"{100 * figure.spread():.0f} %", f"{ratio:.2f}" if ratio else ""

    def rates(self, wanted):
        """`wanted`: (what, arguments of rate())."""
        found = [(what, self.rate(*args)) for what, args in wanted]
        return [[what, *cells] for what, cells in found if cells]

    def about(self):
        """A sentence about the run."""
        machine = re.sub(r"^(\w+) \S+,", r"\1,", self.data["machine"])  # without the kernel's release
        return [f"{machine}; {', '.join(name.split(' sha=')[0] for name in self.data['versions'])}; "
                f"{self.data['rounds']} rounds."]

    def load(self):
        wanted = []
        for depth, text in ((1, "one at a time"), (64, "64 under way"), (256, "256 under way")):
            for name in ("read", "write"):
                wanted.append((f"{name} 64 bytes, {text}, JSON lines with base64", (LINES, name, SMALL, depth)))
        for name in ("read", "write"):
            wanted.append((f"{name} 64 bytes, 50 connections, one at a time each", (LINES, name, SMALL, 1, 50)))
        for name in ("read", "write"):
            wanted.append((f"{name} 64 bytes, 64 under way, raw with headers", (RAW, name, SMALL, 64)))
        for target, text in ((RAW, "raw with headers"), (LINES, "base64 on a line"), (HEX, "hex on a line")):
            for name in ("read", "write"):
                wanted.append((f"{name} 1 MiB, {text}", (target, name, LARGE, 1)))
        wanted += [("allocate 64 bytes and free them, one at a time", (LINES, "alloc and free", SMALL, 1)),
                   ("allocate 64 bytes and free them, 64 under way", (LINES, "alloc and free", SMALL, 64)),
                   ("put by name, 64 bytes, 64 under way", (LINES, "put", SMALL, 64)),
                   ("get by name, 64 bytes, 64 under way", (LINES, "get", SMALL, 64)),
                   ("add to a number, one at a time", (LINES, "add", 8, 1)),
                   ("copy 1 MiB in the daemon", (LINES, "copy", LARGE, 1))]
        return table(["what", "umemd", "spread", "of Redis"], self.rates(wanted))

    def libraries(self):
        rows = []
        for size, text in ((SMALL, "64 bytes"), (4096, "4 KiB"), (LARGE, "1 MiB")):
            for name in ("read", "write"):
                ours, quiet = (self.rate(target, name, size, 1, 1, "hiredis", "library")
                               for target in ("umemclient", "umemclient, never spins"))
                if ours and quiet:
                    rows.append([f"{name} {text}", *ours, quiet[2]])
        return table(["what", "`umemclient`", "spread", "of hiredis", "with `never_spin`"], rows)

    def durable(self):
        wanted = []
        for target, text in ((DURABLE, ""), (ALWAYS, ", `--sync always`")):
            for name, verb in (("put", "put"), ("write", "write"), ("alloc and free", "allocate and free")):
                for depth in (1, 64):
                    wanted.append((f"{verb} 64 bytes, {depth} under way{text}", (target, name, SMALL, depth)))
        return table(["what", "durable heap", "spread", "of Redis, as safe"], self.rates(wanted))

    def latency(self):
        rows = []
        for row, figure in self.figures.items():
            if row.group == "steady":
                cells = [number_text(figure.latencies[name]) for name in ("p50_us", "p99_us", "p999_us", "max_us")]
                rows.append([row.name.split()[0], row.target, *cells])
        return table(["64 bytes", "server", "50 %", "99 %", "99.9 %", "all"], rows)

    def streams(self):
        rows = []
        for row, figure in self.figures.items():
            if row.group == "stream":
                rows.append([row.name, *(f"{figure.latencies[name] / 1000:.2f}" for name in ("p50_us", "p99_us", "max_us", "busy_us"))])
        return table(["the other program", "50 %", "99 %", "all", "busy"], rows)


def table(head, rows):
    return ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)] if rows else []


def fill(text, page):
    """Replaces each table for which there are figures. A table of a name that is not known is a mistake of the page's."""
    def replace(match):
        lines = getattr(page, match.group(1))()
        return "\n".join([f"<!-- bench: {match.group(1)} -->", "", *lines, "", "<!-- bench: end -->"]) if lines else match.group(0)

    return re.sub(r"<!-- bench: (?!end)(\w+) -->\n.*?<!-- bench: end -->", replace, text, flags=re.S)


def main():
    folder, docs = sys.argv[1:]
    data, figures = read_results(folder)
    if data["short"]:
        raise SystemExit("publish.py: this was a part, or the short form: its figures mean nothing. Run ./dev bench")
    path = os.path.join(docs, "performance.md")
    with open(path, encoding="utf-8") as file:
        before = file.read()
    after = fill(before, Page(data, figures))
    written = 0
    for name, _, svg in plots.draw_all(figures):
        if f"performance/{name}.svg" in after:
            os.makedirs(os.path.join(docs, "performance"), exist_ok=True)
            with open(os.path.join(docs, "performance", f"{name}.svg"), "w", encoding="utf-8") as file:
                file.write(svg)
            written += 1
    with open(path, "w", encoding="utf-8") as file:
        file.write(after)
    print(f"Written: {path}, {written} plots in {docs}/performance")


if __name__ == "__main__":
    main()
