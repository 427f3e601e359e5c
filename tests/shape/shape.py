#!/usr/bin/env python3
"""Measures the structure of the sources.

  shape.py circles            include circles, and includes against the layers: none is allowed (the test shape.circles)
  shape.py headers            headers that more than two .c files implement
  shape.py names              file names that are there twice, or that shadow a system header
  shape.py way PROGRAM...     the functions and files that one request runs through, by callgrind; what
                              UM_ALWAYS_INLINE compiles into its callers is not counted
  shape.py instructions UMEMD the instructions of one request among 64 that are sent at once, by callgrind; a release build
  shape.py places METHOD      the files that name a method ("block.fill"), which is where an edit is needed to add one

The sources are those of server/, client/ and common/, below the folder that --root names (by default the repository).
"""

import argparse
import atexit
import base64
import collections
import json
import os
import pathlib
import re
import signal
import socket
import subprocess
import sys
import tempfile

ROOMS = ("server", "client", "common")

# Folders that a folder may include, beside itself. A folder below one of these counts as that one, the longest first.
LAYERS = {
    "common/base": (),
    "common/wire": ("common/base",),
    "common/program": ("common/base",),
    "server/store/memory": ("common/base",),
    "server/store/journal": ("common/base",),
    "server/store/records": ("server/store/memory", "server/store/journal", "common/base"),
    "server/store": ("server/store/records", "server/store/memory", "server/store/journal", "common/base"),
    "server/rpc": ("server/store", "common/wire", "common/base"),
    "server/net": ("server/rpc", "common/wire", "common/base"),
    "server/daemon": ("server/net", "server/rpc", "common/program", "common/wire", "common/base"),
    "client/lib": ("client", "common/wire", "common/base"),
    # The adapter is the library's other half, and `umem call` sends what the library would not.
    "client/uv": ("client/lib", "client", "common/wire", "common/base"),
    "client/cli": ("client/cli/transfer", "client", "common/program", "common/wire", "common/base"),
    "client/cli/transfer": ("client/cli", "client/lib", "common/program", "common/wire", "common/base"),
    "client/examples": ("client", "client/uv", "common/base"),
    "client": ("common/base",),
}

# A file of these names would be found in the place of the C library's, POSIX' or Windows' header of the same name.
SYSTEM_HEADERS = frozenset(
    "aio assert complex ctype dirent errno fcntl fenv float ftw glob grp iconv inttypes io iso646 langinfo libgen limits"
    " locale malloc math memory monetary netdb nl_types poll process pthread pwd regex sched search semaphore setjmp"
    " share signal spawn stdalign stdarg stdatomic stdbool stddef stdint stdio stdlib stdnoreturn string strings sys"
    " syslog tar termios tgmath threads time trace uchar unistd utime utmpx wait wchar wctype wordexp windows winsock2"
    " direct conio dos error search utime varargs heap stack version thread".split()
)

INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"', re.MULTILINE)
COMMENT = re.compile(r"/\*.*?\*/|//[^\n]*", re.DOTALL)


def sources(root, *suffixes):
    for room in ROOMS:
        for path in sorted((root / room).rglob("*")):
            if path.suffix in suffixes:
                yield path.relative_to(root)


def node_of(path):
    """A header, its source and their halves for one system are one node."""
    stem = re.sub(r"_(posix|win32)$", "", path.stem)
    return str(path.parent / stem)


def include_graph(root):
    """{file: {included file: as it is written}}, for what lies in the rooms."""
    files = list(sources(root, ".c", ".h"))
    by_end = collections.defaultdict(list)
    for path in files:
        parts = path.parts
        for i in range(len(parts)):
            by_end["/".join(parts[i:])].append(path)
    graph = {}
    for path in files:
        graph[path] = {}
        for name in INCLUDE.findall((root / path).read_text(encoding="utf-8")):
            beside = path.parent / name
            found = [beside] if beside in files else by_end.get(name, [])
            for target in found[:1]:
                graph[path][target] = name
    return graph


