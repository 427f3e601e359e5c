"""The daemon's named pipe on Windows, by what Microsoft documents: as client/lib/connection/transport_win32.c does it.

It has the functions of _pipe_posix.Pipe. The pipe is opened so that whoever listens there may see who this user is, and not act
as this user; and it is used only if it, or the process that listens, is of this user or of SYSTEM.
"""
from __future__ import annotations

import ctypes
import sys
import threading
import time
from ctypes import wintypes
from types import TracebackType
from typing import Any, Optional, Sequence, Tuple, Type

from ._errors import ConnectionLost, DeadlineExceeded, NotConnected, NotTrusted, Unsupported
from ._frames import Bytes

assert sys.platform == "win32"

TICK = 0.2  # seconds after which a wait returns, since Python sees a Ctrl-C only then
LOOK = 0.005  # seconds after which a write that is held up looks whether there is something to read
TRANSFER = 1 << 20  # bytes that one operation moves at most: the system keeps those of a write in non-paged pool

# To read and write: FILE_GENERIC_READ and FILE_GENERIC_WRITE but for FILE_APPEND_DATA, which stands for making instances of the pipe, and
# which another user's daemon does not let its clients do.
PIPE_RIGHTS, OPEN_EXISTING = 0x0012019B, 3
FILE_FLAG_OVERLAPPED, SECURITY_SQOS_PRESENT, SECURITY_IDENTIFICATION = 0x40000000, 0x00100000, 0x00010000
PROCESS_QUERY_LIMITED_INFORMATION, TOKEN_QUERY, TOKEN_USER = 0x1000, 8, 1
SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, LOCAL_SYSTEM = 6, 1, 22
FILE_MAP_READ_AND_WRITE = 6
ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND, ERROR_ACCESS_DENIED, ERROR_PIPE_BUSY, ERROR_IO_PENDING = 2, 3, 5, 231, 997
WAIT_OBJECT_0 = 0
INVALID_HANDLE = ctypes.c_void_p(-1).value

_kernel32 = ctypes.WinDLL("kernel32", use_last_error=True)
_advapi32 = ctypes.WinDLL("advapi32", use_last_error=True)


class OVERLAPPED(ctypes.Structure):
    _fields_ = [
        ("Internal", ctypes.c_void_p),
        ("InternalHigh", ctypes.c_void_p),
        ("Offset", wintypes.DWORD),
        ("OffsetHigh", wintypes.DWORD),
        ("hEvent", wintypes.HANDLE),
    ]


def _function(library: Any, name: str, result: Any, *parameters: Any) -> Any:
    function = getattr(library, name)
    function.restype = result
    function.argtypes = parameters
    return function


