#!/usr/bin/env python3
"""Puts each fault of faults.txt into a copy of the sources, one at a time, and tells which test finds it.

    mutate.py [--check] [PATH...]

--check only sees that every fault still applies to the sources; nothing is built. A PATH (client/lib, say) is a beginning of the
paths whose faults are tried. The copy and its build are in build/mutate; the build has the preset asan, so that leaks are found too.
Ends with 1 where a fault does not apply, where less than 90 % of either side's faults are found, or where one is not found that
faults.txt does not explain.
"""
import argparse
import collections
import json
import os
import pathlib
import queue
import re
import shutil
import signal
import subprocess
import sys
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[2]
LIST = pathlib.Path(__file__).resolve().parent / "faults.txt"
COPY = ROOT / "build" / "mutate"
PRESET = "asan"
JOBS = 2
WANTED_SHARE = 0.9
WANTED_FAULTS = 100  # in all, and on the client's side
WANTED_CLIENT_FAULTS = 60
# Seconds that a test may take: it hangs where it takes longer than this and so many times what it takes without a fault.
TIME_LIMIT = 20
TIME_LIMIT_FACTOR = 6

# Which tests are run for a fault, by the beginning of its path: stages, one after the other, until one finds it.
STAGES = [
    ("client/lib/", [r"unit\.client\..*", r"(faults\.client|integration\.(client_calls|client_threads|mapped_heaps.*|pipeline|submitted_calls|uv.*))",
                     r"integration\.(client_coordination|umem.*)"]),
    ("client/uv/", [r"unit\.uv\..*", r"integration\.uv.*"]),
    ("client/cli/", [r"unit\.cli\..*", r"integration\.(umem.*|terminal)"]),
    ("client/python/", [r"python\.(asyncio|blocks|processes|reconnecting|sharing|wire)"]),
    ("common/program/", [r"unit\.program\..*", r"(integration\.(umem.*|daemon_lifecycle|terminal)|package\.manual)"]),
    ("common/", [r"unit\.(base|decimal|json.*|needle|frame\..*|endpoint|client\..*)",
                 r"(unit\.rpc\.(?!random$|sliced_calls$).*|server\..*|integration\.(client_calls|daemon_lifecycle|umem_basics))"]),
    ("server/store/", [r"unit\.store\..*", r"(unit\.rpc\..*|faults\.store|integration\.mapped_heaps.*|steps)"]),
    ("server/rpc/", [r"unit\.rpc\.(?!random$|sliced_calls$).*", r"(unit\.rpc\.(random|sliced_calls)|server\..*|faults\.rpc|steps)"]),
    ("server/net/", [r"(server|unit\.net)\..*", r"(faults\.net|integration\.(client_calls|client_coordination|daemon_check|daemon_config|daemon_lifecycle))"]),
    ("server/daemon/", [r"unit\.daemon\..*", r"integration\.(daemon_check|daemon_config|daemon_lifecycle|service_manager|umem_basics)", r"(package\.manual|integration\.examples)"]),
]


class Fault:
    """One entry of the list."""

    def __init__(self, number, path, title):
        self.number = number  # of its first line
        self.path = path
        self.title = title
        self.within = None  # what stands before the text, in the same function
        self.before = []
        self.after = []
        self.tests = None
        self.missed = None

    @property
    def side(self):
        return "client" if self.path.startswith("client/") else "server and common"

    def stages(self):
        if self.tests is not None:
            return [self.tests]
        return next(stages for beginning, stages in STAGES if self.path.startswith(beginning))


def die(text):
    sys.exit(f"mutate: {text}")


def read_list():
    """The faults of faults.txt, whose head tells how they are written."""
    faults = []
    fault = None
    for number, line in enumerate(LIST.read_text(encoding="utf-8").splitlines(), 1):
        if line.startswith("#"):
            continue
        if not line.strip():
            fault = None
        elif fault is None:
            path, separator, title = line.partition(": ")
            if not separator:
                die(f"{LIST.name}:{number}: an entry begins with PATH: TITLE")
            fault = Fault(number, path, title)
            faults.append(fault)
        elif line.startswith("@ "):
            fault.within = line[2:]
        elif line[0] == "-":
            fault.before.append(line[1:].strip())
        elif line[0] == "+":
            fault.after.append(line[1:].strip())
        elif line.startswith("tests: "):
            fault.tests = line[len("tests: "):]
        elif line.startswith("missed: "):
            fault.missed = line[len("missed: "):]
        else:
            die(f"{LIST.name}:{number}: this is no part of an entry")
    return faults


def pattern_of(text):
    """Finds the text whatever its white space is, so that it may be indented or wrapped anew."""
    return r"\s+".join(re.escape(word) for word in text.split())


