# Sourced by `run` and `test`, which set $root. POSIX sh; everything it says goes to stderr.
#
# .venv/.made-at names the tree that the environment was made for and is written last: without it,
# or with another tree in it, the environment is made anew. .venv/.made-for-run and -test are the
# pyproject.toml that was installed, without and with what the tests need. Comparing those costs a
# start about a millisecond.

# shellcheck shell=sh
: "${root:?is set by what sources this}"

venv=$root/.venv
lock=$root/.venv.lock
if [ -d "$venv/Scripts" ]; then bin=Scripts; else bin=bin; fi
oldest_python='3.10'
no_install= # set where nothing but .venv may be touched

say() { printf 'claude-sync: %s\n' "$*" >&2; }

fail() {
    say "$@"
    exit 1
}

# --- is there anything to do? --------------------------------------------------------------------

# is_ready run|test: whether the environment is whole, and as pyproject.toml wants it.
is_ready() {
    is_whole && cmp -s "$root/pyproject.toml" "$venv/.made-for-$1"
}

is_whole() {
    [ -x "$venv/$bin/python" ] && [ -x "$venv/$bin/claude-sync" ] && [ -f "$venv/.made-at" ] &&
        IFS= read -r made_at <"$venv/.made-at" && [ "$made_at" = "$root" ]
}

# --- the environment -----------------------------------------------------------------------------

# set_up run|test EXTRA: make or fix the environment; one at a time.
set_up() {
    take_lock
    if ! is_ready "$1"; then
        say "setting up .venv (once; needs the network)"
        if is_whole; then
            rm -f "$venv/.made-at"
            install_project "$1" "$2" || make_anew "$1" "$2"
        else
            make_anew "$1" "$2"
        fi
        say "ready"
    fi
    drop_lock
}

make_anew() {
    find_python || {
        install_packages python3 python3-venv || true
        find_python || say_how_to_get_python
    }
    command -v git >/dev/null || install_packages git ||
        say "going on without git: nothing of a clone is pushed until it is there"
    rm -rf "$venv"
    "$python" -m venv "$venv" >&2 || give_up "can't make $venv; see above"
    if [ -d "$venv/Scripts" ]; then bin=Scripts; else bin=bin; fi
    install_project "$1" "$2" || give_up "couldn't install what claude-sync needs; see above"
}

# A disk that this filled has room again: Claude Code has to write on.
give_up() {
    rm -rf "$venv"
    fail "$@"
}

install_project() {
    # -I and PIP_USER: nothing of the caller's Python settings may lead the installation astray.
    PIP_USER=0 "$venv/$bin/python" -I -m pip install --quiet --disable-pip-version-check \
        --editable "$root$2" >&2 || return 1
    [ "$1" = run ] || cp "$root/pyproject.toml" "$venv/.made-for-run"
    cp "$root/pyproject.toml" "$venv/.made-for-$1"
    printf '%s\n' "$root" >"$venv/.made-at"
}

# Sets $python to the first one that is new enough and can make environments: by its own path, for
# an environment made with "python3" breaks when that becomes another version.
find_python() {
    for python in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python; do
        command -v "$python" >/dev/null || continue
        python=$("$python" -I -c "
import os, sys
sys.version_info >= ($(printf %s $oldest_python | tr . ,)) or sys.exit(1)
import ensurepip, venv
print(os.path.realpath(getattr(sys, '_base_executable', None) or sys.executable))
" 2>/dev/null) && [ -n "$python" ] && return 0
    done
    return 1
}

say_how_to_get_python() {
    if command -v apt-get >/dev/null; then
        hint='sudo apt-get install python3 python3-venv git'
    elif command -v brew >/dev/null; then
        hint='brew install python git'
    elif command -v dnf >/dev/null; then
        hint='sudo dnf install python3 git'
    elif command -v pacman >/dev/null; then
        hint='sudo pacman -S python git'
    elif command -v zypper >/dev/null; then
        hint='sudo zypper install python3 git'
    elif command -v apk >/dev/null; then
        hint='sudo apk add python3 git'
    else
        hint='see https://www.python.org/downloads/'
    fi
    fail "needs Python $oldest_python or newer with its venv module: $hint"
}

# --- one at a time -------------------------------------------------------------------------------

take_lock() {
    waited=0
    until mkdir "$lock" 2>/dev/null; do
        [ -d "$lock" ] || fail "can't write to $root, where .venv has to be made"
        holder=
        if [ -f "$lock/pid" ]; then read -r holder <"$lock/pid" || holder=; fi
        if is_gone "$holder"; then
            # By renaming, so that only one of several that wait takes the old lock away.
            mv "$lock" "$lock.$$" 2>/dev/null && rm -rf "$lock.$$"
            continue
        fi
        [ "$waited" -ne 2 ] || say "waiting for another set-up of this tree (pid $holder)"
        [ "$waited" -lt 1200 ] || fail "another set-up doesn't end; if there is none: rm -r '$lock'"
        waited=$((waited + 1))
        sleep 1
    done
    trap drop_lock EXIT
    trap 'exit 130' INT
    trap 'exit 143' TERM HUP
    printf '%s\n' "$$" >"$lock/pid"
}

# A lock that still says nothing after some seconds was left by one that died at once.
is_gone() {
    case $1 in
        '') [ "$waited" -gt 5 ] ;;
        *) ! kill -0 "$1" 2>/dev/null && [ ! -d "/proc/$1" ] ;;
    esac
}

