# shellcheck shell=bash
# The programs of MySQL (Oracle's, not MariaDB), for Scripts/mysql and Scripts/group-replication. Sourced after throw-away.bash.
#
# They are those of Debian unstable, the only distribution of Debian that has MySQL. Nothing is installed: apt fetches them
# with all libraries, C's included, and checks their signatures as ever; they are unpacked into .cache/mysql and run through
# their own loader. Delete that folder to get newer ones. DEBIAN_MIRROR names another mirror.

readonly fetch_seconds=300 mirror=${DEBIAN_MIRROR:-http://deb.debian.org/debian}
readonly keyring=/usr/share/keyrings/debian-archive-keyring.gpg
cache=$(cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." && pwd -P)/.cache
readonly cache

# apt with lists, packages and an (empty) list of what is installed of its own, all below a folder. Its settings for proxies
# and the like are this machine's.
private_apt() { # FOLDER ARGUMENT...
    timeout --kill-after=10 "$fetch_seconds" apt-get --quiet=2 \
        -o Dir::Etc::SourceList="$1/sources.list" -o Dir::Etc::SourceParts=- -o Dir::Etc::Preferences=- \
        -o Dir::Etc::PreferencesParts=- -o Dir::State="$1/state" -o Dir::State::Status="$1/status" -o Dir::Cache="$1/cache" \
        -o APT::Sandbox::User="$(id -un)" -o APT::Update::Error-Mode=any -o Acquire::Languages=none \
        -o Acquire::Retries=1 -o Acquire::http::Timeout=20 -o Debug::NoLocking=true "${@:2}" </dev/null
}

# Fetches and unpacks the programs, once. In a shell of its own, whose traps and open files end with it.
fetch() (
    local program fetched architecture package code=0
    [[ ! -d $cache/mysql ]] || exit 0
    for program in apt-get dpkg dpkg-deb timeout flock; do
        command -v "$program" >/dev/null || cannot_be_had "there is no $program here to fetch Debian's packages with"
    done
    architecture=$(dpkg --print-architecture)
    [[ -r $keyring ]] || cannot_be_had "$keyring, which Debian's packages are checked with, is missing: install debian-archive-keyring"
    mkdir -p "$cache"
    exec 9>"$cache/mysql.lock"
    flock --wait "$fetch_seconds" 9 || die "another run has been fetching MySQL for $fetch_seconds s"
    [[ ! -d $cache/mysql ]] || exit 0
    fetched=$(mktemp -d "$cache/mysql.XXXXXX")
    # shellcheck disable=SC2064  # the directory is known now and stays the same
    trap "rm -rf -- '$fetched'" EXIT
    mkdir -p "$fetched"/apt/{state/lists/partial,cache/archives/partial} "$fetched/root"
    : >"$fetched/apt/status"
    printf 'deb [signed-by=%s] %s sid main\n' "$keyring" "$mirror" >"$fetched/apt/sources.list"
    { private_apt "$fetched/apt" update \
        && private_apt "$fetched/apt" install --yes --no-install-recommends --download-only mysql-server-core; } \
        >"$fetched/log" 2>&1 || code=$?
    ((code == 0)) || cannot_be_had "no packages for $architecture from $mirror: $(
        grep -m 1 '^E: ' "$fetched/log" || printf 'apt-get ended with code %s\n' "$code"
    )"
    for package in "$fetched"/apt/cache/archives/*.deb; do dpkg-deb --extract "$package" "$fetched/root"; done
    # Documentation, and what mysqld does not load.
    rm -rf -- "$fetched"/apt "$fetched"/root/usr/share/{doc,man,locale,perl,perl5} "$fetched"/root/usr/lib/*/perl*
    chmod 755 "$fetched"
    mv -- "$fetched" "$cache/mysql"
    trap - EXIT
)

# Sets `mysqld`, the words that run the server, and `base`, where its own files are.
find_programs() {
    local libraries
    base=$cache/mysql/root/usr
    mysqld=("$base"/lib*/ld-linux-*.so.*)
    libraries=("$base"/lib/*-linux-gnu*)
    mysqld=("${mysqld[0]}" --library-path "${libraries[0]}:$base/lib/mysql/private" "$base/sbin/mysqld")
    "${mysqld[@]}" --no-defaults --version >/dev/null 2>&1 \
        || cannot_be_had "the server in $cache/mysql does not run on this machine"
}

# Sets `mysqld` and `base`, and fetches what they name if it is not here yet.
need_programs() {
    local program
    for program in mariadb python3; do
        command -v "$program" >/dev/null || cannot_be_had "$program is missing: run Scripts/install-packages engines"
    done
    fetch
    find_programs
}

# The settings that do not depend on what a server is for.
server_options() { # DIR PORT
    local dir=$1 port=$2
    cat <<END
[mysqld]
basedir = $base
lc-messages-dir = $base/share/mysql
character-sets-dir = $base/share/mysql/charsets
plugin-dir = $base/lib/mysql/plugin
bind-address = $host
port = $port
socket = $dir/socket
pid-file = $dir/server.pid
datadir = $dir/data
tmpdir = $dir/tmp
log-error = $dir/error.log
user = $(id -un)
skip-name-resolve
mysqlx = OFF
secure-file-priv = NULL
character-set-server = utf8mb4
collation-server = utf8mb4_bin
max-connections = 400
performance-schema-digests-size = 100
innodb-buffer-pool-size = 64M
innodb-flush-log-at-trx-commit = 2
innodb-flush-method = nosync
innodb-redo-log-capacity = 64M
END
}

create_data_directory() { # DIR OPTION...
    "${mysqld[@]}" --no-defaults --initialize-insecure --user="$(id -un)" --basedir="$base" --datadir="$1/data" \
        --lc-messages-dir="$base/share/mysql" --character-sets-dir="$base/share/mysql/charsets" --tmpdir="$1/tmp" \
        --innodb-flush-method=nosync --innodb-redo-log-capacity=64M "${@:2}" >"$1/install.log" 2>&1 \
        || { tail -n 20 "$1/install.log" >&2; rm -rf -- "$1/data"; die "could not create a data directory"; }
}

# One that was killed may have a process number still, until its parent asks: mysqld takes its lock for held then.
spawn_mysqld() { # DIR
    rm -f -- "$1/socket.lock"
    spawn "$1" "${mysqld[@]}" --defaults-file="$1/server.cnf"
}

# What makes the test user, a statement a line.
user_sql() { # PASSWORD
    cat <<END
CREATE USER IF NOT EXISTS '$user'@'$host';
ALTER USER '$user'@'$host' IDENTIFIED WITH caching_sha2_password BY '$1';
GRANT ALL ON \`registry\\_%\`.* TO '$user'@'$host' WITH GRANT OPTION;
GRANT CREATE USER, PROCESS, CONNECTION_ADMIN ON *.* TO '$user'@'$host';
END
}
