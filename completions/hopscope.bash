# bash completion for hopscope: source this file, or install it as
# /usr/share/bash-completion/completions/hopscope.

_hopscope()
{
    local cur=${COMP_WORDS[COMP_CWORD]} prev=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]} words files
    COMPREPLY=()
    if [ "$COMP_CWORD" -eq 1 ]; then
        mapfile -t COMPREPLY < <(compgen -W "bench diff dissect ladder packetdrill plot report run step sweep test --help --version" -- "$cur")
        return
    fi
    case $prev in
    --out | -o | --from)
        mapfile -t COMPREPLY < <(compgen -d -- "$cur")
        return
        ;;
    --keep | -k)
        mapfile -t COMPREPLY < <(compgen -W "all manifest captures events series pictures" -- "$cur")
        return
        ;;
    --qlog-level)
        mapfile -t COMPREPLY < <(compgen -W "core base extra" -- "$cur")
        return
        ;;
    --lang | -l)
        mapfile -t COMPREPLY < <(compgen -W "en zh" -- "$cur")
        return
        ;;
    --linktype | -t)
        mapfile -t COMPREPLY < <(compgen -W "ethernet ethernet-fcs ppp raw ipv4 ipv6" -- "$cur")
        return
        ;;
    --what | -w)
        mapfile -t COMPREPLY < <(compgen -W "cwnd ssthresh inflight sequence rwnd rtt rto queue sojourn throughput goodput fairness loss mark" -- "$cur")
        return
        ;;
    esac
    case $command in
    bench)
        words="--n --holds --cc --buffer --routers --runs --digest --pcap --pcap-plain --pcap-compress --snaplen --help w1 w2 w3 w4 w5 w6 idle size"
        files=
        ;;
    diff)
        words="--set --set-a --set-b --seed --seed-a --seed-b --until --events --context --after --causes --series --at --every --tsv --json --quiet --help"
        files='@(lua|jsonl|json)'
        ;;
    dissect)
        words="--hex --linktype --summary --frame --explain --bytes --json --help"
        files='@(pcapng|pcap|lz4|txt|hex)'
        ;;
    ladder)
        words="--seed --set --until --between --hops --flow --list-flows --from --to --timers --options --absolute --unfold
            --no-notes --no-states --max-rows --output --svg --width --ascii --lang --help"
        files='lua'
        ;;
    packetdrill)
        words="--pcap --seed --bind_port --code_command --code_format --code_sockopt --connect_port --debug
            --define --dry_run --gateway_ip --init_scripts --ip_version --is_anyip --local_ip --many_connections --mss
            --mtu --netmask_ip --non_fatal --psp_udp_port --remote_ip --send_omit_free --so_filename --so_flags
            --speed --strict_ecr --strict_segments --tcp_ts_ecr_scaled --tcp_ts_tick_usecs
            --tolerance_percent --tolerance_usecs --verbose --wire_client --wire_client_dev --wire_server
            --wire_server_at --wire_server_dev --wire_server_ip --wire_server_port --help"
        files='pkt'
        ;;
    report)
        words="--output --between --flow --from --to --lang --title --quiet --seed --set --until --help"
        files='@(lua|json)'
        ;;
    plot)
        words="--what --output --term --width --height --ascii --host --flow --from --to --interval --separate --log --cdf
            --no-states --title --no-legend --size --font --style --vary --label --seed --set --until --help"
        files='@(lua|json)'
        ;;
    run)
        words="--seed --set --until --out --keep --no-manifest --pcap --pcap-drops --pcap-per-interface --pcap-compress --snaplen --digest --stats
            --events --qlog --qlog-port --qlog-level --quiet --max-events --max-wall --max-memory --progress --no-progress --help"
        files='lua'
        ;;
    test)
        words="--jobs --filter --tap --list --junit --annotations --fail-fast --dry-run --seed --set --until --timeout
            --update-golden --yes --help"
        files='lua'
        ;;
    sweep)
        words="--grid --seeds --set --jobs --out --until --max-events --max-memory --timeout --restart --extend --retry --dry-run --from --table
            --batch-means --plot --plot-file --quiet --progress --no-progress --help"
        files='lua'
        ;;
    step)
        words="--seed --set --until --commands --checkpoints --digest --no-color --help"
        files='lua'
        ;;
    *)
        return
        ;;
    esac
    if [[ $cur == -* || -z $files ]]; then
        mapfile -t COMPREPLY < <(compgen -W "$words" -- "$cur")
    else
        compopt -o filenames 2>/dev/null
        mapfile -t COMPREPLY < <(
            shopt -s extglob
            compgen -d -- "$cur"
            compgen -f -X "!*.$files" -- "$cur"
        )
    fi
}
complete -F _hopscope hopscope
