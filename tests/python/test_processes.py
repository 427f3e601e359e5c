"""Threads, fork, signals and finalizers: who may use a client when, with a daemon."""
import gc
import os
import signal
import threading
import time
import unittest

import umem
from umem import methods

from daemon import PATIENCE, Daemon, DaemonTest, main


def until(condition):
    """Waits for what another thread or process does; a hang is ended by the test's own limit."""
    end = time.monotonic() + PATIENCE
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("it did not come")


class Threads(DaemonTest):
    def test_each_gets_its_own_answers(self):
        failures = []
        block = self.daemon.alloc(8 * 4096)

        def work(number):
            try:
                for i in range(300):
                    text = b"%04d%04d" % (number, i)
                    block.write(text * 512, number * 4096)
                    if block.read(number * 4096, 4096) != text * 512:
                        failures.append(number)
                    try:
                        block.read(8 * 4096, number + 1)
                        failures.append(number)
                    except umem.OutOfRange as error:
                        if error.facts["size"] != number + 1:
                            failures.append(number)
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(8)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        block.free()

    def test_many_that_wait_and_some_that_give_up_leave_no_one_behind(self):
        block = self.daemon.alloc(8 * 16)
        results = []

        def wait(number):
            try:
                results.append(block.wait("q", 8 * number, 0, timeout=0.01 if number % 2 else None))
            except umem.Timeout:
                results.append("timeout")

        threads = [threading.Thread(target=wait, args=(number,)) for number in range(16)]
        for thread in threads:
            thread.start()
        until(lambda: results.count("timeout") == 8)
        for number in range(0, 16, 2):
            block.set("q", 8 * number, number + 1)
        for thread in threads:
            thread.join()
        self.assertEqual(sorted(result for result in results if result != "timeout"), [1, 3, 5, 7, 9, 11, 13, 15])
        block.free()

    def test_deadlines_of_some_do_not_stop_the_reading_of_others(self):
        """The thread that reads for all gives up; one of those that wait has to take over, whichever was woken last."""
        client = self.connect(timeout=0.05)
        block = client.alloc(8)
        ends = []

        def wait_long():
            ends.append(block.wait("q", 0, 0))

        def give_up():
            try:
                # Longer than the client's own time: the daemon does not answer before.
                client.send(umem.Request(methods.block_wait(block, 0, 0, type="i64").text, lambda result, payload: result))
            except umem.DeadlineExceeded:
                ends.append("late")

        threads = [threading.Thread(target=target) for target in (give_up, give_up, wait_long, give_up)]
        for thread in threads:
            thread.start()
        until(lambda: ends.count("late") == 3)
        self.connect().open(block.handle).set("q", 0, 5)
        for thread in threads:
            thread.join()
        self.assertEqual(ends.count(5), 1)
        self.assertFalse(client.closed)
        self.assertEqual(block.get("q"), 5)

    def test_close_ends_the_calls_of_others(self):
        client = self.connect()
        block = client.alloc(8, lifetime="session")
        errors = []

        def wait():
            try:
                block.wait("q", 0, 0)
            except umem.NotConnected as error:
                errors.append(error)

        threads = [threading.Thread(target=wait) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: self.daemon.stats()["waits"] == 4)
        client.close()
        for thread in threads:
            thread.join()
        self.assertEqual(len(errors), 4)
        self.assertEqual(len({id(error) for error in errors}), 4)


class Ends(unittest.TestCase):
    def test_the_end_of_the_daemon_is_an_error_that_says_so(self):
        server = Daemon()
        client = umem.connect(server.pipe, timeout=PATIENCE)
        block = client.alloc(8)
        self.assertEqual(server.end(), 0)
        for _ in range(2):
            with self.assertRaises(umem.ConnectionLost) as caught:
                block.read()
            self.assertIsInstance(caught.exception, ConnectionError)
        self.assertTrue(client.closed)
        with self.assertRaises(umem.NotConnected):
            umem.connect(server.pipe)
        client.close()

    def test_a_new_daemon_is_a_new_connection(self):
        server = Daemon()
        client = umem.connect(server.pipe)
        client.close()
        with umem.connect(server.pipe) as again:
            self.assertEqual(again.call("server.ping"), {})
        self.assertEqual(server.end(), 0)


