"""Every method of the daemon, as a function that makes a typed request.

    daemon.send(umem.methods.block_info("table"))["size"]

The same request can be sent by a Client, awaited with an AsyncClient, or put into a batch or pipeline. Written by
generate.py from the daemon's own description: `./dev generate` writes it anew.
"""
from __future__ import annotations

from typing import Any, Callable, Dict, List, Literal, Optional, Sequence, TypedDict, Union

from ._frames import Bytes
from ._request import Number, Ref, Request, make, nothing, numbers, raw_bytes_in_data, to_json_number

Flag = Literal["zero_memory", "no_serialize", "generate_exceptions", "create_enable_execute", "realloc_in_place_only"]
IfExists = Literal["fail", "open", "replace"]
Kind = Literal["private", "shared"]
Lifetime = Literal["server", "session", "durable"]
Type = Literal["u8", "i8", "u16", "i16", "u32", "i32", "u64", "i64", "f32", "f64"]


class ServerInfoResult(TypedDict):
    name: str
    """Always "umemd"."""
    version: str
    """The program's version."""
    protocol: int
    """The protocol's version: 1."""
    platform: str
    """"windows", "linux" or another system's name."""
    backend: str
    """What the heaps are: "win32" or "posix"."""
    pid: int
    """The daemon's process id."""
    pipe: str
    """Where clients connect."""
    started: int
    """When it started."""
    uptime_seconds: int
    """How long it has run."""
    limits: Any
    """Each limit by name."""
    features: List[str]
    """What can differ between daemons: "guard" and "wipe" where it was started with these options, "headers", "raw",
    "shared", "wait", "watch".
    """


class HeapInfoOwner(TypedDict):
    session: int
    """The session that made it."""
    pid: int
    """That client's process id; 0 where it is not known."""
    program: str
    """That client's program; "" where it is not known."""
    user: str
    """Who ran it; "" where it is not known."""


class HeapInfoEntry(TypedDict):
    size: int
    """Of a slot: a block is at most so large."""
    used: int
    """Slots that are blocks."""
    free: int
    """Slots beside them that are not."""


class _HeapInfoResultAlways(TypedDict):
    heap: int
    """The handle."""
    name: Optional[str]
    """Its name."""
    kind: str
    """"process", "private" or "shared"."""
    flags: List[str]
    """As it was created with."""
    initial_size: int
    """As it was created with."""
    maximum_size: int
    """As it was created with; 0: growable."""
    alignment: int
    """Of its blocks."""
    blocks: int
    """Blocks on it."""
    bytes: int
    """Their sizes together."""
    peak_bytes: int
    """Most that bytes has been."""
    calls: int
    """Calls about it or its blocks since the daemon was started."""
    touched_bytes: int
    """Of its blocks that these calls were about: read, written, compared or searched."""
    last_used: Optional[int]
    """When the last of them came; null: there was none."""
    lifetime: str
    """"server", "session" or "durable"."""
    owner: Optional[HeapInfoOwner]
    """Who made it; null: the daemon."""
    locked: bool
    """Whether a session holds its lock."""


class HeapInfoResult(_HeapInfoResultAlways, total=False):
    reserved: int
    """Of address space, or of the shared memory object; this and what follows not for Win32 heaps."""
    committed: int
    """Of these, how many the system has promised memory for."""
    free: int
    """In no block; a block takes up a multiple of the alignment, or a slot of its size class."""
    free_ranges: int
    """Pieces that these lie in, beside the slots of size classes."""
    largest_free: int
    """The largest piece; the less of `free` it is, the more fragmented the heap."""
    corrupted: bool
    """Whether a client has truncated the shared memory object, or a durable heap's files are damaged."""
    size_classes: List[HeapInfoEntry]
    """Size classes that have slots, by size: small blocks share pages by their sizes."""


class BlockInfoResult(TypedDict):
    block: int
    """The handle."""
    name: Optional[str]
    """Its name."""
    heap: int
    """Where it was allocated."""
    size: int
    """Its size."""
    address: Any
    """Where it lies in the daemon: unique among the blocks alive."""
    lifetime: str
    """"server" or "session"."""
    owner: Optional[HeapInfoOwner]
    """Who made it."""
    holders: int
    """Open sessions that hold it."""
    orphaned: bool
    """No name, and no open session holds it."""
    created: int
    """When it was allocated."""


class SessionInfoResult(TypedDict):
    session: int
    """Its number."""
    pid: int
    """The client's process id; 0 where it is not known."""
    program: str
    """The client's program; "" where it is not known."""
    user: str
    """Who runs it; "" where it is not known."""
    opened: int
    """When it connected."""
    blocks: int
    """Blocks alive that it made."""
    bytes: int
    """Their sizes together."""
    queued_bytes: int
    """Answers that it has not taken yet."""
    calls: int
    """Requests of it that were answered, those of batches by themselves."""
    errors: int
    """Of these, how many with an error."""
    bytes_read: int
    """Received from it."""
    bytes_written: int
    """Sent to it."""
    last_used: Optional[int]
    """When its last request was answered; null: none was."""