def apply(fault, source):
    """The source with the fault in it, and None; or None, and why it cannot be put there."""
    begin, end = 0, len(source)
    before = " ".join(fault.before)
    if not before:
        return None, "the entry has no line with -"
    if fault.within is not None:
        place = re.search(pattern_of(fault.within), source)
        if place is None:
            return None, f"\"{fault.within}\" is not there"
        begin = place.start()
        brace = source.find("\n}", begin)
        end = brace if brace >= 0 else end
    found = list(re.compile(pattern_of(before)).finditer(source, begin, end))
    if len(found) != 1:
        return None, f"\"{before}\" is there {len(found)} times, not once"
    changed = source[:found[0].start()] + "\n".join(fault.after) + source[found[0].end():]
    if changed == source:
        return None, "it changes nothing"
    return changed, None


def check(faults):
    """Dies where the list is not as it should be: a refactoring may have taken a fault's place away."""
    bad = []
    for fault in faults:
        file = ROOT / fault.path
        why = None
        if not file.is_file():
            why = "there is no such file"
        elif not any(fault.path.startswith(beginning) for beginning, _ in STAGES):
            why = "no tests are known for this path"
        else:
            _, why = apply(fault, file.read_text(encoding="utf-8"))
        if why is not None:
            bad.append(f"  {LIST.name}:{fault.number}: {fault.path}: {fault.title}\n      {why}")
    if bad:
        die(f"{len(bad)} of {len(faults)} faults no longer apply. Give each the text that the source has now, or put another "
            "fault in its place:\n" + "\n".join(bad))


def check_size(faults):
    client = sum(fault.side == "client" for fault in faults)
    if len(faults) < WANTED_FAULTS or client < WANTED_CLIENT_FAULTS:
        die(f"{len(faults)} faults, {client} of them the client's: at least {WANTED_FAULTS} and {WANTED_CLIENT_FAULTS} are wanted")


# ---- the copy and its build ----

def run(command, where, log=None, environment=None):
    """Runs a command quietly. Returns its status and what it printed."""
    done = subprocess.run(command, cwd=where, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                          env=environment, text=True, errors="replace", check=False)
    if log is not None:
        log.write(f"$ {' '.join(map(str, command))}\n{done.stdout}\n")
        log.flush()
    return done.returncode, done.stdout


def write_if_changed(file, data):
    if not file.exists() or file.read_bytes() != data:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(data)


def copy_sources(target):
    """Brings the copy to what the sources are now, committed or not; what is the same is not touched."""
    status, listed = run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], ROOT)
    if status != 0:
        die("git does not list the sources")
    paths = {path for path in listed.split("\0") if path and (ROOT / path).is_file()}
    for path in paths:
        write_if_changed(target / path, (ROOT / path).read_bytes())
        shutil.copymode(ROOT / path, target / path)
    for folder, folders, names in os.walk(target):
        if pathlib.Path(folder) == target:
            folders[:] = [name for name in folders if name != "build"]
        for name in names:
            file = pathlib.Path(folder) / name
            if str(file.relative_to(target)) not in paths:
                file.unlink()


