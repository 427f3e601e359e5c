"""Heaps, locks, mapped blocks, waiting and watches, with a daemon and several sessions."""
import gc
import os
import subprocess
import sys
import tempfile
import threading
import unittest
from unittest import mock

import umem

from daemon import PATIENCE, DaemonTest, main

try:
    import numpy
except ImportError:
    numpy = None


class Heaps(DaemonTest):
    def test_a_heap_is_a_quota(self):
        with self.daemon.create_heap(name="small", maximum_size=1024) as heap:
            with self.assertRaises(umem.NoMemory) as caught:
                heap.alloc(2000)
            self.assertIsInstance(caught.exception, MemoryError)
            block = heap.alloc(1000, name="fits")
            self.assertEqual(heap.info()["bytes"], 1000)
            self.assertEqual(self.daemon.open_heap("small").handle, heap.handle)
            heap.validate()
            self.assertGreaterEqual(heap.compact(), 0)
        with self.assertRaises(umem.StaleHandle):
            block.read()
        with self.assertRaises(umem.UnknownHandle):
            self.daemon.open_heap("small")

    def test_the_process_heap_is_the_default(self):
        heap = self.daemon.open_heap("process")
        with self.daemon.alloc(1) as block:
            self.assertEqual(block.info()["heap"], heap.handle)
        with self.assertRaises(umem.Denied):
            heap.destroy()

    def test_a_heap_is_destroyed_once(self):
        with self.daemon.create_heap() as heap:
            heap.destroy()
        self.assertTrue(heap.is_destroyed)


class Locks(DaemonTest):
    def test_others_are_refused_meanwhile(self):
        with self.daemon.create_heap() as heap, heap.alloc(4) as block:
            other = self.connect()
            theirs = other.open(block.handle)
            with heap.lock():
                block[0] = 1
                with self.assertRaises(umem.Locked):
                    theirs.read()
                with self.assertRaises(umem.Locked):
                    other.open_heap(heap.handle).lock(timeout=0).acquire()
                with self.assertRaises(umem.Timeout) as caught:
                    other.open_heap(heap.handle).lock(timeout=0.001).acquire()
                self.assertIsInstance(caught.exception, TimeoutError)
            self.assertEqual(theirs[0], 1)
            with self.assertRaises(umem.Denied):
                heap.unlock()

    def test_the_lock_is_released_when_the_body_fails(self):
        with self.daemon.create_heap() as heap:
            with self.assertRaises(ZeroDivisionError):
                with heap.lock():
                    raise ZeroDivisionError
            with self.connect().open_heap(heap.handle).lock(timeout=0):
                pass

    def test_a_lock_is_waited_for(self):
        with self.daemon.create_heap() as heap:
            theirs = self.connect().open_heap(heap.handle)
            order = []
            lock = heap.lock()
            lock.acquire()

            def get_it():
                with theirs.lock(timeout=PATIENCE):
                    order.append("theirs")

            thread = threading.Thread(target=get_it)
            thread.start()
            while not self.is_queued(theirs):
                pass
            order.append("mine")
            lock.release()
            thread.join()
            self.assertEqual(order, ["mine", "theirs"])

    def is_queued(self, heap):
        return self.daemon.stats()["waits"] == 1


class Waiting(DaemonTest):
    def test_a_change_by_another_session_ends_it(self):
        with self.daemon.alloc(8) as block:
            theirs = self.connect().open(block.handle)
            thread = threading.Thread(target=lambda: [self.until_waiting(theirs.client), theirs.set("q", 0, 7)])
            thread.start()
            self.assertEqual(block.wait("q", 0, 0), 7)
            thread.join()
            self.assertEqual(block.wait("q", 0, 0), 7)

    def until_waiting(self, client):
        while client.stats()["waits"] == 0:
            pass

    def test_its_time_may_be_over(self):
        with self.daemon.alloc(8) as block:
            for timeout in (0, 0.001):
                with self.assertRaises(umem.Timeout):
                    block.wait("q", 0, 0, timeout)

    def test_the_end_of_the_block_ends_it(self):
        block = self.daemon.alloc(8)
        other = self.connect()
        thread = threading.Thread(target=lambda: [self.until_waiting(other), other.open(block.handle).free()])
        thread.start()
        with self.assertRaises(umem.StaleHandle):
            block.wait("q", 0, 0)
        thread.join()

    def test_other_threads_of_the_client_go_on(self):
        with self.daemon.alloc(8) as block:
            thread = threading.Thread(target=lambda: [self.until_waiting(self.daemon), block.set("q", 0, 7)])
            thread.start()
            self.assertEqual(block.wait("q", 0, 0), 7)
            thread.join()


