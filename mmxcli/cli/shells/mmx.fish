# Completion of mmx in fish:  mmx completion fish > ~/.config/fish/completions/mmx.fish

function __mmx_offers
    set -l typed (commandline -opc) (commandline -ct)
    for line in ($typed[1] complete -- $typed[2..-1] 2>/dev/null)
        if test "$line" = '<files>'
            __fish_complete_path $typed[-1]
        else
            echo $line
        end
    end
end
complete --command mmx --no-files --keep-order --arguments '(__mmx_offers)'
