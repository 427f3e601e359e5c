#!/usr/bin/env python3
"""Runs tests of the package with several versions of Python: all_versions.py TEST... -- INTERPRETER..."""
import pathlib
import subprocess
import sys


def main():
    end = sys.argv.index("--")
    failures = 0
    for interpreter in sys.argv[end + 1 :]:
        for name in sys.argv[1:end]:
            test = pathlib.Path(__file__).parent / f"test_{name}.py"
            done = subprocess.run([interpreter, "-X", "dev", "-W", "error", "-B", test], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                  stderr=subprocess.STDOUT, text=True, check=False)  # fmt: skip
            print(f"{interpreter} {name}: {done.stdout.splitlines()[-1] if done.stdout else ''}")
            if done.returncode != 0:
                failures += 1
                print(done.stdout)
    print(f"{failures} failed")
    return 1 if failures else 0


if __name__ == "__main__":
    sys.exit(main())
