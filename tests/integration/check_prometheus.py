#!/usr/bin/env python3
"""check_prometheus.py UMEMD UMEM: `umem stats --prometheus` against the rules of the text format, and against what was called.

promtool checks it as well, where it is installed."""

import math
import os
import re
import shutil
import subprocess
import sys
import tempfile

PATIENCE = 60
NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'([a-zA-Z_][a-zA-Z0-9_]*)="((?:[^"\\\n]|\\["\\n])*)"'
SAMPLE = re.compile(rf"({NAME})(?:\{{({LABEL}(?:,{LABEL})*)\}})? (\S+)$")
UNITS = re.compile(r"_(ms|us|ns|milliseconds|microseconds|kb|mb|kilobytes|megabytes|percent)(_|$)")


def check(condition, message):
    if not condition:
        sys.exit(f"check_prometheus.py: {message}")


def parse(text):
    """The families by name: (type, [(name, labels, value)]). Ends the test where a rule of the format is broken."""
    families = {}
    family = None
    check(text.endswith("\n"), "the last line has no end")
    for line in text.splitlines():
        if line.startswith("# HELP "):
            name = line.split(" ")[2]
            check(re.fullmatch(NAME, name) and len(line.split(" ", 3)) == 4, f"a HELP line without a help: {line}")
            check(name not in families, f"{name} has two HELP lines: its samples do not stand together")
            family = name
            families[name] = [None, []]
        elif line.startswith("# TYPE "):
            words = line.split(" ")
            check(len(words) == 4 and words[2] == family and families[family][0] is None, f"a TYPE line out of place: {line}")
            check(words[3] in ("counter", "gauge", "histogram"), f"no type: {line}")
            families[family][0] = words[3]
        else:
            match = SAMPLE.match(line)
            check(match, f"no sample: {line}")
            check(family is not None and families[family][0], f"a sample before its TYPE line: {line}")
            labels = {key: value for key, value in re.findall(LABEL, match.group(2) or "")}
            families[family][1].append((match.group(1), labels, float(match.groups()[-1])))
    return families


def check_histogram(name, samples):
    series = {}
    for sample, labels, value in samples:
        check(sample in (f"{name}_bucket", f"{name}_sum", f"{name}_count"), f"{sample} in the histogram {name}")
        rest = tuple(sorted((key, value) for key, value in labels.items() if key != "le"))
        bounds, others = series.setdefault(rest, ([], {}))
        if sample.endswith("_bucket"):
            bounds.append((float(labels["le"]), value))
        else:
            check(sample not in others, f"{sample}{rest} stands twice")
            others[sample] = value
    check(series, f"{name} has no samples")
    for rest, (bounds, others) in series.items():
        check(bounds == sorted(bounds) and len({bound for bound, _ in bounds}) == len(bounds), f"{name}{rest}: bounds do not grow")
        check(all(a <= b for (_, a), (_, b) in zip(bounds, bounds[1:])), f"{name}{rest}: buckets are not cumulative")
        check(bounds and math.isinf(bounds[-1][0]), f"{name}{rest}: no bucket +Inf")
        check(others.get(f"{name}_count") == bounds[-1][1], f"{name}{rest}: _count is not the bucket +Inf")
        check(others.get(f"{name}_sum", -1) >= 0, f"{name}{rest}: no _sum")


def check_families(families):
    for name, (kind, samples) in families.items():
        check(kind is not None, f"{name} has no TYPE line")
        check(name.startswith("umem_") and not UNITS.search(name), f"{name}: not a base unit, or not the program's prefix")
        check((kind == "counter") == name.endswith("_total"), f"{name} is a {kind}")
        if kind == "histogram":
            check_histogram(name, samples)
            continue
        check(not re.search(r"_(count|sum|bucket)$", name), f"{name} is named as a part of a histogram")
        check(all(sample == name for sample, _, _ in samples), f"samples of another name in {name}")
        seen = [tuple(sorted(labels.items())) for _, labels, _ in samples]
        check(len(set(seen)) == len(seen), f"two samples of {name} have the same labels")
        check(kind != "counter" or all(value >= 0 for _, _, value in samples), f"{name} is negative")


