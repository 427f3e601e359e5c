"""Blocks, numbers, names, errors and lists, with a daemon."""
import math
import pickle
import struct
import unittest

import umem
from umem import methods

from daemon import PATIENCE, Daemon, DaemonTest, main


class Bytes(DaemonTest):
    def test_a_slice_is_read_and_written(self):
        with self.daemon.alloc(8) as block:
            block[0:5] = b"hello"
            self.assertEqual(block[0:5], b"hello")
            self.assertEqual(block[:], b"hello\0\0\0")
            self.assertEqual(block[-3:], b"\0\0\0")
            self.assertEqual(block[3:100], b"lo\0\0\0")
            self.assertEqual(block[5:2], b"")
            self.assertEqual(bytes(block), b"hello\0\0\0")
            self.assertEqual(list(block), list(b"hello\0\0\0"))
            self.assertEqual(len(block), 8)

    def test_an_index_is_a_byte(self):
        with self.daemon.alloc(4) as block:
            block[1] = 255
            block[-1] = 7
            self.assertEqual([block[1], block[3], block[-1]], [255, 7, 7])
            for index in (4, -5):
                with self.assertRaises(IndexError):
                    block[index]
            with self.assertRaises(ValueError):
                block[0] = 256
            with self.assertRaises(TypeError):
                block["0"]
            with self.assertRaises(ValueError):
                block[0:4:2]
            self.assertEqual(block[:], b"\0\xff\0\7")

    def test_an_assignment_does_not_change_the_size(self):
        with self.daemon.alloc(4, data=b"abcd") as block:
            for data in (b"", b"x", b"12345"):
                with self.assertRaises(ValueError):
                    block[0:4] = data
            self.assertEqual(block[:], b"abcd")

    def test_buffers_of_all_kinds_are_written(self):
        import array

        with self.daemon.alloc(8) as block:
            block.write(array.array("H", [1, 2, 3, 4]))
            self.assertEqual(block.unpack("4H"), (1, 2, 3, 4))
            block.write(memoryview(b"abcdefgh"))
            block.write(bytearray(b"AB"), 2)
            self.assertEqual(block[:], b"abABefgh")
            with self.assertRaises(ValueError):
                block.write(memoryview(b"abcdefgh")[::2])
            with self.assertRaises(TypeError):
                block.write("text")

    def test_read_into_fills_a_buffer(self):
        with self.daemon.alloc(6, data=b"abcdef") as block:
            space = bytearray(4)
            self.assertEqual(block.read_into(space, 1), 4)
            self.assertEqual(space, b"bcde")
            with self.assertRaises(TypeError):
                block.read_into(b"1234")
            with self.assertRaises(umem.OutOfRange):
                block.read_into(bytearray(7))
            self.assertEqual(block.read_into(bytearray()), 0)

    def test_large_data_goes_in_pieces(self):
        data = bytes(range(256)) * 40000
        with self.daemon.alloc(len(data)) as block:
            self.assertEqual(block.write(data), len(data))
            self.assertEqual(block.read(), data)
            space = bytearray(len(data))
            block.read_into(space)
            self.assertEqual(space, data)
            for offset in (1, -1, len(data)):
                with self.assertRaises((umem.OutOfRange, umem.InvalidParams)):
                    block.write(bytes(len(data)), offset)
            self.assertEqual(block.read(), data)

    def test_an_empty_block_is_a_block(self):
        with self.daemon.alloc(0) as block:
            self.assertEqual(block.read(), b"")
            self.assertEqual(block[:], b"")
            self.assertEqual(block.write(b""), 0)
            self.assertTrue(block)
            block[:] = b""

    def test_fill_copy_compare_and_find(self):
        with self.daemon.alloc(8, data=b"abcabc") as one, self.daemon.alloc(8) as other:
            one.copy_to(other)
            self.assertIsNone(one.compare(other))
            other.fill(0x2A, 2, 2)
            self.assertEqual(other[:], b"ab**bc\0\0")
            self.assertEqual(one.compare(other), 2)
            self.assertEqual(one.find(b"ca"), 2)
            self.assertEqual(one.find(b"abc", 1), 3)
            self.assertIsNone(one.find(b"x"))
            one.copy_to(one, 3, offset=0, target_offset=1)
            self.assertEqual(one[:6], b"aabcbc")

    def test_resize_keeps_what_is_there(self):
        with self.daemon.alloc(4, data=b"abcd") as block:
            block.resize(6)
            self.assertEqual((len(block), block[:]), (6, b"abcd\0\0"))
            block.resize(2)
            self.assertEqual(block[:], b"ab")


