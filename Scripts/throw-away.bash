# shellcheck shell=bash
# What the scripts share that start throw-away servers on loopback (Scripts/mariadb, galera, mysql, group-replication and
# cluster). Sourced, never run; the script has set `name` to its own, and `log` where what a server prints goes to another file than error.log.
#
# Every server runs as the current user, listens on 127.0.0.1 only, keeps all it has below the directory that it was given,
# and is told to stop by its recorded process only. No database calls fsync unless it is told to be durable: that
# makes tests fast and would lose data at a power cut, so they are of no use for anything but tests.

readonly host=127.0.0.1 user=registry_test
readonly start_seconds=60 stop_seconds=20 port_attempts=5
# EX_UNAVAILABLE of sysexits.h: what is needed can't be had here. The one line on standard error says why.
readonly unavailable=69
log=${log:-error.log}

die() {
    printf '%s: %s\n' "$name" "$*" >&2
    exit 1
}

cannot_be_had() {
    printf '%s: %s\n' "$name" "$*" >&2
    exit "$unavailable"
}

# Prints so many different free ports. They lie outside the range that outgoing connections take theirs from, so that a
# server that was killed finds its port free when it is started again.
free_ports() { # COUNT
    python3 - "$1" <<'END'
import random, socket, sys

with open("/proc/sys/net/ipv4/ip_local_port_range") as file:
    low, high = map(int, file.read().split())
candidates = [port for port in range(10_000, 65_536) if not low <= port <= high] or list(range(10_000, 65_536))
random.shuffle(candidates)
ports = []
for port in candidates:
    with socket.socket() as attempt:
        try:
            attempt.bind(("127.0.0.1", port))
        except OSError:
            continue
    ports.append(port)
    if len(ports) == int(sys.argv[1]):
        print(*ports)
        sys.exit()
sys.exit("there are not enough free ports")
END
}

new_password() { od -An -N24 -tx1 /dev/urandom | tr -d ' \n'; }

# Creates a directory and prints its real path. Only this user can look into it.
made_directory() { # DIR
    local dir
    mkdir -p -- "$1"
    dir=$(cd -- "$1" && pwd -P)
    ((${#dir} <= 90)) || die "$dir is too long a path for a Unix socket"
    printf '%s\n' "$dir"
}

# Prints the pid of the server in a directory if it still runs: the recorded pid counts only while its command line names
# the directory, so a number that the system gave to another process since is never signalled.
running_pid() { # DIR
    local pid
    pid=$(cat "$1/pid" 2>/dev/null) && [[ -n $pid ]] || return 1
    tr '\0' ' ' 2>/dev/null <"/proc/$pid/cmdline" | grep -qF -e "$1/" -e "$1 " || return 1
    printf '%s\n' "$pid"
}

# A session of its own: Control-C at the terminal reaches the tests, and the server is stopped after them.
spawn() { # DIR COMMAND...
    local dir=$1
    shift
    setsid "$@" </dev/null >>"$dir/$log" 2>&1 &
    printf '%s\n' "$!" >"$dir/pid"
    disown # or the shell would tell when a server is killed
}

# Waits for a condition about the server just spawned in a directory: 0 when it holds, 1 when the server has ended (its port may have
# been taken).
await() { # DIR CONDITION...
    local dir=$1 pid deadline=$((SECONDS + start_seconds))
    shift
    pid=$(cat "$dir/pid")
    until "$@"; do
        kill -0 "$pid" 2>/dev/null || return 1
        ((SECONDS < deadline)) || { tail -n 20 "$dir/$log" >&2; die "no answer within $start_seconds s"; }
        sleep 0.1
    done
}

# Whether the server in a directory answers the test user. The client's options name its port.
answers() { # DIR
    mariadb --defaults-file="$1/client.cnf" --connect-timeout=2 --execute='SELECT 1' >/dev/null 2>&1
}

# Passwords go through files that only this user can read, never through a command line.
write_client_options() { # DIR PORT PASSWORD
    printf '[client]\nhost = %s\nport = %s\nuser = %s\npassword = %s\n' "$host" "$2" "$user" "$3" >"$1/client.cnf"
}

# Stops the servers in some directories, all at once.
stop_servers() { # DIR...
    local dir pid deadline=$((SECONDS + stop_seconds))
    for dir in "$@"; do
        # CONT: one that was stopped in its tracks would not hear TERM.
        if pid=$(running_pid "$dir"); then kill -TERM "$pid" && kill -CONT "$pid"; fi 2>/dev/null || true
    done
    for dir in "$@"; do
        while pid=$(running_pid "$dir"); do
            ((SECONDS < deadline)) || kill -KILL "$pid" 2>/dev/null || true
            sleep 0.1
        done
    done
}

# Runs a command between start and stop. `exported DIR` sets and exports what the command is to know.
run() { # COMMAND...
    local dir child signal status=0
    dir=$(mktemp -d "${TMPDIR:-/tmp}/registry-$name.XXXXXX")
    # shellcheck disable=SC2064  # the directory is known now and stays the same
    trap "stop '$dir'" EXIT
    start "$dir"
    exported "$dir"
    set -m # the command gets a process group of its own, so a signal reaches all of it, and the server is stopped last
    "$@" &
    child=$!
    set +m
    # shellcheck disable=SC2064
    for signal in INT TERM HUP; do
        trap "kill -$signal -- -$child; wait $child; exit 1" "$signal"
    done
    wait "$child" || status=$?
    exit "$status"
}
