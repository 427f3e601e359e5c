#!/usr/bin/env bash
# Runs the C# of docs/dotnet.md and docs/clients.md as it stands there, against the daemon in UMEM_PIPE.
# Usage: documents.sh DOTNET PROGRAM EXAMPLES, the folder of the example programs in C
set -euo pipefail

# StreamJsonRpc's session opens the pipe by the name that it has on Windows. Here, .NET puts pipes of such names in this folder.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
ln -s "$UMEM_PIPE" "$folder/CoreFxPipe_umemd-$(id -un)"
export TMPDIR=$folder

expect()
{
    local number=$1 expected=$2 output
    shift 2
    output=$("$dotnet" "$program" "$number" "$@")
    if [ "$output" != "$expected" ]; then
        printf 'session %s printed\n%s\ninstead of\n%s\n' "$number" "$output" "$expected" >&2
        exit 1
    fi
}

dotnet=$1
program=$2
examples=$3
expect 0 ""
expect 1 "42
True
out_of_range 60 64"
expect 2 "70 30
True"
expect 3 "42"

# The table is there when the C program says so; it ends when it has added the squares up.
coproc waiter { "$examples/example_shared_memory" wait 2>&1; }
waiter_pid=$!
# Bash forgets the coprocess's own descriptor when it ends.
exec {output}<&"${waiter[0]}"
IFS= read -r line <&"$output"
[ "$line" = "the table is there" ]
expect 4 ""
IFS= read -r line <&"$output"
wait "$waiter_pid"
[ "$line" = "the sum of 1000 squares: 332833500" ]

# Sessions 5 and 6 are about durable heaps: three_languages.sh.
expect 7 "5"
"$dotnet" "$program" 8 "$UMEM_PIPE" | grep -q '"size":4'
expect 9 "[42]" "$UMEM_PIPE"
expect 10 "-32003 out_of_range"
expect 11 "-32601 RemoteMethodNotFoundException
-32602 RemoteMethodNotFoundException
-32003 RemoteSerializationException
-32001 RemoteInvocationException"
