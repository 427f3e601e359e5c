#!/usr/bin/env bash
# umemd where files cannot be written: RLIMIT_FSIZE stands for a full disk. Without its pid file it does not start, reports why
# and leaves nothing behind; without its log it serves on.
# Usage: full_disk.sh DIRECTORY-OF-THE-PROGRAMS
set -euo pipefail

bin=$1
folder=$(mktemp -d)
export UMEM_PIPE=$folder/pipe
trap 'rm -rf "$folder"' EXIT

fail()
{
    echo "$*" >&2
    cat "$folder/err" >&2
    exit 1
}

# A process that writes past the limit is not to be killed for it, which umemd sees to.
full()
{
    (
        ulimit -f 0
        exec "$@"
    )
}

: >"$folder/err"
status=0
# Standard error is a pipe, which has no such limit.
full "$bin/umemd" --pid-file "$folder/pid" 2>&1 | cat >"$folder/err" || status=$?
[ $status -eq 1 ] || fail "on a full disk, without its pid file, it ended with $status"
grep -q "$folder/pid cannot be written: " "$folder/err" || fail "it does not say why"
[ -z "$(ls "$folder" | grep -v '^err$')" ] || fail "it left something behind: $(ls "$folder")"

# A device is not taken away, even where it is full. (A link to it is taken here, so that a fault costs the link only.)
if [ -c /dev/full ]; then
    ln -s /dev/full "$folder/full"
    status=0
    "$bin/umemd" --pid-file "$folder/full" 2>"$folder/err" || status=$?
    [ $status -eq 1 ] || fail "with a full device for its pid file it ended with $status"
    grep -qi "$folder/full cannot be written: no space left on device" "$folder/err" || fail "it does not say why"
    [ -L "$folder/full" ] || fail "the device is gone"
    rm "$folder/full"
fi

# With --daemon the starting process reports it.
status=0
full "$bin/umemd" --daemon --pid-file "$folder/pid" 2>&1 | cat >"$folder/err" || status=$?
[ $status -eq 1 ] || fail "with --daemon it ended with $status"
grep -q "$folder/pid cannot be written: " "$folder/err" || fail "the starter does not say why"

full "$bin/umemd" --daemon --log-file "$folder/log" --log-level debug 2>&1 | cat >"$folder/err"
"$bin/umem" alloc 10 --name block >/dev/null
"$bin/umem" write block hello
[ "$("$bin/umem" read block --size 5)" = hello ] || fail "it does not serve"
"$bin/umem" shutdown
[ ! -s "$folder/log" ] || fail "something was written"
