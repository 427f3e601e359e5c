#!/usr/bin/env bash
# ./dev on machines that lack something and where nothing can be installed or fetched: what it needs, it asks for; what it can
# do without, it leaves out, and says so. Other programs are played by stubs.
# Usage: dev.sh SOURCES
set -euo pipefail

sources=$1
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
mkdir -p "$folder/tree/tests/interop" "$folder/cache" "$folder/system"
cp "$sources/dev" "$folder/tree"
cp -r "$sources/cmake" "$folder/tree"
cp "$sources"/tests/interop/package*.json "$folder/tree/tests/interop"
for tool in bash sh env dirname cat sed awk mkdir mktemp rm cp mv chmod ln id paste sha256sum flock tail grep touch; do
    ln -s "$(command -v $tool)" "$folder/system/$tool"
done

# stub STATUS NAME...
stub()
{
    local status=$1 name
    for name in "${@:2}"; do
        printf '#!/bin/sh\necho "%s $*" >>"%s"\nexit %s\n' "$name" "$folder/calls" "$status" >"$folder/bin/$name"
        chmod 755 "$folder/bin/$name"
    done
}

# A machine where all is installed.
machine()
{
    rm -rf "$folder/bin" "$folder/cache"
    mkdir "$folder/bin" "$folder/cache"
    : >"$folder/calls"
    stub 0 cc g++ cmake ctest ninja pkg-config socat python3 tmux node npm strace zsh fish clang clang-format \
        x86_64-w64-mingw32-gcc x86_64-w64-mingw32-g++ wine wineserver wineboot mandoc dpkg-source sudo
    # It installs nothing, as without a network.
    stub 100 apt-get
    stub 100 sudo
    printf '#!/bin/sh\ncase $* in *Status*) echo installed ;; *) echo some_1.0 ;; esac\n' >"$folder/bin/dpkg-query"
    chmod 755 "$folder/bin/dpkg-query"
    # The Windows dependencies' sources are fetched by apt-get; here they have been.
    mkdir -p "$folder/cache/windows/some_1.0,1"
}

lose()
{
    local name
    for name in "$@"; do
        rm "$folder/bin/$name"
    done
}

# run STATUS COMMAND...: its output is in `output`.
run()
{
    local wanted=$1 found=0
    shift
    output=$(cd "$folder/tree" && env -i PATH="$folder/bin:$folder/system" HOME="$folder" \
        UMEM_CACHE_DIR="$folder/cache" ${ci:+CI=true} ./dev "$@" 2>&1 </dev/null) || found=$?
    if [ "$found" -ne "$wanted" ]; then
        fail "./dev $*: status $found, expected $wanted"
    fi
}

fail()
{
    printf '%s\n-- its output:\n%s\n' "$1" "$output" >&2
    exit 1
}

says()
{
    grep -qF -- "$1" <<<"$output" || fail "not said: $1"
}

says_not()
{
    ! grep -qF -- "$1" <<<"$output" || fail "said: $1"
}

tests()
{
    grep -qxF -- "ctest --preset $1" "$folder/calls" || fail "not tested: $1"
}

ci=

machine
run 0 test
says "All is well: debug asan"
says "./dev test all adds: the tests of packages, tsan, windows, and a build by clang"
says_not "windows: "
tests 'debug --label-exclude ^slow$'
echo "what is run before each commit: as expected"

machine
stub 1 npm
run 0 test all
says "left out: tests with JSON-RPC clients from npm"
says "All is well: debug asan tsan windows clang"
says_not "CI:"
tests debug
echo "npm reaches no registry: as expected"

ci=1
run 0 test all
says "CI: NOT ALL WAS TESTED"
ci=
echo "the same is loud in CI: as expected"

machine
lose npm node strace tmux mandoc socat python3 pkg-config
run 0 test all
says "left out: tests with clients in Node (nodejs: "
says "left out: tests that count system calls (strace: "
says "All is well: debug asan tsan windows clang"
echo "tools of the tests are missing: as expected"

for tool in wine wineserver x86_64-w64-mingw32-gcc; do
    machine
    lose $tool
    run 0 test all
    says "left out: windows: $tool is not here"
    says "All is well: debug asan tsan clang"
    run 1 test windows
    says "failed: windows"
    run 1 build windows
    says "windows cannot be built here"
done
echo "a part of the Windows build is missing: as expected"

machine
lose clang
run 0 test all
says "left out: clang: clang is not here"
says "All is well: debug asan tsan windows"
echo "clang is missing: as expected"

machine
rm -r "$folder/cache/windows"
run 0 test all
says "left out: windows: libuv, cJSON and cmocka could not be built for it"
says "All is well: debug asan tsan clang"
echo "the sources of the Windows dependencies cannot be fetched: as expected"

machine
stub 1 wineboot
run 0 test all
says "left out: windows: Wine does not start"
says "All is well: debug asan tsan clang"
echo "Wine does not start: as expected"

machine
lose apt-get strace
run 0 test all
says "left out: tests that count system calls (strace: there is no apt-get here)"
echo "there is no apt-get: as expected"

machine
lose sudo strace
printf '#!/bin/sh\necho 1000\n' >"$folder/bin/id"
chmod 755 "$folder/bin/id"
run 0 test all
says "left out: tests that count system calls (strace: not root, and sudo is not here)"
lose cmake
run 1 test all
says "not root, and sudo is not here. Needed, as root: apt-get install cmake"
echo "packages may not be installed: as expected"

machine
printf '#!/bin/sh\necho "-- Left out: this (that is not here)"\n' >"$folder/bin/cmake"
run 0 test all
[ "$(grep -cx "left out: this (that is not here)" <<<"$output")" -eq 2 ] || fail "not said once, and once more at the end"
echo "what CMake has not found: as expected"

machine
lose cmake
run 1 test all
says "apt-get install cmake"
[ ! -s "$folder/calls" ] || ! grep -q ctest "$folder/calls" || fail "tested without CMake"
machine
lose apt-get cc ninja
run 1 build
says "apt-get install gcc ninja-build"
echo "what is needed is asked for: as expected"

machine
rm "$folder/bin/dpkg-query"
printf '#!/bin/sh\nexit 1\n' >"$folder/bin/dpkg-query"
chmod 755 "$folder/bin/dpkg-query"
run 0 build
says "left out: Debian's libuv: CMake looks for another, or fetches it"
echo "libraries that are not Debian's: as expected"
