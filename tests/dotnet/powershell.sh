#!/usr/bin/env bash
# Runs the PowerShell of docs/clients.md as it stands there, and the tests of the module, against the daemon in UMEM_PIPE.
# Usage: powershell.sh PWSH SOURCES LIBRARY
set -euo pipefail

pwsh=$1
sources=$2
library=$3
document=$sources/docs/clients.md
. "$sources/tests/support/readme_blocks.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export HOME=$folder POWERSHELL_TELEMETRY_OPTOUT=1 NO_COLOR=1

# It opens the pipe by the name that it has on Windows. Here, .NET puts pipes of such names in this folder.
ln -s "$UMEM_PIPE" "$folder/CoreFxPipe_umemd-somebody"
block powershell 1 >"$folder/session.ps1"
expect "PowerShell" "$(TMPDIR=$folder USERNAME=somebody "$pwsh" -NoProfile -File "$folder/session.ps1")" ffffffff

mkdir "$folder/Umem"
cp "$sources"/client/powershell/Umem.ps* "$library" "$folder/Umem"
"$pwsh" -NoProfile -File "$sources/tests/dotnet/module.ps1" "$folder/Umem"
# A flush needs a durable heap, and that a daemon with a place for it. The daemon is then another one, under the same module.
start()
{
    local line
    exec {log}< <(exec "$UMEM_TEST_UMEMD" --pipe "$folder/durable.sock" --state "$folder/state" 2>&1)
    daemon=$!
    while IFS= read -r line <&"$log"; do
        case $line in *"listening on"*) return ;; esac
    done
    echo "the daemon has ended before it listened" >&2
    exit 1
}
start
trap 'kill "$daemon" 2>/dev/null || true; cat <&"$log" >/dev/null; rm -rf "$folder"' EXIT
coproc shell { UMEM_PIPE=$folder/durable.sock "$pwsh" -NoProfile -Command "
    \$ErrorActionPreference = 'Stop'
    Import-Module '$folder/Umem/Umem.psd1'
    New-UmemHeap kept 1mb -Kind Shared -Lifetime Durable | Out-Null
    New-UmemBlock greeting -Heap kept -Value hello | Out-Null
    Get-UmemHeap kept | Sync-UmemHeap
    'flushed'
    [Console]::In.ReadLine() | Out-Null
    Get-UmemBlock greeting -AsText" 2>&1; }
shell_pid=$!
# Bash forgets the coprocess's own descriptors when it ends.
exec {output}<&"${shell[0]}" {input}>&"${shell[1]}"
IFS= read -r line <&"$output"
[ "$line" = flushed ] || { echo "$line" >&2; cat <&"$output" >&2; exit 1; }
kill -9 "$daemon"
cat <&"$log" >/dev/null
exec {log}<&-
start
echo >&"$input"
IFS= read -r line <&"$output"
[ "$line" = hello ] || { echo "$line" >&2; cat <&"$output" >&2; exit 1; }
wait "$shell_pid"
# What docs/dotnet.md shows.
document=$sources/docs/dotnet.md
block powershell 1 >"$folder/module.ps1"
cd "$folder"
"$pwsh" -NoProfile -Command '$ErrorActionPreference = "Stop"; . ./module.ps1' >"$folder/out"
grep -qx hello "$folder/out"