def circles_of(arrows):
    """The strongly connected parts of more than one node (Tarjan, without recursion)."""
    index, low, on_stack, stack, found = {}, {}, set(), [], []
    for start in sorted(arrows):
        if start in index:
            continue
        work = [(start, iter(sorted(arrows[start])))]
        index[start] = low[start] = len(index)
        stack.append(start)
        on_stack.add(start)
        while work:
            node, targets = work[-1]
            for target in targets:
                if target not in index:
                    index[target] = low[target] = len(index)
                    stack.append(target)
                    on_stack.add(target)
                    work.append((target, iter(sorted(arrows.get(target, ())))))
                    break
                if target in on_stack:
                    low[node] = min(low[node], index[target])
            else:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[node])
                if low[node] == index[node]:
                    part = []
                    while True:
                        part.append(stack.pop())
                        on_stack.discard(part[-1])
                        if part[-1] == node:
                            break
                    if len(part) > 1:
                        found.append(sorted(part))
    return found


def layer_of(path):
    folder = path.parent
    while str(folder) not in LAYERS:
        if folder == folder.parent:
            return None
        folder = folder.parent
    return str(folder)


def circles(root):
    graph = include_graph(root)
    bad = 0
    by_node, by_folder = collections.defaultdict(set), collections.defaultdict(set)
    for path, targets in graph.items():
        by_node[node_of(path)]
        by_folder[str(path.parent)]
        for target in targets:
            if node_of(path) != node_of(target):
                by_node[node_of(path)].add(node_of(target))
            if path.parent != target.parent:
                by_folder[str(path.parent)].add(str(target.parent))
            here, there = layer_of(path), layer_of(target)
            if here != there and there not in LAYERS.get(here, ()):
                print(f"{path} includes {target}: {here} must not include {there}")
                bad += 1
    for kind, arrows in (("files", by_node), ("folders", by_folder)):
        for circle in circles_of(arrows):
            print(f"a circle of {len(circle)} {kind}: {' '.join(circle)}")
            bad += 1
    print(f"{len(graph)} files, {bad} circles and wrong arrows")
    return bad


def headers(root):
    declared = {}
    # A prototype begins at the left edge; what an inline function calls does not.
    prototype = re.compile(r"^(?!static|UM_ALWAYS_INLINE)\w[^;{}()=]*?\b(um(?:em)?_\w+)\s*\([^;{}]*\)\s*;", re.MULTILINE)
    for path in sources(root, ".h"):
        # What programs include is one header, whatever the library's parts are.
        if path.name == "umem_client.h":
            continue
        text = COMMENT.sub(" ", (root / path).read_text(encoding="utf-8"))
        for name in prototype.findall(re.sub(r"^\s*#.*$", "", text, flags=re.MULTILINE)):
            declared.setdefault(name, path)
    definition = re.compile(r"^(?!static)[\w][^;{}()#]*?\b(um(?:em)?_\w+)\([^;{}]*\)\s*\{", re.MULTILINE)
    implementing = collections.defaultdict(set)
    for path in sources(root, ".c"):
        text = COMMENT.sub(" ", (root / path).read_text(encoding="utf-8"))
        for name in definition.findall(text):
            if name in declared:
                implementing[declared[name]].add(re.sub(r"_(posix|win32)$", "", path.stem))
    bad = 0
    for header, stems in sorted(implementing.items(), key=lambda item: -len(item[1])):
        if len(stems) > 2:
            bad += 1
            print(f"{header} is implemented in {len(stems)} files: {' '.join(sorted(stems))}")
    print(f"{len(implementing)} headers, {bad} are implemented in more than two files")
    return bad


