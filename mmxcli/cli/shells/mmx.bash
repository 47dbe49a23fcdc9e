# Completion of mmx in bash:  eval "$(mmx completion bash)"

_mmx() {
    local word meaning
    COMPREPLY=()
    compopt +o default 2>/dev/null
    while IFS=$'\t' read -r word meaning; do
        case $word in
            '<files>') compopt -o default 2>/dev/null; continue ;;
            *:) compopt -o nospace 2>/dev/null ;;
        esac
        COMPREPLY+=("$word")
    done < <("${1/#~\//$HOME/}" complete -- "${COMP_WORDS[@]:1:COMP_CWORD}" 2>/dev/null)
}
complete -o default -F _mmx mmx
