"""Clients of asyncio that connect anew: the daemon is ended and started again under them."""
import asyncio
import json
import os
import tempfile
import unittest

import umem
import umem.aio
from umem import methods

from daemon import PATIENCE, Daemon, FakeDaemon, main


class Restarts(unittest.IsolatedAsyncioTestCase):
    in_threads = False

    def setUp(self):
        state = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.addCleanup(state.cleanup)
        self.server = Daemon("--state", os.path.join(state.name, "state"))
        self.addCleanup(self.server.end)

    def connect(self, **options):
        chosen = {"timeout": PATIENCE, "reconnect": PATIENCE, "in_threads": self.in_threads, **options}
        return umem.aio.connect(self.server.pipe, **chosen)

    def restart(self):
        """The loop does not see the end of the connection before the next call is made."""
        self.server.kill()
        self.server.start()

    async def restart_beside(self):
        """The loop goes on meanwhile."""
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(None, self.server.kill)
        await loop.run_in_executor(None, self.server.start)

    async def lose(self, daemon):
        """Restarts the daemon; the client knows that its connection is lost."""
        await self.restart_beside()
        while not daemon.closed:
            await asyncio.sleep(0)

    async def test_handles_of_durable_heaps_are_good_again(self):
        async with self.connect() as daemon:
            heap = await daemon.create_heap(kind="shared", lifetime="durable", maximum_size=1 << 20)
            block = await heap.alloc(8, name="kept")
            gone = await daemon.alloc(8)
            for number in range(1, 4):
                await block.set("q", 0, number)
                await self.lose(daemon)
                self.assertEqual(await block.get("q"), number)
            with self.assertRaises(LookupError):
                await gone.read()
            self.assertEqual(await daemon.limits(), (await daemon.info())["limits"])
            await heap.destroy()

    async def test_a_loss_that_the_call_itself_finds_is_no_error(self):
        if self.in_threads:
            self.skipTest("the thread that reads finds it before, or it is not known whether something was sent")
        async with self.connect() as daemon:
            for _ in range(3):
                self.restart()
                self.assertEqual(await daemon.call("server.ping"), {})
                self.restart()
                sessions = await daemon.batch([methods.session_info() for _ in range(3)])
                self.assertEqual(len({session["session"] for session in sessions}), 1)

    async def test_without_it_the_connection_stays_lost(self):
        async with self.connect(reconnect=0) as daemon:
            await self.lose(daemon)
            for _ in range(3):
                with self.assertRaises(umem.ConnectionLost) as caught:
                    await daemon.call("server.ping")
                self.assertFalse(caught.exception.sent)
            with self.assertRaises(umem.ConnectionLost):
                await daemon.batch([methods.server_ping()])
            self.assertTrue(daemon.closed)

    async def test_tasks_wait_for_a_daemon_that_is_being_started(self):
        async with self.connect() as daemon:
            self.server.kill()
            while not daemon.closed:
                await asyncio.sleep(0)
            pings = [asyncio.ensure_future(daemon.call("server.ping")) for _ in range(20)]
            await asyncio.sleep(0)
            await asyncio.get_running_loop().run_in_executor(None, self.server.start)
            self.assertEqual(await asyncio.gather(*pings), [{}] * 20)
            # All of them use the one new connection.
            self.assertEqual((await daemon.send(methods.server_stats()))["sessions"], 1)

    async def test_without_a_daemon_it_ends(self):
        async with self.connect(reconnect=0.02) as daemon:
            self.server.kill()
            while not daemon.closed:
                await asyncio.sleep(0)
            calls = [asyncio.ensure_future(daemon.call("server.ping")) for _ in range(5)]
            for outcome in await asyncio.gather(*calls, return_exceptions=True):
                self.assertIsInstance(outcome, umem.NotConnected)
            self.server.start()
            self.assertEqual(await daemon.call("server.ping"), {})

    async def test_a_call_that_is_cancelled_while_it_connects_holds_up_no_other(self):
        async with self.connect() as daemon:
            self.server.kill()
            while not daemon.closed:
                await asyncio.sleep(0)
            first = asyncio.ensure_future(daemon.call("server.ping"))
            second = asyncio.ensure_future(daemon.call("server.ping"))
            await asyncio.sleep(0)
            first.cancel()
            with self.assertRaises(asyncio.CancelledError):
                await first
            await asyncio.get_running_loop().run_in_executor(None, self.server.start)
            self.assertEqual(await second, {})
            self.assertEqual((await daemon.send(methods.server_stats()))["sessions"], 1)

    async def test_what_ended_with_the_connection_is_told_before_anything_is_done(self):
        async with self.connect() as daemon:

            async def lock():
                await (await daemon.create_heap()).lock().acquire()

            async def lock_in_a_batch():
                await daemon.batch([methods.heap_lock(await daemon.create_heap())])

            async def hold():
                await daemon.send(methods.block_hold(await daemon.alloc(8)))

            async def allocate():
                await daemon.alloc(8, lifetime="session")

            for take in (lock, lock_in_a_batch, hold, allocate):
                with self.subTest(take.__name__):
                    await take()
                    await self.lose(daemon)
                    with self.assertRaisesRegex(umem.ConnectionLost, "nothing was sent") as caught:
                        await daemon.alloc(8)
                    self.assertFalse(caught.exception.sent)
                    self.assertEqual((await daemon.send(methods.server_stats()))["blocks"], 0)
                    await self.lose(daemon)
                    # The new connection has had none of this.
                    await daemon.call("server.ping")

    async def test_a_watch_says_that_it_has_ended(self):
        async with self.connect() as daemon:
            watch = await daemon.watch()
            waiting = asyncio.ensure_future(watch.next())
            await asyncio.sleep(0)
            await self.lose(daemon)
            with self.assertRaises(umem.ConnectionLost):
                await waiting
            with self.assertRaisesRegex(umem.ConnectionLost, "nothing was sent"):
                await daemon.call("server.ping")
            await daemon.call("server.ping")
            with self.assertRaises(umem.ConnectionLost):
                await watch.next()
            # One of the new connection with the same number is another one.
            async with await daemon.watch() as new:
                await watch.close()
                block = await daemon.alloc(8)
                await block.write(b"x")
                self.assertEqual((await new.next()).block, block.handle)

    async def test_a_client_that_was_closed_stays_so(self):
        daemon = await self.connect()
        self.server.kill()
        while not daemon.closed:
            await asyncio.sleep(0)
        connecting = asyncio.ensure_future(daemon.call("server.ping"))
        await asyncio.sleep(0)
        daemon.close()
        with self.assertRaises(umem.NotConnected):
            await connecting
        self.server.start()
        with self.assertRaises(umem.NotConnected):
            await daemon.call("server.ping")
        async with self.connect() as other:
            self.assertEqual((await other.send(methods.server_stats()))["sessions"], 1)

    async def test_a_request_whose_answer_was_lost_is_not_repeated(self):
        methods_seen = []

        def serve(peer):
            text = json.loads(peer.read_text())
            methods_seen.append(text["method"])
            if text["method"] != "server.shutdown":
                peer.answer(f'{{"id":{text["id"]},"result":{{}}}}')
                peer.read_text()

        server = FakeDaemon(serve)
        try:
            options = {"timeout": PATIENCE, "reconnect": PATIENCE, "in_threads": self.in_threads}
            async with umem.aio.connect(server.pipe, **options) as daemon:
                with self.assertRaises(umem.ConnectionLost) as caught:
                    await daemon.call("server.shutdown")
                self.assertTrue(caught.exception.sent)
                self.assertEqual(await daemon.call("server.ping"), {})
                self.assertEqual(methods_seen, ["server.shutdown", "server.ping"])
        finally:
            server.end()

    async def test_what_is_no_number_of_seconds_is_refused(self):
        for seconds in (-1, float("inf"), float("nan")):
            with self.assertRaises(ValueError):
                umem.aio.connect(self.server.pipe, reconnect=seconds)


class InThreads(Restarts):
    in_threads = True


if __name__ == "__main__":
    main()
