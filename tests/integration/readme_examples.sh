#!/usr/bin/env bash
# Runs the examples of README.md (shell, C, Python), the minimal client of protocol.md, and of docs/clients.md those that need
# nothing but a language: Python, Node, C# where Mono is installed; and where NODE_PATH has it, vscode-jsonrpc. All as they
# stand there.
# Usage: readme_examples.sh SOURCES PROGRAMS-DIRECTORY COMPILE-COMMAND...   (the command compiles example.c to ./example)
set -euo pipefail

sources=$1
document=$sources/README.md
. "$sources/tests/support/readme_blocks.sh"
bin=$2
shift 2
folder=$(mktemp -d)
export PATH=$bin:$PATH UMEM_PIPE=$folder/umemd.sock
cd "$folder"

clean_up()
{
    umem shutdown >/dev/null 2>&1 || true
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT

block sh 1 >background.sh
bash -e background.sh >background.out
grep -q hello background.out
grep -q '{"version":1}' background.out
echo "background process: as expected"

# This one starts the daemon.
block sh 2 >lines.sh
bash -e lines.sh | tail -n 2 >lines.out
grep -q '"data":"ffffffff"' lines.out
grep -q '"replaced":' lines.out
echo "JSON lines: as expected"

block c 1 >example.c
"$@"
expect "C library" "$(./example)" "ff ff ff ff"

block python 1 >example.py
expect "Python" "$(python3 example.py)" "42"

document=$sources/protocol.md
block python 1 >minimal.py
expect "the minimal client" "$(python3 minimal.py)" "hello
-32003 out_of_range"

document=$sources/docs/clients.md
block python 1 >example.py

block python 2 >>example.py
expect "Python, shared memory" "$(python3 example.py)" "42
hello"

block js 1 >example.js
expect "Node" "$(node example.js)" "posix"

if [ -n "${NODE_PATH:-}" ]; then
    block js 2 >example.js
    expect "vscode-jsonrpc" "$(node example.js)" "-32003 out_of_range"
fi

if command -v mcs >/dev/null && command -v mono >/dev/null; then
    block csharp 1 >example.cs
    mcs -out:example.exe -r:System.Core example.cs
    mono example.exe "$UMEM_PIPE" >csharp.out
    grep -q '"size":4' csharp.out
    echo "C#: as expected"
    block csharp 2 >mapped.cs
    mcs -out:mapped.exe -r:System.Core mapped.cs
    expect "C#, shared memory" "$(mono mapped.exe "$UMEM_PIPE")" "[42]"
fi
