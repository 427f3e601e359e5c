"""The same for asyncio: what waits is awaited.

    async with umem.aio.connect() as daemon:
        async with await daemon.alloc(64) as block:
            await block.write(b"hello")

A client belongs to the loop that it was connected in. A call that is cancelled was sent all the same; a wait for a change or
a lock is cancelled in the daemon, too, and a lock that came before is given back.
"""
from __future__ import annotations

import asyncio
import os
import queue
import struct
import sys
import threading
import time
import weakref
from types import TracebackType
from typing import Any, AsyncIterator, Dict, Generator, List, Optional, Sequence, Set, Tuple, Type, TypeVar, Union

from . import _calls, _endpoint, methods
from ._block import GET, RETRIES, WHOLE, BlockBase, piece_size, pieces
from ._calls import Numbers
from ._errors import ConnectionLost, DeadlineExceeded, StaleHandle, UmemError
from ._frames import Bytes
from ._mapping import MappedBlock, same_place
from ._request import FOREVER, Number, Ref, Referable, Request, by_name, raw_view
from ._session import BatchWaiter, Event, EventQueue, Session, Waiter, check_size, closed, forked

if sys.platform == "win32":
    from ._pipe_win32 import Pipe
else:
    from ._pipe_posix import Pipe

T = TypeVar("T")
Self = TypeVar("Self")
Error = Optional[Type[BaseException]]
Trace = Optional[TracebackType]

_clients: "weakref.WeakSet[Client]" = weakref.WeakSet()


class _Streams(asyncio.BufferedProtocol):
    """The daemon's socket as a transport of the loop."""

    def __init__(self, client: Client) -> None:
        self._client = client
        self._transport: Optional[asyncio.Transport] = None
        self._writable = asyncio.Event()
        self._writable.set()

    @classmethod
    async def open(cls, client: Client, pipe: Any) -> _Streams:
        loop = asyncio.get_running_loop()
        _, streams = await loop.create_unix_connection(lambda: cls(client), sock=pipe.release())
        return streams

    def connection_made(self, transport: Any) -> None:
        self._transport = transport

    def get_buffer(self, sizehint: int) -> memoryview:
        return self._client._session.parser.space()

    def buffer_updated(self, nbytes: int) -> None:
        self._client._received(nbytes)

    def eof_received(self) -> None:
        self._client._end(ConnectionLost("the daemon closed the connection"))

    def connection_lost(self, exc: Optional[Exception]) -> None:
        self._client._end(ConnectionLost(f"the connection to the daemon broke: {exc}"))

    def pause_writing(self) -> None:
        self._writable.clear()

    def resume_writing(self) -> None:
        self._writable.set()

    async def write(self, parts: Sequence[Bytes]) -> None:
        """Returns when the parts are the transport's, which may have to wait until the daemon takes them."""
        assert self._transport is not None
        for part in parts:
            self._transport.write(part)
        await self._writable.wait()

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

    def __init__(self, client: Client, pipe: Any) -> None:
        self._client = client
        self._pipe = pipe
        self._loop = asyncio.get_running_loop()
        self._to_write: queue.SimpleQueue[Optional[Tuple[List[Bytes], asyncio.Future[None]]]] = queue.SimpleQueue()
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
                    self._call(self._client._take, bytes(space[:size]))
        except UmemError as error:
            self._call(self._client._end, error)

    def _write(self) -> None:
        try:
            item = self._to_write.get()
            while item is not None:
                parts, done = item
                while parts:
                    parts = _calls.without(parts, self._pipe.write_some(parts))
                    if parts:
                        self._pipe.wait(False, True, 1)
                self._call(_finish, done)
                item = self._to_write.get()
        except UmemError as error:
            self._call(self._client._end, error)

    async def write(self, parts: Sequence[Bytes]) -> None:
        done: asyncio.Future[None] = self._loop.create_future()
        self._to_write.put((list(parts), done))
        await done

    def abandon(self) -> None:
        self._pipe.abandon()

    def close(self) -> None:
        self._to_write.put(None)
        self._pipe.close()


