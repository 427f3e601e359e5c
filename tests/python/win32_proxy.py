"""ctypes as it is on Windows, for Python on another system: what is called is called by win32_calls, under an emulator.

Memory that a call gets a pointer to has a twin there. It is copied over before the call, and back after it; what a read or
write of a file has is copied back when the operation's result is asked for, since the system uses it until then.
"""
import ctypes
import subprocess
import sys
import threading
import types
from unittest import mock


class Twin:
    def __init__(self, proxy, memory):
        self.memory = memory  # kept, so that no other memory gets its address
        self.size = ctypes.sizeof(memory)
        self.address = int(proxy.ask(f"take {self.size or 1:x}"), 16)
        self.is_new = True


class Proxy:
    def __init__(self, command):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.mutex = threading.RLock()
        self.twins = {}
        self.busy = {}  # by the address of an operation: the memory that it reads into
        self.last = threading.local()
        self.calls = set()

    def end(self):
        self.process.stdin.close()
        self.process.wait()
        self.process.stdout.close()

    def ask(self, command):
        with self.mutex:
            self.process.stdin.write(command + "\n")
            return self.process.stdout.readline().strip()

    def twin_of(self, memory):
        key = ctypes.addressof(memory), ctypes.sizeof(memory)
        if key not in self.twins:
            self.twins[key] = Twin(self, memory)
        return self.twins[key]

    def push(self, twin):
        # What an operation has is the system's from the first call on.
        if twin.is_new or not isinstance(twin.memory, ctypes.Structure):
            for at in range(0, twin.size, 1 << 20):
                self.ask(f"poke {twin.address + at:x} {ctypes.string_at(ctypes.addressof(twin.memory) + at, min(1 << 20, twin.size - at)).hex()}")
        twin.is_new = False

    def pull(self, twin):
        data = bytes.fromhex(self.ask(f"peek {twin.address:x} {twin.size:x}"))
        ctypes.memmove(ctypes.addressof(twin.memory), data, len(data))

    def argument(self, value, twins):
        """The number that the function gets."""
        if value is None:
            return 0
        if isinstance(value, int):
            return value & 0xFFFFFFFFFFFFFFFF
        if isinstance(value, str):
            value = ctypes.create_string_buffer(value.encode("utf-16-le") + b"\0\0")
        value = getattr(value, "_obj", value)  # of byref()
        twin = self.twin_of(value)
        twins.append(twin)
        return twin.address

    def call(self, function, arguments):
        with self.mutex:
            self.calls.add(function.name)
            twins = []
            numbers = []
            for value, kind in zip(arguments, function.argtypes):
                is_number = isinstance(value, ctypes._SimpleCData) and issubclass(kind, ctypes._SimpleCData)
                numbers.append(self.argument(value.value if is_number else value, twins))
            for twin in twins:
                self.push(twin)
            answer = self.ask(f"call {function.library} {function.name} {' '.join(f'{number:x}' for number in numbers)}")
            result, error = (int(word, 16) for word in answer.split())
            self.last.error = error
            self.pull_after(function.name, twins)
        if function.restype is ctypes.c_void_p:
            return result or None
        return ctypes.c_int32(result).value if function.restype is ctypes.c_int32 else result & 0xFFFFFFFF

    def pull_after(self, name, twins):
        if name in ("ReadFile", "WriteFile"):
            buffer, operation = twins
            self.busy[operation.address] = buffer if name == "ReadFile" else None
            return
        for twin in twins:
            self.pull(twin)
            buffer = self.busy.get(twin.address)
            if name == "GetOverlappedResult" and buffer is not None:
                self.pull(buffer)


class Function:
    def __init__(self, proxy, library, name):
        self.proxy = proxy
        self.library = library
        self.name = name
        self.restype = None
        self.argtypes = ()

    def __call__(self, *arguments):
        if len(arguments) != len(self.argtypes):
            raise TypeError(f"{self.name} takes {len(self.argtypes)} arguments, not {len(arguments)}")
        return self.proxy.call(self, arguments)


class Library:
    def __init__(self, proxy, name):
        self._proxy = proxy
        self._name = name

    def __getattr__(self, name):
        return Function(self._proxy, self._name, name)


# As on Windows, where a long has 32 bits.
WINTYPES = types.SimpleNamespace(
    DWORD=ctypes.c_uint32, ULONG=ctypes.c_uint32, BOOL=ctypes.c_int32, HANDLE=ctypes.c_void_p, LPCWSTR=ctypes.c_wchar_p
)


def patches(proxy):
    """What the package's modules for Windows see while they are imported, and used."""
    return [
        mock.patch.object(sys, "platform", "win32"),
        mock.patch.object(ctypes, "WinDLL", lambda name, use_last_error=False: Library(proxy, name), create=True),
        mock.patch.object(ctypes, "wintypes", WINTYPES, create=True),
        mock.patch.object(ctypes, "get_last_error", lambda: proxy.last.error, create=True),
        mock.patch.object(ctypes, "FormatError", lambda code=0: f"Windows error {code}", create=True),
    ]