_P, _B, _D, _H = ctypes.c_void_p, wintypes.BOOL, wintypes.DWORD, wintypes.HANDLE
_PD = ctypes.POINTER(_D)
_CreateFile = _function(_kernel32, "CreateFileW", _H, wintypes.LPCWSTR, _D, _D, _P, _D, _D, _H)
_WaitNamedPipe = _function(_kernel32, "WaitNamedPipeW", _B, wintypes.LPCWSTR, _D)
_ReadFile = _function(_kernel32, "ReadFile", _B, _H, _P, _D, _PD, ctypes.POINTER(OVERLAPPED))
_WriteFile = _function(_kernel32, "WriteFile", _B, _H, _P, _D, _PD, ctypes.POINTER(OVERLAPPED))
_GetOverlappedResult = _function(_kernel32, "GetOverlappedResult", _B, _H, ctypes.POINTER(OVERLAPPED), _PD, _B)
_CancelIoEx = _function(_kernel32, "CancelIoEx", _B, _H, ctypes.POINTER(OVERLAPPED))
_PeekNamedPipe = _function(_kernel32, "PeekNamedPipe", _B, _H, _P, _D, _PD, _PD, _PD)
_CreateEvent = _function(_kernel32, "CreateEventW", _H, _P, _B, _B, wintypes.LPCWSTR)
_SetEvent = _function(_kernel32, "SetEvent", _B, _H)
_WaitForMultipleObjects = _function(_kernel32, "WaitForMultipleObjects", _D, _D, ctypes.POINTER(_H), _B, _D)
_CloseHandle = _function(_kernel32, "CloseHandle", _B, _H)
_OpenFileMapping = _function(_kernel32, "OpenFileMappingW", _H, _D, _B, wintypes.LPCWSTR)
_GetCurrentProcess = _function(_kernel32, "GetCurrentProcess", _H)
_OpenProcess = _function(_kernel32, "OpenProcess", _H, _D, _B, _D)
_GetNamedPipeServerProcessId = _function(_kernel32, "GetNamedPipeServerProcessId", _B, _H, ctypes.POINTER(wintypes.ULONG))
_LocalFree = _function(_kernel32, "LocalFree", _P, _P)
_OpenProcessToken = _function(_advapi32, "OpenProcessToken", _B, _H, _D, ctypes.POINTER(_H))
_GetTokenInformation = _function(_advapi32, "GetTokenInformation", _B, _H, ctypes.c_int, _P, _D, _PD)
_GetSecurityInfo = _function(
    _advapi32, "GetSecurityInfo", _D, _H, ctypes.c_int, _D, *[ctypes.POINTER(_P)] * 2, _P, _P, ctypes.POINTER(_P)
)
_EqualSid = _function(_advapi32, "EqualSid", _B, _P, _P)
_IsWellKnownSid = _function(_advapi32, "IsWellKnownSid", _B, _P, ctypes.c_int)
_ConvertStringSidToSid = _function(_advapi32, "ConvertStringSidToSidW", _B, wintypes.LPCWSTR, ctypes.POINTER(_P))
_CopySid = _function(_advapi32, "CopySid", _B, _D, _P, _P)
_LookupAccountName = _function(
    _advapi32, "LookupAccountNameW", _B, wintypes.LPCWSTR, wintypes.LPCWSTR, _P, _PD, _P, _PD, _P
)
_GetUserName = _function(_advapi32, "GetUserNameW", _B, _P, _PD)


def _last_error() -> str:
    return ctypes.FormatError(ctypes.get_last_error()).strip()


def user_name() -> str:
    name = (ctypes.c_uint16 * 257)()
    size = _D(len(name))
    if not _GetUserName(name, ctypes.byref(size)):
        raise ValueError(f"the name of the user is not known; name a pipe, or set UMEM_PIPE: {_last_error()}")
    return bytes(name)[: 2 * (size.value - 1)].decode("utf-16-le", "surrogatepass")


# ---- whose pipe it is ----


def _user_of(process: Any) -> Optional[Any]:
    """Memory that begins with a pointer to the SID of the process' user, or None."""
    token = _H()
    if not _OpenProcessToken(process, TOKEN_QUERY, ctypes.byref(token)):
        return None
    space = (_P * 32)()
    size = _D()
    found = _GetTokenInformation(token, TOKEN_USER, space, ctypes.sizeof(space), ctypes.byref(size))
    _CloseHandle(token)
    return space if found else None


def find_user(name: str) -> Any:
    """Memory with the SID of that name, or that the text is. ValueError: there is no such user."""
    space = (ctypes.c_uint32 * 17)()
    size, domain_size, use = _D(ctypes.sizeof(space)), _D(256), _D()
    sid = _P()
    if name.startswith("S-1-") and _ConvertStringSidToSid(name, ctypes.byref(sid)):
        copied = _CopySid(size, space, sid)
        _LocalFree(sid)
        if copied:
            return space
    domain = (ctypes.c_uint16 * 256)()
    if "\0" in name or not _LookupAccountName(
        None, name, space, ctypes.byref(size), domain, ctypes.byref(domain_size), ctypes.byref(use)
    ):
        raise ValueError(f"there is no user {name} on this system")
    return space


def _is_trusted(sid: Any, user: Any, server: Any) -> bool:
    return bool(_EqualSid(sid, user[0]) or _IsWellKnownSid(sid, LOCAL_SYSTEM) or (server is not None and _EqualSid(sid, server)))


def _is_server_trusted(pipe: Any, user: Any, server: Any = None) -> bool:
    """The user of the process that made the other end."""
    pid = wintypes.ULONG()
    if not _GetNamedPipeServerProcessId(pipe, ctypes.byref(pid)):
        return False
    process = _OpenProcess(PROCESS_QUERY_LIMITED_INFORMATION, False, pid)
    if not process:
        return False
    found = _user_of(process)
    _CloseHandle(process)
    return found is not None and _is_trusted(found[0], user, server)


