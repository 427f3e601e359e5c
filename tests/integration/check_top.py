#!/usr/bin/env python3
"""check_top.py UMEMD UMEM: `umem top` on a terminal (a pty), where it is resized, interrupted and left by its daemon, and without one."""

import fcntl
import os
import pty
import re
import select
import signal
import struct
import subprocess
import sys
import tempfile
import termios
import time

PATIENCE = 60
ENTER, LEAVE = b"\033[?1049h\033[?25l", b"\033[?25h\033[?1049l"
HOME = b"\033[H"


def check(condition, message):
    if not condition:
        sys.exit(f"check_top.py: {message}")


class Terminal:
    """A program on a pty of its own."""

    def __init__(self, words, environment, rows=24, columns=80):
        self.master, self.slave = pty.openpty()
        self.resize(rows, columns)
        self.mode = termios.tcgetattr(self.slave)
        self.seen = b""
        self.program = subprocess.Popen(
            words, env=environment, stdin=self.slave, stdout=self.slave, stderr=self.slave, start_new_session=True
        )

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def read(self, done, what):
        """Reads until done(all that was seen)."""
        end = time.monotonic() + PATIENCE
        while not done(self.seen):
            ready, _, _ = select.select([self.master], [], [], max(0, end - time.monotonic()))
            check(ready, f"{what} does not come; seen: {self.seen[-2000:]!r}")
            self.seen += os.read(self.master, 1 << 16)

    def frames(self):
        """The frames that are whole, as lists of lines: another one has begun, or the screen was left."""
        parts = self.seen.replace(LEAVE, HOME).split(HOME)[1:-1]
        return [re.split(r"\r+\n", part.replace(b"\033[K", b"").decode()) for part in parts]

    def await_frame(self, what, wanted):
        self.read(lambda _: any(wanted(frame) for frame in self.frames()), what)

    def end(self, status, what):
        """The program has ended, and the terminal is as it was."""
        check(self.program.wait(PATIENCE) == status, f"{what}: it ended with {self.program.returncode}, not {status}")
        while select.select([self.master], [], [], 0)[0]:
            self.seen += os.read(self.master, 1 << 16)
        check(self.seen.count(ENTER) == 1 and self.seen.count(LEAVE) == 1, f"{what}: the screen was not left once")
        check(self.seen.find(LEAVE) > self.seen.rfind(HOME), f"{what}: something was drawn after the screen was left")
        check(termios.tcgetattr(self.slave) == self.mode, f"{what}: the terminal has another mode than before")
        os.close(self.master)
        os.close(self.slave)
        return self.seen[self.seen.find(LEAVE) + len(LEAVE) :].decode()


def has(text):
    return lambda frame: any(text in line for line in frame)


def fits(rows, columns):
    return lambda frame: len(frame) == rows and all(len(line) <= columns for line in frame)


def main():
    umemd, umem = sys.argv[1:3]
    with tempfile.TemporaryDirectory(prefix="umem-top-") as folder:
        pipe = os.path.join(folder, "pipe")
        environment = dict(os.environ, UMEM_PIPE=pipe, TERM="xterm", NO_COLOR="1")
        top = [umem, "top", "--interval", "0.1"]

        def run(*words, status=0):
            done = subprocess.run(
                [umem, *words], env=environment, capture_output=True, text=True, timeout=PATIENCE, stdin=subprocess.DEVNULL
            )
            check(done.returncode == status, f"umem {' '.join(words)} ended with {done.returncode}: {done.stderr}")
            return done.stdout

        daemon = [umemd, "--pipe", pipe, "--daemon"]
        check(subprocess.Popen(daemon, env=environment).wait(PATIENCE) == 0, "umemd does not start")
        try:
            run("heap", "create", "--name", "a-heap", "--maximum-size", "1M")
            run("put", "--heap", "a-heap", "greeting", "hello")

            # Without a terminal.
            once = run("top", "--once", "--interval", "0.05").splitlines()
            check(all(len(line) <= 80 for line in once), f"--once is wider than 80: {once}")
            check(any(line.startswith("a-heap ") for line in once), "--once does not show the heap")
            check(any(line.startswith("server.stats ") for line in once), "--once does not show its own calls")
            check(not any("\033" in line for line in once), "--once controls a terminal")
            check(run("top", "--count", "3", "--interval", "0.02").count("umemd ") == 3, "--count 3 has not 3 looks")
            run("top", "--once", "--sort", "name", status=2)
            run("top", "--once", "--count", "2", status=2)
            run("top", "--json", status=2)

            # Keys, and another size.
            terminal = Terminal(top, environment)
            terminal.await_frame("the first look", fits(24, 80))
            terminal.await_frame("a heap", has("a-heap"))
            terminal.await_frame("the order by time", has("*t time"))
            os.write(terminal.master, b"xe")
            terminal.await_frame("the order by errors", has("*e errors"))
            terminal.resize(40, 120)
            os.kill(terminal.program.pid, signal.SIGWINCH)
            terminal.await_frame("a larger look", fits(40, 120))
            terminal.resize(3, 10)
            os.kill(terminal.program.pid, signal.SIGWINCH)
            terminal.await_frame("a tiny look", fits(3, 10))
            check(termios.tcgetattr(terminal.slave) != terminal.mode, "keys are read in lines")
            os.write(terminal.master, b"q")
            terminal.end(0, "q")

            # Ends that come from outside.
            terminal = Terminal(top, environment)
            terminal.await_frame("a look", fits(24, 80))
            os.write(terminal.master, b"\x03")
            terminal.end(0, "Ctrl-C")
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                terminal = Terminal(top, environment)
                terminal.await_frame("a look", fits(24, 80))
                os.kill(terminal.program.pid, number)
                terminal.end(0, number.name)
            terminal = Terminal(top, environment)
            terminal.await_frame("a look", fits(24, 80))
            run("shutdown")
            said = terminal.end(5, "the daemon's end")
            check(said.startswith("umem: "), f"the daemon's end is not told on the terminal as it was: {said!r}")
        finally:
            subprocess.run([umem, "shutdown"], env=environment, capture_output=True, timeout=PATIENCE)


if __name__ == "__main__":
    main()
