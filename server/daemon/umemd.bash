# Completion of umemd for bash: options, and the words that are their values. To use it:
#
#     source <(umemd --completion bash)
#
# or put what that prints where bash-completion looks, as umemd. umemd itself determines what may be completed.

_umemd()
{
    local candidate last=$COMP_CWORD word=${COMP_WORDS[COMP_CWORD]} before
    # "--option=value" is three words here.
    if [ "$word" = "=" ]; then
        word=""
    elif [ "${COMP_WORDS[last - 1]}" = "=" ]; then
        last=$((last - 1))
    fi
    before=${COMP_WORDS[last - 1]}
    COMPREPLY=()
    while IFS= read -r candidate; do
        candidate=${candidate%$'\r'}
        COMPREPLY+=("$candidate")
        [[ $candidate != *= ]] || compopt -o nospace
    done < <("${COMP_WORDS[0]}" --candidates "$before" "$word" 2>/dev/null </dev/null)
}

complete -o default -F _umemd umemd
