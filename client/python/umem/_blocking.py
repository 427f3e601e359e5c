"""Client, Block, Heap and Watch: what programs use that wait for each answer."""
from __future__ import annotations

import math
import struct
import time
from types import TracebackType
from typing import Any, Callable, Dict, Generic, Iterator, List, Optional, Sequence, Tuple, Type, TypeVar, Union, overload

from . import _calls, _endpoint, methods
from ._block import GET, RETRIES, WHOLE, BlockBase, piece_size, pieces
from ._calls import Numbers
from ._connection import Connection
from ._errors import ConnectionLost, NotConnected, StaleHandle, UmemError
from ._frames import Bytes
from ._mapping import MappedBlock, same_place
from ._request import Number, Ref, Referable, Request, by_name, raw_view
from ._session import (
    PAUSE,
    BatchWaiter,
    Event,
    EventQueue,
    Outcome,
    Waiter,
    check_reconnect,
    closed,
    is_of_session,
    lost_with_session,
)

T = TypeVar("T")
Self = TypeVar("Self")
Error = Optional[Type[BaseException]]
Trace = Optional[TracebackType]


class Client:
    """A connection to the daemon, which is a session there. Threads may share it.

    timeout: seconds that one call may take (one that waits in the daemon: that many more than it waits); None: no end.
    reconnect: seconds for which a call that finds the connection lost tries to make another one; 0: it does not.
    """

    def __init__(
        self,
        pipe: Optional[str] = None,
        timeout: Optional[float] = 30.0,
        server_user: Optional[str] = None,
        reconnect: float = 0,
    ) -> None:
        self._reconnect = check_reconnect(reconnect)
        self._is_closed = False
        self._server_user = _endpoint.server_user(server_user)
        self._connection = Connection(pipe, timeout, self._server_user)

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

    def fileno(self) -> int:
        """The descriptor (or handle) of the connection, for select: readable means that an event may have come."""
        return self._connection.fileno()

    def close(self) -> None:
        """Ends the session. Calls of other threads fail. More than once does nothing."""
        self._is_closed = True
        self._connection.close()

    # ---- calls ----

    def send(self, request: Request[T]) -> T:
        """Sends one request and waits for its answer."""
        if not self._reconnect:
            return self._connection.send(request)
        return self._do(lambda connection: connection.send(request), (request,))

    def _exchange(self, requests: Sequence[Request[Any]], is_batch: bool) -> List[Outcome]:
        """Sends them all, and returns when all are answered or failed."""

        def exchange(connection: Connection) -> List[Outcome]:
            waiters: List[Waiter] = [BatchWaiter(requests)] if is_batch else [Waiter(request) for request in requests]
            connection.exchange(waiters, max(request.waits for request in requests))
            return [outcome for waiter in waiters for outcome in waiter.outcomes]

        return self._do(exchange, requests)

    def _do(self, call: Callable[[Connection], T], requests: Sequence[Request[Any]]) -> T:
        """Makes a call, on a new connection if this one is lost and nothing of the call was sent."""
        connection = self._connection
        try:
            return self._do_once(call, requests, connection)
        except ConnectionLost as error:
            if error.sent or not self._reconnect:
                raise
        return self._do_once(call, requests, self._renew(connection))

    def _do_once(self, call: Callable[[Connection], T], requests: Sequence[Request[Any]], connection: Connection) -> T:
        if not self._reconnect or connection.has_session_things or not any(map(is_of_session, requests)):
            return call(connection)
        connection.has_session_things = True
        try:
            return call(connection)
        except ConnectionLost as error:
            connection.has_session_things = error.sent
            raise

    def _renew(self, lost: Connection) -> Connection:
        """The connection in place of one that is lost."""
        # Threads that wait here for another one's attempts have no more time than that one.
        until = time.monotonic() + min(self._reconnect, math.inf if self.timeout is None else self.timeout)
        with lost.renewing:
            if self._is_closed:
                raise closed()
            if self._connection is not lost:
                return self._connection
            if lost.has_session_things:
                lost.has_session_things = False
                raise lost_with_session()
            made = self._connect_again(lost.pipe, until)
            # A signal handler may have been here meanwhile.
            if self._is_closed or self._connection is not lost:
                made.close()
                return self._renew(lost)
            self._connection = made
            return made

    def _connect_again(self, pipe: str, until: float) -> Connection:
        pause = 0.001
        while True:
            try:
                return Connection(pipe, self.timeout, self._server_user)
            except NotConnected:
                if self._is_closed or time.monotonic() + pause >= until:
                    raise
            time.sleep(pause)
            pause = min(2 * pause, PAUSE)

    def limits(self) -> Dict[str, int]:
        """The daemon's limits, which stay what they are as long as it runs."""
        return self._do(Connection.limits, ())

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<umem.Client {self.pipe}{' (closed)' if self.closed else ''}>"

    def call(self, method: str, params: Union[Dict[str, Any], List[Any], None] = None) -> Any:
        """Any method by its name, with its result as it is. umem.methods has them typed, for send()."""
        return self.send(_calls.any_method(method, params))

    # ---- blocks ----

    def alloc(
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
        """Allocates a block; it begins with the data, and its other bytes are zero. Used with `with`, it is freed at the end.

        if_exists: what to do where a block has the name: "fail" (NameTaken), "open" it (its `created` is False then), or
        "replace" it, as put() does.
        """
        request = methods.block_alloc(
            size=size, heap=heap, flags=flags, name=name, lifetime=lifetime, data=data, if_exists=if_exists
        )
        made = self.send(request)
        block = Block(self, made["block"], made["size"], name)
        block.created = made.get("created", True)
        return block

    def open(self, block: Union[str, int]) -> Block:
        """The block of that name, or handle. It is not held: see Block.hold()."""
        facts = self.send(methods.block_info(by_name(block) if isinstance(block, str) else block))
        return Block(self, facts["block"], facts["size"], facts["name"])

    def put(
        self,
        name: str,
        data: Bytes,
        *,
        heap: Optional[Ref] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
    ) -> Block:
        """Publishes bytes under a name, in the place of what was published there: nobody sees a part of them.

        The block that had the name is freed in the same step. If it fails, that block is as it was.
        """
        view = raw_view(data)
        # The daemon refuses an empty name at once; for a block that is there it would mean: none.
        if not name or len(view) <= WHOLE or len(view) <= self._piece():
            return self.alloc(name=name, data=view, heap=heap, lifetime=lifetime, flags=flags, if_exists="replace")
        # If this program ends before it has its name, nothing is left of it.
        block = self.alloc(len(view), heap=heap, lifetime="session", flags=flags)
        try:
            block.write(view)
            self.send(methods.block_change(block, name=name, lifetime=lifetime or "server", if_exists="replace"))
        except BaseException as error:
            if not self.closed:
                release(block.free, type(error))
            raise
        block.name = name
        return block

    def get(self, name: str) -> bytes:
        """The bytes that are published under a name, from one block even if it is replaced meanwhile."""
        for _ in range(RETRIES):
            first = self.send(methods.block_read(by_name(name), at_most=min(GET, self._piece())))
            if first["size"] == first["block_size"]:
                return first["data"]
            block = Block(self, first["block"], first["block_size"], name)
            try:
                return first["data"] + block.read(first["size"])
            except StaleHandle as error:
                replaced = error
        raise replaced

    def blocks(
        self, *, heap: Optional[Ref] = None, session: Optional[int] = None, orphaned: bool = False
    ) -> Iterator[methods.BlockListEntry]:
        """Describes the blocks, one after the other; pages are requested as they are needed."""
        after: Optional[int] = 0
        while after is not None:
            page = self.send(methods.block_list(heap=heap, session=session, orphaned=orphaned, after=after))
            yield from page["blocks"]
            after = page["next"]

    # ---- heaps ----

    def create_heap(
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
        """Makes a heap. Used with `with`, it is destroyed at the end, with its blocks.

        if_exists: what to do where a heap has the name: "fail" (NameTaken), or "open" it (its `created` is False then).
        """
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
        made = self.send(request)
        heap = Heap(self, made["heap"], name)
        heap.created = made.get("created", True)
        return heap

    def open_heap(self, heap: Union[str, int]) -> Heap:
        """The heap of that name, or handle; "process" is the daemon's own."""
        if heap == "process":
            return Heap(self, self.send(methods.heap_process())["heap"], None)
        facts = self.send(methods.heap_info(by_name(heap) if isinstance(heap, str) else heap))
        return Heap(self, facts["heap"], facts["name"])

    def heaps(self) -> Iterator[methods.HeapListEntry]:
        """Describes the heaps, one after the other."""
        after: Optional[int] = 0
        while after is not None:
            page = self.send(methods.heap_list(after=after))
            yield from page["heaps"]
            after = page["next"]

    def sessions(self) -> Iterator[methods.SessionListEntry]:
        """Describes the sessions, one after the other."""
        after: Optional[int] = 0
        while after is not None:
            page = self.send(methods.session_list(after=after))
            yield from page["sessions"]
            after = page["next"]

    # ---- the daemon ----

    def info(self) -> methods.ServerInfoResult:
        return self.send(methods.server_info())

    def stats(self) -> methods.ServerStatsResult:
        return self.send(methods.server_stats())

    # ---- several calls ----

    def watch(
        self,
        *,
        block: Optional[Ref] = None,
        heap: Optional[Ref] = None,
        offset: Optional[int] = None,
        size: Optional[int] = None,
    ) -> Watch:
        """Reports changes of a block, of a heap's blocks, or of all, from now on."""
        request = methods.session_watch(heap=heap, block=block, offset=offset, size=size)
        return Watch(*self._do(lambda connection: connection.begin_watch(request), (request,)))

    def batch(self, *, raise_errors: bool = True) -> Calls:
        """Requests that are sent together, with none of another session in between, when the `with` block ends."""
        return Calls(self, True, raise_errors)

    def pipeline(self, *, raise_errors: bool = True) -> Calls:
        """Requests that are sent together when the `with` block ends; others may come in between."""
        return Calls(self, False, raise_errors)

    # ---- bytes of any size, in pieces ----

    def _piece(self) -> int:
        return piece_size(self.limits())

    def read_into(self, block: BlockBase, offset: int, space: memoryview) -> None:
        for at, size in pieces(offset, len(space), self._piece()):
            self.send(_calls.read_into(block._json, at, space[at - offset : at - offset + size]))

    def write(self, block: BlockBase, offset: int, data: memoryview) -> None:
        piece = self._piece()
        if len(data) > piece:
            # A write that passes the end is to change nothing.
            self.send(_calls.read(block._json, offset + len(data), 0))
        for at, size in pieces(offset, len(data), piece):
            self.send(_calls.write(block._json, at, data[at - offset : at - offset + size]))


def connect(
    pipe: Optional[str] = None,
    *,
    timeout: Optional[float] = 30.0,
    server_user: Optional[str] = None,
    reconnect: float = 0,
) -> Client:
    """Connects to the user's daemon: at that pipe, or where UMEM_PIPE says, or at the usual place.

    server_user: whose daemon it may be beside the user's own and root's or SYSTEM's: a name, or a number or SID; or else
    what UMEM_SERVER_USER says.
    NotConnected: none listens there. NotTrusted: another user's does. ValueError: there is no such pipe or user.
    With `reconnect`, in seconds, a call connects anew where the connection was lost; README.md, "When the daemon is restarted".
    """
    return Client(pipe, timeout, server_user, reconnect)


class Block(BlockBase):
    """A block. It is indexed like a bytearray that keeps its size: every access is one request.

    Numbers have a type: "u8" to "i64", "f32", "f64", or one of struct's codes for these (b B h H i I q Q f d). They are
    little-endian, at any offset.
    """

    def __init__(self, client: Client, handle: int, size: int, name: Optional[str] = None) -> None:
        super().__init__(handle, size, name)
        self.client = client
        self._send = client.send

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        if not self.is_freed:
            release(self.free, kind)

    # ---- bytes ----

    def read(self, offset: int = 0, size: Optional[int] = None) -> bytes:
        """Bytes from an offset on, to the end if no size is given. Up to 1 MiB they are of one moment."""
        size = self._span(offset, size)
        if size <= WHOLE:
            return self._send(_calls.read(self._json, offset, size))
        space = bytearray(size)
        self.client.read_into(self, offset, memoryview(space))
        return bytes(space)

    def read_into(self, buffer: Bytes, offset: int = 0) -> int:
        """Fills the buffer with bytes from an offset on; returns how many they are."""
        view = raw_view(buffer)
        if view.readonly and len(view):
            raise TypeError("the buffer is read-only")
        self.client.read_into(self, offset, view)
        return len(view)

    def write(self, data: Bytes, offset: int = 0) -> int:
        """Writes all of the data from an offset on; returns how many bytes they are."""
        view = raw_view(data)
        if len(view) <= WHOLE:
            self._send(_calls.write(self._json, offset, view))
        else:
            self.client.write(self, offset, view)
        return len(view)

    @overload
    def __getitem__(self, key: int) -> int: ...

    @overload
    def __getitem__(self, key: slice) -> bytes: ...

    def __getitem__(self, key: Union[int, slice]) -> Union[int, bytes]:
        if isinstance(key, slice):
            offset, size = self._range(key)
            return self.read(offset, size)
        return self.read(self._index(key), 1)[0]

    @overload
    def __setitem__(self, key: int, value: int) -> None: ...

    @overload
    def __setitem__(self, key: slice, value: Bytes) -> None: ...

    def __setitem__(self, key: Union[int, slice], value: Union[int, Bytes]) -> None:
        if isinstance(key, slice):
            offset, view = self._replacement(key, value)  # type: ignore[arg-type]
            self.write(view, offset)
        else:
            self.write(bytes((value,)), self._index(key))  # type: ignore[arg-type]

    def __iter__(self) -> Iterator[int]:
        return iter(self.read())

    def __bytes__(self) -> bytes:
        return self.read()

    def fill(self, value: int = 0, offset: int = 0, size: Optional[int] = None) -> None:
        """Sets every byte of a range to one value."""
        self._send(methods.block_fill(self, value=value, offset=offset, size=size))

    def copy_to(self, target: Ref, size: Optional[int] = None, *, offset: int = 0, target_offset: int = 0) -> None:
        """Copies bytes to another block, or within this one, without their coming here."""
        self._send(methods.block_copy(self, target, source_offset=offset, target_offset=target_offset, size=size))

    def compare(self, other: Ref, size: Optional[int] = None, *, offset: int = 0, other_offset: int = 0) -> Optional[int]:
        """The offset of the first difference from the start of the ranges, or None."""
        request = methods.block_compare(self, other, left_offset=offset, right_offset=other_offset, size=size)
        return self._send(request)["offset"]

    def find(self, data: Bytes, offset: int = 0) -> Optional[int]:
        """Where these bytes first stand, from an offset on, or None."""
        return self._send(methods.block_find(self, data, offset=offset))["offset"]

    # ---- numbers ----

    def unpack(self, format: str, offset: int = 0) -> Tuple[Any, ...]:
        """struct.unpack() of the bytes at an offset: of one moment, with struct's own rules about order and gaps."""
        return struct.unpack(format, self.read(offset, struct.calcsize(format)))

    def pack(self, format: str, offset: int, *values: Any) -> None:
        """struct.pack() of the values, written at an offset, all at once."""
        self.write(struct.pack(format, *values), offset)

    def get(self, type: str, offset: int = 0) -> Number:
        """The number at an offset."""
        return self._send(_calls.get_number(self, type, offset))

    def get_array(self, type: str, offset: int = 0, count: int = 1) -> List[Number]:
        """Numbers from an offset on."""
        return self._send(_calls.get_numbers(self, type, offset, count))

    def set(self, type: str, offset: int, value: Numbers) -> None:
        """Writes a number, or several one behind the other, at an offset."""
        self._send(_calls.set_numbers(self, type, offset, value))

    def add(self, type: str, offset: int, value: Number) -> Number:
        """Adds to a number, with no other request in between; returns the sum."""
        return self._send(_calls.add(self, type, offset, value))

    def exchange(self, type: str, offset: int, value: Number) -> Number:
        """Writes a number; returns what was there."""
        return self._send(_calls.exchange(self, type, offset, value))

    def compare_exchange(self, type: str, offset: int, expected: Number, value: Number) -> Tuple[bool, Number]:
        """Writes a number where another one is expected. Whether it was written, and what was there."""
        return self._send(_calls.compare_exchange(self, type, offset, expected, value))

    def wait(self, type: str, offset: int, value: Number, timeout: Optional[float] = None) -> Number:
        """Waits until a number is no longer this value; returns what it is. Timeout: it still was after these seconds."""
        return self._send(_calls.wait(self, type, offset, value, timeout))

    # ---- the block itself ----

    def map(self) -> memoryview:
        """The bytes of a block of a shared heap as this process' own memory: used without a request, and writable.

        The view is good until the block is freed or resized, by whomever. free() and resize() release it, or are StillMapped
        if a slice of it or an array over it is in use. Others that wait() need a wake() after a write.
        """
        place = self._send(methods.block_map(self))
        if self._mapped is None or not same_place(self._mapped.place, place):
            self._mapped = MappedBlock(place, self.client._server_user)
        self.size = place["size"]
        return self._mapped.view()

    def wake(self, offset: int = 0, size: Optional[int] = None) -> None:
        """Reports bytes that were written through a mapping to those who wait for them or watch them."""
        self._send(methods.block_wake(self, offset=offset, size=size))

    def watch(self, offset: int = 0, size: Optional[int] = None) -> Watch:
        """Reports changes of these bytes from now on."""
        return self.client.watch(block=self, offset=offset, size=size)

    def resize(self, size: int) -> None:
        """Changes the size; bytes that are added are zero."""
        self._close_mapping()
        self.size = self._send(methods.block_resize(self, size))["size"]

    def rename(self, name: Optional[str], *, replace: bool = False) -> None:
        """Gives it another name, or none. replace: free the block that has it, in the same step."""
        request = methods.block_change(self, name=name or "", if_exists="replace" if replace else None)
        self.name = self._send(request)["name"]

    def hold(self) -> None:
        """Keeps the block from being an orphan as long as this session is open."""
        self._send(methods.block_hold(self))

    def release(self) -> None:
        """Ends this session's hold."""
        self._send(methods.block_release(self))

    def info(self) -> methods.BlockInfoResult:
        """Describes the block; name and size are those of now afterwards."""
        facts = self._send(methods.block_info(self))
        self.size, self.name = facts["size"], facts["name"]
        return facts

    def free(self) -> None:
        """Frees the block. StillMapped: a view of its memory is in use here, and it was not freed."""
        self._close_mapping()
        self._send(methods.block_free(self))
        self.is_freed = True


class Heap(Referable):
    """A heap: where blocks are allocated, and a quota."""

    def __init__(self, client: Client, handle: int, name: Optional[str] = None) -> None:
        self.client = client
        self.handle = handle
        self.name = name
        self.created = True  # False: create_heap() has opened a heap that was there
        self.is_destroyed = False  # by this object

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<umem.Heap{name} {self.handle}{', destroyed' if self.is_destroyed else ''}>"

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        if not self.is_destroyed:
            release(self.destroy, kind)

    def alloc(
        self,
        size: Optional[int] = None,
        *,
        name: Optional[str] = None,
        lifetime: Optional[methods.Lifetime] = None,
        flags: Optional[Sequence[methods.Flag]] = None,
        data: Optional[Bytes] = None,
        if_exists: Optional[methods.IfExists] = None,
    ) -> Block:
        """As Client.alloc(), on this heap."""
        return self.client.alloc(
            size, name=name, heap=self, lifetime=lifetime, flags=flags, data=data, if_exists=if_exists
        )

    def blocks(self) -> Iterator[methods.BlockListEntry]:
        """Describes its blocks, one after the other."""
        return self.client.blocks(heap=self)

    def info(self) -> methods.HeapInfoResult:
        return self.client.send(methods.heap_info(self))

    def lock(self, timeout: Optional[float] = None) -> Lock:
        """Exclusive use of the heap while a `with` block runs: other sessions' requests to it are refused.

        The lock is the client's, so that threads which share a client do not lock each other out. timeout: seconds to wait
        for another session's lock; 0: not at all (Locked), None: as long as it takes. Timeout: it did not end in time.
        """
        return Lock(self, timeout)

    def unlock(self) -> None:
        """Undoes one lock that this client has."""
        self.client.send(methods.heap_unlock(self))

    def validate(self) -> None:
        """Checks the heap. Corrupted: it is damaged."""
        self.client.send(methods.heap_validate(heap=self))

    def compact(self) -> int:
        """Returns unused memory to the system; the size of the largest free range, as far as it is known."""
        return self.client.send(methods.heap_compact(heap=self))["largest_free"]

    def flush(self) -> None:
        """Returns when all that was written to a durable heap before is on the disk."""
        self.client.send(methods.heap_flush(self))

    def watch(self) -> Watch:
        """Reports changes of its blocks from now on."""
        return self.client.watch(heap=self)

    def destroy(self) -> None:
        """Destroys the heap and frees its blocks. Views of mapped blocks stay, but show nobody else's bytes from then on."""
        self.client.send(methods.heap_destroy(self))
        self.is_destroyed = True


class Lock:
    """The lock of a heap, for `with`. acquire() and release() are its two ends."""

    def __init__(self, heap: Heap, timeout: Optional[float]) -> None:
        self.heap = heap
        self.timeout = timeout

    def acquire(self) -> None:
        self.heap.client.send(_calls.lock(self.heap, self.timeout))

    def release(self) -> None:
        self.heap.unlock()

    def __enter__(self) -> Heap:
        self.acquire()
        return self.heap

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        release(self.release, kind)


class Watch:
    """Changes, as they come: `for event in watch` waits for each, until close(). One thread at a time takes them."""

    def __init__(self, connection: Connection, queue: EventQueue) -> None:
        self._connection = connection
        self._queue = queue

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        release(self.close, kind)

    def __iter__(self) -> Iterator[Event]:
        event = self.next()
        while event is not None:
            yield event
            event = self.next()

    def next(self, timeout: Optional[float] = None) -> Optional[Event]:
        """The next event. None: the watch was closed, or none came in these seconds."""
        return self._connection.wait_for_event(self._queue, timeout)

    def close(self) -> None:
        """Ends the watch, and a loop over it. More than once does nothing."""
        if self._connection.end_watch(self._queue):
            self._connection.send(methods.session_unwatch(self._queue.watch))


class Pending(Generic[T]):
    """The result of a request in a batch or pipeline, which is there when its `with` block has ended."""

    def __init__(self) -> None:
        self._outcome: Optional[Outcome] = None

    def result(self) -> T:
        """The result; or raises the error that the daemon answered with."""
        if self._outcome is None:
            raise RuntimeError("the requests were not sent yet: that is done at the end of the `with` block")
        return self._outcome.get()  # type: ignore[no-any-return]


class Calls:
    """Collects requests, and sends them when its `with` block ends; not at all if that ends by an exception.

    Then the first error of any of them is raised, unless raise_errors is False; all were tried, whichever failed.
    """

    def __init__(self, client: Client, is_batch: bool, raise_errors: bool) -> None:
        self._client = client
        self._is_batch = is_batch
        self._raise_errors = raise_errors
        self._requests: List[Request[Any]] = []
        self._pending: List[Pending[Any]] = []

    def send(self, request: Request[T]) -> Pending[T]:
        """Adds a request, made by umem.methods or by read(), write() and the like."""
        pending: Pending[T] = Pending()
        self._requests.append(request)
        self._pending.append(pending)
        return pending

    def read(self, block: Block, offset: int = 0, size: Optional[int] = None) -> Pending[bytes]:
        return self.send(_calls.read(block._json, offset, block._span(offset, size)))

    def write(self, block: Block, data: Bytes, offset: int = 0) -> Pending[None]:
        return self.send(_calls.write(block._json, offset, raw_view(data)))

    def get(self, block: Block, type: str, offset: int = 0) -> Pending[Number]:
        return self.send(_calls.get_number(block, type, offset))

    def set(self, block: Block, type: str, offset: int, value: Numbers) -> Pending[None]:
        return self.send(_calls.set_numbers(block, type, offset, value))

    def add(self, block: Block, type: str, offset: int, value: Number) -> Pending[Number]:
        return self.send(_calls.add(block, type, offset, value))

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, kind: Error, error: Optional[BaseException], trace: Trace) -> None:
        if kind is None:
            self.flush()

    def flush(self) -> None:
        """Sends what was collected, and waits for all answers."""
        requests, self._requests = self._requests, []
        pending, self._pending = self._pending, []
        if not requests:
            return
        outcomes = self._client._exchange(requests, self._is_batch)
        for one, outcome in zip(pending, outcomes):
            one._outcome = outcome
        if self._raise_errors:
            for outcome in outcomes:
                outcome.get()


def release(undo: Any, kind: Error) -> None:
    """Undoes something at the end of a `with` block: its error does not take the place of one that ends the block."""
    try:
        undo()
    except UmemError:
        if kind is None:
            raise
