"""What a client makes of answers that are slow, cut, wrong or hostile, and of pipes where no daemon is."""
import json
import os
import pwd
import socket
import tempfile
import threading
import time
import unittest
from unittest import mock

import umem
from umem import _endpoint, _frames, _pipe_posix
from umem._session import Waiter

from daemon import PATIENCE, FakeDaemon, main

HEAD = b"Content-Length: %d\r\n\r\n"


class Scripted(unittest.TestCase):
    def serve(self, function, timeout=PATIENCE):
        fake = FakeDaemon(function)
        client = umem.connect(fake.pipe, timeout=timeout)
        self.addCleanup(fake.end)
        self.addCleanup(client.close)
        return client

    def answering(self, *answers, payload=b""):
        """A client whose daemon answers with these texts, one to each request; `1` in them is the id."""

        def serve(peer):
            for answer in answers:
                number = json.loads(peer.read_text())["id"]
                peer.answer(answer.replace('"id":1', f'"id":{number}'), payload)
            peer.read_text()

        return self.serve(serve)


class Answers(Scripted):
    def test_wrong_ones_end_the_connection(self):
        wrong = [
            "{", "[]", "7", "null", "{}", '{"id":1}', '{"id":2,"result":{}}', '{"id":"1","result":{}}', '{"id":null,"result":{}}',
            '{"id":1,"error":{}}', '{"id":1,"error":7}', '{"id":1,"error":{"code":"x","message":"y"}}',
            '[{"id":1,"result":{}},{"id":2,"result":{}}]', '{"method":7}', '{"method":"x","params":7}', '{"id":1,"result":{}}}', "\xff",
            "[" * 100000,
        ]  # fmt: skip
        for text in wrong:
            with self.subTest(text=text[:60]):
                client = self.answering(text)
                with self.assertRaises(umem.BadAnswer):
                    client.call("server.ping")
                with self.assertRaises(umem.ConnectionLost):
                    client.call("server.ping")
                self.assertTrue(client.closed)

    def test_results_of_another_form_end_the_connection(self):
        for text in ("7", "null", "{}", '{"values":7}', '{"values":["x"]}', '{"values":[]}', '{"values":[1,2]}'):
            with self.subTest(text=text):
                client = self.answering(f'{{"id":1,"result":{text}}}')
                block = umem.Block(client, 7, 8)
                with self.assertRaises(umem.BadAnswer):
                    block.get("u8")

    def test_a_read_with_another_number_of_bytes_is_refused(self):
        for payload in (b"", b"abc", b"abcde"):
            with self.subTest(payload=payload):
                client = self.answering('{"id":1,"result":{"size":4}}', payload=payload)
                with self.assertRaises(umem.BadAnswer):
                    umem.Block(client, 7, 8).read(0, 4)

    def test_headers_that_are_none_are_refused(self):
        for head in (b"HTTP/1.1 400 Bad Request\r\n\r\n", b"{\"id\":1}\n", b"Content-Length: x\r\n\r\n", b"Content-Length: 5\n\n{}",
                     b"Content-Length: 99999999999999999999\r\n\r\n", b"Content-Length: -1\r\n\r\n", b"Content-Length: 1" * 20):  # fmt: skip
            with self.subTest(head=head):

                def serve(peer, head=head):
                    peer.read_text()
                    peer.send(head)
                    peer.read_text()

                with self.assertRaises(umem.BadAnswer):
                    self.serve(serve).call("server.ping")

    def test_a_declared_length_takes_no_memory(self):
        def serve(peer):
            number = json.loads(peer.read_text())["id"]
            text = b'{"id":%d,"result":{"size":4}}' % number
            peer.send(b"Content-Length: %d\r\nPayload-Length: 999999999999999\r\n\r\n" % len(text) + text + b"abc")

        client = self.serve(serve)
        with self.assertRaises(umem.ConnectionLost):
            umem.Block(client, 7, 8).read(0, 4)

    def test_one_byte_at_a_time_is_as_good(self):
        def serve(peer):
            while True:
                request = json.loads(peer.read_text())
                text = b'{"id":%d,"result":{"size":70000}}' % request["id"]
                data = b"Content-Length: %d\r\nPayload-Length: 70000\r\n\r\n" % len(text) + text + bytes(70000)
                for i in range(len(text) + 80):
                    peer.send(data[i : i + 1])
                peer.send(data[len(text) + 80 :])

        client = self.serve(serve)
        for _ in range(3):
            self.assertEqual(client.send(umem._calls.read("7", 0, 70000)), bytes(70000))
            space = bytearray(70000)
            client.send(umem._calls.read_into("7", 0, memoryview(space)))

    def test_an_error_without_an_id_is_that_of_the_only_request(self):
        client = self.answering('{"id":null,"error":{"code":-32700,"message":"no","data":{"name":"parse_error"}}}', '{"id":1,"result":7}')
        with self.assertRaises(umem.ParseError):
            client.call("server.ping")
        self.assertEqual(client.call("server.ping"), 7)

    def test_an_error_of_a_newer_daemon_is_a_request_error(self):
        client = self.answering('{"id":1,"error":{"code":-32050,"message":"new","data":{"name":"new_error","x":1}}}')
        with self.assertRaises(umem.RequestError) as caught:
            client.call("server.ping")
        self.assertIs(type(caught.exception), umem.RequestError)
        self.assertEqual((caught.exception.name, caught.exception.code, caught.exception.facts), ("new_error", -32050, {"x": 1}))

    def test_unknown_notifications_and_members_are_ignored(self):
        def serve(peer):
            number = json.loads(peer.read_text())["id"]
            peer.answer('{"jsonrpc":"2.0","method":"new.notification","params":{"x":1}}')
            peer.answer('{"jsonrpc":"2.0","method":"block.changed","params":{"watch":99,"block":1,"offset":0,"size":1}}')
            peer.answer(f'{{"id":{number},"result":5,"more":true}}')
            peer.read_text()

        self.assertEqual(self.serve(serve).call("server.ping"), 5)

    def test_answers_may_come_in_any_order(self):
        def serve(peer):
            numbers = [json.loads(peer.read_text())["id"] for _ in range(3)]
            for number in reversed(numbers):
                peer.answer(f'{{"id":{number},"result":{number}}}')
            peer.read_text()

        client = self.serve(serve)
        with client.pipeline() as calls:
            pending = [calls.send(umem.methods.server_ping()) for _ in range(3)]
        self.assertEqual([one.result() for one in pending], [None] * 3)

    def test_batches_are_matched_element_by_element(self):
        for text in ('[{"id":1,"result":{}}]', '[{"id":1,"result":{}},{"id":1,"result":{}}]', '[{"id":1,"result":{}},7]', '{"id":1,"result":{}}',
                     '[{"id":1,"result":{}},{"id":2}]'):  # fmt: skip
            with self.subTest(text=text):

                def serve(peer, text=text):
                    peer.read_text()
                    peer.answer(text)
                    peer.read_text()

                client = self.serve(serve)
                with self.assertRaises(umem.BadAnswer):
                    with client.batch() as batch:
                        batch.send(umem.methods.server_ping())
                        batch.send(umem.methods.server_ping())

    def test_raw_bytes_of_a_batch_are_all_somebodys(self):
        for payload, sizes in ((b"abcdef", (3, 4)), (b"abcdef", (3, 2)), (b"abcdef", (-1, 7)), (b"", (1, 1))):
            with self.subTest(payload=payload, sizes=sizes):

                def serve(peer, payload=payload, sizes=sizes):
                    first = json.loads(peer.read_text())[0]["id"]
                    parts = [f'{{"id":{first + i},"result":{{"size":{size}}}}}' for i, size in enumerate(sizes)]
                    peer.answer(f"[{','.join(parts)}]", payload)
                    peer.read_text()

                client = self.serve(serve)
                block = umem.Block(client, 7, 8)
                with self.assertRaises(umem.BadAnswer):
                    with client.batch() as batch:
                        batch.read(block, 0, 3)
                        batch.read(block, 0, 3)

    def test_the_end_of_the_connection_in_an_answer_is_an_error(self):
        def serve(peer):
            peer.read_text()
            peer.send(b'Content-Length: 40\r\n\r\n{"id":')
            peer.connection.shutdown(socket.SHUT_RDWR)

        with self.assertRaises(umem.ConnectionLost):
            self.serve(serve).call("server.ping")


