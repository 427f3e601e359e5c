"""What blocks and heaps are for both clients: their handles, and what an index or a slice means. No I/O."""
from __future__ import annotations

import operator
from typing import Dict, Iterator, Optional, Tuple

from ._errors import StillMapped
from ._frames import Bytes
from ._mapping import MappedBlock
from ._request import Referable, raw_view

WHOLE = 1 << 16  # bytes up to which a read or write is one request whatever the daemon's limits are
GET = 1 << 20  # bytes that are got by name at once
RETRIES = 100  # how often a large block is got anew that was replaced meanwhile
PIECE = 4 << 20  # bytes that one request moves at most; less where the daemon's limit on payloads is lower


def piece_size(limits: Dict[str, int]) -> int:
    return max(1, min(PIECE, limits.get("payload_bytes", PIECE)))


def pieces(offset: int, size: int, piece: int) -> Iterator[Tuple[int, int]]:
    """Offsets and sizes that cover the range."""
    end = offset + size
    while offset < end:
        yield offset, min(piece, end - offset)
        offset += piece


class BlockBase(Referable):
    """A block: its handle, its size as it was last known here, and the name it was made or opened by."""

    def __init__(self, handle: int, size: int, name: Optional[str]) -> None:
        self.handle = handle
        self.size = size
        self.name = name
        self.created = True  # False: alloc() has opened a block that was there
        self.is_freed = False  # by this object
        self._json = f"{handle:d}"
        self._mapped: Optional[MappedBlock] = None

    def __len__(self) -> int:
        return self.size

    def __bool__(self) -> bool:
        return True

    def __repr__(self) -> str:
        name = "" if self.name is None else f" {self.name!r}"
        return f"<umem.{type(self).__name__}{name} {self.handle} of {self.size} bytes{', freed' if self.is_freed else ''}>"

    def _range(self, key: slice) -> Tuple[int, int]:
        """The offset and size of a slice, by the size as it is known here."""
        start, stop, step = key.indices(self.size)
        if step != 1:
            raise ValueError("a slice of a block has no step: its bytes lie side by side")
        return start, max(stop - start, 0)

    def _index(self, key: object) -> int:
        try:
            index = operator.index(key)  # type: ignore[arg-type]
        except TypeError:
            raise TypeError(f"a block is indexed by integers and slices, not {type(key).__name__}") from None
        if index < 0:
            index += self.size
        if index < 0:
            raise IndexError(f"the block has {self.size} bytes")
        return index

    def _replacement(self, key: slice, data: Bytes) -> Tuple[int, memoryview]:
        """Where the bytes go. ValueError: a block does not change its size by an assignment."""
        offset, size = self._range(key)
        view = raw_view(data)
        if len(view) != size:
            raise ValueError(f"{len(view)} bytes cannot replace {size}: a block keeps its size")
        return offset, view

    def _span(self, offset: int, size: Optional[int]) -> int:
        """The size of a range, which reaches to the end if it is not given."""
        return max(self.size - offset, 0) if size is None else size

    def _close_mapping(self) -> None:
        """Before the memory may be another block's. StillMapped: somebody uses a view of it."""
        if self._mapped is not None:
            try:
                self._mapped.close()
            except BufferError:
                raise StillMapped(
                    f"the memory of {self!r} is in use by a slice of its view, a NumPy array or the like; release that first"
                ) from None
            self._mapped = None