def names(root):
    bad = 0
    by_name = collections.defaultdict(list)
    for path in sources(root, ".c", ".h"):
        if path.parts[:2] != ("client", "examples"):
            by_name[path.name].append(str(path))
        if path.suffix == ".h" and path.stem in SYSTEM_HEADERS:
            print(f"{path}: a system's header has this name")
            bad += 1
    for paths in by_name.values():
        if len(paths) > 1:
            print(f"{' '.join(paths)}: one name")
            bad += 1
    print(f"{len(by_name)} names, {bad} are there twice or are a system header's")
    return bad


def calls_in(profile, program):
    """{(file, function): calls} of a callgrind profile, for what is part of the program itself."""
    texts = {"ob": {}, "fl": {}, "fn": {}}
    kinds = {"ob": "ob", "cob": "ob", "fl": "fl", "fi": "fl", "fe": "fl", "cfi": "fl", "cfl": "fl", "fn": "fn", "cfn": "fn"}
    now, callee, calls = {}, {}, collections.Counter()
    for line in pathlib.Path(profile).read_text(encoding="utf-8", errors="replace").splitlines():
        key, equals, value = line.partition("=")
        if not equals or (key not in kinds and key != "calls"):
            continue
        if key == "calls":
            where = {**now, **callee}
            if os.path.basename(where.get("ob", "")).startswith(program):
                calls[where["fl"], re.sub(r"'\d+$", "", where["fn"])] += int(value.split()[0])
            callee = {}
            continue
        match = re.match(r"\((\d+)\)(?: (.*))?$", value)
        kind = kinds[key]
        if match:
            if match.group(2) is not None:
                texts[kind][match.group(1)] = match.group(2)
            value = texts[kind][match.group(1)]
        if key in ("cob", "cfi", "cfl", "cfn"):
            callee[kind] = value
        else:
            now[kind] = value
    return calls


def receive_line(connection):
    answer = b""
    while not answer.endswith(b"\n"):
        part = connection.recv(65536)
        if not part:
            raise SystemExit("shape: umemd has closed the connection")
        answer += part
    return answer