class Deadlines(Scripted):
    def test_a_late_answer_is_discarded(self):
        late = threading.Event()

        def serve(peer):
            first = json.loads(peer.read_text())["id"]
            second = json.loads(peer.read_text())["id"]
            peer.answer(f'{{"id":{first},"result":"late"}}', b"raw bytes of it")
            peer.answer(f'{{"id":{second},"result":"in time"}}')
            late.set()
            peer.read_text()

        client = self.serve(serve, timeout=0.05)
        with self.assertRaises(umem.DeadlineExceeded) as caught:
            client.call("server.ping")
        self.assertIsInstance(caught.exception, TimeoutError)
        self.assertFalse(client.closed)
        client.timeout = PATIENCE
        self.assertEqual(client.call("server.ping"), "in time")

    def test_a_lock_that_comes_late_does_not_stay(self):
        def serve(peer):
            while True:
                peer.read_text()

        client = self.serve(serve, timeout=0.05)
        with self.assertRaises(umem.DeadlineExceeded):
            umem.Heap(client, 7).lock(timeout=0).acquire()
        self.assertTrue(client.closed)

    def test_a_thread_that_is_woken_to_read_too_late_wakes_another(self):
        go = threading.Event()

        def serve(peer):
            first, second = (json.loads(peer.read_text())["id"] for _ in range(2))
            go.wait(PATIENCE)
            peer.answer(f'{{"id":{max(first, second)},"result":{{}}}}')
            peer.read_text()

        client = self.serve(serve)
        client._connection._is_reading = True  # by a thread that is about to end
        waiters = [Waiter(umem.methods.server_ping()) for _ in range(2)]
        # The second may wait for longer.
        threads = [threading.Thread(target=client._connection.exchange, args=((waiter,), waits)) for waiter, waits in zip(waiters, (0, 9 * PATIENCE))]
        for count, thread in enumerate(threads, 1):
            thread.start()
            while len(client._connection._sleepers) < count:
                pass
        clock = time.monotonic
        with mock.patch.object(time, "monotonic", lambda: clock() + 2 * PATIENCE):
            with client._connection._mutex:
                client._connection._is_reading = False
                client._connection._wake(waiters[0])
            threads[0].join()
        go.set()
        threads[1].join(PATIENCE)
        self.assertIsInstance(waiters[0].error, umem.DeadlineExceeded)
        self.assertEqual((waiters[1].done, waiters[1].error), (True, None))

    def test_half_of_the_bytes_end_the_connection(self):
        def serve(peer):
            number = json.loads(peer.read_text())["id"]
            text = b'{"id":%d,"result":{"size":1000}}' % number
            peer.send(b"Content-Length: %d\r\nPayload-Length: 1000\r\n\r\n" % len(text) + text + b"half")
            peer.read_text()

        client = self.serve(serve, timeout=0.05)
        space = bytearray(1000)
        with self.assertRaises(umem.DeadlineExceeded):
            client.send(umem._calls.read_into("7", 0, memoryview(space)))
        self.assertTrue(client.closed)

    def test_a_daemon_that_takes_nothing_does_not_hold_a_writer_up(self):
        done = threading.Event()
        client = self.serve(lambda peer: done.wait(PATIENCE), timeout=0.1)
        self.addCleanup(done.set)
        client._connection._limits = {}
        with self.assertRaises(umem.DeadlineExceeded):
            client.call("server.ping", {"x": "y" * (16 << 20)})
        self.assertTrue(client.closed)
        with self.assertRaises(umem.ConnectionLost):
            client.call("server.ping")


