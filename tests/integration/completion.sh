#!/usr/bin/env bash
# Completion of umem in the shells that are there, but for bash, which terminal.sh types into.
# Usage: completion.sh PROGRAMS-DIRECTORY PWSH
set -euo pipefail

bin=$1
pwsh=$2
folder=$(mktemp -d)
export PATH=$bin:$PATH UMEM_PIPE=$folder/umemd.sock HOME=$folder

clean_up()
{
    umem shutdown >/dev/null 2>&1 || true
    cd /
    rm -rf "$folder"
}
trap clean_up EXIT
cd "$folder"
umem spawn >/dev/null
umem alloc 1 --name 'with space' >/dev/null
umem alloc 1 --name zed >/dev/null

# expect WHAT FOUND WANTED
expect()
{
    if [ "$2" != "$3" ]; then
        printf '%s: expected\n%s\nbut got\n%s\n' "$1" "$3" "$2" >&2
        exit 1
    fi
    echo "$1: as expected"
}

# umemd's: options, and each word that is offered as a value is one.
expect "options of umemd" "$(umemd --candidates umemd --log- | sort | tr '\n' ' ')" "--log-calls --log-file --log-format --log-level --log-sessions "
expect "options of umemd behind one without a value" "$(umemd --candidates --guard --vers)" --version
expect "limits of umemd" "$(umemd --candidates --limit sessions)" sessions=
expect "no words for a file" "$(umemd --candidates --log-file '')" ""
expect "a value that may be left out is no next word" "$(umemd --candidates --wipe --vers)" --version
for option in --log-level --log-format --log --sync; do
    words=$(umemd --candidates "$option" '')
    [ -n "$words" ] || { echo "$option has no words" >&2; exit 1; }
    for word in $words; do
        umemd --config none "$option" "$word" --log-file x.log --print-config >/dev/null
    done
    if umemd --config none "$option" wrong --log-file x.log --print-config 2>/dev/null; then
        echo "$option takes any word" >&2
        exit 1
    fi
done
for shell in $(umemd --candidates --completion ''); do
    umemd --completion "$shell" | grep -q -e --candidates
done
expect "a shell that is not known" "$(umemd --completion csh 2>&1 || echo "status $?")" "\
umemd: there is no completion for csh; there is one for bash, zsh, fish and powershell
status 2"
complete_in_bash()
{
    # As bash splits the line: "=" is a word of its own.
    bash --norc -c '
        source <(umemd --completion bash)
        compopt() { :; }
        COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
        _umemd
        printf "%s\n" "${COMPREPLY[@]}"' bash "$@"
}
expect "options of umemd in bash" "$(complete_in_bash umemd --gu)" --guard
expect "words in bash" "$(complete_in_bash umemd --log-level d)" debug
expect "words behind = in bash" "$(complete_in_bash umemd --log-level = d)" debug
expect "all words behind = in bash" "$(complete_in_bash umemd --log-format = | sort | tr '\n' ' ')" "json text "

expect "candidates" "$(umem --candidates 'umem dump z')" zed
if command -v fish >/dev/null; then
    complete_in_fish()
    {
        fish --no-config -c 'umem completion fish | source; complete -C $argv[1]' "$1"
    }
    expect "verbs in fish" "$(complete_in_fish 'umem heap c' | sort)" "$(printf '%s\n' compact create)"
    expect "names in fish" "$(complete_in_fish 'umem dump w')" 'with space'
    touch a-file
    complete_umemd_in_fish()
    {
        fish --no-config -c 'umemd --completion fish | source; complete -C $argv[1]' "$1"
    }
    expect "options of umemd in fish" "$(complete_umemd_in_fish 'umemd --gu')" --guard
    expect "words in fish" "$(complete_umemd_in_fish 'umemd --log-level d')" debug
    expect "words behind = in fish" "$(complete_umemd_in_fish 'umemd --log-level=d')" --log-level=debug
    expect "files in fish" "$(complete_in_fish 'umem alloc --file a-f')" a-file
else
    echo "Left out: fish (it is not here)"
fi
if command -v zsh >/dev/null; then
    # What zsh's own widget would offer, taken down in place of being shown.
    complete_in_zsh()
    {
        zsh -f -c '
            compdef() { :; }
            compadd() { shift; print -rl -- "$@"; }
            _files() { print -r -- files; }
            source <(umem completion zsh)
            words=("${@[1,-2]}" "$@[-1]"); CURRENT=$#words; PREFIX=$words[-1]
            _umem' zsh "$@"
    }
    complete_umemd_in_zsh()
    {
        zsh -f -c '
            compdef() { :; }
            compadd() { while [[ $1 != -- ]]; do shift; done; shift; print -rl -- "$@"; }
            compset() { :; }
            _files() { print -r -- files; }
            source <(umemd --completion zsh)
            words=("${@[1,-2]}" "$@[-1]"); CURRENT=$#words; PREFIX=$words[-1]
            _umemd' zsh "$@"
    }
    expect "options of umemd in zsh" "$(complete_umemd_in_zsh umemd --gu)" --guard
    expect "words in zsh" "$(complete_umemd_in_zsh umemd --log-level d)" debug
    expect "words behind = in zsh" "$(complete_umemd_in_zsh umemd --log-level=d)" debug
    expect "files for umemd in zsh" "$(complete_umemd_in_zsh umemd --log-file x)" files
    expect "verbs in zsh" "$(complete_in_zsh umem heap c | sort)" "$(printf '%s\n' compact create)"
    expect "names in zsh" "$(complete_in_zsh umem dump w)" 'with space'
    expect "files in zsh" "$(complete_in_zsh umem alloc --file a-f)" files
else
    echo "Left out: zsh (it is not here)"
fi
if command -v "$pwsh" >/dev/null; then
    complete_in_powershell()
    {
        # shellcheck disable=SC2016  # PowerShell expands it
        LINE=$1 POWERSHELL_TELEMETRY_OPTOUT=1 "$pwsh" -NoProfile -NonInteractive -Command '
            umem completion powershell | Out-String | Invoke-Expression
            (TabExpansion2 $env:LINE $env:LINE.Length).CompletionMatches | ForEach-Object { $_.CompletionText }'
    }
    complete_umemd_in_powershell()
    {
        # shellcheck disable=SC2016  # PowerShell expands it
        LINE=$1 POWERSHELL_TELEMETRY_OPTOUT=1 "$pwsh" -NoProfile -NonInteractive -Command '
            umemd --completion powershell | Out-String | Invoke-Expression
            (TabExpansion2 $env:LINE $env:LINE.Length).CompletionMatches | ForEach-Object { $_.CompletionText }'
    }
    expect "options of umemd in PowerShell" "$(complete_umemd_in_powershell 'umemd --gu')" --guard
    expect "words in PowerShell" "$(complete_umemd_in_powershell 'umemd --log-level d')" debug
    expect "words behind = in PowerShell" "$(complete_umemd_in_powershell 'umemd --log-level=d')" --log-level=debug
    expect "all words in PowerShell" "$(complete_umemd_in_powershell 'umemd --log-format ' | sort | tr '\n' ' ')" "json text "
    expect "verbs in PowerShell" "$(complete_in_powershell 'umem heap c' | sort)" "$(printf '%s\n' compact create)"
    expect "names in PowerShell" "$(complete_in_powershell 'umem dump w')" "'with space'"
else
    echo "Left out: PowerShell (pwsh is not here)"
fi