def start_daemon(command, path):
    daemon = subprocess.Popen(command + ["--pipe", path], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    # Whatever fails from here on, it does not outlive this script.
    atexit.register(daemon.kill)
    while daemon.poll() is None:
        connection = socket.socket(socket.AF_UNIX)
        try:
            connection.connect(path)
            return daemon, connection
        except OSError:
            connection.close()
    raise SystemExit("shape: umemd has not started")


def profile_command(profile):
    return ["valgrind", "-q", "--tool=callgrind", f"--callgrind-out-file={profile}", "--compress-strings=yes"]


def profile_daemon(umemd, folder, requests):
    """The calls of umemd that answers so many requests, each one block.write of 5 bytes on a line."""
    path, profile = os.path.join(folder, f"pipe{requests}"), os.path.join(folder, f"daemon{requests}")
    daemon, connection = start_daemon(profile_command(profile) + [umemd], path)
    connection.sendall(b'{"jsonrpc":"2.0","id":1,"method":"block.alloc","params":{"size":64}}\n')
    block = re.search(rb'"block":(\d+)', receive_line(connection)).group(1)
    for number in range(requests):
        request = b'{"jsonrpc":"2.0","id":%d,"method":"block.write","params":{"block":%s,"data":"aGVsbG8="}}\n'
        connection.sendall(request % (number + 2, block))
        if b'"result"' not in receive_line(connection):
            raise SystemExit("shape: block.write has failed")
    connection.close()
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    return calls_in(profile, "umemd")


def profile_client(umemd, program, folder, requests):
    """The calls of a program that reads 5 bytes so many times by umem_block_read()."""
    path, profile = os.path.join(folder, f"pipe{requests}"), os.path.join(folder, f"client{requests}")
    daemon, connection = start_daemon([umemd], path)
    connection.close()
    subprocess.run(profile_command(profile) + [program, path, str(requests)], check=True)
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    return calls_in(profile, os.path.basename(program))


def print_way(title, measure):
    few, many = 20, 60
    with tempfile.TemporaryDirectory(prefix="umem-shape-") as folder:
        before, after = measure(folder, few), measure(folder, many)
    functions = {key: (after[key] - before[key]) / (many - few) for key in after}
    functions = {key: calls for key, calls in functions.items() if calls >= 0.5}
    files = collections.defaultdict(list)
    for (path, name), calls in functions.items():
        files[path].append(name if calls < 1.5 else f"{name} x{calls:.0f}")
    for path in sorted(files):
        match = re.search(r"(?:^|/)((?:server|client|common|tests)/.*)", path)
        print(f"  {match.group(1) if match else path}: {', '.join(sorted(files[path]))}")
    print(f"{title}: {len(functions)} functions in {len(files)} files, {sum(functions.values()):.0f} calls")


def way(programs):
    """umemd [READER]: binaries that were built without optimization; see `./dev shape`."""
    umemd = os.path.abspath(programs[0])
    print_way("block.write of 5 bytes on a line, umemd", lambda folder, count: profile_daemon(umemd, folder, count))
    if len(programs) > 1:
        reader = os.path.abspath(programs[1])
        measure = lambda folder, count: profile_client(umemd, reader, folder, count)
        print_way("umem_block_read of 5 bytes, the library", measure)


DEPTH = 64


def request_of(method, params, number=1):
    request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
    return json.dumps(request, separators=(",", ":")).encode()


def requests_of(kind, block, heap=None):
    """What is sent at once: DEPTH requests on lines. The raw ones are exchange_raw()'s."""
    data = base64.b64encode(bytes(64)).decode()
    params = {
        "read": ("block.read", {"block": block, "size": 64}),
        "write": ("block.write", {"block": block, "data": data}),
        "ping": ("server.ping", {}),
        "alloc + free": ("block.alloc", {"size": 64}),
        "put": ("block.alloc", {"name": "name", "if_exists": "replace", "data": data}),
        "get": ("block.read", {"block": "name", "size": 64}),
    }
    requests = []
    for number in range(DEPTH):
        method, values = params[kind]
        if kind in ("put", "get"):
            values = {key: "key:%03d" % number if value == "name" else value for key, value in values.items()}
        if heap is not None and method == "block.alloc":
            values = {"heap": heap, **values}
        requests.append(request_of(method, values, number))
    return requests


def exchange(stream, requests):
    stream.write(b"\n".join(requests) + b"\n")
    stream.flush()
    answers = [json.loads(stream.readline()) for _ in requests]
    if any("error" in answer for answer in answers):
        raise SystemExit(f"shape: umemd has answered {answers[0]}")
    return answers


def framed(text, payload):
    """A message with headers, and its raw bytes."""
    length = f"Payload-Length: {len(payload)}\r\n" if payload else ""
    return f"Content-Length: {len(text)}\r\n{length}\r\n{text}".encode() + payload


def receive_framed(stream):
    lengths = {"Content-Length": 0, "Payload-Length": 0}
    for line in iter(stream.readline, b"\r\n"):
        name, value = line.decode().split(": ")
        lengths[name] = int(value)
    answer = json.loads(stream.read(lengths["Content-Length"]))
    stream.read(lengths["Payload-Length"])
    return answer


def exchange_raw(stream, kind, block):
    """As exchange(), with headers and raw bytes."""
    method, payload = ("block.read", b"") if kind == "raw read" else ("block.write", bytes(64))
    for number in range(DEPTH):
        params = {"block": block, "size": 64, "encoding": "raw"}
        request = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        stream.write(framed(json.dumps(request, separators=(",", ":")), payload))
    stream.flush()
    answers = [receive_framed(stream) for _ in range(DEPTH)]
    if any("error" in answer for answer in answers):
        raise SystemExit(f"shape: umemd has answered {answers[0]}")


def instructions_of(umemd, folder, kind, rounds, heap):
    """All instructions of umemd that answers so many rounds of requests, on a heap of the default kind, shared or durable."""
    path, profile = os.path.join(folder, f"pipe{rounds}"), os.path.join(folder, f"daemon{rounds}")
    state = tempfile.mkdtemp(prefix="state-", dir=folder)
    daemon, connection = start_daemon(profile_command(profile) + [umemd, "--state", state], path)
    stream = connection.makefile("rwb")
    made = {"size": 64}
    if heap is not None:
        lifetime = {"lifetime": heap} if heap == "durable" else {}
        params = {"kind": "shared", "maximum_size": 1 << 26, **lifetime}
        made["heap"] = exchange(stream, [request_of("heap.create", params)])[0]["result"]["heap"]
    block = exchange(stream, [request_of("block.alloc", made)])[0]["result"]["block"]
    if kind.startswith("raw"):
        with socket.socket(socket.AF_UNIX) as other:
            other.connect(path)
            with other.makefile("rwb") as raw_stream:
                for _ in range(rounds):
                    exchange_raw(raw_stream, kind, block)
        rounds = 0
    if kind == "get":
        exchange(stream, requests_of("put", block))
    for _ in range(rounds):
        answers = exchange(stream, requests_of(kind, block, made.get("heap")))
        if kind == "alloc + free":
            handles = [answer["result"]["block"] for answer in answers]
            free = '{"jsonrpc":"2.0","id":1,"method":"block.free","params":{"block":%d}}'
            exchange(stream, [(free % handle).encode() for handle in handles])
    stream.close()
    connection.close()
    daemon.send_signal(signal.SIGTERM)
    daemon.wait()
    match = re.search(r"^(?:totals|summary): (\d+)", pathlib.Path(profile).read_text(errors="replace"), re.MULTILINE)
    return int(match.group(1))


def print_instructions(umemd, folder, kind, heap):
    few, many = 10, 60
    used = instructions_of(umemd, folder, kind, many, heap) - instructions_of(umemd, folder, kind, few, heap)
    title = kind if heap is None else f"{kind}, {heap} heap"
    print(f"{title:28s}{used / ((many - few) * DEPTH):8.0f} instructions")


def instructions(umemd):
    with tempfile.TemporaryDirectory(prefix="umem-shape-") as folder:
        for kind in ("read", "write", "alloc + free", "put", "get", "ping", "raw read", "raw write"):
            print_instructions(umemd, folder, kind, None)
        # What a journal costs.
        for kind in ("write", "alloc + free", "put"):
            for heap in ("shared", "durable"):
                print_instructions(umemd, folder, kind, heap)


def places(root, method):
    word = re.compile(r"(?<![A-Za-z0-9])" + re.sub(r"[._]", "[._]", method) + r"(?![A-Za-z0-9_])")
    count = 0
    tracked = subprocess.run(["git", "-C", str(root), "ls-files"], check=True, capture_output=True, text=True).stdout
    for name in tracked.splitlines():
        path = root / name
        if not path.is_file() or "corpus" in path.parts:
            continue
        lines = [
            number
            for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
            if word.search(line)
        ]
        if lines:
            count += 1
            print(f"{name}: {' '.join(map(str, lines))}")
    print(f"{method}: {count} files")


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("circles", "headers", "names", "way", "instructions", "places"))
    parser.add_argument("argument", nargs="*")
    parser.add_argument("--root", type=pathlib.Path, default=pathlib.Path(__file__).resolve().parents[2])
    options = parser.parse_args()
    if options.what == "way":
        way(options.argument)
    elif options.what == "instructions":
        instructions(os.path.abspath(options.argument[0]))
    elif options.what == "places":
        places(options.root, options.argument[0])
    else:
        bad = {"circles": circles, "headers": headers, "names": names}[options.what](options.root)
        sys.exit(1 if bad else 0)


if __name__ == "__main__":
    main()