class RpcDiscoverResult(TypedDict):
    openrpc: str
    """The version of OpenRPC."""
    info: Any
    """Title and version."""
    methods: Any
    """What this reference says, for programs."""


class ServerStatsResult(TypedDict):
    heaps: int
    """Heaps, the process heap counted."""
    blocks: int
    """Blocks."""
    bytes: int
    """Sizes of all blocks together."""
    peak_bytes: int
    """Most that bytes has been."""
    orphaned_blocks: int
    """Blocks without a name that no open session holds."""
    orphaned_bytes: int
    """Their sizes together."""
    pinned_bytes: int
    """Of blocks that are gone, from which answers are still sent; they count for the limits as blocks do."""
    sessions: int
    """Clients connected."""
    requests: int
    """Requests since the start, bad ones and this one counted."""
    errors: int
    """Those that were answered with an error."""
    bytes_read: int
    """Received from all clients since the start."""
    bytes_written: int
    """Sent to all clients since the start."""
    peak_sessions: int
    """Most that sessions has been."""
    waits: int
    """Calls that wait."""
    watches: int
    """Watches of all sessions."""
    holds: int
    """Holds of sessions on blocks that others made."""
    unsent_bytes: int
    """Memory that answers take which clients have not read yet."""
    peak_unsent_bytes: int
    """Most that it has been."""
    gathered_bytes: int
    """Memory that messages and batches' payloads take which are not whole yet or not done yet."""
    peak_gathered_bytes: int
    """Most that it has been."""
    cpu_user_us: int
    """Of processor time that the daemon has taken; 0 where the system does not tell, as for the next two."""
    cpu_system_us: int
    """Likewise, in the system's calls."""
    resident_bytes: int
    """Of memory that the daemon has now."""
    refusals: Any
    """Errors since the start that were about a limit, for each limit by name."""


class ServerMethodsLatencyEntry(TypedDict):
    at_most_us: Optional[int]
    """How long these calls took at most, and longer than the entry before; null: longer than that."""
    calls: int
    """How many they are."""


class ServerMethodsEntry(TypedDict):
    method: Optional[str]
    """The method; null: what was no request, or named no method there is."""
    calls: int
    """Calls that were answered, those of batches and notifications counted."""
    errors: int
    """Of these, how many with an error."""
    waited: int
    """Of these, how many waited for a change, a lock, a time, a sync, or bytes of their client; their time is not
    measured.
    """
    total_us: int
    """What all took together that did not wait."""
    longest_us: int
    """What the longest of these took."""
    latency: List[ServerMethodsLatencyEntry]
    """How many of these took how long; the bounds are always the same."""


class ServerMethodsResult(TypedDict):
    methods: List[ServerMethodsEntry]
    """Those that were called."""
    next: Optional[int]
    """What to pass as `after`; null at the end."""


class ServerReloadResult(TypedDict):
    config: Optional[str]
    """The configuration file; null: there is none."""
    applied: List[str]
    """The settings that have new values now."""
    restart: List[str]
    """Settings that have other values than the daemon runs with, which only a restart applies."""


class HeapProcessResult(TypedDict):
    heap: int
    """The heap."""


class _HeapCreateResultAlways(TypedDict):
    heap: int
    """The heap."""


class HeapCreateResult(_HeapCreateResultAlways, total=False):
    created: bool
    """With `if_exists`: whether the heap is new; false: it was opened."""


class _HeapListEntryAlways(TypedDict):
    heap: int
    """The handle."""
    name: Optional[str]
    """Its name."""
    kind: str
    """"process", "private" or "shared"."""
    flags: List[str]
    """As it was created with."""
    initial_size: int
    """As it was created with."""
    maximum_size: int
    """As it was created with; 0: growable."""
    alignment: int
    """Of its blocks."""
    blocks: int
    """Blocks on it."""
    bytes: int
    """Their sizes together."""
    peak_bytes: int
    """Most that bytes has been."""
    calls: int
    """Calls about it or its blocks since the daemon was started."""
    touched_bytes: int
    """Of its blocks that these calls were about: read, written, compared or searched."""
    last_used: Optional[int]
    """When the last of them came; null: there was none."""
    lifetime: str
    """"server", "session" or "durable"."""
    owner: Optional[HeapInfoOwner]
    """Who made it; null: the daemon."""
    locked: bool
    """Whether a session holds its lock."""


