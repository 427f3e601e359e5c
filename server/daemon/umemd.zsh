#compdef umemd
# Completion of umemd for zsh: options, and the words that are their values. To use it:
#
#     source <(umemd --completion zsh)
#
# or put what that prints into a folder of $fpath, as _umemd. umemd itself determines what may be completed.

_umemd()
{
    local -a found
    local word=$PREFIX before=${words[CURRENT-1]}
    if [[ $word == --*=* ]]; then
        before=${word%%=*}
        word=${word#*=}
        compset -P '*='
    fi
    found=("${(@f)$("${words[1]}" --candidates "$before" "$word" 2>/dev/null </dev/null)}")
    found=("${(@)found%$'\r'}")
    if [[ ${found[1]} == *= ]]; then
        compadd -S '' -- $found
    elif [[ -n ${found[1]} ]]; then
        compadd -- $found
    else
        _files
    fi
}

if [[ $funcstack[1] == _umemd ]]; then
    _umemd "$@"
else
    compdef _umemd umemd
fi