class Numbers(DaemonTest):
    def test_each_type_keeps_its_extremes(self):
        whole = {"i8": (-128, 127), "u8": (0, 255), "i16": (-(2**15), 2**15 - 1), "u16": (0, 2**16 - 1),
                 "i32": (-(2**31), 2**31 - 1), "u32": (0, 2**32 - 1), "i64": (-(2**63), 2**63 - 1), "u64": (0, 2**64 - 1)}
        with self.daemon.alloc(64) as block:
            for name, values in whole.items():
                block.set(name, 3, values)
                size = int(name[1:]) // 8
                self.assertEqual((block.get(name, 3), block.get(name, 3 + size)), values)
                self.assertEqual(block.get_array(name, 3, 2), list(values))
                code = {1: "b", 2: "h", 4: "i", 8: "q"}[size]
                code = code.upper() if name[0] == "u" else code
                self.assertEqual((block.get(code, 3), block.unpack("<2" + code, 3)), (values[0], values))
            for value in (1.5, -0.0, 1e300, math.inf, -math.inf):
                block.set("f64", 0, value)
                self.assertEqual((block.get("d"), block.unpack("<d")), (value, (value,)))
                self.assertIs(type(block.get("f64")), float)
            block.set("f64", 0, math.nan)
            self.assertTrue(math.isnan(block.get("f64")))
            block.set("f32", 0, 0.1)
            self.assertEqual(block.unpack("<f"), struct.unpack("<f", struct.pack("<f", 0.1)))

    def test_what_no_number_is_changes_nothing(self):
        with self.daemon.alloc(8) as block:
            for name, value, kind in (("u8", 256, umem.InvalidParams), ("i8", -129, umem.InvalidParams), ("u64", -1, umem.InvalidParams),
                                      ("u8", 1.5, umem.InvalidParams), ("u8", math.nan, umem.InvalidParams), ("u65", 1, ValueError),
                                      ("l", 1, ValueError), ("u8", "one", ValueError), ("u8", None, TypeError)):
                with self.subTest(name=name, value=value), self.assertRaises(kind):
                    block.set(name, 0, value)
            self.assertEqual(block[:], bytes(8))

    def test_pack_and_unpack_are_structs(self):
        with self.daemon.alloc(16) as block:
            block.pack("<IHd", 1, 7, 8, 2.5)
            self.assertEqual(block.unpack("<IHd", 1), (7, 8, 2.5))
            with self.assertRaises(umem.OutOfRange):
                block.pack("<IHd", 3, 7, 8, 2.5)
            with self.assertRaises(struct.error):
                block.pack("<I", 0, -1)

    def test_add_and_exchange(self):
        with self.daemon.alloc(8) as block:
            self.assertEqual(block.add("i64", 0, 41), 41)
            self.assertEqual(block.add("q", 0, 1), 42)
            self.assertEqual(block.exchange("q", 0, 7), 42)
            self.assertEqual(block.compare_exchange("q", 0, 8, 9), (False, 7))
            self.assertEqual(block.compare_exchange("q", 0, 7, 9), (True, 7))
            self.assertEqual(block.get("q"), 9)
            block.set("u64", 0, 2**64 - 1)
            self.assertEqual(block.add("u64", 0, 1), 0)


