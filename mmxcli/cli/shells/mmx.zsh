#compdef mmx
# Completion of mmx in zsh:  eval "$(mmx completion zsh)", after compinit; or in a file _mmx of a folder in $fpath

_mmx() {
    local line by_shell
    local -a offered
    for line in "${(@f)$(${~words[1]} complete -- "${(@Q)words[2,CURRENT-1]}" "$PREFIX" 2>/dev/null)}"; do
        case $line in
            '') ;;
            '<files>') by_shell=1 ;;
            *:) compadd -S '' -- $line ;;
            *) offered+=("${${line%%$'\t'*}//:/\\:}${${(M)line%$'\t'*}/$'\t'/:}") ;;
        esac
    done
    (( $#offered )) && _describe -V mmx offered
    [[ -n $by_shell ]] && _files
}
if [[ $funcstack[1] == _mmx ]]; then _mmx "$@"; else compdef _mmx mmx; fi
