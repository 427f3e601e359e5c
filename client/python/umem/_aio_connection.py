"""One connection of the client for asyncio: requests out, answers in. Knows no blocks, and does not connect anew."""
from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
import time
import weakref
from typing import Any, Dict, List, Optional, Sequence, Set, Tuple, TypeVar, Union

from . import _calls, methods
from ._block import WHOLE
from ._errors import ConnectionLost, DeadlineExceeded, UmemError
from ._frames import Bytes
from ._request import FOREVER, Request
from ._session import BatchWaiter, Event, EventQueue, Outcome, Session, Waiter, check_size, closed, forked, unsent

if sys.platform == "win32":
    from ._pipe_win32 import Pipe
else:
    from ._pipe_posix import Pipe

T = TypeVar("T")

_connections: "weakref.WeakSet[Connection]" = weakref.WeakSet()


class _Streams(asyncio.BufferedProtocol):
    """The daemon's socket as a transport of the loop."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._transport: Optional[asyncio.Transport] = None
        self._writable = asyncio.Event()
        self._writable.set()

    @classmethod
    async def open(cls, connection: Connection, pipe: Any) -> _Streams:
        loop = asyncio.get_running_loop()
        _, streams = await loop.create_unix_connection(lambda: cls(connection), sock=pipe.release())
        return streams

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._connection.session.parser.space()

    def buffer_updated(self, nbytes: int) -> None:
        self._connection.received(nbytes)

    def eof_received(self) -> None:
        self._connection.end(ConnectionLost("the daemon closed the connection"))

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._connection.end(ConnectionLost(f"the connection to the daemon broke: {exc}"))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def write(self, parts: Sequence[Bytes]) -> bool:
        """Returns when the parts are the transport's, which may have to wait until the daemon takes them.

        False: none of them was sent, nor will be, and the connection is lost.
        """
        transport = self._transport
        assert transport is not None
        if transport.is_closing():
            return False
        # With nothing before it, the transport passes a part to the system at once. Where that fails, it closes.
        was_empty = transport.get_write_buffer_size() == 0
        for i, part in enumerate(parts):
            transport.write(part)
            if transport.is_closing():
                return i != 0 or not was_empty
        await self._writable.wait()
        return True

    def abandon(self) -> None:
        # The loop's objects would close a descriptor of this number later, so that it has to stay one.
        descriptor = self._transport.get_extra_info("socket").fileno() if self._transport is not None else -1
        if descriptor >= 0:
            null = os.open(os.devnull, os.O_RDWR)
            os.dup2(null, descriptor, inheritable=False)
            os.close(null)

    def close(self) -> None:
        self._writable.set()
        if self._transport is not None:
            self._transport.abort()


class _Threads:
    """A pipe whose reads and writes block, each in a thread: for Windows, where a loop cannot take a pipe that was verified."""

    def __init__(self, connection: Connection, pipe: Any) -> None:
        self._connection = connection
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self._to_write: queue.SimpleQueue[Optional[Tuple[List[Bytes], asyncio.Future[bool]]]] = queue.SimpleQueue()
        self._writes: Set[asyncio.Future[bool]] = set()  # that have not ended
        for target in (self._read, self._write):
            threading.Thread(target=target, name="umem", daemon=True).start()

    def _call(self, function: Any, *arguments: Any) -> None:
        try:
            self._loop.call_soon_threadsafe(function, *arguments)
        except RuntimeError:
            pass  # the loop was closed before the client

    def _read(self) -> None:
        space = memoryview(bytearray(WHOLE))
        try:
            while True:
                size = self._pipe.read_into(space, FOREVER)
                if size:
                    self._call(self._connection.take, bytes(space[:size]))
        except UmemError as error:
            self._call(self._connection.end, error)

    def _write(self) -> None:
        item = self._to_write.get()
        while item is not None:
            parts, done = item
            was_sent = False
            try:
                while parts:
                    size = self._pipe.write_some(parts)
                    was_sent = was_sent or size != 0 or self._pipe.is_writing
                    parts = _calls.without(parts, size)
                    if parts:
                        self._pipe.wait(False, True, 1)
            except UmemError as error:
                self._call(finish, done, was_sent)
                self._call(self._connection.end, error)
                return
            self._call(finish, done, True)
            item = self._to_write.get()

    async def write(self, parts: Sequence[Bytes]) -> bool:
        done: asyncio.Future[bool] = self._loop.create_future()
        self._writes.add(done)
        self._to_write.put((list(parts), done))
        try:
            return await done
        finally:
            self._writes.discard(done)

    def abandon(self) -> None:
        self._pipe.abandon()

    def close(self) -> None:
        self._to_write.put(None)
        self._pipe.close()
        # The thread may have ended before it came to them.
        for done in self._writes:
            finish(done, True)


def finish(future: asyncio.Future[Any], value: Any = None) -> None:
    if not future.done():
        future.set_result(value)


async def _open_pipe(path: str, deadline: float, server_user: str) -> Any:
    # Where the queue of clients is full this may take its time.
    opening = asyncio.get_running_loop().run_in_executor(None, Pipe, path, deadline, server_user)
    try:
        return await asyncio.shield(opening)
    except asyncio.CancelledError:
        opening.add_done_callback(_close_unwanted)
        raise


def _close_unwanted(opening: asyncio.Future[Any]) -> None:
    if not opening.cancelled() and opening.exception() is None:
        opening.result().close()


class Connection:
    """What a client has one of at a time. Many tasks may use it."""

    def __init__(self, pipe: str, timeout: Optional[float], server_user: str, in_threads: bool) -> None:
        self.pipe = pipe
        self.timeout = timeout
        self.server_user = server_user
        self.in_threads = in_threads
        self.session = Session()
        self.has_session_things = False  # it may have locks, holds or watches, or blocks that end with it
        self.renewing: Optional[asyncio.Lock] = None  # for who puts another connection in its place
        self._limits: Optional[Dict[str, int]] = None
        self._link: Union[_Streams, _Threads, None] = None
        self._background: Set[asyncio.Task[Any]] = set()

    async def open(self, deadline: float) -> Connection:
        # Before version 3.10 of Python, a lock belongs to the loop that it was made in.
        self.renewing = asyncio.Lock()
        pipe = await _open_pipe(self.pipe, deadline, self.server_user)
        try:
            self._link = _Threads(self, pipe) if self.in_threads else await _Streams.open(self, pipe)
        except BaseException:
            pipe.close()
            raise
        _connections.add(self)
        return self

    def seconds(self) -> float:
        return FOREVER if self.timeout is None else self.timeout

    @property
    def closed(self) -> bool:
        return self.session.failure is not None

    def close(self) -> None:
        self.end(closed())

    def end(self, reason: UmemError) -> None:
        self.session.fail(reason)
        if self._link is not None:
            self._link.close()

    def _after_fork(self) -> None:
        """In the child, whose copy of the connection would keep the parent's session open."""
        self.session.waiting = {}
        self.session.queues = {}
        self.session.fail(forked())
        if self._link is not None:
            self._link.abandon()

    # ---- bytes in ----

    def received(self, size: int) -> None:
        """So many bytes are in the parser's space."""
        session = self.session
        try:
            session.parser.received(size)
            found = session.parser.next()
            while found is not None:
                session.dispatch(*found)
                found = session.parser.next()
        except ConnectionLost as error:
            self.end(error)

    def take(self, data: bytes) -> None:
        """Bytes that a thread has read."""
        view = memoryview(data)
        while len(view) and not self.closed:
            space = self.session.parser.space()
            size = min(len(space), len(view))
            space[:size] = view[:size]
            view = view[size:]
            self.received(size)

    # ---- calls ----

    async def send(self, request: Request[T]) -> T:
        """Sends one request; its answer."""
        if request.size > WHOLE:
            check_size(Waiter(request), await self.limits())
        waiter = Waiter(request)
        await self.exchange(waiter, request.waits)
        return waiter.get()  # type: ignore[no-any-return]

    async def send_batch(self, requests: Sequence[Request[Any]]) -> Sequence[Outcome]:
        waiter = BatchWaiter(requests)
        if sum([request.size for request in requests]) > WHOLE:
            check_size(waiter, await self.limits())
        await self.exchange(waiter, 0)
        return waiter.outcomes

    async def limits(self) -> Dict[str, int]:
        if self._limits is None:
            self._limits = (await self.send(methods.server_info()))["limits"]
        return self._limits

    async def exchange(self, waiter: Waiter, waits: float) -> None:
        """Returns when it is done. ConnectionLost with `sent` False: the connection was lost before anything of it was sent."""
        assert self._link is not None
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        parts = self.session.begin(waiter)
        waiter.was_sent = True
        waiter.on_done = lambda _: finish(done)
        seconds = self.seconds() + waits
        timer = loop.call_later(seconds, self._expire, waiter) if seconds != FOREVER else None
        try:
            waiter.was_sent = await self._link.write(parts)
            await done
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise
        finally:
            if timer is not None:
                timer.cancel()
        if not waiter.was_sent and self.session.failure is not None:
            raise unsent(self.session.failure)

    def _expire(self, waiter: Waiter) -> None:
        if waiter.done:
            return
        must_end = self.session.withdraw(waiter)
        waiter.fail(DeadlineExceeded("the daemon did not answer in time"))
        if must_end:
            self.end(ConnectionLost("an answer did not come in time; the connection was closed"))

    def _give_up(self, waiter: Waiter) -> None:
        """Nobody awaits it any more. What waits in the daemon ends there, and what it has got is given back."""
        if waiter.done:
            self._undo(waiter)
            return
        waiter.on_done = self._undo
        if waiter.request is not None and waiter.request.waits:
            self.in_background(methods.cancel_request(waiter.id))

    def _undo(self, waiter: Waiter) -> None:
        for request, outcome in zip(waiter.requests, waiter.outcomes):
            if request.undo is not None and outcome.error is None:
                self.in_background(request.undo)

    def in_background(self, request: Request[Any]) -> None:
        """Sends it, and nobody waits for its answer."""

        async def send() -> None:
            try:
                await self.send(request)
            except UmemError:
                pass  # the connection has ended, and all of this with it

        if not self.closed:
            task = asyncio.get_running_loop().create_task(send())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    # ---- watches ----

    async def begin_watch(self, request: Request[Any]) -> Tuple[Connection, EventQueue]:
        """The connection that the watch is of, and its events."""
        return self, await self.send(Request(request.text, self.session.add_queue))

    async def wait_for_event(self, events: EventQueue) -> Optional[Event]:
        """The next event of a watch. None: the watch has ended."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = Waiter()
        waiter.on_done = lambda _: finish(done)
        event = self.session.take_event(events, waiter)
        if event is not None or waiter.done:
            return event
        try:
            await done
        except asyncio.CancelledError:
            events.listener = None
            raise
        return self.session.take_event(events, None)

    async def end_watch(self, events: EventQueue) -> None:
        if self.session.remove_queue(events):
            await self.send(methods.session_unwatch(events.watch))


def _after_fork() -> None:
    for connection in list(_connections):
        connection._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
