#!/usr/bin/env bash
# Runs each benchmark of client/dotnet/Umem.Bench once, against the daemon in UMEM_PIPE, and beside Redis if that is here.
# Usage: bench.sh DOTNET PROGRAM
set -euo pipefail

dotnet=$1
program=$2
folder=$(mktemp -d)
redis=
trap '[ -z "$redis" ] || { kill "$redis"; wait "$redis"; } 2>/dev/null || true; rm -rf "$folder"' EXIT
export TMPDIR=$folder
names=(UmemIndexer UmemSpan Array)
socket=()

if command -v redis-server >/dev/null; then
    # It says on its output when it is there.
    exec {log}< <(exec redis-server --port 0 --unixsocket "$folder/redis.sock" --save "" --appendonly no --daemonize no 2>&1)
    redis=$!
    while IFS= read -r line <&"$log"; do
        case $line in *"ready to accept connections"* | *"server is now ready"*) break ;; esac
    done
    [ -S "$folder/redis.sock" ] || { echo "redis-server has not started" >&2; exit 1; }
    names+=(UmemRead RedisGet UmemReadAsync RedisGetAsync UmemReadTogether RedisGetTogether)
    socket=("$folder/redis.sock")
else
    echo "redis-server is not here: what compares with it is left out"
fi

"$dotnet" "$program" --quick "${socket[@]}" >"$folder/log" || { cat "$folder/log" >&2; exit 1; }
for name in "${names[@]}"; do
    grep -qE "^\| $name +\| +[0-9.,]+ [a-z]+ " "$folder/log" || {
        cat "$folder/log" >&2
        echo "$name has no figure" >&2
        exit 1
    }
done