class Watches(DaemonTest):
    def test_changes_come_as_events(self):
        block = self.daemon.alloc(8)
        other = self.connect()
        with block.watch(0, 4) as watch:
            theirs = other.open(block.handle)
            theirs.write(b"ab", 1)
            self.assertEqual(watch.next(PATIENCE), umem.Event("block.changed", block.handle, None, 1, 2))
            theirs.write(b"ab", 6)
            self.assertIsNone(watch.next(0))
            theirs.free()
            self.assertEqual(watch.next(PATIENCE), umem.Event("block.freed", block.handle))

    def test_a_loop_ends_when_the_watch_is_closed(self):
        with self.daemon.create_heap() as heap:
            block = heap.alloc(4)
            kinds = []
            with heap.watch() as watch:
                block[0] = 1
                block.free()
                for event in watch:
                    kinds.append(event.kind)
                    if event.kind == "block.freed":
                        watch.close()
            self.assertEqual(kinds, ["block.changed", "block.freed"])
            self.assertIsNone(watch.next())
            watch.close()

    def test_the_end_of_a_heap_is_an_event(self):
        heap = self.daemon.create_heap()
        with heap.watch() as watch:
            heap.destroy()
            self.assertEqual(watch.next(PATIENCE), umem.Event("heap.destroyed", None, heap.handle))

    def test_a_program_that_takes_no_events_gets_an_overflow(self):
        with self.daemon.alloc(4) as block, block.watch() as watch:
            with self.daemon.pipeline() as calls:
                for _ in range(3000):
                    calls.write(block, b"x")
            for _ in range(2000):
                block.write(b"y")
            kinds = {watch.next(PATIENCE).kind for _ in range(2)}
            while True:
                event = watch.next(0)
                if event is None:
                    break
                kinds.add(event.kind)
            self.assertIn("watch.overflow", kinds)

    def test_another_thread_may_wait_for_events(self):
        with self.daemon.alloc(4) as block, block.watch() as watch:
            seen = []
            thread = threading.Thread(target=lambda: seen.extend(watch))
            thread.start()
            block[0] = 1
            block[1] = 1
            while len(seen) < 2:
                self.daemon.call("server.ping")
            watch.close()
            thread.join()
            self.assertEqual([event.offset for event in seen], [0, 1])

    def test_the_end_of_the_connection_ends_the_loop_with_an_error(self):
        client = self.connect()
        with self.daemon.alloc(4) as block:
            watch = client.watch(block=block)
            errors = []

            def loop():
                try:
                    list(watch)
                except umem.UmemError as error:
                    errors.append(type(error))

            thread = threading.Thread(target=loop)
            thread.start()
            client.close()
            thread.join()
            self.assertEqual(errors, [umem.NotConnected])


