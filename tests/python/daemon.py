"""What the tests of the Python package share: a daemon of their own, and one with scripted answers."""
import os
import socket
import subprocess
import tempfile
import threading
import unittest

import umem

PATIENCE = 60.0  # seconds; a limit that only a hang reaches


class Daemon:
    """umemd at a pipe in a folder of its own."""

    def __init__(self, *options):
        self.folder = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.pipe = os.path.join(self.folder.name, "umemd.sock")
        self.command = [os.environ["UMEMD"], "--pipe", self.pipe, *options]
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            self.command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        for line in self.process.stderr:
            if "listening on" in line:
                break
        else:
            raise RuntimeError(f"umemd ended with {self.process.wait()} before it listened")
        # What it writes later must not fill the pipe, which would hold it up.
        self.log = []
        self.reader = threading.Thread(target=self.log.extend, args=(self.process.stderr,))
        self.reader.start()

    def kill(self):
        """Ends it at once. start() starts another one in its place."""
        self.process.kill()
        self.process.wait()
        self.reader.join()
        self.process.stderr.close()

    def replace(self):
        """Another one takes the pipe over from it."""
        replaced, reader = self.process, self.reader
        command = self.command
        self.command = [*command, "--replace"]
        try:
            self.start()
        finally:
            self.command = command
        replaced.wait()
        reader.join()
        replaced.stderr.close()

    def end(self):
        """Requests the end, since a sanitizer reports what leaked when a program ends in order. Its exit status."""
        if self.process.poll() is None:
            self.process.terminate()
        try:
            status = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            status = self.process.wait()
        self.reader.join()
        self.process.stderr.close()
        self.folder.cleanup()
        return status


class DaemonTest(unittest.TestCase):
    """Tests with a daemon for all of a class, and a client for each."""

    options = ()

    @classmethod
    def setUpClass(cls):
        cls.server = Daemon(*cls.options)

    @classmethod
    def tearDownClass(cls):
        status = cls.server.end()
        if status != 0:
            raise AssertionError(f"the daemon ended with {status}: {''.join(cls.server.log)}")

    def setUp(self):
        self.daemon = self.connect()

    def connect(self, **options):
        client = umem.connect(self.server.pipe, **{"timeout": PATIENCE, **options})
        self.addCleanup(client.close)
        return client


class FakeDaemon:
    """Listens, and serves each connection with a function in a thread: it may read requests and answer as it likes."""

    def __init__(self, serve):
        self.folder = tempfile.TemporaryDirectory(prefix="umemd-python-")
        self.pipe = os.path.join(self.folder.name, "umemd.sock")
        self.serve = serve
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.pipe)
        self.listener.listen()
        self.connections = []
        self.threads = []
        self.acceptor = threading.Thread(target=self.accept)
        self.acceptor.start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.connections.append(connection)
            thread = threading.Thread(target=self.run, args=(connection,))
            self.threads.append(thread)
            thread.start()

    def run(self, connection):
        try:
            self.serve(Peer(connection))
            connection.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass  # the client has closed

    def end(self):
        self.listener.shutdown(socket.SHUT_RDWR)
        self.acceptor.join()
        for connection in self.connections:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        for thread in self.threads:
            thread.join()
        for connection in self.connections:
            connection.close()
        self.listener.close()
        self.folder.cleanup()


class Peer:
    """The daemon's end of a connection."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = b""

    def read_text(self):
        """The JSON of the next request; OSError at the end of the connection."""
        while b"\r\n\r\n" not in self.buffer:
            self.receive()
        head, _, rest = self.buffer.partition(b"\r\n\r\n")
        sizes = dict(line.split(b": ") for line in head.split(b"\r\n"))
        size, payload = int(sizes[b"Content-Length"]), int(sizes.get(b"Payload-Length", 0))
        while len(self.buffer) < len(head) + 4 + size + payload:
            self.receive()
        rest = self.buffer[len(head) + 4 :]
        self.buffer = rest[size + payload :]
        return rest[:size]

    def receive(self):
        chunk = self.connection.recv(65536)
        if not chunk:
            raise ConnectionError("the client has closed")
        self.buffer += chunk

    def send(self, data):
        self.connection.sendall(data)

    def answer(self, text, payload=b""):
        text = text.encode()
        size = f"Payload-Length: {len(payload)}\r\n" if payload else ""
        self.send(f"Content-Length: {len(text)}\r\n{size}\r\n".encode() + text + payload)


def main():
    unittest.main(verbosity=2)
