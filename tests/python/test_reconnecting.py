"""Clients that connect anew: the daemon is ended and started again under them."""
import json
import os
import tempfile
import threading
import unittest
import unittest.mock

import umem
from umem import methods

from daemon import PATIENCE, Daemon, FakeDaemon, main


class Restarts(unittest.TestCase):
    def setUp(self):
        state = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.addCleanup(state.cleanup)
        self.server = Daemon("--state", os.path.join(state.name, "state"))
        self.addCleanup(self.server.end)

    def connect(self, **options):
        client = umem.connect(self.server.pipe, **{"timeout": PATIENCE, "reconnect": PATIENCE, **options})
        self.addCleanup(client.close)
        return client

    def restart(self):
        self.server.kill()
        self.server.start()

    def test_handles_of_durable_heaps_are_good_again(self):
        daemon = self.connect()
        heap = daemon.create_heap(kind="shared", lifetime="durable", maximum_size=1 << 20)
        block = heap.alloc(8, name="kept")
        gone = daemon.alloc(8)
        for number in range(1, 4):
            block.set("q", 0, number)
            self.restart()
            self.assertEqual(block.get("q"), number)
        with self.assertRaises(LookupError):
            gone.read()
        self.assertEqual(daemon.limits(), daemon.info()["limits"])
        heap.destroy()

    def test_without_it_the_connection_stays_lost(self):
        daemon = self.connect(reconnect=0)
        self.restart()
        for _ in range(3):
            with self.assertRaises(umem.ConnectionLost) as caught:
                daemon.call("server.ping")
            self.assertFalse(caught.exception.sent)
        self.assertTrue(daemon.closed)

    def test_it_waits_for_a_daemon_that_is_being_started(self):
        daemon = self.connect()
        self.server.kill()
        failures = []

        def work():
            try:
                daemon.call("server.ping")
            except Exception as error:
                failures.append(error)

        threads = [threading.Thread(target=work) for _ in range(4)]
        for thread in threads:
            thread.start()
        self.server.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])
        # All of them use the one new connection.
        self.assertEqual(daemon.stats()["sessions"], 1)

    def test_without_a_daemon_it_ends(self):
        daemon = self.connect(reconnect=0.02)
        self.server.kill()
        for _ in range(2):
            with self.assertRaises(umem.NotConnected):
                daemon.call("server.ping")
        self.server.start()
        self.assertEqual(daemon.call("server.ping"), {})

    def test_the_calls_own_time_is_an_end_too(self):
        daemon = self.connect(timeout=0.02)
        self.server.kill()
        with self.assertRaises(umem.NotConnected):
            daemon.call("server.ping")
        self.server.start()

    def test_batches_and_pipelines_are_sent_on_the_new_connection(self):
        daemon = self.connect()
        for calls in (daemon.batch, daemon.pipeline):
            self.restart()
            with calls() as requests:
                sessions = [requests.send(methods.session_info()) for _ in range(3)]
            self.assertEqual(len({session.result()["session"] for session in sessions}), 1)

    def test_what_ended_with_the_connection_is_told_before_anything_is_done(self):
        daemon = self.connect()

        def lock():
            daemon.create_heap().lock().acquire()

        def lock_in_a_batch():
            heap = daemon.create_heap()
            with daemon.batch() as batch:
                batch.send(methods.heap_lock(heap))

        def hold():
            daemon.send(methods.block_hold(daemon.alloc(8)))

        def allocate():
            daemon.alloc(8, lifetime="session")

        def raw():
            daemon.call("block.alloc", {"size": 8, "lifetime": "session"})

        for take in (lock, lock_in_a_batch, hold, allocate, raw):
            with self.subTest(take.__name__):
                take()
                self.restart()
                with self.assertRaisesRegex(umem.ConnectionLost, "nothing was sent") as caught:
                    daemon.alloc(8)
                self.assertFalse(caught.exception.sent)
                self.assertEqual(daemon.stats()["blocks"], 0)
                self.restart()
                # The new connection has had none of this.
                daemon.call("server.ping")

    def test_a_watch_says_that_it_has_ended(self):
        daemon = self.connect()
        watch = daemon.watch()
        self.restart()
        with self.assertRaisesRegex(umem.ConnectionLost, "nothing was sent"):
            daemon.call("server.ping")
        daemon.call("server.ping")
        with self.assertRaises(umem.ConnectionLost):
            watch.next(PATIENCE)
        # One of the new connection with the same number is another one.
        with daemon.watch() as new:
            watch.close()
            block = daemon.alloc(8)
            block.write(b"x")
            self.assertEqual(new.next(PATIENCE).block, block.handle)

    def test_a_lock_that_is_released_too_late_is_an_error(self):
        daemon = self.connect()
        heap = daemon.create_heap()
        with self.assertRaises(umem.ConnectionLost):
            with heap.lock():
                self.restart()

    def test_a_client_that_was_closed_stays_so(self):
        seen = self.connect(reconnect=0.01)
        unseen = self.connect()
        self.server.kill()
        with self.assertRaises(umem.NotConnected):
            seen.call("server.ping")
        for daemon in (seen, unseen):
            daemon.close()
        self.server.start()
        for daemon in (seen, unseen):
            with self.assertRaises(umem.NotConnected):
                daemon.call("server.ping")
        self.assertEqual(self.connect().stats()["sessions"], 1)

    def test_a_request_for_a_lock_that_was_not_sent_leaves_nothing_to_tell(self):
        daemon = self.connect(reconnect=0.01)
        self.server.kill()
        with self.assertRaises(umem.NotConnected):
            daemon.alloc(8, lifetime="session")
        self.server.start()
        self.assertEqual(daemon.call("server.ping"), {})

    def test_what_is_no_number_of_seconds_is_refused(self):
        for seconds in (-1, float("inf"), float("nan")):
            with self.assertRaises(ValueError):
                umem.connect(self.server.pipe, reconnect=seconds)


class Answers(unittest.TestCase):
    def test_a_request_whose_answer_was_lost_is_not_repeated(self):
        methods_seen = []

        def serve(peer):
            text = json.loads(peer.read_text())
            methods_seen.append(text["method"])
            if text["method"] != "server.shutdown":
                peer.answer(f'{{"id":{text["id"]},"result":{{}}}}')
                peer.read_text()

        server = FakeDaemon(serve)
        self.addCleanup(server.end)
        client = umem.connect(server.pipe, timeout=PATIENCE, reconnect=PATIENCE)
        self.addCleanup(client.close)
        with self.assertRaises(umem.ConnectionLost) as caught:
            client.call("server.shutdown")
        self.assertTrue(caught.exception.sent)
        self.assertEqual(client.call("server.ping"), {})
        self.assertEqual(methods_seen, ["server.shutdown", "server.ping"])

    def test_another_users_daemon_is_refused_at_once(self):
        def serve(peer):
            pass

        server = FakeDaemon(serve)
        self.addCleanup(server.end)
        client = umem.connect(server.pipe, timeout=PATIENCE, reconnect=PATIENCE)
        self.addCleanup(client.close)
        with unittest.mock.patch("umem._pipe_posix.peer_user", lambda pipe: os.geteuid() + 1):
            with self.assertRaises(umem.NotTrusted):
                while True:
                    try:
                        client.call("server.ping")
                    except umem.ConnectionLost as error:
                        self.assertTrue(error.sent)


if __name__ == "__main__":
    main()