class HeapListEntry(_HeapListEntryAlways, total=False):
    reserved: int
    """Of address space, or of the shared memory object; this and what follows not for Win32 heaps."""
    committed: int
    """Of these, how many the system has promised memory for."""
    free: int
    """In no block; a block takes up a multiple of the alignment, or a slot of its size class."""
    free_ranges: int
    """Pieces that these lie in, beside the slots of size classes."""
    largest_free: int
    """The largest piece; the less of `free` it is, the more fragmented the heap."""
    corrupted: bool
    """Whether a client has truncated the shared memory object, or a durable heap's files are damaged."""


class _HeapListResultAlways(TypedDict):
    heaps: List[HeapListEntry]
    """Each as in heap.info, without `size_classes`."""
    next: Optional[int]
    """What to pass as `after`; null at the end."""


class HeapListResult(_HeapListResultAlways, total=False):
    process_heaps: int
    """How many heaps Win32 GetProcessHeaps counts; Windows only."""


class HeapValidateResult(TypedDict):
    valid: bool
    """Always true: damage is the error `corrupted`, with the block."""


class HeapCompactResult(TypedDict):
    largest_free: int
    """The largest free range that the heap has committed, and of a shared heap the largest of all; 0 where the
    system does not report it.
    """


class HeapDestroyResult(TypedDict):
    blocks: int
    """How many blocks were freed with it."""
    bytes: int
    """Their sizes together."""


class _BlockAllocResultAlways(TypedDict):
    block: int
    """The block."""
    size: int
    """As requested."""
    address: Any
    """Where it lies in the daemon: unique among the blocks alive."""


class BlockAllocResult(_BlockAllocResultAlways, total=False):
    created: bool
    """With `if_exists`: whether the block is new; false: it was opened."""
    replaced: int
    """The block that had the name and was freed; missing where none was."""


class BlockResizeResult(TypedDict):
    block: int
    """The block."""
    size: int
    """As requested."""
    address: Any
    """Where it lies in the daemon: unique among the blocks alive."""


class BlockListEntry(TypedDict):
    block: int
    """The handle."""
    name: Optional[str]
    """Its name."""
    heap: int
    """Where it was allocated."""
    size: int
    """Its size."""
    address: Any
    """Where it lies in the daemon: unique among the blocks alive."""
    lifetime: str
    """"server" or "session"."""
    owner: Optional[HeapInfoOwner]
    """Who made it."""
    holders: int
    """Open sessions that hold it."""
    orphaned: bool
    """No name, and no open session holds it."""
    created: int
    """When it was allocated."""


class BlockListResult(TypedDict):
    blocks: List[BlockListEntry]
    """Each as in block.info."""
    next: Optional[int]
    """What to pass as `after`; null at the end."""


class BlockAtResult(TypedDict):
    block: int
    """The block that starts there."""


class _BlockChangeResultAlways(TypedDict):
    block: int
    """The handle."""
    name: Optional[str]
    """Its name."""
    heap: int
    """Where it was allocated."""
    size: int
    """Its size."""
    address: Any
    """Where it lies in the daemon: unique among the blocks alive."""
    lifetime: str
    """"server" or "session"."""
    owner: Optional[HeapInfoOwner]
    """Who made it."""
    holders: int
    """Open sessions that hold it."""
    orphaned: bool
    """No name, and no open session holds it."""
    created: int
    """When it was allocated."""


class BlockChangeResult(_BlockChangeResultAlways, total=False):
    replaced: int
    """The block that had the name and was freed; missing where none was."""


class _BlockReadResultAlways(TypedDict):
    size: int
    """How many bytes."""
    data: bytes
    """The bytes."""


class BlockReadResult(_BlockReadResultAlways, total=False):
    block: int
    """With `at_most`: the block."""
    block_size: int
    """With `at_most`: how large the block is."""


class BlockWriteResult(TypedDict):
    size: int
    """How many bytes."""


class BlockGetResult(TypedDict):
    values: List[Union[int, float, str]]
    """The numbers; 64-bit ones past 2^53-1 as strings of digits."""


class BlockSetResult(TypedDict):
    size: int
    """How many bytes were written."""


class BlockCompareResult(TypedDict):
    equal: bool
    """Whether all bytes are."""
    offset: Optional[int]
    """Of the first difference, from the start of the ranges; null: there is none."""


class BlockFindResult(TypedDict):
    offset: Optional[int]
    """Where they first stand, from the start of the block; null: nowhere."""


class BlockAddResult(TypedDict):
    old: Union[int, float, str]
    """What was there before."""
    new: Union[int, float, str]
    """What is there now."""


class BlockExchangeResult(TypedDict):
    old: Union[int, float, str]
    """What was there before."""
    exchanged: bool
    """Whether `value` was written."""


class BlockWaitResult(TypedDict):
    value: Union[int, float, str]
    """What is there now."""


class BlockHoldResult(TypedDict):
    holders: int
    """Open sessions that hold it now."""