class Mapping(DaemonTest):
    def setUp(self):
        super().setUp()
        self.heap = self.daemon.create_heap(kind="shared", maximum_size=1 << 22)
        self.addCleanup(lambda: self.heap.destroy() if not self.daemon.closed else None)

    def test_both_see_the_same_bytes(self):
        for size in (1, 100, 4096, 65536, 1 << 20):
            with self.subTest(size=size), self.heap.alloc(16) as before, self.heap.alloc(size) as block:
                view = block.map()
                self.assertEqual((len(view), view.readonly, view.format), (size, False, "B"))
                view[0:1] = b"a"
                view[size - 1 : size] = b"z"
                self.assertEqual((block[0] in b"az", block[size - 1]), (True, ord("z")))
                block[0] = 7
                self.assertEqual(view[0], 7)
                self.assertEqual(before[:], bytes(16))

    def test_only_its_own_pages_are_mapped(self):
        first = self.heap.alloc(1 << 20)
        with self.heap.alloc(10) as block:
            view = block.map()
            path = block.client.send(umem.methods.block_map(block))["path"]
            with open("/proc/self/maps", encoding="utf-8") as maps:
                spans = [line.split()[0].split("-") for line in maps if path in line]
            self.assertEqual([int(end, 16) - int(start, 16) for start, end in spans], [os.sysconf("SC_PAGE_SIZE")])
            view.release()
        first.free()

    def test_the_view_is_one_until_it_is_released(self):
        with self.heap.alloc(8) as block:
            view = block.map()
            self.assertIs(block.map(), view)
            with view:
                view[0] = 1
            with self.assertRaises(ValueError):
                view[0]
            self.assertEqual(block.map()[0], 1)

    def test_a_block_is_not_freed_under_a_view_that_is_in_use(self):
        block = self.heap.alloc(64)
        part = block.map()[8:16]
        for change in (block.free, lambda: block.resize(128)):
            with self.assertRaises(umem.StillMapped) as caught:
                change()
            self.assertIsInstance(caught.exception, BufferError)
        part[0] = 5
        self.assertEqual(block[8], 5)
        part.release()
        view = block.map()
        block.free()
        with self.assertRaises(ValueError):
            view[0]

    def test_it_is_mapped_anew_where_it_has_moved(self):
        block = self.heap.alloc(64, data=b"abc")
        wall = self.heap.alloc(64)
        old = block.map()
        other = self.connect()
        theirs = other.open(block.handle)
        theirs.resize(1 << 16)
        view = block.map()
        self.assertEqual((len(view), len(block), bytes(view[:3])), (1 << 16, 1 << 16, b"abc"))
        self.assertEqual(len(old), 64)
        wall.free()
        block.free()

    def test_other_heaps_cannot_be_mapped(self):
        with self.daemon.alloc(4) as block, self.assertRaises(umem.Unsupported):
            block.map()

    def test_an_empty_block_has_an_empty_view(self):
        with self.heap.alloc(0) as block:
            self.assertEqual(len(block.map()), 0)

    def test_a_view_outlives_its_client_and_its_block(self):
        client = self.connect()
        block = client.open(self.heap.alloc(8, data=b"abcdefgh").handle)
        view = block.map()
        client.close()
        del block, client
        gc.collect()
        self.assertEqual(bytes(view), b"abcdefgh")

    def test_those_who_wait_are_woken(self):
        with self.heap.alloc(8) as block:
            view = block.map()
            other = self.connect()

            def write():
                while other.stats()["waits"] == 0:
                    pass
                view[0] = 9
                other.send(umem.methods.block_wake(block))

            thread = threading.Thread(target=write)
            thread.start()
            self.assertEqual(block.wait("q", 0, 0), 9)
            thread.join()

    @unittest.skipIf(numpy is None, "NumPy is not here")
    def test_numpy_works_on_the_memory_itself(self):
        with self.heap.alloc(80) as block:
            numbers = numpy.frombuffer(block.map(), dtype="<i8")
            numbers[:] = range(10)
            self.assertEqual(block.get_array("q", 0, 10), list(range(10)))
            block.set("q", 72, 100)
            self.assertEqual(numbers.sum(), 136)
            with self.assertRaises(umem.StillMapped):
                block.free()
            del numbers

    def test_what_is_not_as_the_daemon_says_is_not_mapped(self):
        with tempfile.NamedTemporaryFile() as file:
            file.truncate(4096)
            place = {"name": "/cut", "path": file.name, "offset": 4000, "size": 100}
            with self.assertRaises(umem.Corrupted):
                umem._mapping.MappedBlock(place)
            place["offset"] = 0
            umem._mapping.MappedBlock(place).close()
            with mock.patch.object(os, "geteuid", return_value=os.geteuid() + 1), mock.patch.object(
                os, "fstat", return_value=mock.Mock(st_uid=os.geteuid() + 2, st_size=4096)
            ), self.assertRaises(umem.Unsupported):
                umem._mapping.MappedBlock(place)
        with self.assertRaises(umem.Unsupported):
            umem._mapping.MappedBlock(place)

    def test_an_object_that_was_cut_ends_no_program(self):
        with self.daemon.create_heap(kind="shared", maximum_size=1 << 20) as heap:
            heap.alloc(1 << 18)
            block = heap.alloc(1 << 16)
            path = self.daemon.send(umem.methods.block_map(block))["path"]
            os.truncate(path, 4096)
            with self.assertRaises(umem.Corrupted):
                block.map()


class AtTheEnd(DaemonTest):
    def run_program(self, text, *arguments):
        command = [sys.executable, "-X", "dev", "-W", "error::ResourceWarning", "-B", "-c", text, self.server.pipe, *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=PATIENCE, check=False)

    def test_nothing_is_printed_when_a_program_ends_with_all_of_it_open(self):
        program = """
import sys, umem
daemon = umem.connect(sys.argv[1])
heap = daemon.create_heap(kind="shared", maximum_size=1 << 20, lifetime="session")
block = heap.alloc(64)
view = block.map()
part = view[3:7]
watch = block.watch()
cycle = [block, watch, view]
cycle.append(cycle)
print("done")
"""
        done = self.run_program(program)
        self.assertEqual((done.returncode, done.stdout), (0, "done\n"))
        self.assertNotIn("Traceback", done.stderr)
        self.assertNotIn("Exception ignored in: <function", done.stderr)

    def test_objects_end_quietly_after_their_connection(self):
        client = self.connect()
        heap = client.create_heap(kind="shared", maximum_size=1 << 20)
        block = heap.alloc(4)
        view = block.map()
        watch = block.watch()
        client.close()
        client.close()
        for use in (block.read, heap.info, lambda: watch.next(), block.free, lambda: client.alloc(1)):
            with self.assertRaises(umem.NotConnected):
                use()
        watch.close()
        del block, watch, heap, client
        gc.collect()
        view.release()


if __name__ == "__main__":
    main()
