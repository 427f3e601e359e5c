#!/usr/bin/env bash
# umemd and umem where memory runs out: each allocation of a whole run fails once, alone and with all behind it, those of
# the C library and of libuv among them. Either the run does what it does with memory, or it ends with a status and a
# sentence that report it; nothing is left behind, and no umem crashes.
# Usage: failing_memory.sh DIRECTORY-OF-THE-PROGRAMS PRELOAD [STRIDE]    Only every STRIDEth allocation: 1 tries all.
set -euo pipefail

bin=$1
preload=$2
stride=${3:-1}
folder=$(mktemp -d)
export UMEM_PIPE=$folder/pipe
daemon=

clean_up()
{
    [ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true
    rm -rf "$folder"
}
trap clean_up EXIT

fail()
{
    echo "$*" >&2
    cat "$folder/err" >&2 || true
    exit 1
}

# run COMMAND...: with FAULT_MALLOC=$nth and more of $mode. Sets status, and injected where it is known.
run()
{
    status=0
    injected=?
    rm -f "$folder/report"
    env LD_PRELOAD="$preload" FAULT_MALLOC="$nth" FAULT_REPORT="$folder/report" $mode "$@" \
        >"$folder/out" 2>"$folder/err" || status=$?
    [ ! -e "$folder/report" ] || injected=$(cat "$folder/report")
}

# ---- umem ----

# try INPUT COMMAND...: the command must give what it gives with memory, or fail in words.
try()
{
    local input=$1
    shift
    run "$@" <"$input"
    case $status in
    0) cmp -s "$folder/out" "$folder/expected" || fail "$* at allocation $nth: it ended well, but said something else" ;;
    # Not connected, connection lost, or out of memory here; what the daemon refuses cannot be for want of memory.
    3 | 5 | 6) [ -s "$folder/err" ] || [ "$mode" ] || fail "$* at allocation $nth: status $status, and not a word" ;;
    *) fail "$* at allocation $nth: status $status" ;;
    esac
}

# verb INPUT WORDS...
verb()
{
    local input=$1 tried=0
    shift
    "$bin/umem" "$@" <"$input" >"$folder/expected"
    for mode in "" FAULT_AFTER=1; do
        nth=1
        injected=?
        while [ "$injected" != 0 ]; do
            try "$input" "$bin/umem" "$@"
            nth=$((nth + stride))
            tried=$((tried + 1))
            [ $tried -lt 5000 ] || fail "umem $*: there is no end of allocations"
        done
    done
    all=$((all + tried - 2))
    echo "umem $1 ${2:-}: $((tried - 2)) failures injected"
}

"$bin/umemd" --daemon --pid-file "$folder/pid"
daemon=$(cat "$folder/pid")
all=0
"$bin/umem" alloc 3000 --name block >/dev/null
"$bin/umem" heap create --name heap >/dev/null
head -c 3000 /dev/urandom >"$folder/bytes"
printf '{"id":1,"method":"server.ping"}\n' >"$folder/line"
verb /dev/null ping
verb /dev/null heap ls -o name,size,blocks
verb "$folder/bytes" write block
verb /dev/null read block
verb /dev/null dump block
verb /dev/null set block 0 1 2 3
verb /dev/null get block 0 --count 3
verb /dev/null ls --json
verb /dev/null call block.read '{"block":"block","size":100}'
verb "$folder/line" call -
verb /dev/null help
echo "umem in all: $all"
"$bin/umem" shutdown
# It is no child of this shell. Each look is a program, so that it takes its time.
for ((try = 0; try < 10000; try++)); do
    "$bin/umem" help >/dev/null
    [ -e "$folder/pipe" ] || [ -e "$folder/pid" ] || break
done
daemon=

# ---- umemd ----

# A daemon that starts is ended by umem; one that does not has said why, and the next one can start.
starts=0
refusals=0
ends=0
mode=""
nth=1
while :; do
    rm -f "$folder/report"
    : >"$folder/log"
    env LD_PRELOAD="$preload" FAULT_MALLOC="$nth" FAULT_REPORT="$folder/report" "$bin/umemd" --pid-file "$folder/pid" \
        --log-file "$folder/log" >"$folder/out" 2>"$folder/err" &
    daemon=$!
    until "$bin/umem" shutdown >/dev/null 2>&1; do
        kill -0 "$daemon" 2>/dev/null || break
    done
    status=0
    wait "$daemon" || status=$?
    daemon=
    case $status in
    0) starts=$((starts + 1)) ;;
    1) refusals=$((refusals + 1))
        [ -s "$folder/err" ] || [ -s "$folder/log" ] || fail "umemd at allocation $nth: not a word" ;;
    # libuv and the C library may end a process that has no memory at its start; once it listens, nothing does.
    134 | 139) ends=$((ends + 1))
        ! grep -q "listening on" "$folder/log" || fail "umemd at allocation $nth was ended at work" ;;
    *) fail "umemd at allocation $nth: status $status" ;;
    esac
    if [ $status -lt 2 ]; then
        [ ! -e "$folder/pid" ] && [ ! -e "$folder/pipe" ] || fail "umemd at allocation $nth left something behind"
    fi
    rm -f "$folder/log" "$folder/pid" "$folder/pipe" "$folder/pipe.lock"
    [ "$(cat "$folder/report" 2>/dev/null || echo 1)" != 0 ] || break
    nth=$((nth + stride))
    [ $nth -lt 5000 ] || fail "umemd: there is no end of allocations"
done
echo "umemd: $((nth - 1)) failures injected: $starts runs went well, $refusals were refused, $ends ended at the start by a library"
