#!/usr/bin/env python3
"""Reads of 64 bytes, one after the other: the package beside redis-py, and a mapped block, all in one run.

    bench.py UMEMD [--quick]

Redis and redis-py are left out where they are not. Each way has its turn in every round, so that what else the machine does
slows all of them; the figure is the median of the rounds. --quick only shows that all of it works.
"""
import argparse
import os
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time

import umem

try:
    import redis
except ImportError:
    redis = None

SIZE = 64


def start(command, path):
    """A server that listens at the path."""
    server = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(1000):
        with socket.socket(socket.AF_UNIX) as pipe:
            if pipe.connect_ex(path) == 0:
                return server
        time.sleep(0.01)
    server.kill()
    raise SystemExit(f"{command[0]} does not listen")


def measure(read, seconds):
    """Calls in a second."""
    count = 0
    begin = now = time.perf_counter()
    while now < begin + seconds:
        for _ in range(100):
            read()
        count += 100
        now = time.perf_counter()
    return count / (now - begin)


def ways(daemon, folder, servers):
    """What is measured, by name."""
    data = bytes(range(SIZE))
    heap = daemon.create_heap(kind="shared", maximum_size=1 << 20)
    block = heap.alloc(SIZE, data=data)
    view = block.map()
    found = {
        "umem: block.read(0, 64)": lambda: block.read(0, SIZE),
        "umem: block[0:64]": lambda: block[0:SIZE],
        "umem: mapped, bytes(view[0:64])": lambda: bytes(view[0:SIZE]),
    }
    if redis is None or not shutil.which("redis-server"):
        print("Left out: redis-py (python3-redis and redis-server are not here)")
    else:
        path = os.path.join(folder, "redis.sock")
        command = ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--appendonly", "no", "--dir", folder]
        servers.append(start(command, path))
        other = redis.Redis(unix_socket_path=path)
        other.set("key", data)
        found["redis-py: get()"] = lambda: other.get("key")
    for name, read in found.items():
        if read() != data:
            raise SystemExit(f"{name} is wrong")
    return found


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("umemd")
    parser.add_argument("--quick", action="store_true")
    arguments = parser.parse_args()
    rounds, seconds = (1, 0.01) if arguments.quick else (15, 0.2)
    servers = []
    with tempfile.TemporaryDirectory(prefix="umemd-python-") as folder:
        try:
            path = os.path.join(folder, "umemd.sock")
            servers.append(start([arguments.umemd, "--pipe", path], path))
            with umem.connect(path) as daemon:
                found = ways(daemon, folder, servers)
                rates = {name: [] for name in found}
                for _ in range(rounds):
                    for name, read in found.items():
                        rates[name].append(measure(read, seconds))
        finally:
            for server in servers:
                server.terminate()
                server.wait()
    medians = {name: statistics.median(values) for name, values in rates.items()}
    base = medians.get("redis-py: get()", medians["umem: block.read(0, 64)"])
    print(f"Python {sys.version.split()[0]}, {SIZE} bytes, one call at a time")
    for name, median in medians.items():
        print(f"{name:34} {median:12,.0f} a second  {1e6 / median:8.2f} us  {median / base:7.2f}x")


if __name__ == "__main__":
    main()