class Names(DaemonTest):
    def test_a_block_is_found_by_its_name(self):
        block = self.daemon.alloc(4, name="shared", data=b"abcd")
        other = self.connect().open("shared")
        self.assertEqual((other.handle, other.name, other.size), (block.handle, "shared", 4))
        self.assertEqual(other[:], b"abcd")
        self.assertEqual(self.daemon.get("shared"), b"abcd")
        with self.assertRaises(umem.NameTaken):
            self.daemon.alloc(1, name="shared")
        block.rename("another")
        self.assertEqual(self.daemon.get("another"), b"abcd")
        with self.assertRaises(umem.UnknownHandle):
            self.daemon.open("shared")
        block.rename(None)
        self.assertIsNone(block.info()["name"])
        self.assertEqual(self.daemon.open(block.handle).handle, block.handle)
        block.free()

    def test_names_may_be_digits_and_anything_else(self):
        for name in ("7", ":", "0", 'quote " and \\', "é\U0001f600", "a b"):
            if name == ":":
                with self.assertRaises(umem.InvalidParams):
                    self.daemon.alloc(1, name=name)
                continue
            with self.subTest(name=name), self.daemon.alloc(1, name=name, data=b"x"):
                self.assertEqual(self.daemon.get(name), b"x")
                self.assertEqual(self.daemon.open(name).name, name)

    def test_names_that_cannot_be_break_nothing(self):
        for name in ("", "x" * 256, "\0", "a\nb"):
            with self.subTest(name=name), self.assertRaises(umem.InvalidParams):
                self.daemon.alloc(1, name=name)
        with self.assertRaises(ValueError):
            self.daemon.alloc(1, name="\ud800")
        self.assertEqual(self.daemon.alloc(1).read(), b"\0")


