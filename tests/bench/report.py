#!/usr/bin/env python3
"""Makes medians, tables and plots of what bench_daemon measured.

report.py FOLDER

Reads FOLDER/results.json; prints tables; writes FOLDER/results.csv, FOLDER/report.html, one file that needs no other, and its plots in
FOLDER/plots.
"""
import collections
import csv
import html
import json
import os
import statistics
import sys

import plots

KEY = ("group", "name", "target", "size", "depth", "connections", "count")
LATENCIES = ("p50_us", "p90_us", "p99_us", "p999_us", "max_us")
BUSY = "busy_us"  # the most processor time of the daemon from a ping to its answer
BARE = {
    "umemd, lines, base64": "bare libuv, bytes of lines, base64",
    "umemd, headers, raw": "bare libuv, bytes of headers, raw",
}
# What writes to the disk is compared with what is on the disk as soon: within a second.
REDIS = {
    "umemd, durable heap": "Redis, appendonly everysec",
    "umemd, durable heap, sync always": "Redis, appendonly always",
}
# What lives, in bytes, where the rest was freed (resident.c).
RESIDENT = {
    "blocks of 64 KiB freed but one": 65536,
    "blocks of 4,000 bytes freed but every 1,000th": 1000 * 4000,
    "a heap destroyed beside 20,000 small blocks": 20000 * 64,
}
BLOCK_MEMORY = "memory of a 64-byte block over its bytes"

Row = collections.namedtuple("Row", KEY)


class Figure:
    """One figure over all rounds: median, quartiles, and the rounds themselves."""

    def __init__(self, records):
        self.rounds = {record["round"]: record["value"] for record in records}
        values = sorted(self.rounds.values())
        self.unit = records[0]["unit"]
        self.median = statistics.median(values)
        self.low, self.high = (values[0], values[-1])
        if len(values) > 3:
            self.low, _, self.high = statistics.quantiles(values, n=4)
        self.latencies = {
            name: statistics.median(record[name] for record in records) for name in (*LATENCIES, BUSY) if name in records[0]
        }

    def spread(self):
        """How far apart the quartiles are, as a share of the median."""
        return (self.high - self.low) / self.median if self.median else 0.0

    def ratio(self, other):
        """The median of the rounds' ratios: the two were measured one after the other in each round, so what disturbed
        one round disturbs its ratio least."""
        pairs = [self.rounds[i] / other.rounds[i] for i in self.rounds if other.rounds.get(i)]
        return statistics.median(pairs) if pairs else None


def collect(records):
    groups = collections.OrderedDict()
    for record in records:
        groups.setdefault(Row(*(record[name] for name in KEY)), []).append(record)
    return {row: Figure(of_row) for row, of_row in groups.items()}


def size_text(size):
    for unit, bytes_of_it in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if size and size % bytes_of_it == 0:
            return f"{size // bytes_of_it} {unit}"
    return f"{size} B"


def number_text(value):
    if value >= 10000:
        return f"{value:,.0f}"
    return f"{value:.4g}"


def load_text(row):
    connections = f", {row.connections} connections" if row.connections > 1 else ""
    return f"{row.name} {size_text(row.size)}, depth {row.depth}{connections}"


def ratio_text(figures, row, other_target):
    other = figures.get(row._replace(target=other_target)) if other_target else None
    ratio = figures[row].ratio(other) if other else None
    return f"{ratio:.2f}" if ratio else ""


def load_table(figures):
    """Rows of text: every workload at every server, beside Redis, memcached and the bare server."""
    table = []
    loads = [row for row in figures if row.group in ("load", "library")]
    # One workload's servers stand together, workloads in the order in which they ran.
    order = {}
    for row in loads:
        order.setdefault((row.group, load_text(row)), len(order))
    loads.sort(key=lambda row: order[row.group, load_text(row)])
    for row in loads:
        figure = figures[row]
        ours = row.target.startswith("umem")
        redis, memcached = (REDIS.get(row.target, "Redis"), "memcached") if row.group == "load" else ("hiredis", "libmemcached")
        table.append([
            load_text(row),
            row.target,
            number_text(figure.median),
            f"{100 * figure.spread():.0f} %",
            ratio_text(figures, row, redis) if ours else "",
            ratio_text(figures, row, memcached) if ours else "",
            ratio_text(figures, row, BARE.get(row.target)),
            number_text(figure.latencies["p50_us"]) if figure.latencies else "",
            number_text(figure.latencies["p99_us"]) if figure.latencies else "",
            number_text(figure.latencies["p999_us"]) if figure.latencies else "",
        ])
    return ["workload", "server", "requests/s", "spread", "x Redis", "x memcached", "x bare libuv", "p50 us", "p99 us",
            "p99.9 us"], table


