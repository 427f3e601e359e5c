#!/usr/bin/env python3
"""Builds a wheel of the package, installs it into an empty folder, and uses it there: install.py PACKAGE UMEMD."""
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import zipfile

PROGRAM = """
import sys, umem, umem.aio
assert umem.__file__.startswith(sys.argv[2]), umem.__file__
with umem.connect(sys.argv[1]) as daemon, daemon.alloc(5, data=b"hello") as block:
    print(block[:].decode())
"""


def run(*command, **options):
    done = subprocess.run(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False, **options)
    if done.returncode != 0:
        raise SystemExit(f"{command} ended with {done.returncode}:\n{done.stdout}")
    return done.stdout


def main():
    package, umemd = sys.argv[1:]
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"}
    with tempfile.TemporaryDirectory(prefix="umemd-python-") as folder:
        source = shutil.copytree(package, f"{folder}/source", ignore=shutil.ignore_patterns("__pycache__", "build", "*.egg-info", ".mypy_cache"))
        pip = (sys.executable, "-m", "pip", "--disable-pip-version-check", "--no-input")
        offline = ("--no-index", "--no-deps", "--no-build-isolation")
        run(*pip, "wheel", *offline, "--wheel-dir", folder, source, env=environment)
        (wheel,) = pathlib.Path(folder).glob("umem-*.whl")
        names = {name.split("/")[1] for name in zipfile.ZipFile(wheel).namelist() if name.startswith("umem/")}
        wanted = {path.name for path in pathlib.Path(package, "umem").iterdir() if path.suffix == ".py"} | {"py.typed"}
        if names != wanted:
            raise SystemExit(f"the wheel has {sorted(names ^ wanted)} too many or too few")
        run(*pip, "install", *offline, "--target", f"{folder}/installed", source, env=environment)
        daemon = subprocess.Popen([umemd, "--pipe", f"{folder}/s"], stderr=subprocess.PIPE, text=True)
        try:
            next(line for line in daemon.stderr if "listening on" in line)
            environment["PYTHONPATH"] = f"{folder}/installed"
            output = run(sys.executable, "-B", "-c", PROGRAM, f"{folder}/s", folder, env=environment, cwd=folder)
        finally:
            daemon.terminate()
            daemon.wait()
            daemon.stderr.close()
        if output != "hello\n":
            raise SystemExit(f"the installed package printed {output!r}")
    print(f"{wheel.name} was built, installed and used")


if __name__ == "__main__":
    main()
