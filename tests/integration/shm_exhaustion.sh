#!/usr/bin/env bash
# Runs a program where all shared memory of the system together has 1 MiB.
# Usage: shm_exhaustion.sh PROGRAM    Ends with 77 where this user may not have such a place.
set -euo pipefail

# A user other than root is root in a place of its own, where the kernel lets him.
place=(unshare --mount)
[ "$(id -u)" -eq 0 ] || place+=(--user --map-root-user)

if ! why=$("${place[@]}" mount -t tmpfs -o size=1m none /dev/shm 2>&1); then
    echo "no small /dev/shm can be mounted here, so real exhaustion was not tried: $why"
    exit 77
fi
exec "${place[@]}" sh -c 'mount -t tmpfs -o size=1m none /dev/shm && exec "$@"' shm_exhaustion "$1"