def steady_table(figures):
    """How long single requests take beside a steady load of another program."""
    table = []
    for row, figure in figures.items():
        if row.group == "steady":
            redis = figures.get(row._replace(target="Redis"))
            table.append([f"{row.name} {size_text(row.size)}", row.target, number_text(figure.median), f"{100 * figure.spread():.0f} %",
                          *(number_text(figure.latencies[name]) for name in LATENCIES),
                          f"{redis.latencies['p99_us'] / figure.latencies['p99_us']:.2f}" if redis and row.target.startswith("umem") else ""])
    return ["one at a time, beside a steady load", "server", "requests/s", "spread", "p50 us", "p90 us", "p99 us", "p99.9 us", "max us",
            "Redis' p99 x"], table


def stream_table(figures):
    """Pings of one program beside the worst that another can do."""
    table = [[row.name, *(number_text(figure.latencies[name] / 1000) for name in ("p50_us", "p99_us", "max_us", BUSY))]
             for row, figure in figures.items() if row.group == "stream"]
    return ["pings of one program beside another that", "p50 ms", "p99 ms", "max ms", "busy ms"], table


def growth_table(figures):
    table = []
    for row, figure in figures.items():
        if row.group == "growth" and row.target == "umemd":
            small = figures[row._replace(target="umemd with 1,000 blocks")]
            table.append([row.name, str(row.depth), f"{row.count:,}", number_text(figure.median),
                          f"{100 * figure.spread():.0f} %", f"{figure.ratio(small):.2f}"])
    return ["request", "depth", "blocks", "ns", "spread", "x the time with 1,000"], table


def mapped_table(figures):
    """What is read and copied through a mapping, beside the same in the process's own memory. A ratio above 1 is faster."""
    table = []
    for row, figure in figures.items():
        if row.group == "mapped":
            own = figures[row._replace(target="own array" if row.name == "read" else "own arrays")]
            redis = figures.get(row._replace(target="Redis"))
            faster = (lambda a, b: b.ratio(a)) if figure.unit == "ns" else (lambda a, b: a.ratio(b))
            ours = "mapped" in row.target
            table.append([f"{row.name} {size_text(row.size)}", row.target, number_text(figure.median), figure.unit,
                          f"{100 * figure.spread():.0f} %", f"{faster(figure, own):.2f}" if ours else "",
                          number_text(faster(figure, redis)) if ours and redis else ""])
    return ["through a mapping", "by", "median", "unit", "spread", "x own memory", "x Redis"], table


def figure_table(figures):
    table = []
    for row, figure in figures.items():
        if row.group in ("figure", "limit"):
            size = f" {size_text(row.size)}" if row.size else ""
            count = f" ({row.count:,})" if row.count else ""
            table.append([row.name + size + count, row.target, number_text(figure.median), figure.unit,
                          f"{100 * figure.spread():.0f} %"])
    table.sort(key=lambda line: line[0])
    return ["figure", "of", "median", "unit", "spread"], table


class Goals:
    """What the project has set itself, and whether it is there. Ratios are of the rounds, as everywhere."""

    def __init__(self, figures):
        self.figures = figures
        self.table = []

    def find(self, name, target, **members):
        wanted = dict(members, name=name, target=target)
        for row, figure in self.figures.items():
            if all(getattr(row, member) == value for member, value in wanted.items()):
                return figure
        return None

    def add(self, what, value, bound, at_least):
        if value is not None:
            met = value >= bound if at_least else value <= bound
            self.table.append([what, f"{'>=' if at_least else '<='} {bound:g}", f"{value:.3g}",
                               "yes" if met else "NO"])

    def ratio(self, what, bound, name, target, other, **members):
        ours, theirs = (self.find(name, who, group=members.get("group", "load"), connections=members.get("connections", 1),
                                  size=members["size"], depth=members["depth"]) for who in (target, other))
        if ours and theirs:
            self.add(f"{what}, x {other}", ours.ratio(theirs), bound, True)

    def resident(self):
        """Within 1.3 times what lives and 16 MiB; and no turn of the daemon's over 5 ms meanwhile."""
        for what, live in RESIDENT.items():
            resident, turn = (self.find(f"{kind}: {what}", "umemd") for kind in ("resident 1 s after", "longest turn after"))
            if resident:
                self.add(f"MiB resident 1 s after: {what}", resident.median, round(1.3 * live / (1 << 20) + 16, 1), False)
            if turn:
                self.add(f"ms of processor time in a turn: {what}", turn.median, 5, False)
        heap = self.find("memory of a heap with one block", "umemd")
        if heap:
            self.add("memory of a heap with one block, KiB", heap.median / 1024, 8, False)

    def mapped(self):
        block, own, redis = (self.find("read", who, group="mapped") for who in ("mapped block", "own array", "Redis"))
        if block:
            self.add("time of a 64-byte read through a mapped block, x that of an own array", block.ratio(own), 1.1, False)
        if block and redis:
            self.add("64-byte read through a mapped block, x Redis GETRANGE", redis.ratio(block), 1000, True)


