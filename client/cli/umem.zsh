#compdef umem
# Completion of umem for zsh: verbs, options, and the names of heaps and blocks that the daemon has. To use it:
#
#     source <(umem completion zsh)
#
# or put what that prints into a folder of $fpath, as _umem. umem itself determines what may be completed.

_umem()
{
    local -a found
    local line="${(j: :)${words[1,CURRENT-1]}} ${PREFIX}"
    found=("${(@f)$(command "${words[1]}" --candidates "$line" 2>/dev/null </dev/null)}")
    found=("${found[@]%$'\r'}")
    if [[ -n "${found[*]}" ]]; then
        compadd -- "${found[@]}"
    else
        _files
    fi
}

if [[ "${funcstack[1]}" == _umem ]]; then
    _umem "$@"
else
    compdef _umem umem
fi
