"""The package's code for Windows pipes, with umemd for Windows: Python of this system runs it, see win32_proxy.py."""
import asyncio
import contextlib
import os
import shlex
import subprocess
import threading
import unittest
import uuid
from unittest import mock

import win32_proxy

EMULATOR = shlex.split(os.environ["EMULATOR"])
proxy = win32_proxy.Proxy([*EMULATOR, os.environ["WIN32_CALLS"]])

# The rest of Python is not to take this for Windows; sys.platform is asked only at import.
with contextlib.ExitStack() as stack:
    for patch in win32_proxy.patches(proxy):
        stack.enter_context(patch)
    import umem
    import umem.aio
    from umem import _endpoint, _pipe_win32, methods
for patch in win32_proxy.patches(proxy)[1:]:
    patch.start()

# It imports the package, too.
from daemon import PATIENCE, main


def setUpModule():
    global server, pipe
    pipe = "\\\\.\\pipe\\umemd-python-" + uuid.uuid4().hex
    unittest.addModuleCleanup(proxy.end)
    server = subprocess.Popen([*EMULATOR, os.environ["UMEMD"], "--pipe", pipe],
                              stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)  # fmt: skip
    for line in server.stderr:
        if "listening on" in line:
            break
    else:
        raise AssertionError(f"the daemon ended with {server.wait()} before it listened")
    log = threading.Thread(target=server.stderr.read)
    log.start()
    unittest.addModuleCleanup(server.stderr.close)
    unittest.addModuleCleanup(log.join)
    unittest.addModuleCleanup(end_server)


def end_server():
    try:
        with umem.connect(pipe) as client:
            client.send(methods.server_shutdown())
        status = server.wait(PATIENCE)
    finally:
        server.kill()
        server.wait()
    if status != 0:
        raise AssertionError(f"the daemon ended with {status}")


class Pipes(unittest.TestCase):
    def connect(self, **options):
        client = umem.connect(pipe, **{"timeout": PATIENCE, **options})
        self.addCleanup(client.close)
        return client

    def test_it_is_the_code_for_windows(self):
        self.assertIs(umem._connection.Pipe, _pipe_win32.Pipe)
        self.assertIs(umem._aio_connection.Pipe, _pipe_win32.Pipe)
        self.assertEqual(self.connect().info()["platform"], "windows")

    def test_bytes_and_numbers(self):
        daemon = self.connect()
        with daemon.alloc(64, name="one") as block:
            block[0:5] = b"hello"
            self.assertEqual(block[0:5], b"hello")
            self.assertEqual(daemon.get("one")[:5], b"hello")
            block.set("q", 8, 41)
            self.assertEqual(block.add("q", 8, 1), 42)
            with self.assertRaises(umem.OutOfRange):
                block.read(60, 10)
            space = bytearray(5)
            block.read_into(space)
            self.assertEqual(space, b"hello")

    def test_large_data_takes_several_operations(self):
        data = bytes(range(256)) * 6000
        with self.connect().alloc(len(data)) as block:
            block.write(data)
            self.assertEqual(block.read(), data)

    def test_a_thread_that_waits_delays_no_other(self):
        daemon = self.connect()
        with daemon.alloc(8) as block:

            def change():
                while daemon.stats()["waits"] == 0:
                    pass
                block.set("q", 0, 7)

            thread = threading.Thread(target=change)
            thread.start()
            self.assertEqual(block.wait("q", 0, 0), 7)
            thread.join()

    def test_deadlines_are_kept(self):
        daemon = self.connect(timeout=0.5)
        with daemon.alloc(8) as block:
            with self.assertRaises(umem.DeadlineExceeded):
                daemon.send(umem.Request(methods.block_wait(block, 0, 0, type="i64").text, lambda result, payload: result))
            self.assertFalse(daemon.closed)
            daemon.timeout = PATIENCE
            self.assertEqual(block.get("q"), 0)
            with block.watch() as watch:
                self.assertIsNone(watch.next(0.01))
                block[0] = 1
                self.assertEqual(watch.next(PATIENCE).kind, "block.changed")

    def test_close_ends_the_calls_of_others(self):
        daemon = self.connect()
        looker = self.connect()
        block = daemon.alloc(8, lifetime="session")
        errors = []

        def wait():
            try:
                block.wait("q", 0, 0)
            except umem.NotConnected as error:
                errors.append(error)

        thread = threading.Thread(target=wait)
        thread.start()
        while looker.stats()["waits"] == 0:
            pass
        daemon.close()
        daemon.close()
        thread.join()
        self.assertEqual(len(errors), 1)
        with self.assertRaises(umem.NotConnected):
            block.read()

    def test_a_session_that_is_closed_says_so(self):
        daemon = self.connect()
        other = self.connect()
        other.send(methods.session_close(daemon.send(methods.session_info())["session"]))
        with self.assertRaises(umem.ConnectionLost):
            for _ in range(1000):
                daemon.call("server.ping")

    def test_a_client_that_is_to_connects_anew(self):
        daemon = self.connect(reconnect=PATIENCE)
        other = self.connect()
        first = daemon.send(methods.session_info())["session"]
        other.send(methods.session_close(first))
        for _ in range(1000):
            try:
                session = daemon.send(methods.session_info())["session"]
            except umem.ConnectionLost as error:
                # The daemon had the request already.
                self.assertTrue(error.sent)
                continue
            if session != first:
                break
        self.assertNotEqual(daemon.send(methods.session_info())["session"], first)

    def test_where_no_daemon_is(self):
        for name in ("umemd-none-" + uuid.uuid4().hex, "\\\\.\\pipe\\umemd-none-" + uuid.uuid4().hex):
            with self.assertRaisesRegex(umem.NotConnected, "no daemon listens there"):
                umem.connect(name)
        for name in ("a\\b", "\\\\.\\pipe\\a\\b", "\\\\.\\pipe\\", "x" * 300, "a\0b"):
            with self.assertRaises(ValueError):
                umem.connect(name)

    def test_the_pipe_is_found_as_the_protocol_says(self):
        with mock.patch.dict(os.environ, {"UMEM_PIPE": "from-environment"}):
            self.assertEqual(_endpoint.find(None), "\\\\.\\pipe\\from-environment")
            self.assertEqual(_endpoint.find("//./pipe/named"), "\\\\.\\pipe\\named")
            del os.environ["UMEM_PIPE"]
            self.assertEqual(_endpoint.find(None), "\\\\.\\pipe\\umemd-" + _pipe_win32.user_name())
        self.assertRegex(_pipe_win32.user_name(), r"^\w+$")


