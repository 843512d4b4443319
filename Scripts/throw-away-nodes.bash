# shellcheck shell=bash
# What the scripts share that start throw-away clusters of three nodes (Scripts/galera and group-replication). Sourced after
# throw-away.bash. Below DIR each node has a folder of its own, node1 to node3, and DIR/ports a line with its ports, the one
# for clients first. The script defines
#
#   need_programs                what it needs is here, or exit code 69
#   start DIR                    a new cluster; or an old one, all of whose nodes have ended
#   spawn_node DIR NODE          starts a node's process
#   await_node DIR NODE          waits until it is a member that has caught up; 1 when its process has ended
#   node_state NODE-DIR          prints a line
#   exported DIR                 as for all, in throw-away.bash
#
# and ends with `main "$@"`.

readonly nodes=(1 2 3)

ports_of() { sed -n "$2p" "$1/ports"; } # DIR NODE

# host:port of each node, separated by commas; of its first port, unless another is named.
addresses() { # DIR [FIELD]
    awk -v host="$host" -v field="${2:-1}" '{ printf "%s%s:%s", (NR > 1 ? "," : ""), host, $field }' "$1/ports"
}

write_url() { # DIR PASSWORD
    printf 'mysql://%s:%s@%s/\n' "$user" "$2" "$(addresses "$1")" >"$1/url"
}

show_logs() { tail -n 20 "$1"/node?/error.log >&2 || true; } # DIR

no_start() { # DIR NODE
    tail -n 20 "$1/node$2/error.log" >&2
    die "node $2 did not start"
}

# Prints the real path of a cluster's directory.
cluster() { # DIR
    [[ -f $1/url ]] || die "there is no cluster in $1"
    cd -- "$1" && pwd -P
}

check_nodes() { # NODE...
    local node
    for node in "$@"; do [[ $node == [1-3] ]] || die "there is no node '$node', only 1, 2 and 3"; done
}

kill_node() { # DIR NODE
    local dir pid deadline=$((SECONDS + stop_seconds))
    dir=$(cluster "$1")
    check_nodes "$2"
    pid=$(running_pid "$dir/node$2") || die "node $2 does not run"
    kill -KILL "$pid"
    while running_pid "$dir/node$2" >/dev/null; do
        ((SECONDS < deadline)) || die "node $2 did not end within $stop_seconds s"
        sleep 0.05
    done
}

start_nodes() { # DIR NODE...
    local dir node
    dir=$(cluster "$1")
    shift
    check_nodes "$@"
    need_programs
    umask 077
    for node in "$@"; do ! running_pid "$dir/node$node" >/dev/null || die "node $node runs already"; done
    for node in "${nodes[@]}"; do ! running_pid "$dir/node$node" >/dev/null || break; done
    running_pid "$dir/node$node" >/dev/null || die "no node runs: use start, which finds the one that knows most"
    for node in "$@"; do spawn_node "$dir" "$node"; done
    for node in "$@"; do await_node "$dir" "$node" || no_start "$dir" "$node"; done
}

status() { # DIR
    local dir node port pid state
    dir=$(cluster "$1")
    for node in "${nodes[@]}"; do
        read -r port _ <<<"$(ports_of "$dir" "$node")"
        if pid=$(running_pid "$dir/node$node"); then
            state=$(node_state "$dir/node$node" || true)
            printf 'node %s, port %s, pid %s: %s\n' "$node" "$port" "$pid" "${state:-does not answer}"
        else
            printf 'node %s, port %s: down\n' "$node" "$port"
        fi
    done
}

stop() { # DIR
    local dir
    [[ -d $1 ]] || return 0
    dir=$(cd -- "$1" && pwd -P)
    [[ -f $dir/ports || -d $dir/node1 || -z $(ls -A "$dir") ]] || die "$dir does not hold a throw-away cluster"
    stop_servers "$dir"/node{1,2,3}
    rm -rf -- "$dir"
}

usage() {
    die "usage: Scripts/$name run -- COMMAND... | start DIR | stop DIR | kill DIR NODE | start-node DIR NODE... | status DIR"
}

main() {
    case ${1-} in
        run)
            [[ ${2-} == -- && $# -ge 3 ]] || usage
            run "${@:3}"
            ;;
        start | stop | status)
            [[ $# -eq 2 ]] || usage
            "$1" "$2"
            ;;
        kill)
            [[ $# -eq 3 ]] || usage
            kill_node "$2" "$3"
            ;;
        start-node)
            [[ $# -ge 3 ]] || usage
            start_nodes "${@:2}"
            ;;
        *) usage ;;
    esac
}