class Fork(DaemonTest):
    def in_child(self, function):
        """What the function returns in a child, as text."""
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                os.write(writer, str(function()).encode())
            except BaseException as error:
                os.write(writer, repr(error).encode())
            finally:
                os._exit(0)
        os.close(writer)
        with open(reader, encoding="utf-8") as text:
            result = text.read()
        os.waitpid(child, 0)
        return result

    def test_the_child_cannot_use_the_parents_connection(self):
        block = self.daemon.alloc(4, data=b"abcd")

        def use():
            try:
                return block.read()
            except umem.NotConnected as error:
                return f"refused: {error}"

        self.assertIn("refused: this connection is that of the process that has forked", self.in_child(use))
        self.assertEqual(block.read(), b"abcd")
        block.free()

    def test_the_child_may_connect_itself(self):
        block = self.daemon.alloc(4, data=b"abcd")

        def use():
            with umem.connect(self.server.pipe) as client:
                return client.open(block.handle).read()

        self.assertEqual(self.in_child(use), "b'abcd'")
        block.free()

    def test_a_child_does_not_keep_the_parents_session_open(self):
        client = self.connect()
        session = client.send(methods.session_info())["session"]
        reader, writer = os.pipe()
        child = os.fork()
        if child == 0:
            os.close(writer)
            os.read(reader, 1)  # stays until the parent has looked
            os._exit(0)
        # Without what close() does to all copies: as at the end of a process.
        client._connection._pipe.abandon()
        until(lambda: session not in [entry["session"] for entry in self.daemon.sessions()])
        os.close(writer)
        os.close(reader)
        os.waitpid(child, 0)

    def test_a_fork_while_another_thread_is_in_a_call(self):
        client = self.connect()
        block = client.alloc(8)
        thread = threading.Thread(target=lambda: block.wait("q", 0, 0))
        thread.start()
        until(lambda: self.daemon.stats()["waits"] == 1)

        def use():
            try:
                return client.call("server.ping")
            except umem.NotConnected:
                return "refused"

        self.assertEqual(self.in_child(use), "refused")
        block.set("q", 0, 1)
        thread.join()

    def test_mapped_memory_is_shared_with_the_child(self):
        with self.daemon.create_heap(kind="shared", maximum_size=1 << 20) as heap:
            view = heap.alloc(4).map()
            self.in_child(lambda: view.__setitem__(0, 7))
            self.assertEqual(view[0], 7)


class Signals(DaemonTest):
    def setUp(self):
        super().setUp()
        self.previous = signal.getsignal(signal.SIGUSR1)

    def tearDown(self):
        signal.signal(signal.SIGUSR1, self.previous)

    def signal_when(self, condition):
        """Sends the signal to this process' main thread when the condition holds."""

        def send():
            until(condition)
            os.kill(os.getpid(), signal.SIGUSR1)

        thread = threading.Thread(target=send)
        thread.start()
        self.addCleanup(thread.join)

    def test_an_interrupted_call_says_that_the_connection_is_gone(self):
        def interrupt(*_):
            raise KeyboardInterrupt

        signal.signal(signal.SIGUSR1, interrupt)
        client = self.connect()
        block = client.alloc(8, lifetime="session")
        self.signal_when(lambda: self.daemon.stats()["waits"] == 1)
        with self.assertRaises(KeyboardInterrupt):
            block.wait("q", 0, 0)
        with self.assertRaises(umem.ConnectionLost) as caught:
            block.read()
        self.assertIn("interrupted", str(caught.exception))
        until(lambda: self.daemon.stats()["waits"] == 0)

    def test_a_handler_that_returns_changes_nothing(self):
        calls = []
        signal.signal(signal.SIGUSR1, lambda *_: [calls.append(1), other.set("q", 0, 3)])
        block = self.daemon.alloc(8)
        other = self.connect().open(block.handle)
        looker = self.connect()
        self.signal_when(lambda: looker.stats()["waits"] == 1)
        self.assertEqual(block.wait("q", 0, 0), 3)
        self.assertEqual(calls, [1])

    def test_a_handler_that_calls_on_the_same_client_is_refused(self):
        errors = []

        def call(*_):
            try:
                self.daemon.call("server.ping")
            except umem.Reentered as error:
                errors.append(error)
            other.set("q", 0, 3)

        signal.signal(signal.SIGUSR1, call)
        block = self.daemon.alloc(8)
        other = self.connect().open(block.handle)
        looker = self.connect()
        self.signal_when(lambda: looker.stats()["waits"] == 1)
        self.assertEqual(block.wait("q", 0, 0), 3)
        self.assertEqual(len(errors), 1)
        self.assertEqual(self.daemon.call("server.ping"), {})

    def test_a_handler_may_close_the_client(self):
        client = self.connect()
        signal.signal(signal.SIGUSR1, lambda *_: client.close())
        block = client.alloc(8, lifetime="session")
        self.signal_when(lambda: self.daemon.stats()["waits"] == 1)
        with self.assertRaises(umem.NotConnected):
            block.wait("q", 0, 0)
        with client._connection._mutex:
            client.close()

    def test_a_finalizer_within_a_call_is_refused_and_harms_nothing(self):
        refused = []

        class Owner:
            def __init__(self, block):
                self.block = block
                self.cycle = self

            def __del__(self):
                try:
                    self.block.free()
                except umem.Reentered:
                    refused.append(self.block)

        Owner(self.daemon.alloc(4))

        def convert(result, payload):
            gc.collect()
            return result

        self.daemon.send(umem.Request(methods.server_ping().text, convert))
        self.assertEqual(len(refused), 1)
        refused[0].free()


if __name__ == "__main__":
    main()