def goal_table(figures):
    goals = Goals(figures)
    lines, raw = "umemd, lines, base64", "umemd, headers, raw"
    large = 1 << 20
    for name in ("read", "write"):
        goals.ratio(f"{name} 64 B, depth 64", 1.25, name, lines, "Redis", size=64, depth=64)
        goals.ratio(f"{name} 64 B, depth 1", 1.0, name, lines, "Redis", size=64, depth=1)
        goals.ratio(f"{name} 64 B, depth 1", 0.9, name, lines, BARE[lines], size=64, depth=1)
        goals.ratio(f"{name} 1 MiB raw, depth 1", 1.4, name, raw, "Redis", size=large, depth=1)
        goals.ratio(f"{name} 1 MiB raw, depth 1", 0.9, name, raw, BARE[raw], size=large, depth=1)
    goals.ratio("read 1 MiB base64 on a line, depth 1", 0.5, "read", lines, "Redis", size=large, depth=1)
    goals.ratio("alloc 64 B and free, depth 64", 1.0, "alloc and free", lines, "Redis", size=64, depth=64)
    goals.ratio("read 64 B, depth 1, 50 connections", 1.0, "read", lines, "Redis", size=64, depth=1, connections=50)
    goals.ratio("read 64 B by umemclient", 1 / 1.15, "read", "umemclient", "socket, bare libuv", size=64, depth=1,
                group="library")
    ours, theirs = goals.find(BLOCK_MEMORY, "umemd"), goals.find(BLOCK_MEMORY, "Redis")
    if ours:
        goals.add("memory of a 64-byte block over its bytes", ours.median, 64, False)
    if ours and theirs:
        goals.add("memory of a 64-byte block over its bytes, x Redis", ours.ratio(theirs), 1.0, False)
    goals.mapped()
    goals.resident()
    for row, figure in figures.items():
        if row.group == "stream":
            goals.add(f"pings beside another program that {row.name}: p99, ms", figure.latencies["p99_us"] / 1000, 2, False)
            goals.add(f"pings beside another program that {row.name}: max, ms", figure.latencies["max_us"] / 1000, 5, False)
    growth = [row for row in figures if row.group == "growth" and row.target == "umemd"]
    for depth, bound in ((1, 1.3), (64, 2.0)):
        most = max(row.count for row in growth)
        worst = max(
            (figures[row].ratio(figures[row._replace(target="umemd with 1,000 blocks")]), row.name)
            for row in growth if row.count == most and row.depth == depth)
        goals.add(f"time with {most:,} blocks, depth {depth}, x that with 1,000 (worst: {worst[1]})", worst[0], bound,
                  False)
    wait = goals.find("destroying a heap with blocks: longest wait of another session", "umemd")
    goals.add("destroying a large heap: longest wait of another session, ms", wait.median, 20, False)
    ours, theirs = (goals.find("start to first answer", who) for who in ("umemd", "Redis"))
    if theirs:
        goals.add("start to first answer, x Redis", ours.ratio(theirs), 1.0, False)
    goals.add("memory of an idle connection, KiB",
              goals.find("memory of an idle connection", "umemd").median / 1024, 4, False)
    return ["goal", "bound", "measured", "met"], goals.table


def print_table(title, head, table):
    widths = [max(len(line[i]) for line in [head, *table]) for i in range(len(head))]
    print(f"\n{title}\n")
    for line in [head, ["-" * width for width in widths], *table]:
        print("  ".join(text.ljust(width) if i < 2 else text.rjust(width)
                        for i, (text, width) in enumerate(zip(line, widths))).rstrip())


