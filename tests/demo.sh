#!/usr/bin/env bash
# A whole session, shown line by line: a daemon on a pipe of its own, JSON requests, the C example, and umem.
# Usage: tests/demo.sh DIRECTORY-OF-THE-PROGRAMS
set -euo pipefail

bin=$1
folder=$(mktemp -d)
export UMEM_PIPE=$folder/umemd.sock
daemon=

clean_up()
{
    if [ -n "$daemon" ]; then
        kill "$daemon" 2>/dev/null || true
        wait "$daemon" 2>/dev/null || true
    fi
    rm -rf "$folder"
}
trap clean_up EXIT

title()
{
    printf '\n== %s\n' "$1"
}

# Sends one line, shows it and the answer.
request()
{
    printf -- '-> %s\n' "$1"
    printf '%s\n' "$1" >&"${session[1]}"
    IFS= read -r answer <&"${session[0]}"
    printf '<- %s\n' "$answer"
}

shown()
{
    printf '$ %s\n' "$*"
    "$bin/$1" "${@:2}"
}

title "A daemon on a private pipe"
"$bin/umemd" 2>"$folder/log" &
daemon=$!
# `umem ping` says whether it answers; each try is a program of its own, and their number is bounded.
for ((try = 0; try < 2000; try++)); do
    if "$bin/umem" ping >/dev/null 2>&1; then
        break
    fi
done
shown umem ping
cat "$folder/log"

title "JSON lines, as typed into socat"
if command -v socat >/dev/null; then
    coproc session { socat - UNIX-CONNECT:"$UMEM_PIPE"; }
else
    echo "(socat is not here: umem call - does the same)"
    coproc session { "$bin/umem" call -; }
fi
request '{"method":"heap.create","params":{"name":"scratch","maximum_size":4096}}'
request '{"id":1,"method":"block.alloc","params":{"size":8,"heap":"scratch","name":"counter"}}'
request '{"id":2,"method":"block.set","params":{"block":"counter","offset":0,"type":"i64","values":[41]}}'
request '{"id":3,"method":"block.read","params":{"block":"counter","encoding":"hex"}}'
request '{"id":4,"method":"block.read","params":{"block":"counter","offset":6,"size":4}}'
request '{"id":5,"method":"heap.destroy","params":["scratch"]}'
request '{"id":6,"method":"block.free","params":["counter"]}'
request 'this is not JSON'

title "The C example"
shown example_first_steps

title "The command"
shown umem alloc 64 --name greeting
shown umem write greeting "hello, heap"
printf '$ umem read greeting --size 11\n%s\n' "$("$bin/umem" read greeting --size 11)"
shown umem ls
shown umem free greeting
printf '$ umem free greeting\n'
if "$bin/umem" free greeting; then
    echo "a second free should have failed" >&2
    exit 1
fi
shown umem stats

title "The end"
shown umem shutdown
wait "$daemon"
daemon=
echo "umemd has ended in order."