class _BlockMapResultAlways(TypedDict):
    name: str
    """The heap's object: for shm_open() or OpenFileMapping(). Of a durable heap on POSIX systems, as `path`."""
    offset: int
    """Where the block begins in the object."""
    size: int
    """The block's size."""


class BlockMapResult(_BlockMapResultAlways, total=False):
    path: str
    """The file that it is as well: on Linux, and of a durable heap."""


class BlockFreeResult(TypedDict):
    size: int
    """How large it was."""


class SessionListEntry(TypedDict):
    session: int
    """Its number."""
    pid: int
    """The client's process id; 0 where it is not known."""
    program: str
    """The client's program; "" where it is not known."""
    user: str
    """Who runs it; "" where it is not known."""
    opened: int
    """When it connected."""
    blocks: int
    """Blocks alive that it made."""
    bytes: int
    """Their sizes together."""
    queued_bytes: int
    """Answers that it has not taken yet."""
    calls: int
    """Requests of it that were answered, those of batches by themselves."""
    errors: int
    """Of these, how many with an error."""
    bytes_read: int
    """Received from it."""
    bytes_written: int
    """Sent to it."""
    last_used: Optional[int]
    """When its last request was answered; null: none was."""


class SessionListResult(TypedDict):
    sessions: List[SessionListEntry]
    """Each as in session.info."""
    next: Optional[int]
    """What to pass as `after`; null at the end."""


class SessionWatchResult(TypedDict):
    watch: int
    """The watch's number, which its notifications have."""


def rpc_discover() -> Request[RpcDiscoverResult]:
    """Describes all methods, as an OpenRPC document."""
    return make("rpc.discover", {})


def cancel_request(id: Union[int, float, str]) -> Request[None]:
    """Cancels a waiting call of this session: it is answered with `cancelled`.
    Where no call with that id waits, perhaps because it has just been answered, nothing happens. It is mostly sent as a
    notification, as the Language Server Protocol has it.

    id: The id of the waiting request, written as it was there.
    """
    return make("$/cancelRequest", {"id": id}, convert=nothing)


def server_ping() -> Request[None]:
    """Does nothing and answers."""
    return make("server.ping", {}, convert=nothing)


def server_info() -> Request[ServerInfoResult]:
    """Describes the daemon: what it is, where it runs, and its limits."""
    return make("server.info", {})


def server_stats() -> Request[ServerStatsResult]:
    """Counts what the daemon holds and has done."""
    return make("server.stats", {})


def server_methods(*, after: Optional[int] = None, limit: Optional[int] = None) -> Request[ServerMethodsResult]:
    """Counts the calls of each method since the start, and how long they took.
    Each entry has `method` (null: what was no request, or named no method there is), `calls` that were answered, those
    of batches and notifications counted, the `errors` among them, how many `waited` (for a change, a lock, a time, a
    sync, or raw bytes of their client), and of the others `total_us` and `longest_us`, in microseconds, and `latency`:
    a list of `calls` that took at most `at_most_us`, and longer than those before; null is however long. The bounds are
    the same for all methods: 1, 2, 5, 10 and so on to 10,000,000. A call's time is what the daemon worked on it: from
    the moment it began to read the message until the answer was written, with other clients' calls between the slices
    of a long one. The time that the message has waited in the pipe is not in it, nor that until a durable heap's
    changes are written, or until the client has read the answer. Calls of one method that come together are measured
    together, at most 16 of them, and count with their average.

    after: Where to continue: `next` of the page before; 0 for the first page.
    limit: Most entries in the answer.
    """
    return make("server.methods", {"after": after, "limit": limit})


def server_reload() -> Request[ServerReloadResult]:
    """Reads the daemon's settings again, and applies those that can change while it runs.
    The configuration file is read as at the start, with the daemon's own environment and command line, which count
    more. Settings that can change are `log-level`, `log-format`, `log-calls`, `log-sessions`, `slow-ms`, and the limits
    but `message_bytes`, `payload_bytes`, `batch_requests`, `batch_bytes`, `unsent_bytes` and `waits`. A limit that is
    lower than what is in use takes nothing away. With an error in the file nothing is changed, and `bad_settings` tells
    the first one. In any case the log file is reopened, which may have been renamed.
    """
    return make("server.reload", {})


def server_shutdown(*, successor: Optional[str] = None) -> Request[None]:
    """Ends the daemon in order: answers that are due are sent, then all memory is freed.
    Long calls are finished within `closing_ms`, calls that wait are not answered, and requests that come behind this
    one may not be done. With `successor` the pipe stays: `umemd --replace` calls this, after it has opened a private
    endpoint beside the pipe (on POSIX systems a socket, on Windows a pipe). The daemon connects to that endpoint, hands
    its pipe over, and answers; clients that connect from then on are the successor's. A session that has had no answer
    yet gets its first one within `closing_ms`. When all memory is freed, the daemon closes its connection to the
    endpoint. A daemon that a service manager has started is `unsupported`.

    successor: Private endpoint of the daemon that this one hands its pipe over to, see above.
    """
    return make("server.shutdown", {"successor": successor}, convert=nothing)