class Build:
    """The copy's build: which tests there are, their programs, and running them."""

    def __init__(self, source, log):
        self.source = source
        self.folder = source / "build" / PRESET
        self.log = log
        self.seconds = {}  # what each test takes without a fault
        environment = dict(os.environ)
        if shutil.which("ccache"):
            environment.setdefault("CMAKE_C_COMPILER_LAUNCHER", "ccache")
        status, printed = run(["cmake", "--preset", PRESET], source, log, environment)
        if status != 0:
            die(f"the copy cannot be configured:\n{printed}")
        # ctest knows a test's program once it is there.
        if run(["ninja", "-C", self.folder], source, log)[0] != 0:
            die(f"the sources do not build as they are: see {log.name}")
        self.read_tests()

    def read_tests(self):
        status, printed = run(["ctest", "--test-dir", self.folder, "--show-only=json-v1"], self.source)
        if status != 0:
            die(f"ctest does not list the tests:\n{printed}")
        self.programs = {}
        for test in json.loads(printed)["tests"]:
            command = test.get("command", [""])[0]
            inside = command.startswith(str(self.folder) + "/")
            self.programs[test["name"]] = command[len(str(self.folder)) + 1:] if inside else None

    def select(self, expression):
        return [name for name in self.programs if re.fullmatch(expression, name)]

    def make(self, tests):
        """Builds what the tests need. Returns whether it compiles."""
        targets = {self.programs[test] for test in tests} - {None} | {"bin/umemd", "bin/umem"}
        if any(test == "integration.examples" for test in tests):
            targets.add("client/examples/all")
        return run(["ninja", "-C", self.folder, *sorted(targets)], self.source, self.log)[0] == 0

    def run_test(self, test):
        """Runs one. Returns how it ended ("", "failed" or "hangs") and the seconds that it took."""
        limit = TIME_LIMIT + TIME_LIMIT_FACTOR * self.seconds.get(test, 10)
        begin = time.monotonic()
        status, printed = run(["ctest", "--preset", PRESET, "-R", f"^{re.escape(test)}$", "--timeout", f"{limit:.0f}"],
                              self.source, self.log)
        end = "" if status == 0 else "hangs" if "***Timeout" in printed else "failed"
        return end, time.monotonic() - begin

    def run_tests(self, tests):
        """Runs them, two at a time, those that take least first. Returns the first that fails and how; else None."""
        waiting = queue.SimpleQueue()
        found = []
        for test in sorted(tests, key=lambda test: self.seconds.get(test, 0)):
            waiting.put(test)

        def work():
            while not found:
                try:
                    test = waiting.get_nowait()
                except queue.Empty:
                    return
                end, seconds = self.run_test(test)
                self.seconds.setdefault(test, seconds)
                if end:
                    found.append((test, end))

        workers = [threading.Thread(target=work) for _ in range(JOBS)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        return found[0] if found else None


def end_left_processes(folder):
    """Ends what tests have left running of the programs in a folder, such as daemons of tests that were ended. Linux only."""
    for link in pathlib.Path("/proc").glob("[0-9]*/exe"):
        try:
            if os.readlink(link).startswith(f"{folder}/"):
                os.kill(int(link.parent.name), signal.SIGKILL)
        except OSError:
            pass  # it has ended, or is another user's


# ---- trying the faults ----

def try_fault(build, fault):
    """Returns what finds it: a test, "compile", or None."""
    file = build.source / fault.path
    original = file.read_text(encoding="utf-8")
    changed, why = apply(fault, original)
    if changed is None:
        die(f"{fault.path}: {why}")
    file.write_text(changed, encoding="utf-8")
    try:
        for stage in fault.stages():
            tests = build.select(stage)
            if not build.make(tests):
                return "compile"
            failed = build.run_tests(tests)
            if failed is not None:
                return failed[0] if failed[1] == "failed" else f"{failed[0]} ({failed[1]})"
        return None
    finally:
        file.write_text(original, encoding="utf-8")
        end_left_processes(build.folder)


def try_without_faults(build, faults):
    """The tests must pass without a fault; this also tells how long each takes."""
    stages = {stage for fault in faults for stage in fault.stages()}
    tests = sorted({test for stage in stages for test in build.select(stage)})
    for stage in sorted(stages):
        if not build.select(stage):
            die(f"there is no test {stage}")
    failed = build.run_tests(tests)
    if failed is not None:
        die(f"{failed[0]} fails without any fault: see {build.log.name}")
    return len(tests)


def try_all(build, faults):
    results = []
    begin = time.monotonic()
    for number, fault in enumerate(faults, 1):
        found = try_fault(build, fault)
        verdict = found or ("not found: " + fault.missed if fault.missed else "NOT FOUND")
        print(f"{number:3}/{len(faults)} {time.monotonic() - begin:5.0f} s  {fault.path}: {fault.title}\n"
              f"{'':16}{verdict}", flush=True)
        results.append((fault, found))
    return results


def print_summary(results):
    """Returns the status to end with."""
    sides = collections.defaultdict(list)
    status = 0
    for fault, found in results:
        sides[fault.side].append((fault, found))
    print()
    for side, tried in sorted(sides.items()):
        count = sum(found is not None for _, found in tried)
        print(f"{side}: {count} of {len(tried)} found ({100 * count / len(tried):.1f} %)")
        if count < WANTED_SHARE * len(tried):
            status = 1
    for fault, found in results:
        if found is None and fault.missed is None:
            print(f"not found, and not explained: {fault.path}: {fault.title} ({LIST.name}:{fault.number})")
            status = 1
        elif found is not None and fault.missed is not None:
            print(f"found after all, so that its \"missed\" is out of date: {fault.path}: {fault.title}")
            status = 1
    return status


def main():
    parser = argparse.ArgumentParser(prog="mutate.py", description=__doc__.splitlines()[0])
    parser.add_argument("--check", action="store_true", help="only see that every fault applies")
    parser.add_argument("--only", default="", help="those whose titles have this text in them")
    parser.add_argument("path", nargs="*", help="the beginning of the paths to try")
    options = parser.parse_args()
    faults = read_list()
    check(faults)
    check_size(faults)
    chosen = [fault for fault in faults if not options.path or fault.path.startswith(tuple(options.path))]
    chosen = [fault for fault in chosen if options.only in fault.title]
    if options.check:
        print(f"All of {len(faults)} faults apply")
        return 0
    if not chosen:
        die(f"{LIST.name} has no fault for that")
    (COPY / "src").mkdir(parents=True, exist_ok=True)
    with open(COPY / "log", "w", encoding="utf-8") as log:
        copy_sources(COPY / "src")
        build = Build(COPY / "src", log)
        print(f"{len(chosen)} faults; first the tests without any ...", flush=True)
        begin = time.monotonic()
        count = try_without_faults(build, chosen)
        print(f"{count} tests pass ({time.monotonic() - begin:.0f} s)", flush=True)
        return print_summary(try_all(build, chosen))


if __name__ == "__main__":
    sys.exit(main())
