#!/usr/bin/env python3
"""Names each place where a method of the daemon's is missing: `umem_block_reverse has no test`.

A method that server/rpc/schema/table.h lists is to have a blocking call and a submitted one in umem_client.h (a umem_uv takes the
submitted one), an entry in the client's list of calls, a verb of umem or a place in one, and a test of each. What a method does not
have, and why, stands below: an entry that is not needed any more is an error, too.
"""

import argparse
import pathlib
import re
import sys

# {method: where it is under another name}, or why it is not there.
NO_CALL = {
    "rpc_cancel": "umem_uv_cancel() and deadlines send it",
    "block_map": "umem_map()",
}
NO_SUBMITTED_CALL = {
    "rpc_discover": "requested once",
    "rpc_cancel": "umem_uv_cancel()",
    "server_ping": "nothing comes of it",
    "server_info": "requested once",
    "server_stats": "one request is enough",
    "server_methods": "comes in pages",
    "server_reload": "an operator's request",
    "server_shutdown": "nothing comes after it",
    "heap_process": "requested once",
    "heap_list": "comes in pages",
    "block_list": "comes in pages",
    "block_at": "a tool's question",
    "block_map": "umem_uv_map()",
    "session_info": "requested once",
    "session_list": "comes in pages",
    "session_watch": "umem_uv_watch()",
    "session_unwatch": "umem_uv_unwatch()",
    "session_close": "a tool's request",
}
NO_LIST_ENTRY = {
    "rpc_cancel": "a notification",
    "server_ping": "no arguments",
    "server_info": "api/calls_server.c",
    "server_shutdown": "no arguments",
    "server_methods": "api/calls_list.c",
    "heap_list": "api/calls_list.c",
    "block_list": "api/calls_list.c",
    "block_map": "api/calls_map.c",
    "session_list": "api/calls_list.c",
    "session_watch": "api/calls_watch.c",
    "session_unwatch": "api/calls_watch.c",
}
NO_VERB = {
    "rpc_cancel": "umem ends",
    "heap_process": "info process tells it",
    "session_info": "sessions lists all",
}


def text_of(root, *patterns):
    parts = []
    for pattern in patterns:
        parts += [path.read_text(encoding="utf-8") for path in sorted(root.glob(pattern))]
    return "\n".join(parts)


class Places:
    def __init__(self, root):
        self.missing = 0
        self.header = text_of(root, "client/umem_client.h")
        self.entries = set(re.findall(r"^    CALL\((\w+),", text_of(root, "client/lib/request/call_list.h"), re.MULTILINE))
        self.umem = text_of(root, "client/cli/**/*.c")
        self.tests = text_of(root, "tests/integration/*.c", "tests/unit/client/*.c", "tests/unit/uv/*.c")
        self.examples = text_of(root, "tests/unit/rpc/method_examples.c")

    def look(self, method, is_there, exceptions, complaint):
        if is_there and method in exceptions:
            print(f"tests/shape/method_places.py: {method} is there, though an exception says it is not: {complaint}")
        elif is_there or method in exceptions:
            return is_there
        else:
            print(complaint)
        self.missing += 1
        return is_there

    def look_for_call(self, method, prefix, exceptions):
        name = f"{prefix}{method}"
        if self.look(method, f" {name}(" in self.header, exceptions, f"client/umem_client.h: {name} is not declared"):
            self.look(method, f"{name}(" in self.tests, {}, f"{name} has no test")

    def look_at(self, method):
        wire = method.replace("_", ".", 1) if method != "rpc_cancel" else "$/cancelRequest"
        self.look_for_call(method, "umem_", NO_CALL)
        self.look_for_call(method, "umem_submit_", NO_SUBMITTED_CALL)
        self.look(method, method in self.entries, NO_LIST_ENTRY, f"client/lib/request/call_list.h: {method} has no entry")
        has_verb = f'"{wire}"' in self.umem or f"umem_{method}(" in self.umem
        self.look(method, has_verb, NO_VERB, f"client/cli/verbs: no verb of umem's uses {wire}")
        self.look(method, f'"{wire}"' in self.examples, {}, f"tests/unit/rpc/method_examples.c: {wire} has no example")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    root = parser.parse_args().root
    methods = re.findall(r"^    X\((\w+)\)", text_of(root, "server/rpc/schema/table.h"), re.MULTILINE)
    places = Places(root)
    for method in methods:
        places.look_at(method)
    print(f"{len(methods)} methods, {places.missing} places are missing")
    sys.exit(1 if places.missing or len(methods) < 40 else 0)


if __name__ == "__main__":
    main()
