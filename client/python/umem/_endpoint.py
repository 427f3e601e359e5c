"""Where the daemon listens, by the rules of protocol.md, "The pipe". Must not connect."""
from __future__ import annotations

import os
import stat
import sys
from typing import Optional


def server_user(wanted: Optional[str]) -> str:
    """Whose daemon it may be beside the user's own and root's or SYSTEM's; "": nobody else's."""
    return wanted or os.environ.get("UMEM_SERVER_USER") or ""


if sys.platform == "win32":
    from ._pipe_win32 import user_name

    PREFIX = "\\\\.\\pipe\\"
    NAME_LIMIT = 256  # characters of a pipe's whole name

    def find(wanted: Optional[str]) -> str:
        """The pipe's name. ValueError: it cannot be one."""
        wanted = wanted or os.environ.get("UMEM_PIPE") or PREFIX + "umemd-" + user_name()
        path = wanted.replace("/", "\\")
        if "\\" not in path:
            path = PREFIX + path
        name = path[len(PREFIX) :]
        if path[: len(PREFIX)].lower() != PREFIX or not name or "\\" in name or "\0" in name or len(path) > NAME_LIMIT:
            raise ValueError(f"a pipe is named {PREFIX}NAME, with at most {NAME_LIMIT} characters: {wanted}")
        return path

else:

    def find(wanted: Optional[str]) -> str:
        """The socket's path. ValueError: it cannot be one."""
        wanted = wanted or os.environ.get("UMEM_PIPE")
        runtime = os.environ.get("XDG_RUNTIME_DIR", "")
        if wanted:
            path = os.path.join(os.getcwd(), wanted)
        elif _is_own_directory(runtime):
            path = os.path.join(runtime, "umemd.sock")
        else:
            path = f"/tmp/umemd-{os.geteuid()}/umemd.sock"
        if "\0" in path:
            raise ValueError("a path has no null character")
        return path

    def _is_own_directory(path: str) -> bool:
        # The variable survives su and sudo -E, so it may name another user's directory.
        try:
            facts = os.stat(path)
        except (OSError, ValueError):
            return False
        return path.startswith("/") and stat.S_ISDIR(facts.st_mode) and facts.st_uid == os.geteuid()
