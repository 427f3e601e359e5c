#!/usr/bin/env bash
# Runs the sessions of docs/clients.md as they stand there, each where its client is installed. Each prints "hello". The first
# ones, which need nothing but a language, are run by tests/integration/readme_examples.sh.
# The daemon's pipe is in UMEM_PIPE, the npm packages' folders are in NODE_PATH.
# Usage: clients_doc.sh DOCUMENT COMPILER
set -euo pipefail

document=$1
compiler=$2
. "$(dirname "${BASH_SOURCE[0]}")/../support/readme_blocks.sh"
folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
cd "$folder"

# has COMMAND...: whether it succeeds.
has()
{
    "$@" >/dev/null 2>&1 </dev/null
}

# tried WHAT LANGUAGE NUMBER FILE COMMAND...: the command runs the file, in which the session has been written.
tried()
{
    local what=$1 language=$2 number=$3 file=$4
    shift 4
    block "$language" "$number" >"$file"
    # Emacs and Qt print to standard error.
    expect "$what" "$("$@" 2>&1 | grep -v '^\[jsonrpc\]')" hello
    tried=$((tried + 1))
}

compile_and_run()
{
    "$@" -o ./program
    ./program
}

tried=0
number=2
for module in json-rpc-2.0 jayson/promise ethers viem; do
    number=$((number + 1))
    if has node -e "require('$module')"; then
        tried "$module" js $number session.js node session.js
    fi
done
for python in python3 /usr/bin/python3; do
    if has "$python" -c 'import pylsp_jsonrpc'; then
        tried "python-lsp-jsonrpc" python 3 session.py "$python" session.py
        break
    fi
done
if has emacs --version; then
    tried Emacs elisp 1 session.el emacs -Q --batch -l session.el
fi
if has vim -N -u NONE -i NONE -n -es -c "if !has('channel') || !has('patch-8.2.4684') | cquit | endif" -c qall; then
    # What a script echoes is lost in silent mode.
    block vim 1 | sed 's/^echo \(.*\)/call writefile([\1], "vim.out")/' >session.vim
    vim -N -u NONE -i NONE -n -es -S session.vim -c qall
    expect Vim "$(cat vim.out)" hello
    tried=$((tried + 1))
fi
if has go version && [ -e /usr/share/gocode/src/github.com/sourcegraph/jsonrpc2 ]; then
    block go 1 >session.go
    GO111MODULE=off GOPATH=/usr/share/gocode GOFLAGS='' GOCACHE=${GOCACHE:-$folder/cache} go build -o ./program session.go
    expect Go "$(./program)" "hello <nil>"
    tried=$((tried + 1))
fi
if has pkg-config jsonrpc-glib-1.0 gio-unix-2.0; then
    # shellcheck disable=SC2046
    tried GLib c 1 session.c compile_and_run "$compiler" session.c $(pkg-config --cflags --libs jsonrpc-glib-1.0 gio-unix-2.0)
fi
if has pkg-config Qt5Network && has g++ --version; then
    # shellcheck disable=SC2046
    tried Qt cpp 1 session.cpp compile_and_run g++ -fPIC session.cpp $(pkg-config --cflags --libs Qt5Network)
fi
if has perl -MAnyEvent::Handle -MJSON::XS -e 1; then
    tried Perl perl 1 session.pl perl session.pl
fi
for lua in lua5.4 lua5.3 lua; do
    if has "$lua" -e "require 'cjson' require 'socket.unix'"; then
        tried Lua lua 1 session.lua "$lua" session.lua
        break
    fi
done
if has socat -V; then
    tried socat bash 1 session.sh bash session.sh
fi
echo "$tried sessions tried"
[ "$tried" -gt 0 ]