def heap_process() -> Request[HeapProcessResult]:
    """Gives the daemon's process heap, which is the default heap (Win32 GetProcessHeap)."""
    return make("heap.process", {})


def heap_create(
    *,
    flags: Optional[Sequence[Flag]] = None,
    initial_size: Optional[int] = None,
    maximum_size: Optional[int] = None,
    name: Optional[str] = None,
    kind: Optional[Kind] = None,
    lifetime: Optional[Lifetime] = None,
    alignment: Optional[int] = None,
    if_exists: Optional[IfExists] = None,
) -> Request[HeapCreateResult]:
    """Makes a heap (Win32 HeapCreate).

    flags: Win32 heap flags, see Flags.
    initial_size: Memory to commit at once: a hint.
    maximum_size: Most that the sizes of its blocks may add up to; a shared heap must have one.
    name: A name that may stand for the handle.
    kind: What it is made of: "shared" is memory that clients may map, see Shared heaps.
    lifetime: "session": destroyed when the session that made it ends; "durable": of kind shared, and there again when
        the daemon is started again, see Durable heaps.
    alignment: Every block starts at a multiple of it: a power of two.
    if_exists: What to do if a heap has the name: fail as `name_taken`, or open that heap, see Publishing by name.
    """
    params: Dict[str, Any] = {
        "flags": flags,
        "initial_size": initial_size,
        "maximum_size": maximum_size,
        "name": name,
        "kind": kind,
        "lifetime": lifetime,
        "alignment": alignment,
        "if_exists": if_exists,
    }
    return make("heap.create", params)


def heap_list(*, after: Optional[int] = None, limit: Optional[int] = None) -> Request[HeapListResult]:
    """Lists the heaps, a page at a time.
    A page may hold fewer entries than `limit`, even none: only a `next` of null is the end. What is made or ends
    between two pages may be listed or not.

    after: Where to continue: `next` of the page before; 0 for the first page.
    limit: Most entries in the answer.
    """
    return make("heap.list", {"after": after, "limit": limit})


def heap_info(heap: Ref) -> Request[HeapInfoResult]:
    """Describes a heap.

    heap: The heap.
    """
    return make("heap.info", {"heap": heap})


def heap_validate(*, heap: Optional[Ref] = None, block: Optional[Ref] = None) -> Request[HeapValidateResult]:
    """Checks a heap, or one of its blocks, for damage (Win32 HeapValidate).
    On Windows the system checks the memory, that of the process heap only block by block; everywhere the daemon checks
    its own records of the blocks. A shared heap is damaged when a client has truncated its memory. A whole heap is not
    checked in a batch.

    heap: The heap; left out beside `block`: the block's.
    block: Only this block of the heap.
    """
    return make("heap.validate", {"heap": heap, "block": block})


def heap_compact(*, heap: Optional[Ref] = None) -> Request[HeapCompactResult]:
    """Joins free ranges of a heap and returns memory to the system (Win32 HeapCompact).
    It is answered when all that was free when it began is with the system.

    heap: The heap.
    """
    return make("heap.compact", {"heap": heap})


def heap_flush(heap: Ref) -> Request[None]:
    """Waits until all that was written to a durable heap before is on the disk.
    Records and bytes, by any session; see Durable heaps for those that were written through a mapping. It waits, and
    others do not.

    heap: The heap, which is durable.
    """
    return make("heap.flush", {"heap": heap}, convert=nothing)


def heap_lock(heap: Ref, *, timeout_ms: Optional[int] = None) -> Request[None]:
    """Locks a heap for this session: others get `locked` until it is unlocked (Win32 HeapLock).
    A session may lock a heap more than once and unlocks it as often. Sessions that wait get the lock in the order in
    which they came. A lock ends with its session.

    heap: The heap.
    timeout_ms: How long to wait for another session's lock to end; 0: not at all.
    """
    return make("heap.lock", {"heap": heap, "timeout_ms": timeout_ms}, waits=timeout_ms or 0, convert=nothing)


def heap_unlock(heap: Ref) -> Request[None]:
    """Undoes one heap.lock (Win32 HeapUnlock); `denied` where this session has not locked the heap.

    heap: The heap.
    """
    return make("heap.unlock", {"heap": heap}, convert=nothing)


def heap_destroy(heap: Ref) -> Request[HeapDestroyResult]:
    """Destroys a heap and frees all blocks on it (Win32 HeapDestroy).
    The process heap cannot be destroyed, nor a durable heap whose files are damaged.

    heap: The heap.
    """
    return make("heap.destroy", {"heap": heap})


