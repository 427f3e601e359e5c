"""Many calls under way while the daemon is killed or replaced: what was answered has happened, once, and what was lost is told."""
import asyncio
import os
import tempfile
import threading
import unittest

import umem
import umem.aio

from daemon import PATIENCE, Daemon, main

WORKERS = 4
RESTARTS = 6


class Counts:
    """What the workers were told, of additions to one number."""

    def __init__(self):
        self.answered = 0
        self.lost = 0  # whether they were done is not known
        self.steps = 0
        self.mutex = threading.Lock()

    def take(self, lost):
        with self.mutex:
            self.steps += 1
            if lost is None:
                self.answered += 1
            elif lost.sent:
                self.lost += 1


class UnderLoad(unittest.TestCase):
    def setUp(self):
        state = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.addCleanup(state.cleanup)
        self.server = Daemon("--state", os.path.join(state.name, "state"))
        self.addCleanup(self.server.end)
        with umem.connect(self.server.pipe, timeout=PATIENCE) as daemon:
            heap = daemon.create_heap(name="kept", kind="shared", lifetime="durable", maximum_size=1 << 20)
            self.block = heap.alloc(8, name="count").handle

    def restart(self, number):
        if number % 2 == 0:
            self.server.kill()
            self.server.start()
        else:
            self.server.replace()

    def check(self, counts):
        with umem.connect(self.server.pipe, timeout=PATIENCE) as daemon:
            block = daemon.open("count")
            self.assertEqual(block.handle, self.block)
            total = block.get("q")
        self.assertGreaterEqual(total, counts.answered)
        self.assertLessEqual(total, counts.answered + counts.lost)
        self.assertGreater(counts.answered, 0)

    def run_restarts(self, counts):
        """Each comes when calls have been answered since the last one."""
        for number in range(RESTARTS):
            seen = counts.steps
            while counts.steps < seen + 20 * WORKERS:
                threading.Event().wait(0.001)
            self.restart(number)

    def test_threads(self):
        counts = Counts()
        has_ended = threading.Event()
        failures = []
        client = umem.connect(self.server.pipe, timeout=PATIENCE, reconnect=PATIENCE)
        self.addCleanup(client.close)
        block = client.open(self.block)

        def work():
            try:
                while not has_ended.is_set():
                    try:
                        block.add("q", 0, 1)
                        counts.take(None)
                    except umem.ConnectionLost as error:
                        counts.take(error)
            except Exception as error:
                failures.append(error)
                counts.steps += 1 << 30

        threads = [threading.Thread(target=work) for _ in range(WORKERS)]
        for thread in threads:
            thread.start()
        try:
            self.run_restarts(counts)
        finally:
            has_ended.set()
            for thread in threads:
                thread.join()
        self.assertEqual(failures, [])
        self.check(counts)

    def run_tasks(self, in_threads):
        counts = Counts()
        ended = False

        async def work(block):
            while not ended:
                try:
                    await block.add("q", 0, 1)
                    counts.take(None)
                except umem.ConnectionLost as error:
                    counts.take(error)

        async def run():
            nonlocal ended
            options = {"timeout": PATIENCE, "reconnect": PATIENCE, "in_threads": in_threads}
            async with umem.aio.connect(self.server.pipe, **options) as daemon:
                block = await daemon.open(self.block)
                tasks = [asyncio.ensure_future(work(block)) for _ in range(WORKERS)]
                for task in tasks:
                    # A worker that has failed must not leave the restarts waiting for its steps.
                    task.add_done_callback(lambda _: setattr(counts, "steps", counts.steps + (1 << 30)))
                try:
                    await asyncio.get_running_loop().run_in_executor(None, self.run_restarts, counts)
                finally:
                    ended = True
                    await asyncio.gather(*tasks)

        asyncio.run(run())
        self.check(counts)

    def test_tasks(self):
        self.run_tasks(False)

    def test_tasks_over_threads(self):
        self.run_tasks(True)


if __name__ == "__main__":
    main()
