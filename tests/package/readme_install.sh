#!/usr/bin/env bash
# Runs what docs/installing.md says, with README.md's program, and the example of the manual page umem_client.3.
# Usage: readme_install.sh SOURCES BUILD    (BUILD stands for its build/release)
set -euo pipefail

sources=$1
build=$2
document=$sources/docs/installing.md
. "$sources/tests/support/readme_blocks.sh"
folder=$(mktemp -d)
export HOME=$folder/home UMEM_PIPE=$folder/umemd.sock
bin=$HOME/umemd/bin

clean_up()
{
    "$bin/umem" shutdown >/dev/null 2>&1 || true
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT

mkdir -p "$folder/umemd/build" "$folder/program" "$HOME"
ln -s "$build" "$folder/umemd/build/release"
cd "$folder/umemd"
block bash 3 >../install.sh
bash -e ../install.sh >../install.log

"$bin/umemd" --daemon
cd "$folder/program"
document=$sources/README.md
block c 1 >example.c
document=$sources/docs/installing.md
block cmake 1 >CMakeLists.txt
block bash 4 >cmake.sh
bash -e cmake.sh >cmake.log
expect "with find_package" "$(build/example)" "ff ff ff ff"

# These lines export what the program needs to start, too.
block bash 5 >pkg-config.sh
. ./pkg-config.sh
expect "with pkg-config" "$(./example)" "ff ff ff ff"

sed -n '/^\.EX/,/^\.EE/{/^\./!p}' "$HOME/umemd/share/man/man3/umem_client.3" | sed 's/\\e/\\/g; s/\\-/-/g' >example.c
. ./pkg-config.sh
expect "the manual's example" "$(./example)" "hello"