def block_alloc(
    *,
    size: Optional[int] = None,
    heap: Optional[Ref] = None,
    flags: Optional[Sequence[Flag]] = None,
    name: Optional[str] = None,
    lifetime: Optional[Lifetime] = None,
    data: Optional[Bytes] = None,
    if_exists: Optional[IfExists] = None,
) -> Request[BlockAllocResult]:
    """Allocates a block of zeroed memory, or of the bytes given (Win32 HeapAlloc).

    size: Its size; 0 makes a block too.
    heap: Where to allocate.
    flags: Win32 heap flags, see Flags.
    name: A name that may stand for the handle.
    lifetime: "session": freed when the session that made it ends.
    data: Bytes to begin with; the others are zero. Left out with "raw", where the bytes follow the message, as many as
        the block has.
    if_exists: What to do if a block has the name: fail as `name_taken`, open that block, or free it and give the new
        one its name, see Publishing by name.
    """
    params: Dict[str, Any] = {
        "size": size,
        "heap": heap,
        "flags": flags,
        "name": name,
        "lifetime": lifetime,
        "data": data,
        "if_exists": if_exists,
    }
    return make("block.alloc", params, raw=True)


def block_resize(block: Ref, size: int, *, flags: Optional[Sequence[Flag]] = None) -> Request[BlockResizeResult]:
    """Resizes a block (Win32 HeapReAlloc).
    The handle and the name stay, the bytes added are zero. The address may change.

    block: The block.
    size: Its new size.
    flags: Win32 heap flags, see Flags; with `realloc_in_place_only` it is `no_memory` rather than moved.
    """
    return make("block.resize", {"block": block, "size": size, "flags": flags})


def block_info(block: Ref) -> Request[BlockInfoResult]:
    """Describes a block.

    block: The block.
    """
    return make("block.info", {"block": block})


def block_list(
    *,
    heap: Optional[Ref] = None,
    session: Optional[int] = None,
    orphaned: Optional[bool] = None,
    after: Optional[int] = None,
    limit: Optional[int] = None,
) -> Request[BlockListResult]:
    """Lists the blocks, a page at a time.
    A page may hold fewer entries than `limit`, even none: only a `next` of null is the end. What is made or ends
    between two pages may be listed or not.

    heap: Only blocks of this heap.
    session: Only blocks that this session made; it may have ended.
    orphaned: true: only orphaned blocks.
    after: Where to continue: `next` of the page before; 0 for the first page.
    limit: Most entries in the answer.
    """
    return make("block.list", {"heap": heap, "session": session, "orphaned": orphaned, "after": after, "limit": limit})


def block_at(address: int) -> Request[BlockAtResult]:
    """Finds the block that starts at an address: for debugging, since it goes through all blocks.

    address: As in block.alloc and block.info.
    """
    return make("block.at", {"address": address})


def block_change(
    block: Ref,
    *,
    name: Optional[str] = None,
    lifetime: Optional[Lifetime] = None,
    if_exists: Optional[IfExists] = None,
) -> Request[BlockChangeResult]:
    """Names a block, changes its lifetime, or adopts an orphan.
    Whoever changes an orphan becomes its owner and holds it.

    block: The block.
    name: Its new name; "" takes the name away.
    lifetime: "session": of this session, which becomes its owner.
    if_exists: What to do if another block has the name: fail as `name_taken`, or free it and give this one its name.
    """
    return make("block.change", {"block": block, "name": name, "lifetime": lifetime, "if_exists": if_exists})


def block_read(
    block: Ref,
    *,
    offset: Optional[int] = None,
    size: Optional[int] = None,
    at_most: Optional[int] = None,
) -> Request[BlockReadResult]:
    """Reads bytes of a block.

    block: The block.
    offset: Where to begin.
    size: How much to read.
    at_most: In place of `size`: read to the end, but no more than this, and tell which block it is and how large.
    """
    params: Dict[str, Any] = {
        "block": block,
        "offset": offset,
        "size": size,
        "at_most": at_most,
        "encoding": "raw",
    }
    return make("block.read", params, convert=raw_bytes_in_data)


def block_write(block: Ref, data: Bytes, *, offset: Optional[int] = None) -> Request[BlockWriteResult]:
    """Writes bytes to a block.

    block: The block.
    data: The bytes; left out with "raw", where they follow the message.
    offset: Where to begin.
    """
    return make("block.write", {"block": block, "data": data, "offset": offset}, raw=True)


def block_get(
    block: Ref,
    offset: int,
    *,
    type: Optional[Type] = None,
    count: Optional[int] = None,
) -> Request[BlockGetResult]:
    """Reads numbers from a block, little-endian.

    block: The block.
    offset: Where the first number is.
    type: Their type.
    count: How many to read; each counts as 26 bytes of `message_bytes`, whatever its type.
    """
    return make("block.get", {"block": block, "offset": offset, "type": type, "count": count})