def value_of(families, family, labels=None, name=None):
    found = [value for sample, given, value in families[family][1] if given == (labels or {}) and sample == (name or family)]
    check(len(found) == 1, f"{family}{labels or ''}: {len(found)} samples")
    return found[0]


def must_be_refused():
    """What the checks above are for: each of these texts breaks one rule."""
    head = "# HELP umem_a_total A.\n# TYPE umem_a_total counter\n"
    histogram = "# HELP umem_h_seconds H.\n# TYPE umem_h_seconds histogram\n"
    for text in (
        "umem_a_total 1\n",
        head + "umem_a_total 1",
        head + "umem_a_total{x=1} 1\n",
        head + "umem_a_total 1\numem_a_total 2\n",
        head + "umem_b_total 1\n",
        head + head,
        head.replace("counter", "gauge") + "umem_a_total 1\n",
        histogram + 'umem_h_seconds_bucket{le="1"} 1\numem_h_seconds_sum 1\numem_h_seconds_count 1\n',
        histogram + 'umem_h_seconds_bucket{le="1"} 2\numem_h_seconds_bucket{le="+Inf"} 1\numem_h_seconds_sum 1\numem_h_seconds_count 1\n',
        histogram + 'umem_h_seconds_bucket{le="+Inf"} 1\numem_h_seconds_sum 1\numem_h_seconds_count 2\n',
    ):
        try:
            check_families(parse(text))
        except SystemExit:
            continue
        sys.exit(f"check_prometheus.py: this passes:\n{text}")


def main():
    umemd, umem = sys.argv[1:3]
    must_be_refused()
    with tempfile.TemporaryDirectory(prefix="umem-prometheus-") as folder:
        pipe = os.path.join(folder, "pipe")
        environment = dict(os.environ, UMEM_PIPE=pipe)

        def run(*words, status=0):
            done = subprocess.run([umem, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE)
            check(done.returncode == status, f"umem {' '.join(words)} ended with {done.returncode}: {done.stderr}")
            return done.stdout

        daemon = subprocess.Popen([umemd, "--pipe", pipe, "--daemon", "--pid-file", os.path.join(folder, "pid")], env=environment)
        check(daemon.wait(PATIENCE) == 0, "umemd does not start")
        try:
            for _ in range(3):
                run("ping")
            run("heap", "create", "--name", 'a"b\\c')
            run("put", "--heap", 'a"b\\c', "greeting", "hello")
            run("info", "nobody", status=1)
            text = run("stats", "--prometheus")
            families = parse(text)
            check_families(families)
            check(value_of(families, "umem_calls_total", {"method": "server.ping"}) == 3, "server.ping was called 3 times")
            check(value_of(families, "umem_call_errors_total", {"method": "block.info"}) == 1, "block.info has failed once")
            check(
                value_of(families, "umem_call_duration_seconds", {"method": "server.ping"}, "umem_call_duration_seconds_count") == 3,
                "3 calls of server.ping were measured",
            )
            check(value_of(families, "umem_heap_bytes", {"heap": 'a\\"b\\\\c'}) == 5, "the heap has 5 bytes")
            check(value_of(families, "umem_heap_touched_bytes_total", {"heap": 'a\\"b\\\\c'}) == 5, "5 bytes were written")
            check(value_of(families, "umem_block_bytes") == 5, "there is one block of 5 bytes")
            check(value_of(families, "umem_sessions") == 1, "there is one session")
            check(value_of(families, "umem_resident_memory_bytes") > 100000, "the daemon takes memory")
            promtool = shutil.which("promtool")
            if promtool is not None:
                done = subprocess.run([promtool, "check", "metrics"], input=text, capture_output=True, text=True, timeout=PATIENCE)
                check(done.returncode == 0, f"promtool: {done.stdout}{done.stderr}")
            else:
                print("Left out: promtool's own checks (it is not here)")
        finally:
            run("shutdown")


if __name__ == "__main__":
    main()
