"""The client for asyncio: over the loop's own transport and, as on Windows, with threads beside the loop."""
import asyncio
import os
import unittest

import umem
import umem.aio
from umem import methods

from daemon import PATIENCE, Daemon, FakeDaemon, main


class Asyncio(unittest.IsolatedAsyncioTestCase):
    in_threads = False

    @classmethod
    def setUpClass(cls):
        cls.server = Daemon()

    @classmethod
    def tearDownClass(cls):
        status = cls.server.end()
        if status != 0:
            raise AssertionError(f"the daemon ended with {status}: {''.join(cls.server.log)}")

    def connect(self, **options):
        return umem.aio.connect(self.server.pipe, **{"timeout": PATIENCE, "in_threads": self.in_threads, **options})

    async def until(self, client, **wanted):
        """Waits until the daemon's counts are these; the test's own limit ends a hang."""
        end = asyncio.get_running_loop().time() + PATIENCE
        while True:
            stats = await client.send(methods.server_stats())
            if all(stats[name] == value for name, value in wanted.items()):
                return
            self.assertLess(asyncio.get_running_loop().time(), end)

    async def test_bytes_and_numbers(self):
        async with self.connect() as daemon:
            async with await daemon.alloc(16, name="one") as block:
                self.assertEqual(await block.write(b"hello"), 5)
                self.assertEqual(await block.read(0, 5), b"hello")
                self.assertEqual(await daemon.get("one"), b"hello" + bytes(11))
                await block.set("q", 8, 41)
                self.assertEqual(await block.add("q", 8, 1), 42)
                self.assertEqual(await block.get("i64", 8), 42)
                self.assertEqual(await block.get_array("u8", 0, 2), [104, 101])
                self.assertEqual(await block.exchange("q", 8, 1), 42)
                self.assertEqual(await block.compare_exchange("q", 8, 5, 6), (False, 1))
                await block.pack("<HH", 0, 1, 2)
                self.assertEqual(await block.unpack("<HH"), (1, 2))
                await block.fill(7, 0, 2)
                self.assertEqual(await block.find(b"\7\7"), 0)
                await block.resize(32)
                self.assertEqual((await block.info())["size"], 32)
                await block.rename("two")
                self.assertEqual((await daemon.open("two")).handle, block.handle)
                with self.assertRaises(umem.OutOfRange):
                    await block.read(30, 4)
            with self.assertRaises(umem.StaleHandle):
                await block.read()

    async def test_large_data_goes_in_pieces(self):
        data = bytes(range(256)) * 40000
        async with self.connect() as daemon, await daemon.alloc(len(data)) as block:
            await block.write(data)
            self.assertEqual(await block.read(), data)
            with self.assertRaises(umem.OutOfRange):
                await block.write(bytes(len(data)), 1)
            self.assertEqual(await block.read(), data)

    async def test_what_is_put_is_got(self):
        async with self.connect() as daemon:
            for size in (0, 5, 70000, 9 << 20):
                data = b"x" * size
                block = await daemon.put("config", data)
                self.assertEqual(await daemon.get("config"), data)
            async with await daemon.alloc(1, name="config", if_exists="open") as same:
                self.assertEqual((same.created, same.handle), (False, block.handle))
            with self.assertRaises(umem.UnknownHandle):
                await daemon.get("config")

    async def test_many_tasks_share_a_client(self):
        async with self.connect() as daemon, await daemon.alloc(8) as block:
            await asyncio.gather(*(block.add("q", 0, 1) for _ in range(500)))
            self.assertEqual(await block.get("q"), 500)
            data = bytes(100000)
            async with await daemon.alloc(len(data)) as large:
                await asyncio.gather(*(large.write(data) for _ in range(100)), *(large.read() for _ in range(100)))

    async def test_a_wait_delays_no_other_task(self):
        async with self.connect() as daemon, await daemon.alloc(8) as block:
            waiting = asyncio.ensure_future(block.wait("q", 0, 0))
            await self.until(daemon, waits=1)
            await block.set("q", 0, 9)
            self.assertEqual(await waiting, 9)
            with self.assertRaises(umem.Timeout):
                await block.wait("q", 0, 9, 0.001)

    async def test_a_wait_that_is_cancelled_ends_in_the_daemon(self):
        async with self.connect() as daemon, await daemon.alloc(8) as block:
            waiting = asyncio.ensure_future(block.wait("q", 0, 0))
            await self.until(daemon, waits=1)
            waiting.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await waiting
            await self.until(daemon, waits=0)
            self.assertEqual(await block.get("q"), 0)

    async def test_a_lock_that_is_cancelled_does_not_stay(self):
        async with self.connect() as daemon, self.connect() as other:
            async with await daemon.create_heap(name="locked") as heap:
                theirs = await other.open_heap("locked")
                async with heap.lock():
                    waiting = asyncio.ensure_future(theirs.lock().acquire())
                    await self.until(daemon, waits=1)
                    waiting.cancel()
                    await asyncio.wait([waiting])
                await self.until(daemon, waits=0)
                # One that came before the cancelling is given back.
                request = umem._calls.lock(theirs, 0)
                waiter = umem._session.Waiter(request)
                sending = asyncio.ensure_future(other._connection.exchange(waiter, 0))
                await asyncio.sleep(0)
                sending.cancel()
                await asyncio.wait([sending])
                async with heap.lock(PATIENCE):
                    self.assertTrue((await heap.info())["locked"])

    async def test_watches_are_iterated(self):
        async with self.connect() as daemon:
            block = await daemon.alloc(4)
            kinds = []
            async with await block.watch() as watch:
                await block.write(b"a")
                await block.free()
                async for event in watch:
                    kinds.append(event.kind)
                    if event.kind == "block.freed":
                        await watch.close()
            self.assertEqual(kinds, ["block.changed", "block.freed"])

    async def test_a_watch_waits(self):
        async with self.connect() as daemon, await daemon.alloc(4) as block, await block.watch() as watch:
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            await block.write(b"a", 2)
            self.assertEqual(await waiting, umem.Event("block.changed", block.handle, None, 2, 1))
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            waiting.cancel()
            await asyncio.wait([waiting])
            await block.write(b"a", 3)
            self.assertEqual((await watch.next()).offset, 3)

    async def test_the_end_of_the_client_ends_a_watch_with_an_error(self):
        async with self.connect() as daemon:
            watch = await daemon.watch()
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            daemon.close()
            with self.assertRaises(umem.NotConnected):
                await waiting
            await watch.close()

    async def test_blocks_of_shared_heaps_are_mapped(self):
        async with self.connect() as daemon, await daemon.create_heap(kind="shared", maximum_size=1 << 20) as heap:
            block = await heap.alloc(100)
            view = await block.map()
            view[0] = 5
            self.assertEqual(await block.get("u8"), 5)
            await block.wake()
            part = view[1:2]
            with self.assertRaises(umem.StillMapped):
                await block.free()
            part.release()
            await block.free()
            async with await heap.alloc(1) as one:
                self.assertEqual([entry["block"] async for entry in daemon.blocks(heap=heap)], [one.handle])

    async def test_a_batch_gives_results_and_errors(self):
        async with self.connect() as daemon, await daemon.alloc(4, data=b"abcd") as block:
            results = await daemon.batch([methods.block_read(block), methods.block_read(block, offset=9), methods.server_ping()])
            self.assertEqual(results[0]["data"], b"abcd")
            self.assertIsInstance(results[1], umem.OutOfRange)
            self.assertIsNone(results[2])
            self.assertEqual(await daemon.batch([]), [])

    async def test_the_end_of_the_daemon_is_an_error(self):
        server = Daemon()
        async with umem.aio.connect(server.pipe, in_threads=self.in_threads) as daemon:
            block = await daemon.alloc(8)
            waiting = asyncio.ensure_future(block.wait("q", 0, 0))
            await self.until(daemon, waits=1)
            status = await asyncio.get_running_loop().run_in_executor(None, server.end)
            self.assertEqual(status, 0)
            with self.assertRaises(umem.ConnectionLost):
                await waiting
            with self.assertRaises(umem.ConnectionLost):
                await block.read()
            self.assertTrue(daemon.closed)
        with self.assertRaises(umem.NotConnected):
            await umem.aio.connect(server.pipe)

    async def test_a_deadline_is_kept_and_the_late_answer_discarded(self):
        def serve(peer):
            import json

            first = json.loads(peer.read_text())["id"]
            second = json.loads(peer.read_text())["id"]
            peer.answer(f'{{"id":{first},"result":"late"}}')
            peer.answer(f'{{"id":{second},"result":"in time"}}')
            peer.read_text()

        fake = FakeDaemon(serve)
        try:
            async with umem.aio.connect(fake.pipe, timeout=0.05, in_threads=self.in_threads) as daemon:
                with self.assertRaises(umem.DeadlineExceeded):
                    await daemon.call("server.ping")
                daemon.timeout = PATIENCE
                self.assertEqual(await daemon.call("server.ping"), "in time")
        finally:
            fake.end()

    async def test_bad_input_leaves_the_client_as_it_is(self):
        async with self.connect() as daemon:
            for params in ({"x": object()}, {"x": float("nan")}, {"x": "\ud800"}):
                with self.assertRaises((TypeError, ValueError)):
                    await daemon.call("server.ping", params)
            with self.assertRaises(umem.TooLarge):
                await daemon.call("server.ping", {"x": "y" * (17 << 20)})
            self.assertEqual(await daemon.call("server.ping"), {})

    async def test_a_child_cannot_use_it(self):
        async with self.connect() as daemon:
            session = (await daemon.send(methods.session_info()))["session"]
            reader, writer = os.pipe()
            child = os.fork()
            if child == 0:
                try:
                    daemon._connection.session.begin(umem._session.Waiter(umem.methods.server_ping()))
                except umem.NotConnected as error:
                    os.write(writer, str(error).encode())
                os._exit(0)
            os.close(writer)
            with open(reader, encoding="utf-8") as text:
                self.assertIn("forked", text.read())
            os.waitpid(child, 0)
            self.assertEqual((await daemon.send(methods.session_info()))["session"], session)


class InThreads(Asyncio):
    in_threads = True


if __name__ == "__main__":
    main()