def write_csv(path, figures):
    with open(path, "w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow([*KEY, "unit", "rounds", "median", "quartile_1", "quartile_3", *LATENCIES])
        for row, figure in figures.items():
            writer.writerow([*row, figure.unit, len(figure.rounds), figure.median, figure.low, figure.high,
                             *(figure.latencies.get(name, "") for name in LATENCIES)])


STYLE = """
body { font: 15px/1.5 sans-serif; max-width: 1100px; margin: 2em auto; padding: 0 1em; color: #222; }
table { border-collapse: collapse; font-size: 13px; }
th, td { padding: 2px 10px; border-bottom: 1px solid #ddd; text-align: right; }
th:first-child, td:first-child, th:nth-child(2), td:nth-child(2) { text-align: left; }
svg { max-width: 100%; height: auto; }
@media (prefers-color-scheme: dark) { body { background: #0d1117; color: #c9d1d9; } th, td { border-color: #30363d; } }
"""

HOW = """Every server gets the same work by the same driver over a Unix socket of its own, one after the other in every
round, and another one first in each. Figures are medians of the rounds; spread is the distance of the quartiles, in
relation to the median; ratios are medians of the rounds' ratios, so that above 1 umemd is faster. Every answer was compared
with the right one. The bare libuv server reads as many bytes and writes as many as umemd does for the same work, and does
nothing else."""


def about(data):
    text = f"{data['machine']}; {', '.join(data['versions'])}; {data['rounds']} rounds"
    return text + (". A part, or the short form: too little was done for figures that mean anything" if data["short"] else "")


def html_table(head, table):
    cells = ["<tr>" + "".join(f"<th>{html.escape(text)}</th>" for text in head) + "</tr>"]
    for line in table:
        cells.append("<tr>" + "".join(f"<td>{html.escape(text)}</td>" for text in line) + "</tr>")
    return "<table>\n" + "\n".join(cells) + "\n</table>"


def write_html(path, data, tables, drawn):
    parts = ["<!DOCTYPE html>", '<html lang="en"><head><meta charset="utf-8"><title>umemd, measured</title>',
             f"<style>{STYLE}</style></head><body>", "<h1>umemd, measured</h1>", f"<p>{html.escape(about(data))}</p>",
             f"<p>{html.escape(HOW)}</p>"]
    for _, title, svg in drawn:
        parts += [f"<h2>{html.escape(title)}</h2>", svg]
    for title, head, table in tables:
        parts += [f"<h2>{html.escape(title)}</h2>", html_table(head, table)]
    with open(path, "w", encoding="utf-8") as file:
        file.write("\n".join([*parts, "</body></html>", ""]))


def write_plots(folder, drawn):
    os.makedirs(folder, exist_ok=True)
    for name, _, svg in drawn:
        with open(os.path.join(folder, f"{name}.svg"), "w", encoding="utf-8") as file:
            file.write(svg)


def read_results(folder):
    """All that was measured: what the run was, and its figures."""
    with open(os.path.join(folder, "results.json"), encoding="utf-8") as file:
        data = json.load(file)
    streams = os.path.join(folder, "streams.json")
    if os.path.exists(streams):
        with open(streams, encoding="utf-8") as file:
            data["records"] += json.load(file)
    return data, collect(data["records"])


def main():
    folder = sys.argv[1]
    data, figures = read_results(folder)
    tables = [("Under load", *load_table(figures)), ("Beside a steady load of another program", *steady_table(figures)),
              ("Beside the worst that another program does", *stream_table(figures)), ("Through a mapping", *mapped_table(figures)),
              ("By the number of blocks", *growth_table(figures)),
              ("Memory, start-up, heaps, and the machine's own limits", *figure_table(figures))]
    if not data["short"]:
        tables.append(("Goals", *goal_table(figures)))
    print(about(data))
    tables = [(title, head, table) for title, head, table in tables if table]
    for title, head, table in tables:
        print_table(title, head, table)
    drawn = plots.draw_all(figures)
    write_plots(os.path.join(folder, "plots"), drawn)
    write_csv(os.path.join(folder, "results.csv"), figures)
    write_html(os.path.join(folder, "report.html"), data, tables, drawn)
    print(f"\nWritten: {folder}/results.json, results.csv, report.html, plots")


if __name__ == "__main__":
    main()
