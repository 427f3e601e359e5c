#!/usr/bin/env python3
"""Runs a client program against a daemon of its own, and ends the daemon whatever the client does.

with_daemon.py --umemd FILE --umem FILE [--emulator FILE] [--carrier] [--into-file] -- PROGRAM [ARGUMENT...]

The program finds the pipe in UMEM_PIPE. With --carrier it also finds, in UMEM_CARRIER, the command (JSON: an array of
words) whose standard input and output are a connection to the daemon: `umem call -`. Windows programs run by the
emulator, whose pipes no program of this system can open, are reached by that alone, or by other programs that it runs.
With --into-file the client's output goes to a file first: Node for Windows can do nothing with the emulator's pipes.

The exit status is the client's, or 1 if the daemon does not end in order.
"""
import argparse
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import uuid

READY = "listening on"


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--umemd", required=True)
    parser.add_argument("--umem", required=True)
    parser.add_argument("--emulator", help="runs the two programs; they are Windows programs")
    parser.add_argument("--carrier", action="store_true")
    parser.add_argument("--into-file", action="store_true")
    parser.add_argument("client", nargs="+")
    return parser.parse_args()


class Daemon:
    """A daemon that listens when the constructor returns, and has ended when the with block does."""

    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
        for line in self.process.stderr:
            sys.stderr.write(line)
            if READY in line:
                break
        else:
            raise SystemExit(f"the daemon ended with {self.process.wait()} before it listened")
        # What it writes later must not fill the pipe, which would hold it up.
        self.log = threading.Thread(target=self.pass_log)
        self.log.start()

    def pass_log(self):
        for line in self.process.stderr:
            sys.stderr.write(line)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()
        self.log.join()


def run_client(arguments, environment):
    """Its exit status."""
    if not arguments.into_file:
        return subprocess.run(arguments.client, env=environment, stdin=subprocess.DEVNULL, check=False).returncode
    with tempfile.TemporaryFile("w+", errors="replace") as output:
        status = subprocess.run(arguments.client, env=environment, stdin=subprocess.DEVNULL, stdout=output,
                                stderr=subprocess.STDOUT, check=False).returncode
        output.seek(0)
        sys.stderr.write(output.read())
    return status


def run(arguments, folder):
    prefix = [arguments.emulator] if arguments.emulator else []
    if arguments.emulator or os.name == "nt":
        pipe = r"\\.\pipe\umemd-interop-" + uuid.uuid4().hex
    else:
        pipe = os.path.join(folder, "umemd.sock")
    environment = dict(os.environ, UMEM_PIPE=pipe)
    environment.pop("UMEM_CARRIER", None)
    if arguments.carrier:
        environment["UMEM_CARRIER"] = json.dumps([*prefix, arguments.umem, "--pipe", pipe, "call", "-"])
    with Daemon([*prefix, arguments.umemd, "--pipe", pipe]) as daemon:
        status = run_client(arguments, environment)
        # It is requested to end, not killed: a sanitizer reports what leaked when a program ends in order.
        if daemon.process.poll() is None:
            subprocess.run([*prefix, arguments.umem, "--pipe", pipe, "shutdown"], stdin=subprocess.DEVNULL, check=True)
        ending = daemon.process.wait(timeout=60)
    if ending != 0:
        print(f"the daemon ended with {ending}", file=sys.stderr)
    return status or (1 if ending != 0 else 0)


def main():
    arguments = parse_arguments()
    # So that the daemon is ended then, too.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(128 + number))
    with tempfile.TemporaryDirectory(prefix="umemd-interop-") as folder:
        return run(arguments, folder)


if __name__ == "__main__":
    sys.exit(main())