def block_set(
    block: Ref,
    offset: int,
    values: Sequence[Number],
    *,
    type: Optional[Type] = None,
) -> Request[BlockSetResult]:
    """Writes numbers to a block, little-endian.

    block: The block.
    offset: The place of the first number.
    values: The numbers.
    type: Their type.
    """
    return make("block.set", {"block": block, "offset": offset, "values": numbers(values), "type": type})


def block_fill(
    block: Ref,
    *,
    value: Optional[int] = None,
    offset: Optional[int] = None,
    size: Optional[int] = None,
) -> Request[BlockWriteResult]:
    """Sets every byte of a range to one value (Win32 FillMemory).

    block: The block.
    value: The byte to write.
    offset: Where to begin.
    size: How many bytes to fill.
    """
    return make("block.fill", {"block": block, "value": value, "offset": offset, "size": size})


def block_copy(
    source: Ref,
    target: Ref,
    *,
    source_offset: Optional[int] = None,
    target_offset: Optional[int] = None,
    size: Optional[int] = None,
) -> Request[BlockWriteResult]:
    """Copies bytes from one block to another, or within one (Win32 CopyMemory).
    The ranges may overlap.

    source: The block to copy from.
    target: The block to copy to; it may be the same.
    source_offset: Where to begin in the source.
    target_offset: Where to begin in the target.
    size: How much to copy.
    """
    params: Dict[str, Any] = {
        "source": source,
        "target": target,
        "source_offset": source_offset,
        "target_offset": target_offset,
        "size": size,
    }
    return make("block.copy", params)


def block_compare(
    left: Ref,
    right: Ref,
    *,
    left_offset: Optional[int] = None,
    right_offset: Optional[int] = None,
    size: Optional[int] = None,
) -> Request[BlockCompareResult]:
    """Compares bytes of two blocks (RtlCompareMemory).

    left: One block.
    right: The other; it may be the same.
    left_offset: Where to begin in the one.
    right_offset: Where to begin in the other.
    size: How much to compare.
    """
    params: Dict[str, Any] = {
        "left": left,
        "right": right,
        "left_offset": left_offset,
        "right_offset": right_offset,
        "size": size,
    }
    return make("block.compare", params)


def block_find(block: Ref, data: Bytes, *, offset: Optional[int] = None) -> Request[BlockFindResult]:
    """Finds bytes in a block.

    block: The block.
    data: The bytes to look for: at most 1 MiB.
    offset: Where to begin.
    """
    return make("block.find", {"block": block, "data": data, "offset": offset})


def block_add(block: Ref, offset: int, value: Number, *, type: Optional[Type] = None) -> Request[BlockAddResult]:
    """Adds to a number in a block (InterlockedExchangeAdd).
    Integers wrap around in two's complement.

    block: The block.
    offset: Where the number is; it need not be aligned.
    value: What to add; it may be negative where the type is signed.
    type: Its type.
    """
    return make("block.add", {"block": block, "offset": offset, "value": to_json_number(value), "type": type})


def block_exchange(
    block: Ref,
    offset: int,
    value: Number,
    *,
    expected: Optional[Number] = None,
    type: Optional[Type] = None,
) -> Request[BlockExchangeResult]:
    """Writes a number to a block and returns what was there (InterlockedExchange).

    block: The block.
    offset: Where the number is; it need not be aligned.
    value: What to write.
    expected: Write only where this is there, compared bit by bit (InterlockedCompareExchange).
    type: Its type.
    """
    params: Dict[str, Any] = {
        "block": block,
        "offset": offset,
        "value": to_json_number(value),
        "expected": None if expected is None else to_json_number(expected),
        "type": type,
    }
    return make("block.exchange", params)


def block_wait(
    block: Ref,
    offset: int,
    value: Number,
    *,
    type: Optional[Type] = None,
    timeout_ms: Optional[int] = None,
) -> Request[BlockWaitResult]:
    """Waits until a number in a block is no longer what it was (WaitOnAddress).
    The session's other requests are served meanwhile. While another session holds the heap's lock, the number is not
    compared.

    block: The block.
    offset: Where the number is; it need not be aligned.
    value: What is there now, as far as the client knows; compared bit by bit.
    type: Its type.
    timeout_ms: How long to wait; 0: not at all.
    """
    params: Dict[str, Any] = {
        "block": block,
        "offset": offset,
        "value": to_json_number(value),
        "type": type,
        "timeout_ms": timeout_ms,
    }
    return make("block.wait", params, waits=timeout_ms)


def block_hold(block: Ref) -> Request[BlockHoldResult]:
    """Holds a block for this session, so that it is not orphaned while the session is open.
    A session holds a block once, however often it calls this. A hold does not lengthen lifetime "session".

    block: The block.
    """
    return make("block.hold", {"block": block})


