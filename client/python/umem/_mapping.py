"""The memory of a block of a shared heap, in this process. Only the pages are mapped that the block lies in."""
from __future__ import annotations

import importlib
import mmap
import os
import sys
from typing import Optional, Tuple

from ._errors import Corrupted, Unsupported
from .methods import BlockMapResult

if sys.platform == "win32":
    from ._pipe_win32 import Section

    def _open(place: BlockMapResult, start: int, length: int, server_user: str) -> mmap.mmap:
        # mmap would make a section of that name where there is none, so one that exists is held open meanwhile.
        with Section(place["name"]):
            return mmap.mmap(-1, length, tagname=place["name"], access=mmap.ACCESS_WRITE, offset=start)

else:
    from ._pipe_posix import trusted_users

    def _open(place: BlockMapResult, start: int, length: int, server_user: str) -> mmap.mmap:
        descriptor = _open_object(place)
        try:
            facts = os.fstat(descriptor)
            if facts.st_uid not in trusted_users(server_user):
                raise Unsupported(f"the shared memory {place['name']} belongs to another user", -32009, "unsupported")
            if facts.st_size < start + length:
                # To touch what is not there would end this process.
                raise Corrupted("the block passes the end of the heap's shared memory, which somebody has cut", -32011, "corrupted")
            return mmap.mmap(descriptor, length, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE, offset=start)
        finally:
            os.close(descriptor)

    def _open_object(place: BlockMapResult) -> int:
        try:
            if "path" in place:
                return os.open(place["path"], os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
            # What multiprocessing.shared_memory opens its objects with.
            return int(importlib.import_module("_posixshmem").shm_open(place["name"], os.O_RDWR, mode=0))
        except FileNotFoundError:
            raise Unsupported(f"the shared memory {place['name']} is not there any more", -32009, "unsupported") from None


class MappedBlock:
    """A block's memory. It stays mapped as long as this or any view of it is in use."""

    def __init__(self, place: BlockMapResult, server_user: str = "") -> None:
        self.place = place
        self._memory: Optional[mmap.mmap] = None
        self._view: Optional[memoryview] = None
        self._start = place["offset"] % mmap.ALLOCATIONGRANULARITY
        if place["size"]:
            self._memory = _open(place, place["offset"] - self._start, self._start + place["size"], server_user)

    def view(self) -> memoryview:
        """The block's bytes; the same view until it is released."""
        if self._view is None or _is_released(self._view):
            if self._memory is None:
                self._view = memoryview(bytearray())
            else:
                with memoryview(self._memory) as whole:
                    self._view = whole[self._start : self._start + self.place["size"]]
        return self._view

    def close(self) -> None:
        """Unmaps it; the view is released. BufferError: another view, or an array, is in use."""
        if self._view is not None:
            self._view.release()
            self._view = None
        if self._memory is not None:
            self._memory.close()


def _is_released(view: memoryview) -> bool:
    try:
        view.nbytes
    except ValueError:
        return True
    return False


def same_place(one: BlockMapResult, other: BlockMapResult) -> bool:
    def key(place: BlockMapResult) -> Tuple[str, int, int]:
        return place["name"], place["offset"], place["size"]

    return key(one) == key(other)
