# What scripts say while they work, and where they keep what is worth keeping. Sourced, never run.
#
# Every script that sources this has `here` set to the checkout's top.

# Everything that takes time to make is kept here, outside the checkout.
export WHARF_CACHE="${WHARF_CACHE:-${XDG_CACHE_HOME:-$HOME/.cache}/wharf}"
export CARGO_TARGET_DIR="${CARGO_TARGET_DIR:-$WHARF_CACHE/target}"
mkdir -p "$WHARF_CACHE"

# say <text…>: one line of progress. warn: something the reader should know. die: the end, and why.
say() { printf '%s· %s%s\n' "${dim-}" "$*" "${plain-}"; }
warn() { printf '%s! %s%s\n' "${bold-}" "$*" "${plain-}" >&2; }
die() { printf '%serror: %s%s\n' "${bold-}" "$*" "${plain-}" >&2; exit 1; }
if [ -t 1 ]; then dim=$'\e[2m' bold=$'\e[1m' plain=$'\e[0m'; fi

# need_root <what for>
need_root() {
    [ "$(id -u)" = 0 ] || die "$1 needs root: run it again with sudo, or as root"
}

# quietly <log name> <command…>: keeps the output in a file and shows its end only if the command fails.
quietly() {
    local name="$1" log="$WHARF_CACHE/logs/$1.log"
    mkdir -p "${log%/*}"
    shift
    "$@" >"$log" 2>&1 && return
    local code=$?
    tail -n 25 "$log" >&2
    die "$name ended with $code; all it said is in $log"
}

# stage <name> <command…>: runs one part of a longer work, and remembers how long it took.
stages=()
stage() {
    local name="$1" began=$SECONDS
    shift
    printf '\n%s== %s%s\n' "${bold-}" "$name" "${plain-}"
    "$@"
    stages+=("$(printf '%6d s  %s' $((SECONDS - began)) "$name")")
}
stages_print() {
    printf '\n'
    printf '%s\n' "${stages[@]}"
}

# hash_of <file or folder…>: one hash of names and contents, the same wherever the checkout is.
hash_of() {
    find "$@" -type f -not -path '*/__pycache__/*' -print0 | LC_ALL=C sort -z |
        xargs -0 sha256sum | sed "s# $here/# #" | sha256sum | cut -d' ' -f1
}