drop_lock() {
    rm -rf "$lock"
    trap - EXIT INT TERM HUP
}

# --- the system's packages -----------------------------------------------------------------------

# install_packages NAME…: through apt, where it is there and allowed; else say what to type.
install_packages() {
    [ -z "$no_install" ] && command -v apt-get >/dev/null || return 1
    if [ "$(id -u)" = 0 ]; then
        as_root=
    elif command -v sudo >/dev/null && sudo -n true 2>/dev/null; then
        as_root='sudo -n'
    else
        say "not allowed to install packages; type: sudo apt-get install $*"
        return 1
    fi
    say "installing $* (apt-get)"
    apt_get update || true
    apt_get install "$@" && return 0
    [ $# -gt 1 ] || return 1
    for package in "$@"; do # one that this release doesn't have must not keep the others away
        apt_get install "$package" || say "can't install $package"
    done
}

apt_get() {
    said=$(mktemp)
    # shellcheck disable=SC2086 # $as_root is empty or two words
    if $as_root env DEBIAN_FRONTEND=noninteractive apt-get -q -y --no-install-recommends \
        -o DPkg::Lock::Timeout=600 -o Dpkg::Use-Pty=0 "$@" >"$said" 2>&1 </dev/null; then
        rm -f "$said"
        return 0
    fi
    tail -n 5 "$said" >&2
    rm -f "$said"
    return 1
}

# The real programs that the tests run: ssh and its hosts' shells, a desktop without a screen. Says
# what is missing and what it is for before anything is installed, and asks where somebody can answer.
install_what_tests_use() {
    PATH=$PATH:/usr/sbin:/sbin
    missing=
    tab=$(printf '\t')
    while IFS=$tab read -r package program reason; do
        case $package in '' | '#'*) continue ;; esac
        case $program in
            /*) [ ! -e "$program" ] || continue ;;
            *) ! command -v "$program" >/dev/null || continue ;;
        esac
        [ -n "$missing" ] || say "the tests want programs that aren't here (Debian's names):"
        printf '    %-20s %s\n' "$package" "$reason" >&2
        missing="$missing $package"
    done <"$root/packaging/test-programs"
    [ -n "$missing" ] || return 0
    if ! command -v apt-get >/dev/null; then
        say "tests that need them are skipped; each says what it needs"
        return 0
    fi
    if ! agreed "Install them now?"; then
        say "going on without: tests that need them are skipped"
        return 0
    fi
    # shellcheck disable=SC2086 # package names, one a word
    install_packages $missing || say "going on: tests that need them are skipped"
    case $missing in
        *openssh-server*) stop_new_sshd ;;
    esac
}

# agreed QUESTION: asks on a terminal; where nobody can answer, it counts as agreed.
agreed() {
    [ -t 0 ] && [ -t 2 ] || return 0
    printf 'claude-sync: %s [Y/n] ' "$1" >&2
    read -r answer || return 1
    case $answer in [Nn]*) return 1 ;; esac
}

# The tests start an sshd of their own; installing the package must not open this machine.
stop_new_sshd() {
    [ -d /run/systemd/system ] || return 0
    # shellcheck disable=SC2086
    ${as_root-} systemctl --quiet disable --now ssh.socket ssh.service >/dev/null 2>&1 || true
}