def block_release(block: Ref) -> Request[BlockHoldResult]:
    """Ends this session's hold on a block; the session that made a block holds it from the start.
    Nothing is freed. A block that this session does not hold stays as it is.

    block: The block.
    """
    return make("block.release", {"block": block})


def block_map(block: Ref) -> Request[BlockMapResult]:
    """Gives the place of a block of a shared heap in shared memory.
    See Shared heaps. This is good until the block is freed, or resized to where it has to move.

    block: The block, of a heap of kind "shared".
    """
    return make("block.map", {"block": block})


def block_wake(block: Ref, *, offset: Optional[int] = None, size: Optional[int] = None) -> Request[None]:
    """Wakes calls that wait for a block, and notifies watches of it, that it was written through a mapping.
    block.wait looks again, and watches send block.changed, as after a write by the protocol. Blocks of any heap may be
    named.

    block: The block.
    offset: Where the bytes that were written begin.
    size: How many they are.
    """
    return make("block.wake", {"block": block, "offset": offset, "size": size}, convert=nothing)


def block_free(block: Ref, *, if_orphaned: Optional[bool] = None) -> Request[BlockFreeResult]:
    """Frees a block (Win32 HeapFree).

    block: The block.
    if_orphaned: true: refuse unless it is orphaned.
    """
    return make("block.free", {"block": block, "if_orphaned": if_orphaned})


def session_info() -> Request[SessionInfoResult]:
    """Describes this session."""
    return make("session.info", {})


def session_list(*, after: Optional[int] = None, limit: Optional[int] = None) -> Request[SessionListResult]:
    """Lists the sessions, a page at a time.

    after: Where to continue: `next` of the page before; 0 for the first page.
    limit: Most entries in the answer.
    """
    return make("session.list", {"after": after, "limit": limit})


def session_watch(
    *,
    heap: Optional[Ref] = None,
    block: Optional[Ref] = None,
    offset: Optional[int] = None,
    size: Optional[int] = None,
) -> Request[SessionWatchResult]:
    """Asks for notifications when a block, a heap's blocks, or any blocks are written, resized or freed.
    The notifications are those below. They come for what this session does itself, too. A watch stays until
    session.unwatch or the session's end, even when nothing more can happen there.

    heap: A heap, with all its blocks.
    block: A block.
    offset: Of a block: where the bytes that matter begin.
    size: How many they are; to the end is wherever the block ends at the time.
    """
    return make("session.watch", {"heap": heap, "block": block, "offset": offset, "size": size})


def session_unwatch(watch: int) -> Request[None]:
    """Ends a watch of this session. No notification of it comes after this is answered.

    watch: The watch's number.
    """
    return make("session.unwatch", {"watch": watch}, convert=nothing)


def session_close(session: int) -> Request[None]:
    """Ends a session in order: it gets the answers that are due, then its connection is closed.
    Its waiting calls (unanswered), watches, locks, holds, and what it made with lifetime "session" end with it. Until
    then it is listed, and may be closed again.

    session: The session; it may be one's own.
    """
    return make("session.close", {"session": session}, convert=nothing)


# Each by its name.
BY_NAME: Dict[str, Callable[..., Request[Any]]] = {
    "rpc.discover": rpc_discover,
    "$/cancelRequest": cancel_request,
    "server.ping": server_ping,
    "server.info": server_info,
    "server.stats": server_stats,
    "server.methods": server_methods,
    "server.reload": server_reload,
    "server.shutdown": server_shutdown,
    "heap.process": heap_process,
    "heap.create": heap_create,
    "heap.list": heap_list,
    "heap.info": heap_info,
    "heap.validate": heap_validate,
    "heap.compact": heap_compact,
    "heap.flush": heap_flush,
    "heap.lock": heap_lock,
    "heap.unlock": heap_unlock,
    "heap.destroy": heap_destroy,
    "block.alloc": block_alloc,
    "block.resize": block_resize,
    "block.info": block_info,
    "block.list": block_list,
    "block.at": block_at,
    "block.change": block_change,
    "block.read": block_read,
    "block.write": block_write,
    "block.get": block_get,
    "block.set": block_set,
    "block.fill": block_fill,
    "block.copy": block_copy,
    "block.compare": block_compare,
    "block.find": block_find,
    "block.add": block_add,
    "block.exchange": block_exchange,
    "block.wait": block_wait,
    "block.hold": block_hold,
    "block.release": block_release,
    "block.map": block_map,
    "block.wake": block_wake,
    "block.free": block_free,
    "session.info": session_info,
    "session.list": session_list,
    "session.watch": session_watch,
    "session.unwatch": session_unwatch,
    "session.close": session_close,
}
