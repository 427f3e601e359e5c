"""The daemon's Unix socket: bytes out and in, each with a limit of time, and whose daemon it is."""
from __future__ import annotations

import ctypes
import errno
import os
import pwd
import re
import select
import socket
import stat
import struct
import sys
import time
from typing import Sequence, Tuple

from ._errors import ConnectionLost, DeadlineExceeded, NotConnected, NotTrusted
from ._frames import Bytes

assert sys.platform != "win32"

_SEND_FLAGS = socket.MSG_DONTWAIT | getattr(socket, "MSG_NOSIGNAL", 0)

TICK = 1.0  # seconds after which a read that nothing ends returns, so that deadlines and signals are looked at


def peer_user(pipe: socket.socket) -> int:
    """The user of the process that listens, as the system saw it. OSError: the system does not tell."""
    if sys.platform == "linux":
        return int(struct.unpack("3i", pipe.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12))[1])
    user, group = ctypes.c_uint32(), ctypes.c_uint32()
    if ctypes.CDLL(None, use_errno=True).getpeereid(pipe.fileno(), ctypes.byref(user), ctypes.byref(group)) != 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return user.value


def trusted_users(server_user: str) -> Tuple[int, ...]:
    """Whose daemon is trusted, and whose shared memory. ValueError: there is no such user."""
    own = (os.geteuid(), 0)
    if not server_user:
        return own
    try:
        return own + (pwd.getpwnam(server_user).pw_uid,)
    except (KeyError, ValueError):
        if re.fullmatch("[0-9]{1,10}", server_user) and int(server_user) < 0xFFFFFFFF:
            return own + (int(server_user),)
    raise ValueError(f"there is no user {server_user} on this system")


def check_trust(pipe: socket.socket, server_user: str = "") -> None:
    users = trusted_users(server_user)
    try:
        user = peer_user(pipe)
    except (OSError, AttributeError) as error:
        raise NotTrusted(f"the system does not tell whose daemon listens there: {error}") from None
    if user not in users:
        who = f", root or {server_user}" if server_user else " or root"
        raise NotTrusted(f"the daemon there is run by user {user}, not by user {os.geteuid()}{who}")


def explain(path: str, error: OSError) -> str:
    if error.errno == errno.ENOENT:
        return "there is no such socket"
    if error.errno == errno.ECONNREFUSED:
        # Connecting to a file of another kind fails like connecting to a socket without a listener.
        try:
            mode = os.stat(path).st_mode
        except OSError:
            mode = stat.S_IFSOCK
        if stat.S_ISDIR(mode):
            return "it is a directory, not a socket"
        return "no daemon listens there any more" if stat.S_ISSOCK(mode) else "it is a file, not a socket"
    return str(error)


def connect(path: str, deadline: float, server_user: str = "") -> socket.socket:
    """A trusted connection. Nothing was sent on it."""
    pipe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        while True:
            left = deadline - time.monotonic()
            if left <= 0:
                raise DeadlineExceeded(f"{path}: the daemon did not take the connection in time")
            pipe.settimeout(min(left, 60))
            try:
                pipe.connect(path)
                break
            except BlockingIOError:
                # The daemon's queue of clients is full.
                time.sleep(0.001)
            except socket.timeout:
                continue
            except OSError as error:
                raise NotConnected(f"{path}: {explain(path, error)}") from None
            except UnicodeEncodeError as error:
                raise ValueError(f"the path of the pipe cannot be written in the system's encoding: {error}") from None
        check_trust(pipe, server_user)
        return pipe
    except BaseException:
        pipe.close()
        raise


class Pipe:
    """A connection. One thread may read while another one writes."""

    is_writing = False  # what write_some() has not taken yet it knows nothing of

    def __init__(self, path: str, deadline: float, server_user: str = "") -> None:
        self._socket = connect(path, deadline, server_user)
        # A blocking socket that gives up by itself needs no poll() before each read.
        self._socket.setblocking(True)
        self._socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVTIMEO, struct.pack("@ll", int(TICK), 0))

    def fileno(self) -> int:
        return self._socket.fileno()

    def release(self) -> socket.socket:
        """The socket, which is the caller's from now on."""
        return self._socket

    def close(self) -> None:
        """Ends the connection in every process that has a copy, and what other threads do with it."""
        try:
            self._socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._socket.close()

    def abandon(self) -> None:
        """Closes this process' copy."""
        self._socket.close()

    def read_into(self, space: memoryview, seconds: float) -> int:
        """How many bytes have come, at least one; 0: none yet, after at most that time."""
        try:
            if seconds < TICK and not self.wait(True, False, seconds)[0]:
                return 0
            size = self._socket.recv_into(space)
        except BlockingIOError:
            return 0
        except (OSError, ValueError) as error:
            raise ConnectionLost(f"the connection to the daemon broke: {error}") from None
        if size == 0:
            raise ConnectionLost("the daemon closed the connection")
        return size

    def write_some(self, parts: Sequence[Bytes]) -> int:
        """How many bytes were taken; 0: none now. The same parts are given again until they are all taken."""
        try:
            if len(parts) == 1:
                return self._socket.send(parts[0], _SEND_FLAGS)
            return self._socket.sendmsg(parts, [], _SEND_FLAGS)
        except BlockingIOError:
            return 0
        except OSError as error:
            raise ConnectionLost(f"the daemon no longer takes requests: {error}") from None

    def wait(self, read: bool, write: bool, seconds: float) -> Tuple[bool, bool]:
        """Whether it can be read, and written, after at most that time."""
        poll = select.poll()
        poll.register(self._socket, (select.POLLIN if read else 0) | (select.POLLOUT if write else 0))
        found = poll.poll(min(max(seconds, 0) * 1000, 60000))
        events = found[0][1] if found else 0
        ended = bool(events & (select.POLLHUP | select.POLLERR | select.POLLNVAL))
        return bool(events & select.POLLIN) or (read and ended), bool(events & select.POLLOUT) or (write and ended)
