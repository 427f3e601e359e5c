"""The same for asyncio: what waits is awaited.

    async with umem.aio.connect() as daemon:
        async with await daemon.alloc(64) as block:
            await block.write(b"hello")

A client belongs to the loop that it was connected in. A call that is cancelled was sent all the same; a wait for a change or
a lock is cancelled in the daemon, too, and a lock that came before is given back.
"""
from __future__ import annotations

import asyncio
import struct
import sys
import time
from types import TracebackType
from typing import Any, AsyncIterator, Awaitable, Callable, Dict, Generator, List, Optional, Sequence, Tuple, Type, TypeVar, Union

from . import _calls, _endpoint, methods
from ._aio_connection import Connection
from ._block import GET, RETRIES, WHOLE, BlockBase, piece_size, pieces
from ._calls import Numbers
from ._errors import ConnectionLost, NotConnected, StaleHandle, UmemError
from ._frames import Bytes
from ._mapping import MappedBlock, same_place
from ._request import Number, Ref, Referable, Request, by_name, raw_view
from ._session import PAUSE, Event, EventQueue, check_reconnect, closed, is_of_session, lost_with_session

T = TypeVar("T")
Self = TypeVar("Self")
Error = Optional[Type[BaseException]]
Trace = Optional[TracebackType]

class Client:
    """A connection to the daemon, which is a session there. Many tasks may use it at a time. Made by connect()."""

    def __init__(
        self,
        pipe: str,
        timeout: Optional[float],
        server_user: str = "",
        reconnect: float = 0,
        in_threads: bool = sys.platform == "win32",
    ) -> None:
        self._reconnect = check_reconnect(reconnect)
        self._is_closed = False
        self._server_user = server_user
        self._connection = Connection(pipe, timeout, server_user, in_threads)

    async def _connect(self) -> None:
        await self._connection.open(time.monotonic() + self._connection.seconds())

    @property
    def pipe(self) -> str:
        """Where the daemon listens."""
        return self._connection.pipe

    @property
    def timeout(self) -> Optional[float]:
        """Seconds that one call may take; None: no end."""
        return self._connection.timeout

    @timeout.setter
    def timeout(self, timeout: Optional[float]) -> None:
        self._connection.timeout = timeout

    @property
    def closed(self) -> bool:
        """Whether there is no connection (any more, or at the moment)."""
        return self._connection.closed

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
        self._is_closed = True
        self._connection.close()

    # ---- calls ----

    async def send(self, request: Request[T]) -> T:
        """Sends one request; its answer."""
        return await self._do(lambda connection: connection.send(request), (request,))

    async def limits(self) -> Dict[str, int]:
        """The daemon's limits, which stay what they are as long as it runs."""
        return await self._do(Connection.limits, ())

    async def batch(self, requests: Sequence[Request[Any]]) -> List[Any]:
        """Sends requests together, with none of another session in between. Their results; an error is one of these, not raised."""
        if not requests:
            return []
        outcomes = await self._do(lambda connection: connection.send_batch(requests), requests)
        return [outcome.value if outcome.error is None else outcome.error for outcome in outcomes]

    async def _do(self, call: Callable[[Connection], Awaitable[T]], requests: Sequence[Request[Any]]) -> T:
        """Makes a call, on a new connection if this one is lost and nothing of the call was sent."""
        connection = self._connection
        try:
            return await self._do_once(call, requests, connection)
        except ConnectionLost as error:
            if error.sent or not self._reconnect:
                raise
        return await self._do_once(call, requests, await self._renew(connection))

    async def _do_once(
        self, call: Callable[[Connection], Awaitable[T]], requests: Sequence[Request[Any]], connection: Connection
    ) -> T:
        if not self._reconnect or connection.has_session_things or not any(map(is_of_session, requests)):
            return await call(connection)
        connection.has_session_things = True
        try:
            return await call(connection)
        except ConnectionLost as error:
            connection.has_session_things = error.sent
            raise

    async def _renew(self, lost: Connection) -> Connection:
        """The connection in place of one that is lost."""
        # Tasks that wait here for another one's attempts have no more time than that one.
        until = time.monotonic() + min(self._reconnect, lost.seconds())
        assert lost.renewing is not None
        async with lost.renewing:
            if self._is_closed:
                raise closed()
            if self._connection is not lost:
                return self._connection
            if lost.has_session_things:
                lost.has_session_things = False
                raise lost_with_session()
            made = await self._connect_again(lost, until)
            if self._is_closed:
                made.close()
                raise closed()
            self._connection = made
            return made

    async def _connect_again(self, lost: Connection, until: float) -> Connection:
        pause = 0.001
        while True:
            try:
                made = Connection(lost.pipe, lost.timeout, lost.server_user, lost.in_threads)
                return await made.open(time.monotonic() + lost.seconds())
            except NotConnected:
                if self._is_closed or time.monotonic() + pause >= until:
                    raise
            await asyncio.sleep(pause)
            pause = min(2 * pause, PAUSE)

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
            self._connection.in_background(methods.block_free(block))
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
        return Watch(*await self._do(lambda connection: connection.begin_watch(request), (request,)))


class _Connecting:
    """What connect() gives: awaited it is the client, and with `async with` one that is closed at the end."""

    def __init__(self, client: Client) -> None:
        self._client = client

    async def _connect(self) -> Client:
        await self._client._connect()
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
    reconnect: float = 0,
) -> _Connecting:
    """As umem.connect(), to be awaited or used with `async with`. in_threads: read and write in threads beside the loop."""
    user = _endpoint.server_user(server_user)
    return _Connecting(Client(_endpoint.find(pipe), timeout, user, reconnect, in_threads))


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

    def __init__(self, connection: Connection, queue: EventQueue) -> None:
        self._connection = connection
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
        return await self._connection.wait_for_event(self._queue)

    async def close(self) -> None:
        """Ends the watch, and a loop over it."""
        await self._connection.end_watch(self._queue)