def _finish(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


class Client:
    """A connection to the daemon, which is a session there. Many tasks may use it at a time."""

    def __init__(self, pipe: str, timeout: Optional[float], server_user: str = "") -> None:
        self.pipe = pipe
        self.timeout = timeout
        self._server_user = server_user
        self._session = Session()
        self._limits: Optional[Dict[str, int]] = None
        self._link: Union[_Streams, _Threads, None] = None
        self._background: Set[asyncio.Task[Any]] = set()

    async def _connect(self, in_threads: bool) -> None:
        deadline = time.monotonic() + self._seconds()
        # Where the queue of clients is full this may take its time.
        pipe = await asyncio.get_running_loop().run_in_executor(None, Pipe, self.pipe, deadline, self._server_user)
        try:
            self._link = _Threads(self, pipe) if in_threads else await _Streams.open(self, pipe)
        except BaseException:
            pipe.close()
            raise
        _clients.add(self)

    def _seconds(self) -> float:
        return FOREVER if self.timeout is None else self.timeout

    @property
    def closed(self) -> bool:
        """Whether there is no connection any more."""
        return self._session.failure is not None

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        self.close()
        # The loop closes the connection in its next turn, which may be its last one.
        await asyncio.sleep(0)

    def __repr__(self) -> str:
        return f"<umem.aio.Client {self.pipe}{' (closed)' if self.closed else ''}>"

    def close(self) -> None:
        """Ends the session. Calls that are under way fail."""
        self._end(closed())

    def _end(self, reason: UmemError) -> None:
        self._session.fail(reason)
        if self._link is not None:
            self._link.close()

    def _after_fork(self) -> None:
        """In the child, whose copy of the connection would keep the parent's session open."""
        self._session.waiting = {}
        self._session.queues = {}
        self._session.fail(forked())
        if self._link is not None:
            self._link.abandon()

    # ---- bytes in ----

    def _received(self, size: int) -> None:
        session = self._session
        try:
            session.parser.received(size)
            found = session.parser.next()
            while found is not None:
                session.dispatch(*found)
                found = session.parser.next()
        except ConnectionLost as error:
            self._end(error)

    def _take(self, data: bytes) -> None:
        """Bytes that a thread has read."""
        view = memoryview(data)
        while len(view) and not self.closed:
            space = self._session.parser.space()
            size = min(len(space), len(view))
            space[:size] = view[:size]
            view = view[size:]
            self._received(size)

    # ---- calls ----

    async def send(self, request: Request[T]) -> T:
        """Sends one request; its answer."""
        if request.size > WHOLE:
            check_size(Waiter(request), await self.limits())
        waiter = Waiter(request)
        await self._exchange(waiter, request.waits)
        return waiter.get()  # type: ignore[no-any-return]

    async def limits(self) -> Dict[str, int]:
        """The daemon's limits, which stay what they are as long as it runs."""
        if self._limits is None:
            self._limits = (await self.send(methods.server_info()))["limits"]
        return self._limits

    async def batch(self, requests: Sequence[Request[Any]]) -> List[Any]:
        """Sends requests together, with none of another session in between. Their results; an error is one of these, not raised."""
        waiter = BatchWaiter(requests)
        if not requests:
            return []
        if sum([request.size for request in requests]) > WHOLE:
            check_size(waiter, await self.limits())
        await self._exchange(waiter, 0)
        return [outcome.value if outcome.error is None else outcome.error for outcome in waiter.outcomes]

    async def _exchange(self, waiter: Waiter, waits: float) -> None:
        assert self._link is not None
        loop = asyncio.get_running_loop()
        done: asyncio.Future[None] = loop.create_future()
        parts = self._session.begin(waiter)
        waiter.was_sent = True
        waiter.on_done = lambda _: _finish(done)
        seconds = self._seconds() + waits
        timer = loop.call_later(seconds, self._expire, waiter) if seconds != FOREVER else None
        try:
            await self._link.write(parts)
            await done
        except asyncio.CancelledError:
            self._give_up(waiter)
            raise
        finally:
            if timer is not None:
                timer.cancel()

    def _expire(self, waiter: Waiter) -> None:
        if waiter.done:
            return
        must_end = self._session.withdraw(waiter)
        waiter.fail(DeadlineExceeded("the daemon did not answer in time"))
        if must_end:
            self._end(ConnectionLost("an answer did not come in time; the connection was closed"))

    def _give_up(self, waiter: Waiter) -> None:
        """Nobody awaits it any more. What waits in the daemon ends there, and what it has got is given back."""
        if waiter.done:
            self._undo(waiter)
            return
        waiter.on_done = self._undo
        if waiter.request is not None and waiter.request.waits:
            self._in_background(methods.cancel_request(waiter.id))

    def _undo(self, waiter: Waiter) -> None:
        for request, outcome in zip(waiter.requests, waiter.outcomes):
            if request.undo is not None and outcome.error is None:
                self._in_background(request.undo)

    def _in_background(self, request: Request[Any]) -> None:
        async def send() -> None:
            try:
                await self.send(request)
            except UmemError:
                pass  # the connection has ended, and all of this with it

        if not self.closed:
            task = asyncio.get_running_loop().create_task(send())
            self._background.add(task)
            task.add_done_callback(self._background.discard)

    async def call(self, method: str, params: Union[Dict[str, Any], List[Any], None] = None) -> Any:
        """Any method by its name, with its result as it is. umem.methods has them typed, for send()."""
        return await self.send(_calls.any_method(method, params))

    # ---- blocks and heaps ----

    async def alloc(
        self,
        size: Optional[int] = None,
        *,
        name: Optional[str] = None,
        heap: Optional[Ref] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
        data: Optional[Bytes] = None,
        if_exists: Optional[methods.IfExists] = None,
    ) -> Block:
        """As umem.Client.alloc()."""
        request = methods.block_alloc(
            size=size, heap=heap, flags=flags, name=name, lifetime=lifetime, data=data, if_exists=if_exists
        )
        made = await self.send(request)
        block = Block(self, made["block"], made["size"], name)
        block.created = made.get("created", True)
        return block

    async def open(self, block: Union[str, int]) -> Block:
        """The block of that name, or handle."""
        facts = await self.send(methods.block_info(by_name(block) if isinstance(block, str) else block))
        return Block(self, facts["block"], facts["size"], facts["name"])

    async def put(
        self,
        name: str,
        data: Bytes,
        *,
        heap: Optional[Ref] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
    ) -> Block:
        """As umem.Client.put()."""
        view = raw_view(data)
        # The daemon refuses an empty name at once; for a block that is there it would mean: none.
        if not name or len(view) <= WHOLE or len(view) <= piece_size(await self.limits()):
            return await self.alloc(name=name, data=view, heap=heap, lifetime=lifetime, flags=flags, if_exists="replace")
        block = await self.alloc(len(view), heap=heap, lifetime="session", flags=flags)
        try:
            await block.write(view)
            await self.send(methods.block_change(block, name=name, lifetime=lifetime or "server", if_exists="replace"))
        except BaseException:
            # It may have been cancelled.
            self._in_background(methods.block_free(block))
            raise
        block.name = name
        return block

    async def get(self, name: str) -> bytes:
        """As umem.Client.get()."""
        at_most = min(GET, piece_size(await self.limits()))
        for _ in range(RETRIES):
            first = await self.send(methods.block_read(by_name(name), at_most=at_most))
            if first["size"] == first["block_size"]:
                return first["data"]
            block = Block(self, first["block"], first["block_size"], name)
            try:
                return first["data"] + await block.read(first["size"])
            except StaleHandle as error:
                replaced = error
        raise replaced

    async def blocks(self, *, heap: Optional[Ref] = None, orphaned: bool = False) -> AsyncIterator[methods.BlockListEntry]:
        """Describes the blocks, one after the other; pages are requested as they are needed."""
        after: Optional[int] = 0
        while after is not None:
            page = await self.send(methods.block_list(heap=heap, orphaned=orphaned, after=after))
            for entry in page["blocks"]:
                yield entry
            after = page["next"]

    async def create_heap(
        self,
        *,
        name: Optional[str] = None,
        kind: Optional[methods.Kind] = None,
        maximum_size: Optional[int] = None,
        initial_size: Optional[int] = None,
        alignment: Optional[int] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
        if_exists: Optional[methods.IfExists] = None,
    ) -> Heap:
        """As umem.Client.create_heap()."""
        request = methods.heap_create(
            name=name,
            kind=kind,
            maximum_size=maximum_size,
            initial_size=initial_size,
            alignment=alignment,
            lifetime=lifetime,
            flags=flags,
            if_exists=if_exists,
        )
        made = await self.send(request)
        heap = Heap(self, made["heap"], name)
        heap.created = made.get("created", True)
        return heap

    async def open_heap(self, heap: Union[str, int]) -> Heap:
        """The heap of that name, or handle; "process" is the daemon's own."""
        if heap == "process":
            return Heap(self, (await self.send(methods.heap_process()))["heap"], None)
        facts = await self.send(methods.heap_info(by_name(heap) if isinstance(heap, str) else heap))
        return Heap(self, facts["heap"], facts["name"])

    async def info(self) -> methods.ServerInfoResult:
        return await self.send(methods.server_info())

    async def watch(
        self,
        *,
        block: Optional[Ref] = None,
        heap: Optional[Ref] = None,
        offset: Optional[int] = None,
        size: Optional[int] = None,
    ) -> Watch:
        """Reports changes of a block, of a heap's blocks, or of all, from now on."""
        request = methods.session_watch(heap=heap, block=block, offset=offset, size=size)
        return Watch(self, await self.send(Request(request.text, self._session.add_queue)))


class _Connecting:
    """What connect() gives: awaited it is the client, and with `async with` one that is closed at the end."""

    def __init__(
        self, pipe: Optional[str], timeout: Optional[float], in_threads: bool, server_user: Optional[str]
    ) -> None:
        self._client = Client(_endpoint.find(pipe), timeout, _endpoint.server_user(server_user))
        self._in_threads = in_threads

    async def _connect(self) -> Client:
        await self._client._connect(self._in_threads)
        return self._client

    def __await__(self) -> Generator[Any, None, Client]:
        return self._connect().__await__()

    async def __aenter__(self) -> Client:
        return await self._connect()

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        await self._client.__aexit__(kind, error, trace)


def connect(
    pipe: Optional[str] = None,
    *,
    timeout: Optional[float] = 30.0,
    in_threads: bool = sys.platform == "win32",
    server_user: Optional[str] = None,
) -> _Connecting:
    """As umem.connect(), to be awaited or used with `async with`. in_threads: read and write in threads beside the loop."""
    return _Connecting(pipe, timeout, in_threads, server_user)


class Block(BlockBase):
    """As umem.Block, with what it does to be awaited, and read() and write() in the place of slices."""

    def __init__(self, client: Client, handle: int, size: int, name: Optional[str] = None) -> None:
        super().__init__(handle, size, name)
        self.client = client
        self._send = client.send

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        if not self.is_freed:
            try:
                await self.free()
            except UmemError:
                if kind is None:
                    raise

    async def read(self, offset: int = 0, size: Optional[int] = None) -> bytes:
        """Bytes from an offset on, to the end if no size is given."""
        size = self._span(offset, size)
        if size <= WHOLE:
            return await self._send(_calls.read(self._json, offset, size))
        piece = piece_size(await self.client.limits())
        parts = [await self._send(_calls.read(self._json, at, part)) for at, part in pieces(offset, size, piece)]
        return b"".join(parts)

    async def write(self, data: Bytes, offset: int = 0) -> int:
        """Writes all of the data from an offset on; returns how many bytes they are."""
        view = raw_view(data)
        if len(view) <= WHOLE:
            await self._send(_calls.write(self._json, offset, view))
            return len(view)
        piece = piece_size(await self.client.limits())
        if len(view) > piece:
            # A write that passes the end is to change nothing.
            await self._send(_calls.read(self._json, offset + len(view), 0))
        for at, size in pieces(offset, len(view), piece):
            await self._send(_calls.write(self._json, at, view[at - offset : at - offset + size]))
        return len(view)

    async def unpack(self, format: str, offset: int = 0) -> Tuple[Any, ...]:
        return struct.unpack(format, await self.read(offset, struct.calcsize(format)))

    async def pack(self, format: str, offset: int, *values: Any) -> None:
        await self.write(struct.pack(format, *values), offset)

    async def get(self, type: str, offset: int = 0) -> Number:
        return await self._send(_calls.get_number(self, type, offset))

    async def get_array(self, type: str, offset: int = 0, count: int = 1) -> List[Number]:
        return await self._send(_calls.get_numbers(self, type, offset, count))

    async def set(self, type: str, offset: int, value: Numbers) -> None:
        await self._send(_calls.set_numbers(self, type, offset, value))

    async def add(self, type: str, offset: int, value: Number) -> Number:
        return await self._send(_calls.add(self, type, offset, value))

    async def exchange(self, type: str, offset: int, value: Number) -> Number:
        return await self._send(_calls.exchange(self, type, offset, value))

    async def compare_exchange(self, type: str, offset: int, expected: Number, value: Number) -> Tuple[bool, Number]:
        return await self._send(_calls.compare_exchange(self, type, offset, expected, value))

    async def wait(self, type: str, offset: int, value: Number, timeout: Optional[float] = None) -> Number:
        """Waits until a number is no longer this value; returns what it is."""
        return await self._send(_calls.wait(self, type, offset, value, timeout))

    async def map(self) -> memoryview:
        """As umem.Block.map()."""
        place = await self._send(methods.block_map(self))
        if self._mapped is None or not same_place(self._mapped.place, place):
            self._mapped = MappedBlock(place, self.client._server_user)
        self.size = place["size"]
        return self._mapped.view()

    async def wake(self, offset: int = 0, size: Optional[int] = None) -> None:
        await self._send(methods.block_wake(self, offset=offset, size=size))

    async def watch(self, offset: int = 0, size: Optional[int] = None) -> Watch:
        return await self.client.watch(block=self, offset=offset, size=size)

    async def fill(self, value: int = 0, offset: int = 0, size: Optional[int] = None) -> None:
        await self._send(methods.block_fill(self, value=value, offset=offset, size=size))

    async def find(self, data: Bytes, offset: int = 0) -> Optional[int]:
        return (await self._send(methods.block_find(self, data, offset=offset)))["offset"]

    async def resize(self, size: int) -> None:
        self._close_mapping()
        self.size = (await self._send(methods.block_resize(self, size)))["size"]

    async def rename(self, name: Optional[str], *, replace: bool = False) -> None:
        request = methods.block_change(self, name=name or "", if_exists="replace" if replace else None)
        self.name = (await self._send(request))["name"]

    async def info(self) -> methods.BlockInfoResult:
        facts = await self._send(methods.block_info(self))
        self.size, self.name = facts["size"], facts["name"]
        return facts

    async def free(self) -> None:
        self._close_mapping()
        await self._send(methods.block_free(self))
        self.is_freed = True


class Heap(Referable):
    """As umem.Heap."""

    def __init__(self, client: Client, handle: int, name: Optional[str] = None) -> None:
        self.client = client
        self.handle = handle
        self.name = name
        self.created = True  # False: create_heap() has opened a heap that was there
        self.is_destroyed = False  # by this object

    def __repr__(self) -> str:
        return f"<umem.aio.Heap {self.handle}>"

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        if not self.is_destroyed:
            try:
                await self.destroy()
            except UmemError:
                if kind is None:
                    raise

    async def alloc(
        self,
        size: Optional[int] = None,
        *,
        name: Optional[str] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
        data: Optional[Bytes] = None,
        if_exists: Optional[methods.IfExists] = None,
    ) -> Block:
        return await self.client.alloc(
            size, name=name, heap=self, lifetime=lifetime, flags=flags, data=data, if_exists=if_exists
        )

    async def info(self) -> methods.HeapInfoResult:
        return await self.client.send(methods.heap_info(self))

    def lock(self, timeout: Optional[float] = None) -> Lock:
        """As umem.Heap.lock(), for `async with`. The lock is the client's: tasks that share it do not lock each other out."""
        return Lock(self, timeout)

    async def unlock(self) -> None:
        await self.client.send(methods.heap_unlock(self))

    async def flush(self) -> None:
        await self.client.send(methods.heap_flush(self))

    async def watch(self) -> Watch:
        return await self.client.watch(heap=self)

    async def destroy(self) -> None:
        await self.client.send(methods.heap_destroy(self))
        self.is_destroyed = True


class Lock:
    """The lock of a heap, for `async with`."""

    def __init__(self, heap: Heap, timeout: Optional[float]) -> None:
        self.heap = heap
        self.timeout = timeout

    async def acquire(self) -> None:
        await self.heap.client.send(_calls.lock(self.heap, self.timeout))

    async def release(self) -> None:
        await self.heap.unlock()

    async def __aenter__(self) -> Heap:
        await self.acquire()
        return self.heap

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        try:
            await self.release()
        except UmemError:
            if kind is None:
                raise


class Watch:
    """Changes, as they come: `async for event in watch`, until close()."""

    def __init__(self, client: Client, queue: EventQueue) -> None:
        self.client = client
        self._queue = queue

    async def __aenter__(self: Self) -> Self:
        return self

    async def __aexit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        try:
            await self.close()
        except UmemError:
            if kind is None:
                raise

    async def __aiter__(self) -> AsyncIterator[Event]:
        event = await self.next()
        while event is not None:
            yield event
            event = await self.next()

    async def next(self) -> Optional[Event]:
        """The next event. None: the watch was closed."""
        done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiter = Waiter()
        waiter.on_done = lambda _: _finish(done)
        event = self.client._session.take_event(self._queue, waiter)
        if event is not None or waiter.done:
            return event
        try:
            await done
        except asyncio.CancelledError:
            self._queue.listener = None
            raise
        return self.client._session.take_event(self._queue, None)

    async def close(self) -> None:
        """Ends the watch, and a loop over it."""
        if self.client._session.remove_queue(self._queue):
            await self.client.send(methods.session_unwatch(self._queue.watch))


def _after_fork() -> None:
    for client in list(_clients):
        client._after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_after_fork)
