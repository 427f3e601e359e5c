#!/usr/bin/env bash
# umemd and umem where the system's calls are interrupted, have nothing to give, take and give one byte at a time, find no
# descriptor left, and report a clock that jumps: the answers are the same as ever.
# Usage: failing_system_calls.sh DIRECTORY-OF-THE-PROGRAMS PRELOAD
set -euo pipefail

bin=$1
preload=$2
folder=$(mktemp -d)
export UMEM_PIPE=$folder/pipe
daemon=
umem=("$bin/umem")

clean_up()
{
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

fail()
{
    echo "$*" >&2
    tail -n 5 "$folder/log" >&2 || true
    exit 1
}

# start WITH...: a daemon whose environment has these besides; returns when it listens.
start()
{
    rm -f "$folder/pid" "$folder/report"
    env "$@" "$bin/umemd" --daemon --pid-file "$folder/pid" --log-file "$folder/log" --log-level debug
    daemon=$(cat "$folder/pid")
}

stop()
{
    "$bin/umem" shutdown
    # What it has counted is written at its very end.
    for ((try = 0; try < 2000; try++)); do
        kill -0 "$daemon" 2>/dev/null || break
        "$bin/umem" ping >/dev/null 2>&1 || true
    done
    daemon=
}

# injected: what the last program counted, which must not be 0.
injected()
{
    local count
    count=$(cat "$folder/report" 2>/dev/null || echo 0)
    [ "$count" -gt 0 ] || fail "nothing was made to fail: $1"
    echo "$1: $count calls"
}

# A session of which every answer is known.
session()
{
    "${umem[@]}" ping
    "${umem[@]}" heap create --name heap --maximum-size 100000
    "${umem[@]}" alloc 1000 --heap heap --name block
    "${umem[@]}" write block "hello, heap"
    "${umem[@]}" read block --size 11
    "${umem[@]}" fill block 7 --offset 500
    "${umem[@]}" read block --hex --offset 490 --size 20
    "${umem[@]}" resize block 2000
    "${umem[@]}" write block --file "$folder/bytes" --offset 100
    "${umem[@]}" read block --offset 100 --size 1500 --file "$folder/back"
    cmp "$folder/bytes" "$folder/back"
    "${umem[@]}" free block
    "${umem[@]}" free block 2>&1 || echo "status $?"
    "${umem[@]}" heap destroy heap
    printf '{"id":1,"method":"server.ping"}\n[{"id":2,"method":"server.ping"}]\nno JSON\n' | "${umem[@]}" call -
}

# What differs from run to run: handles and addresses.
masked()
{
    sed 's/[0-9]\{6,\}/N/g'
}

head -c 1500 /dev/urandom >"$folder/bytes"
start
session | masked >"$folder/expected"
stop

for kind in short eintr eagain short,eintr,eagain; do
    start LD_PRELOAD="$preload" FAULT=$kind FAULT_REPORT="$folder/report"
    session | masked >"$folder/seen"
    stop
    diff "$folder/expected" "$folder/seen" || fail "the daemon under $kind answers otherwise"
    injected "daemon, $kind"

    start
    umem=(env LD_PRELOAD="$preload" FAULT=$kind FAULT_REPORT="$folder/report" "$bin/umem")
    session | masked >"$folder/seen"
    "${umem[@]}" ping >/dev/null
    umem=("$bin/umem")
    diff "$folder/expected" "$folder/seen" || fail "umem under $kind tells otherwise"
    injected "umem (the last one), $kind"
    stop
done

# A client that comes where the process or the system has no descriptor left is turned away or taken later; the daemon lives
# and takes the next.
for kind in emfile enfile; do
    start LD_PRELOAD="$preload" FAULT=$kind FAULT_REPORT="$folder/report"
    served=0
    for ((try = 0; try < 20; try++)); do
        if "$bin/umem" ping >/dev/null 2>&1; then
            served=$((served + 1))
        fi
    done
    [ $served -ge 10 ] || fail "under $kind, of 20 clients, $served were served"
    stop
    injected "daemon, $kind ($served of 20 clients served)"
done

# Deadlines and how long it has run go by another clock than the time of day.
start LD_PRELOAD="$preload" FAULT=clock FAULT_REPORT="$folder/report"
"$bin/umem" alloc 8 --name number >/dev/null
for ((look = 0; look < 6; look++)); do
    uptime=$("$bin/umem" call server.info | sed 's/.*"uptime_seconds": *\([0-9]*\).*/\1/; t; d')
    [ "$uptime" -lt 1000 ] || fail "it says it has run for $uptime seconds"
done
if timeout 60 "$bin/umem" wait number 0 0 --timeout 50 >/dev/null 2>&1; then
    fail "a wait for what does not change came to an end"
elif [ $? -eq 124 ]; then
    fail "a wait of 50 ms took a minute"
fi
stop
injected "daemon, clock"
