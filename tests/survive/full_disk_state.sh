#!/usr/bin/env bash
# A state directory on a disk of 2 MiB: what does not fit is refused, with the path, and changes nothing; reading, freeing and what fits go on;
# all of it is there when the daemon is started again, on the disk that is still full, too.
# Usage: full_disk_state.sh DIRECTORY-OF-THE-PROGRAMS    Ends with 77 where this user may not mount such a disk.
set -euo pipefail

bin=$1
if [ "${2:-}" != inside ]; then
    # A user other than root is root in a place of its own, where the kernel lets him.
    place=(unshare --mount)
    [ "$(id -u)" -eq 0 ] || place+=(--user --map-root-user)
    disk=$(mktemp -d)
    trap 'rm -rf "$disk"' EXIT
    if ! why=$("${place[@]}" mount -t tmpfs -o size=2m none "$disk" 2>&1); then
        echo "no small disk can be mounted here, so a full one was not tried: $why"
        exit 77
    fi
    "${place[@]}" "$0" "$bin" inside "$disk"
    exit
fi

disk=$3
export UMEM_PIPE=$disk.pipe
daemon=
trap '[ -z "$daemon" ] || kill "$daemon" 2>/dev/null || true; rm -f "$UMEM_PIPE" "$UMEM_PIPE".* "$disk".log "$disk".err "$disk".pid' EXIT

fail()
{
    echo "$*" >&2
    cat "$disk.err" "$disk.log" >&2 || true
    exit 1
}

start()
{
    "$bin/umemd" --daemon --state "$disk/state" --sync "$1" --pid-file "$disk.pid" --log-file "$disk.log"
    daemon=$(cat "$disk.pid")
}

# Waits for the end of the daemon.
ended()
{
    while kill -0 "$daemon" 2>/dev/null; do
        "$bin/umem" ping >/dev/null 2>&1 || true
    done
    daemon=
}

# refused WORDS...: umem fails with these, for want of space, and says where.
refused()
{
    if "$bin/umem" "$@" >/dev/null 2>"$disk.err"; then
        fail "there was space for: $*"
    fi
    grep -q "no_memory" "$disk.err" || grep -q "space" "$disk.err" || fail "another error for: $*"
    grep -q "$disk/state/heap-" "$disk.err" || fail "no path for: $*"
}

expect_kept()
{
    [ "$("$bin/umem" read kept --size 5)" = hello ] || fail "what was there is not as it was"
    "$bin/umem" heap validate small >/dev/null || fail "the heap is damaged"
}

for sync in second always; do
    mount -t tmpfs -o size=2m none "$disk"
    start "$sync"
    "$bin/umem" heap create --name small --kind shared --lifetime durable --maximum-size 8M >/dev/null
    "$bin/umem" alloc 100 --heap small --name kept >/dev/null
    "$bin/umem" write kept hello
    refused alloc 2500K --heap small --name large
    refused resize kept 2500K
    expect_kept
    # Until it is full.
    count=0
    while "$bin/umem" alloc 100K --heap small --name "block-$count" >/dev/null 2>"$disk.err"; do
        count=$((count + 1))
        [ $count -lt 100 ] || fail "the disk does not become full"
    done
    [ $count -gt 3 ] || fail "the disk is full at once"
    refused alloc 100K --heap small --name another
    [ "$("$bin/umem" ls --heap small --names 2>/dev/null | grep -c another || true)" = 0 ] || fail "what was refused is there"
    expect_kept
    kill -9 "$daemon"
    ended
    start "$sync"
    expect_kept
    "$bin/umem" free block-0
    "$bin/umem" free block-1
    "$bin/umem" alloc 100K --heap small --name again >/dev/null || fail "there is no space for what fits"
    expect_kept
    # What was destroyed makes space, though that takes some itself.
    "$bin/umem" heap create --name next --kind shared --lifetime durable --maximum-size 8M >/dev/null 2>&1 &&
        fail "the disk was not full"
    "$bin/umem" heap destroy small >/dev/null
    tries=0
    while ! "$bin/umem" heap create --name next --kind shared --lifetime durable --maximum-size 8M >/dev/null 2>"$disk.err"; do
        tries=$((tries + 1))
        [ $tries -lt 2000 ] || fail "the destroyed heap's space does not come back"
    done
    "$bin/umem" alloc 500K --heap next >/dev/null || fail "there is no space for another heap's blocks"
    # Also where the daemon ended before.
    count=0
    while "$bin/umem" alloc 50K --heap next >/dev/null 2>"$disk.err"; do
        count=$((count + 1))
        [ $count -lt 100 ] || fail "the disk does not become full"
    done
    "$bin/umem" call - <<<'{"method":"heap.destroy","params":{"heap":"next"}}' >/dev/null
    kill -9 "$daemon"
    ended
    start "$sync"
    "$bin/umem" heap create --name last --kind shared --lifetime durable --maximum-size 8M >/dev/null || fail "there is no space"
    "$bin/umem" alloc 500K --heap last >/dev/null || fail "there is no space for a block"
    for ((starts = 0; starts < 2; starts++)); do
        "$bin/umem" shutdown
        ended
        start "$sync"
        if "$bin/umem" heap info small >/dev/null 2>&1; then
            fail "a destroyed heap is back"
        fi
    done
    "$bin/umem" shutdown
    ended
    umount "$disk"
done
