#!/usr/bin/env bash
# socat and a shell: requests are printed into it, it closes its sending side at their end, and all answers come back.
# The daemon's pipe is in UMEM_PIPE.
set -euo pipefail

# Without -t, socat waits half a second for answers after the end of its input.
talk()
{
    socat -t 60 - UNIX-CONNECT:"$UMEM_PIPE"
}

passed=0

expect()
{
    if [ "$2" != "$3" ]; then
        printf 'FAILED: %s: expected\n%s\nbut got\n%s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    echo "ok: $1"
    passed=$((passed + 1))
}

# names: the errors' names, or the ids of answers without an error.
names()
{
    sed -E 's/.*"data":\{"name":"([a-z_]+)".*/\1/; s/.*"id":([^,]*),"result".*/\1/'
}

expect "the last line needs no end" \
    "$(printf '{"id":1,"method":"server.ping"}\n{"id":2,"method":"server.ping"}' | talk)" \
    '{"jsonrpc":"2.0","id":1,"result":{}}
{"jsonrpc":"2.0","id":2,"result":{}}'

expect "nothing sent, nothing answered" "$(printf '' | talk)" ""

expect "a session of lines, errors among them" "$(
    printf '%s\n' '{"id":1,"method":"heap.create","params":{"name":"h","maximum_size":64}}' \
        '{"id":2,"method":"block.alloc","params":{"size":8,"heap":"h","name":"b"}}' \
        '{"id":3,"method":"block.alloc","params":{"size":57,"heap":"h"}}' \
        '{"id":4,"method":"block.write","params":{"block":"b","data":"0011ff","encoding":"hex","offset":6}}' \
        'not JSON' \
        '{"id":5,"method":"block.write","params":{"block":"b","data":"0011ff","encoding":"hex"}}' | talk | names
)" "1
2
no_memory
out_of_range
parse_error
5"

expect "another connection sees what the first one left" "$(
    printf '{"id":1,"method":"block.read","params":["b",null,4,"hex"]}' | talk
)" '{"jsonrpc":"2.0","id":1,"result":{"size":4,"data":"0011ff00"}}'

expect "a batch" "$(
    printf '[{"id":1,"method":"block.free","params":["b"]},{"id":2,"method":"heap.destroy","params":["h"]}]\n' | talk
)" '[{"jsonrpc":"2.0","id":1,"result":{"size":8}},{"jsonrpc":"2.0","id":2,"result":{"blocks":0,"bytes":0}}]'

expect "headers" "$(
    printf 'Content-Length: %d\r\n\r\n%s' 31 '{"id":1,"method":"server.ping"}' | talk
)" "$(printf 'Content-Length: 36\r\n\r\n{"jsonrpc":"2.0","id":1,"result":{}}')"

# A raw payload from a file into a block, and back in base64: all of it is there before socat is let go.
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
head -c 3000000 /dev/urandom >"$folder/data"
request='{"id":1,"method":"block.write","params":{"block":"large","encoding":"raw"}}'
printf '{"method":"block.alloc","params":{"size":3000000,"name":"large"}}' | talk >/dev/null
{
    printf 'Content-Length: %d\r\nPayload-Length: 3000000\r\n\r\n%s' ${#request} "$request"
    cat "$folder/data"
} | talk >/dev/null
printf '{"method":"block.read","params":["large"]}' | talk |
    sed -E 's/.*"data":"([^"]*)".*/\1/' | base64 -d >"$folder/read"
expect "three megabytes through a raw payload and base64" "$(cmp "$folder/data" "$folder/read" && echo same)" same

echo "$passed passed, 0 failed"
