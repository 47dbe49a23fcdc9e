# Completion of mmx in bash:  eval "$(mmx completion bash)"

_mmx() {
    local word meaning begun last=${COMP_WORDS[COMP_CWORD]}
    local -a typed=("$1")
    local -i at=0
    for word in "${COMP_WORDS[@]:1:COMP_CWORD}"; do
        word=${word//[\\\"\']/}
        if [[ $word == :* || ${typed[at]} == *: ]]; then # bash parts words at colons
            typed[at]+=$word
        else
            typed[++at]=$word
        fi
    done
    begun=${typed[at]%"${typed[at]##*:}"}
    COMPREPLY=()
    compopt +o default 2>/dev/null
    while IFS=$'\t' read -r word meaning; do
        case $word in
            '<files>') compopt -o default 2>/dev/null; continue ;;
            *:) compopt -o nospace 2>/dev/null ;;
        esac
        word=${word#"$begun"}
        [[ $last == [\"\']* ]] || printf -v word %q "$word"
        COMPREPLY+=("$word")
    done < <("${1/#~\//$HOME/}" complete -- "${typed[@]:1}" 2>/dev/null)
}
complete -o default -F _mmx mmx
