# Completion of umem for bash: verbs, options, and the names of heaps and blocks that the daemon has. To use it:
#
#     source <(umem completion bash)
#
# or put what that prints where bash-completion looks, as umem. What may be completed umem itself tells.

_umem()
{
    local candidate
    COMPREPLY=()
    while IFS= read -r candidate; do
        printf -v candidate %q "${candidate%$'\r'}"
        COMPREPLY+=("$candidate")
    done < <("${COMP_WORDS[0]}" --complete "$COMP_CWORD" "${COMP_WORDS[@]}" 2>/dev/null </dev/null)
}

complete -o default -F _umem umem