class Trust(unittest.TestCase):
    def setUp(self):
        self.handle = _pipe_win32.connect(pipe, float("inf"))
        self.addCleanup(_pipe_win32._CloseHandle, self.handle)
        self.user = _pipe_win32._user_of(_pipe_win32._GetCurrentProcess())

    def test_the_pipes_owner_and_its_process_are_both_known(self):
        self.assertIsNotNone(self.user)
        self.assertTrue(_pipe_win32._is_owner_trusted(self.handle, self.user))
        self.assertTrue(_pipe_win32._is_server_trusted(self.handle, self.user))

    def test_another_user_is_not_trusted(self):
        with mock.patch.object(_pipe_win32, "_EqualSid", lambda one, other: 0):
            self.assertFalse(_pipe_win32._is_owner_trusted(self.handle, self.user))
            self.assertFalse(_pipe_win32._is_server_trusted(self.handle, self.user))
            with self.assertRaises(umem.NotTrusted):
                umem.connect(pipe)

    def test_a_user_who_is_named_is_trusted(self):
        system = _pipe_win32.find_user("S-1-5-18")
        self.assertTrue(_pipe_win32._IsWellKnownSid(system, _pipe_win32.LOCAL_SYSTEM))
        name = _pipe_win32.user_name()
        self.assertTrue(_pipe_win32._EqualSid(_pipe_win32.find_user(name), self.user[0]))
        umem.connect(pipe, server_user="S-1-5-18").close()
        for wrong in ("no such user at all", "S-1-", "a\0b"):
            with self.assertRaises(ValueError):
                umem.connect(pipe, server_user=wrong)
        # As if it were not this user's own daemon.
        equal = _pipe_win32._EqualSid
        for server, trusted in ((_pipe_win32.find_user(name), True), (_pipe_win32.find_user("S-1-5-19"), False)):
            with mock.patch.object(_pipe_win32, "_EqualSid", lambda one, other: other is server and equal(one, other)):
                self.assertFalse(_pipe_win32._is_owner_trusted(self.handle, self.user))
                self.assertEqual(_pipe_win32._is_owner_trusted(self.handle, self.user, server), trusted)

    def test_it_lets_the_server_see_who_it_is_and_no_more(self):
        flags = []
        create = _pipe_win32._CreateFile
        with mock.patch.object(_pipe_win32, "_CreateFile", lambda *arguments: [flags.append(arguments[5]), create(*arguments)][1]):
            umem.connect(pipe).close()
        self.assertEqual(flags, [0x40000000 | 0x00100000 | 0x00010000])


class SharedMemory(unittest.TestCase):
    def test_a_section_that_is_there_is_held_open(self):
        with umem.connect(pipe) as daemon, daemon.create_heap(kind="shared", maximum_size=1 << 20) as heap:
            place = daemon.send(methods.block_map(heap.alloc(8)))
            self.assertNotIn("path", place)
            with _pipe_win32.Section(place["name"]):
                pass
            with self.assertRaises(umem.Unsupported):
                _pipe_win32.Section(place["name"] + "-not")


class Asyncio(unittest.IsolatedAsyncioTestCase):
    async def test_it_reads_and_writes_in_threads(self):
        async with umem.aio.connect(pipe, timeout=PATIENCE) as daemon, await daemon.alloc(1 << 20) as block:
            data = bytes(range(256)) * 4096
            await block.write(data)
            self.assertEqual(await block.read(), data)
            waiting = asyncio.ensure_future(block.wait("q", 0, 0x0706050403020100))
            await block.set("q", 0, 1)
            self.assertEqual(await waiting, 1)


if __name__ == "__main__":
    main()