def _is_owner_trusted(pipe: Any, user: Any, server: Any = None) -> bool:
    """The pipe's owner, which is known also where the process may not be opened (SYSTEM's, or one that runs elevated)."""
    owner, descriptor = _P(), _P()
    failed = _GetSecurityInfo(
        pipe, SE_KERNEL_OBJECT, OWNER_SECURITY_INFORMATION, ctypes.byref(owner), None, None, None, ctypes.byref(descriptor)
    )
    if failed:
        return False
    trusted = bool(owner) and _is_trusted(owner, user, server)
    _LocalFree(descriptor)
    return trusted


def check_trust(pipe: Any, server_user: str = "") -> None:
    server = find_user(server_user) if server_user else None
    user = _user_of(_GetCurrentProcess())
    if user is None:
        raise NotTrusted(f"this program's user is not known: {_last_error()}")
    if not _is_owner_trusted(pipe, user, server) and not _is_server_trusted(pipe, user, server):
        who = f", SYSTEM or {server_user}" if server_user else " or SYSTEM"
        raise NotTrusted(f"the daemon there is run by another user, not by this one{who}")


def connect(name: str, deadline: float, server_user: str = "") -> Any:
    """A trusted handle. Nothing was sent on it."""
    flags = FILE_FLAG_OVERLAPPED | SECURITY_SQOS_PRESENT | SECURITY_IDENTIFICATION
    while True:
        pipe = _CreateFile(name, PIPE_RIGHTS, 0, None, OPEN_EXISTING, flags, None)
        if pipe not in (None, INVALID_HANDLE):
            break
        error = ctypes.get_last_error()
        if error != ERROR_PIPE_BUSY:
            raise NotConnected(f"{name}: {_explain(error)}")
        left = deadline - time.monotonic()
        if left <= 0:
            raise DeadlineExceeded(f"{name}: all of the pipe's places stayed taken")
        # What it returns says no more than the next try will.
        _WaitNamedPipe(name, max(1, int(min(left, TICK) * 1000)))
    try:
        check_trust(pipe, server_user)
    except BaseException:
        _CloseHandle(pipe)
        raise
    return pipe


def _explain(error: int) -> str:
    if error in (ERROR_FILE_NOT_FOUND, ERROR_PATH_NOT_FOUND):
        return "no daemon listens there"
    if error == ERROR_ACCESS_DENIED:
        return "this program may not open it: the daemon is another user's, or this program runs with low integrity, in a sandbox"
    return ctypes.FormatError(error).strip()


class _Operation:
    """One read or write that the system is at. Its memory is kept until it has ended."""

    def __init__(self, pipe: Any, aborted: Any, event: Any) -> None:
        self._pipe = pipe
        self._events = (_H * 2)(event, aborted)
        self._overlapped = OVERLAPPED(hEvent=event)
        self._memory: Any = None
        self.is_running = False

    def begin(self, function: Any, memory: Any, size: int, what: str) -> None:
        self._memory = memory
        if not function(self._pipe, memory, size, None, ctypes.byref(self._overlapped)):
            if ctypes.get_last_error() != ERROR_IO_PENDING:
                raise ConnectionLost(f"{what}: {_last_error()}")
        self.is_running = True

    def wait(self, seconds: float) -> bool:
        """Whether it has ended within that time."""
        until = time.monotonic() + seconds
        while True:
            left = until - time.monotonic()
            waited = _WaitForMultipleObjects(2, self._events, False, max(0, int(min(left, TICK) * 1000)))
            if waited == WAIT_OBJECT_0:
                return True
            if waited == WAIT_OBJECT_0 + 1:
                self.cancel()
                raise ConnectionLost("the connection was closed")
            if left <= TICK:
                return False

    def end(self, what: str) -> int:
        """After it has ended: how many bytes it has moved."""
        moved = _D()
        done = _GetOverlappedResult(self._pipe, ctypes.byref(self._overlapped), ctypes.byref(moved), False)
        self.is_running = False
        self._memory = None
        if not done:
            raise ConnectionLost(f"{what}: {_last_error()}")
        return int(moved.value)

    def cancel(self) -> int:
        """The system uses the memory until this has returned. How many bytes were moved all the same."""
        moved = _D()
        if self.is_running:
            _CancelIoEx(self._pipe, ctypes.byref(self._overlapped))
            _GetOverlappedResult(self._pipe, ctypes.byref(self._overlapped), ctypes.byref(moved), True)
            self.is_running = False
            self._memory = None
        return int(moved.value)