class Connecting(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def test_what_is_no_socket_is_said_to_be_none(self):
        path = os.path.join(self.folder, "file")
        with self.assertRaisesRegex(umem.NotConnected, "there is no such socket"):
            umem.connect(path)
        with open(path, "wb"):
            pass
        with self.assertRaisesRegex(umem.NotConnected, "it is a file, not a socket"):
            umem.connect(path)
        with self.assertRaisesRegex(umem.NotConnected, "it is a directory"):
            umem.connect(self.folder)
        stale = os.path.join(self.folder, "stale")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(stale)
        with self.assertRaisesRegex(umem.NotConnected, "no daemon listens there any more"):
            umem.connect(stale)
        with self.assertRaises(umem.NotConnected):
            umem.connect(os.path.join(self.folder, "x" * 200))
        with self.assertRaises(ValueError):
            umem.connect("a\0b")

    def test_another_users_daemon_is_not_trusted(self):
        fake = FakeDaemon(lambda peer: peer.read_text())
        self.addCleanup(fake.end)
        with mock.patch.object(_pipe_posix, "peer_user", return_value=os.geteuid() + 1):
            with self.assertRaisesRegex(umem.NotTrusted, f"user {os.geteuid() + 1}"):
                umem.connect(fake.pipe)
        with mock.patch.object(_pipe_posix, "peer_user", side_effect=OSError("no")):
            with self.assertRaises(umem.NotTrusted):
                umem.connect(fake.pipe)
        with mock.patch.object(_pipe_posix, "peer_user", return_value=0):
            umem.connect(fake.pipe).close()

    def test_a_user_who_is_named_is_trusted(self):
        fake = FakeDaemon(lambda peer: peer.read_text())
        self.addCleanup(fake.end)
        other = os.geteuid() + 1
        with mock.patch.object(_pipe_posix, "peer_user", return_value=other):
            umem.connect(fake.pipe, server_user=str(other)).close()
            with mock.patch.dict(os.environ, {"UMEM_SERVER_USER": str(other)}):
                umem.connect(fake.pipe).close()
                with self.assertRaisesRegex(umem.NotTrusted, f"root or {other + 1}"):
                    umem.connect(fake.pipe, server_user=str(other + 1))
            with self.assertRaises(umem.NotTrusted):
                umem.connect(fake.pipe, server_user="root")
        for wrong in ("no such user", "-1", "1 ", "4294967295", "\u0663"):
            with self.assertRaisesRegex(ValueError, "there is no user"):
                umem.connect(fake.pipe, server_user=wrong)
        with mock.patch.object(pwd, "getpwnam", return_value=mock.Mock(pw_uid=other)):
            self.assertEqual(_pipe_posix.trusted_users("1000"), (os.geteuid(), 0, other))
        self.assertEqual(_pipe_posix.trusted_users(""), (os.geteuid(), 0))

    def test_the_system_says_whose_daemon_it_is(self):
        fake = FakeDaemon(lambda peer: peer.read_text())
        self.addCleanup(fake.end)
        with socket.socket(socket.AF_UNIX) as pipe:
            pipe.connect(fake.pipe)
            self.assertEqual(_pipe_posix.peer_user(pipe), os.geteuid())

    def test_a_full_queue_of_clients_is_waited_for_until_the_deadline(self):
        path = os.path.join(self.folder, "full")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen(0)
            clients = []
            try:
                with self.assertRaises(umem.DeadlineExceeded):
                    for _ in range(10):
                        clients.append(umem.connect(path, timeout=0.05))
            finally:
                for client in clients:
                    client.close()

    def test_the_pipe_is_found_as_the_protocol_says(self):
        def find(wanted=None, **environment):
            with mock.patch.dict(os.environ, environment):
                for name in ("UMEM_PIPE", "XDG_RUNTIME_DIR"):
                    if name not in environment:
                        os.environ.pop(name, None)
                return _endpoint.find(wanted)

        self.assertEqual(find("/a/b", UMEM_PIPE="/c"), "/a/b")
        self.assertEqual(find("b"), os.path.join(os.getcwd(), "b"))
        self.assertEqual(find(UMEM_PIPE="/c", XDG_RUNTIME_DIR=self.folder), "/c")
        self.assertEqual(find("", UMEM_PIPE="", XDG_RUNTIME_DIR=self.folder), f"{self.folder}/umemd.sock")
        usual = f"/tmp/umemd-{os.geteuid()}/umemd.sock"
        self.assertEqual(find(), usual)
        self.assertEqual(find(XDG_RUNTIME_DIR="relative"), usual)
        self.assertEqual(find(XDG_RUNTIME_DIR=f"{self.folder}/none"), usual)


class Parser(unittest.TestCase):
    def parse(self, data, sizes):
        """The messages in the bytes, which come in parts of these sizes, again and again."""
        parser = _frames.Parser(lambda message, size: None)
        found = []
        position = turn = 0
        while position < len(data):
            space = parser.space()
            self.assertGreater(len(space), 0)
            size = min(sizes[turn % len(sizes)], len(space), len(data) - position)
            space[:size] = data[position : position + size]
            parser.received(size)
            position += size
            turn += 1
            message = parser.next()
            while message is not None:
                found.append((message[0], None if message[1] is None else bytes(message[1])))
                message = parser.next()
        return found

    def test_parts_of_any_size_give_the_same_messages(self):
        wanted = []
        data = b""
        for i in range(60):
            text = json.dumps({"id": i, "result": "x" * (i * 37 % 5000)})
            payload = bytes([i]) * (i * 7919 % 200000) if i % 3 == 0 else None
            data += _frames.encode(text, len(payload or b"")) + (payload or b"")
            wanted.append((json.loads(text), payload or None))
        for sizes in ((1 << 30,), (65536,), (4093,), (1000, 1, 70000), (61,)):
            with self.subTest(sizes=sizes):
                self.assertEqual(self.parse(data, sizes), wanted)

    def test_a_large_message_does_not_keep_its_memory(self):
        parser = _frames.Parser(lambda message, size: None)
        data = _frames.encode(json.dumps("x" * (4 << 20)), 0)
        position = 0
        while position < len(data):
            space = parser.space()
            size = min(len(space), len(data) - position)
            space[:size] = data[position : position + size]
            parser.received(size)
            position += size
        self.assertEqual(len(parser.next()[0]), 4 << 20)
        self.assertLessEqual(len(parser._buffer), 16 * _frames.CAPACITY)


if __name__ == "__main__":
    main()