class Publishing(DaemonTest):
    def test_what_is_put_is_got(self):
        for size in (0, 1, 65536, 65537, 1 << 20, (1 << 20) + 1, 9 << 20):
            with self.subTest(size=size):
                data = bytes(range(251)) * (size // 251 + 1)
                data = data[:size]
                block = self.daemon.put("config", data)
                self.assertEqual((block.name, block.size), ("config", size))
                self.assertEqual(self.daemon.get("config"), data)
                self.assertEqual(block.info()["lifetime"], "server")
        self.assertEqual(self.daemon.stats()["blocks"], 1)
        block.free()
        with self.assertRaises(umem.UnknownHandle):
            self.daemon.get("config")

    def test_what_was_there_is_freed_in_the_same_step(self):
        old = self.daemon.put("config", b"old")
        with old.watch() as watch:
            with self.daemon.put("config", b"new"):
                self.assertEqual(watch.next(PATIENCE).kind, "block.freed")
                with self.assertRaises(umem.StaleHandle):
                    old.read()

    def test_what_fails_leaves_the_old_one(self):
        with self.daemon.create_heap(maximum_size=10 << 20) as heap, self.daemon.put("config", b"old", heap=heap):
            for size in (11 << 20, (10 << 20) - 1):
                with self.assertRaises(umem.NoMemory):
                    self.daemon.put("config", bytes(size), heap=heap)
                self.assertEqual(self.daemon.get("config"), b"old")
                self.assertEqual(heap.info()["blocks"], 1)
            other = self.connect()
            with other.open_heap(heap.handle).lock():
                for data in (b"new", bytes(5 << 20)):
                    with self.assertRaises(umem.Locked):
                        self.daemon.put("config", data)
            self.assertEqual(self.daemon.get("config"), b"old")
            self.assertEqual(self.daemon.stats()["blocks"], 1)

    def test_a_large_one_is_got_whole_though_it_is_replaced(self):
        import threading

        values = [bytes([value]) * (3 << 20) for value in (1, 2)]
        self.daemon.put("large", values[0])
        other = self.connect()
        done = []

        def replace():
            for i in range(20):
                other.put("large", values[i % 2])
            done.append(True)

        thread = threading.Thread(target=replace)
        thread.start()
        while not done:
            self.assertIn(self.daemon.get("large"), values)
        thread.join()
        self.daemon.open("large").free()

    def test_a_block_or_heap_is_opened_or_made(self):
        with self.daemon.alloc(8, name="one", if_exists="open") as block:
            self.assertTrue(block.created)
            again = self.connect().alloc(4, name="one", if_exists="open")
            self.assertEqual((again.created, again.handle, again.size), (False, block.handle, 8))
            with self.assertRaises(umem.NameTaken) as caught:
                self.daemon.alloc(9, name="one", if_exists="open")
            self.assertEqual(caught.exception.facts["param"], "size")
            with self.assertRaises(umem.InvalidParams):
                self.daemon.alloc(9, if_exists="open")
        with self.daemon.create_heap(name="one", if_exists="open") as heap:
            self.assertTrue(heap.created)
            again = self.daemon.create_heap(name="one", if_exists="open")
            self.assertEqual((again.created, again.handle), (False, heap.handle))
            with self.assertRaises(umem.NameTaken):
                self.daemon.create_heap(name="one")

    def test_a_block_that_was_filled_takes_a_name(self):
        old = self.daemon.put("table", b"old")
        with self.daemon.alloc(4, data=b"new!") as block:
            with self.assertRaises(umem.NameTaken):
                block.rename("table")
            block.rename("table", replace=True)
            self.assertEqual(self.daemon.get("table"), b"new!")
            with self.assertRaises(umem.StaleHandle):
                old.info()


class Errors(DaemonTest):
    def test_each_has_its_name_code_and_facts(self):
        block = self.daemon.alloc(8)
        with self.assertRaises(umem.OutOfRange) as caught:
            block.read(6, 4)
        error = caught.exception
        self.assertIsInstance(error, IndexError)
        self.assertEqual((error.name, error.code), ("out_of_range", -32003))
        self.assertEqual(error.facts, {"block": block.handle, "offset": 6, "size": 4, "block_size": 8})
        self.assertIn("offset 6", str(error))
        block.free()
        with self.assertRaises(umem.StaleHandle) as caught:
            block.read()
        self.assertEqual(caught.exception.facts["block" if "block" in caught.exception.facts else "handle"], block.handle)
        with self.assertRaises(umem.StaleHandle):
            block.free()
        with self.assertRaises(umem.MethodNotFound):
            self.daemon.call("no.method")
        with self.assertRaises(umem.InvalidParams) as caught:
            self.daemon.call("block.alloc", {"size": "large"})
        self.assertEqual(caught.exception.facts["param"], "size")

    def test_they_can_be_pickled(self):
        with self.assertRaises(umem.RequestError) as caught:
            self.daemon.open("nobody")
        copy = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((type(copy), str(copy), copy.facts), (umem.UnknownHandle, str(caught.exception), caught.exception.facts))
        for kind in (umem.NotConnected, umem.NotTrusted, umem.ConnectionLost, umem.DeadlineExceeded, umem.StillMapped):
            self.assertEqual(str(pickle.loads(pickle.dumps(kind("why")))), "why")

    def test_what_cannot_be_sent_leaves_the_client_as_it_is(self):
        for params in ({"x": object()}, {"x": math.nan}, {"x": "\ud800"}):
            with self.subTest(params=params), self.assertRaises((TypeError, ValueError)):
                self.daemon.call("server.ping", params)
        with self.assertRaises((umem.InvalidRequest, umem.ParseError, umem.TooLarge)):
            deep = []
            for _ in range(100):
                deep = [deep]
            self.daemon.call("server.ping", deep)
        self.assertEqual(self.daemon.call("server.ping"), {})

    def test_sizes_beyond_all_are_refused(self):
        for size in (-1, 2**53, 2**70):
            with self.subTest(size=size), self.assertRaises(umem.InvalidParams):
                self.daemon.alloc(size)
        with self.assertRaises((umem.NoMemory, umem.LimitExceeded)):
            self.daemon.alloc(2**50)
        with self.daemon.alloc(4) as block:
            with self.assertRaises(umem.InvalidParams):
                block.read(-1, 2)


class WithStatement(DaemonTest):
    def test_the_block_is_freed_at_the_end(self):
        with self.daemon.alloc(4) as block:
            pass
        with self.assertRaises(umem.StaleHandle):
            self.daemon.open(block.handle)

    def test_a_block_that_was_freed_is_not_freed_again(self):
        with self.daemon.alloc(4) as block:
            block.free()
        self.assertTrue(block.is_freed)

    def test_an_error_of_the_body_is_not_hidden(self):
        other = self.connect()
        with self.assertRaises(ZeroDivisionError):
            with self.daemon.alloc(4) as block:
                other.open(block.handle).free()
                raise ZeroDivisionError
        with self.assertRaises(umem.StaleHandle):
            with self.daemon.alloc(4) as block:
                other.open(block.handle).free()

    def test_without_with_a_block_outlives_its_session(self):
        with self.connect() as client:
            handle = client.alloc(1, name="stays").handle
            client.alloc(1, name="goes", lifetime="session")
        self.assertEqual(self.daemon.open("stays").handle, handle)
        with self.assertRaises(LookupError):
            self.daemon.open("goes")
        self.daemon.open(handle).free()


class Lists(DaemonTest):
    def test_blocks_come_in_pages(self):
        with self.daemon.create_heap(name="many") as heap:
            with self.daemon.pipeline() as calls:
                for _ in range(2500):
                    calls.send(methods.block_alloc(size=1, heap=heap))
            self.assertEqual(len(list(heap.blocks())), 2500)
            self.assertEqual(heap.info()["blocks"], 2500)
            self.assertIn("many", [entry["name"] for entry in self.daemon.heaps()])

    def test_sessions_and_the_daemon_are_described(self):
        sessions = list(self.daemon.sessions())
        mine = self.daemon.send(methods.session_info())
        self.assertIn(mine["session"], [entry["session"] for entry in sessions])
        self.assertEqual(self.daemon.info()["protocol"], 1)
        self.assertGreaterEqual(self.daemon.stats()["sessions"], 1)


class EveryMethod(DaemonTest):
    def test_every_method_can_be_sent(self):
        """Each function of umem.methods makes a request that the daemon takes: it is answered, and not as a wrong one."""
        heap = self.daemon.create_heap(kind="shared", maximum_size=1 << 20)
        block, other = heap.alloc(64), heap.alloc(64)
        watch = self.daemon.send(methods.session_watch(block=block))["watch"]
        peer = self.connect()
        session = peer.send(methods.session_info())["session"]
        arguments = {
            "$/cancelRequest": (7,), "heap.info": (heap,), "heap.lock": (heap,), "heap.unlock": (heap,),
            "heap.flush": (heap,),
            "block.resize": (block, 32), "block.info": (block,), "block.at": (block.info()["address"],), "block.change": (block,),
            "block.read": (block,), "block.write": (block, b"data"), "block.get": (block, 0), "block.set": (block, 0, [1, 2]),
            "block.fill": (block,), "block.copy": (block, other), "block.compare": (block, other), "block.find": (block, b"x"),
            "block.add": (block, 0, 1), "block.exchange": (block, 0, 1), "block.wait": (block, 0, 250), "block.hold": (block,),
            "block.release": (block,), "block.map": (block,), "block.wake": (block,), "session.unwatch": (watch,),
            "session.close": (session,), "block.free": (other,), "heap.destroy": (heap,),
        }  # fmt: skip
        last = ["block.free", "heap.destroy", "server.shutdown"]
        for name in [*(name for name in methods.BY_NAME if name not in last), *last[:2]]:
            with self.subTest(method=name):
                options = {"size": 1} if name == "block.alloc" else {}
                request = methods.BY_NAME[name](*arguments.get(name, ()), **options)
                if name == "heap.flush":  # the heap is not durable
                    self.assertRaises(umem.Unsupported, self.daemon.send, request)
                    self.assertRaises(umem.Unsupported, heap.flush)
                else:
                    self.daemon.send(request)
        unknown = set(arguments) - set(methods.BY_NAME)
        self.assertEqual(unknown, set())

    def test_shutdown_ends_the_daemon(self):
        server = Daemon()
        with umem.connect(server.pipe) as client:
            client.send(methods.server_shutdown())
        # A signal would take it for one that does not end by itself.
        server.process.wait(PATIENCE)
        self.assertEqual(server.end(), 0)

    def test_a_read_by_its_method_has_bytes(self):
        with self.daemon.alloc(4, data=b"abcd") as block:
            self.assertEqual(self.daemon.send(methods.block_read(block, offset=1, size=2)), {"size": 2, "data": b"bc"})
            self.assertEqual(self.daemon.send(methods.block_read(block, size=0))["data"], b"")
            self.assertEqual(self.daemon.call("block.read", [block.handle, 0, 4, "utf8"]), {"size": 4, "data": "abcd"})


class Several(DaemonTest):
    def test_a_batch_is_done_at_the_end(self):
        with self.daemon.alloc(8) as block:
            with self.daemon.batch() as batch:
                batch.write(block, b"abcd")
                first = batch.read(block, 0, 4)
                batch.set(block, "u8", 0, 65)
                second = batch.read(block, 0, 2)
                total = batch.add(block, "u8", 7, 3)
                facts = batch.send(methods.block_info(block))
                with self.assertRaises(RuntimeError):
                    first.result()
            self.assertEqual((first.result(), second.result(), total.result()), (b"abcd", b"Ab", 3))
            self.assertEqual(facts.result()["size"], 8)

    def test_one_error_does_not_hide_the_others(self):
        for make in (self.daemon.batch, self.daemon.pipeline):
            with self.daemon.alloc(4, data=b"abcd") as block:
                with self.assertRaises(umem.OutOfRange):
                    with make() as calls:
                        wrong = calls.read(block, 2, 4)
                        right = calls.read(block, 0, 4)
                        calls.write(block, b"zz")
                self.assertEqual((right.result(), block[:2]), (b"abcd", b"zz"))
                with self.assertRaises(umem.OutOfRange):
                    wrong.result()
                with make(raise_errors=False) as calls:
                    wrong = calls.read(block, 2, 4)
                with self.assertRaises(umem.OutOfRange):
                    wrong.result()

    def test_nothing_is_sent_if_the_body_fails(self):
        with self.daemon.alloc(4) as block:
            for make in (self.daemon.batch, self.daemon.pipeline):
                with self.assertRaises(ZeroDivisionError):
                    with make() as calls:
                        calls.write(block, b"zz")
                        raise ZeroDivisionError
            self.assertEqual(block[:], bytes(4))
            with self.daemon.batch():
                pass

    def test_a_batch_that_is_too_long_is_refused_as_a_whole(self):
        with self.daemon.alloc(4) as block:
            with self.assertRaises(umem.RequestError):
                with self.daemon.batch() as batch:
                    for _ in range(10001):
                        batch.write(block, b"zz")
            self.assertEqual(block[:], bytes(4))

    def test_a_pipeline_whose_answers_fill_all_buffers_goes_through(self):
        data = bytes(range(256)) * 256
        with self.daemon.alloc(len(data), data=data[:1]) as block:
            with self.daemon.pipeline() as calls:
                writes = [calls.write(block, data) for _ in range(100)]
                reads = [calls.read(block) for _ in range(300)]
            self.assertEqual({pending.result() for pending in reads}, {data})
            self.assertEqual(len(writes), 100)


class Limits(DaemonTest):
    options = ("--limit", "message_bytes=200K", "--limit", "payload_bytes=100000")

    def test_pieces_fit_into_the_daemons_limit(self):
        data = bytes(range(256)) * 1200
        with self.daemon.put("large", data):
            self.assertEqual(self.daemon.get("large"), data)
        with self.daemon.alloc(len(data)) as block:
            block.write(data)
            self.assertEqual(block.read(), data)

    def test_what_is_too_large_is_not_sent(self):
        with self.assertRaises(umem.TooLarge) as caught:
            self.daemon.call("server.ping", {"x": "y" * 300000})
        self.assertEqual(caught.exception.facts["limit"], "message_bytes")
        with self.daemon.alloc(200000) as block, self.assertRaises(umem.TooLarge):
            with self.daemon.batch() as batch:
                batch.write(block, bytes(60000))
                batch.write(block, bytes(60000))
        self.assertFalse(self.daemon.closed)


if __name__ == "__main__":
    main()