class Pipe:
    """A connection. One thread may read while another one writes."""

    def __init__(self, path: str, deadline: float, server_user: str = "") -> None:
        self._pipe = connect(path, deadline, server_user)
        self._handles = [self._pipe] + [_CreateEvent(None, True, False, None) for _ in range(3)]
        if not all(self._handles):
            self._close_handles()
            raise NotConnected(f"no event can be made: {_last_error()}")
        self._aborted = self._handles[1]
        self._reading = _Operation(self._pipe, self._aborted, self._handles[2])
        self._writing = _Operation(self._pipe, self._aborted, self._handles[3])
        self._read_mutex = threading.Lock()
        self._write_mutex = threading.Lock()
        self._is_closed = False

    def fileno(self) -> int:
        return int(self._pipe)

    def close(self) -> None:
        """Ends the connection, and what other threads do with it."""
        if self._is_closed:
            return
        self._is_closed = True
        _SetEvent(self._aborted)
        with self._read_mutex, self._write_mutex:
            self._reading.cancel()
            self._writing.cancel()
            self._close_handles()

    abandon = close

    def __del__(self) -> None:
        # Handles have no owner that would close them; at the end of the interpreter the system does.
        if not getattr(self, "_is_closed", True) and _CloseHandle is not None:
            self.close()

    def _close_handles(self) -> None:
        for handle in self._handles:
            if handle:
                _CloseHandle(handle)

    def read_into(self, space: memoryview, seconds: float) -> int:
        """How many bytes have come, at least one; 0: none yet, after at most that time."""
        what = "the connection to the daemon broke"
        with self._read_mutex:
            self._check_open()
            size = min(len(space), TRANSFER)
            memory = (ctypes.c_char * size).from_buffer(space)
            try:
                self._reading.begin(_ReadFile, memory, size, what)
                # Bytes that have come by the time that it is cancelled are bytes that have come.
                moved = self._reading.end(what) if self._reading.wait(seconds) else self._reading.cancel()
            finally:
                self._reading.cancel()
        return moved

    def write_some(self, parts: Sequence[Bytes]) -> int:
        """How many bytes were taken; 0: none now. The same parts are given again until they are all taken."""
        what = "the daemon no longer takes requests"
        with self._write_mutex:
            self._check_open()
            if not self._writing.is_running:
                data = bytes(parts[0][:TRANSFER])
                self._writing.begin(_WriteFile, ctypes.create_string_buffer(data, len(data)), len(data), what)
            return self._writing.end(what) if self._writing.wait(0) else 0

    @property
    def is_writing(self) -> bool:
        """Whether the system has bytes of which write_some() has not said yet that they were taken."""
        return self._writing.is_running

    def wait(self, read: bool, write: bool, seconds: float) -> Tuple[bool, bool]:
        """Whether it can be read, and written, after at most that time."""
        until = time.monotonic() + seconds
        while True:
            readable = read and self._is_readable()
            with self._write_mutex:
                self._check_open()
                left = max(min(until - time.monotonic(), LOOK if read else TICK), 0)
                writable = write and (not self._writing.is_running or self._writing.wait(0 if readable else left))
            if readable or writable or time.monotonic() >= until:
                return readable, writable

    def _is_readable(self) -> bool:
        available = _D()
        return not _PeekNamedPipe(self._pipe, None, 0, None, ctypes.byref(available), None) or available.value != 0

    def _check_open(self) -> None:
        if self._is_closed:
            raise ConnectionLost("the connection was closed")


class Section:
    """The shared memory of a heap, held open: mmap would make one of that name where there is none."""

    def __init__(self, name: str) -> None:
        self._handle = _OpenFileMapping(FILE_MAP_READ_AND_WRITE, False, name)
        if not self._handle:
            raise Unsupported(
                f"the shared memory {name} is not there for this Windows session, only for the daemon's: {_last_error()}",
                -32009,
                "unsupported",
            )

    def __enter__(self) -> Section:
        return self

    def __exit__(self, kind: Optional[Type[BaseException]], error: Optional[BaseException], trace: Optional[TracebackType]) -> None:
        _CloseHandle(self._handle)
