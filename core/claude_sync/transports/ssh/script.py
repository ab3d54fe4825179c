"""What runs on the host: one shell script, sent over stdin, and the spelling of requests to it.

The remote command is a constant, so that no name or path ever becomes a command there; any login
shell that knows single quotes can run it. A shell's `read` takes its input byte by byte (POSIX
demands it), so what follows the script's line on stdin is left for the script itself: requests, a
line each, and the bytes of files. Where those have to be taken exactly only ``dd`` will do:
``head -c`` of several systems reads ahead.

The script needs a POSIX shell and cat, dd, find, head, ls, mkdir, mv, od, rm, rmdir, sed, sync,
tail, tr. It uses stat, and one of openssl, sha256sum and shasum, where they are; without any of
those three nothing proves that a file over there is what we think, and everything is sent.
"""

from __future__ import annotations

REMOTE_COMMAND = 'exec /bin/sh -c \'IFS= read -r s && eval "$(printf %s "$s" | tr "\\001" "\\n")"\''
"""Reads one line, in which U+0001 stands for a line feed, and runs it."""

_SAFE = frozenset(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._/+,@=-")


def spelled(name: str) -> str:
    """A name or path in letters that mean nothing to a shell: the others as ``printf`` reads them.

    The script reads it with `printf`, where it stands for these very bytes whatever they are.
    """
    data = name.encode("utf-8", "surrogateescape")
    return "".join(
        chr(byte) if byte in _SAFE and not (byte == 45 and at == 0) else f"\\{byte:03o}"
        for at, byte in enumerate(data)
    )


def opening(path: str, token: str) -> bytes:
    """The line that makes the shell at the other end ours.

    Args:
        path: of the store; ``~/`` at its beginning is the home directory there.
        token: what the shell says, on a line of its own, before its first answer: letters and
            digits that nobody can guess.
    """
    below_home = path.startswith("~/")
    root = f"r=$(printf '{spelled(path[2:] if below_home else path)}x'); r={{}}${{r%x}}\n"
    root = root.replace("{}", "${HOME:?}/" if below_home else "", 1)
    return _one_line(f"k={token}\n{root}{_COMMON}")


def addition(part: str) -> bytes:
    """The request that teaches a running script another part of `ssh_script_parts`."""
    return b"X\n" + _one_line(part)


def _one_line(script: str) -> bytes:
    """A script without comments and indentation, U+0001 for its line feeds."""
    lines = (line.strip() for line in script.splitlines())
    return "".join(f"{line}\1" for line in lines if line and line[0] != "#").encode("ascii") + b"\n"


# Variables that functions share: r the root, k the token, w why the root can't be used, n a name,
# f a file, s how to ask for stamps, a a list for `eval` (of our own variables' names, never of
# what they hold), i and x the number of what `each` is at and what became of it so far.
_COMMON = r"""
LC_ALL=C; export LC_ALL; unset CDPATH; umask 077; set -f; exec 2>/dev/null
lf='
'

# --- names, stamps and hashes

name() {
  IFS= read -r n || exit 1
  case $n in *\\*) n=$(printf "$n");; esac
}
say() { printf '%s\n' "$*"; }
each() {
  last=$1 todo=$2 i=0
  while [ $i -lt $last ]; do
    i=$((i+1)); eval "n=\$N$i x=\$X$i"; f=./$n
    $todo
    eval "X$i=\$x"
  done
}
names() {
  i=0
  while [ $i -lt $1 ]; do
    i=$((i+1)); name; eval "N$i=\$n X$i="
    [ -z "$2" ] || { IFS= read -r n || exit 1; eval "R$i=\$n"; }
  done
}
# ksh, which is /bin/sh on illumos, goes nowhere for a `cd` to where it believes to be.
at() {
  [ -d "$r" ] && cd "$r" && [ -r . ] && return 0
  if [ ! -e "$r" ]; then w=offline; elif [ ! -d "$r" ]; then w=notdir; else w=denied; fi
  return 1
}
plain() { [ -f "$f" ] && [ ! -h "$f" ] && [ ! -h "${f%/*}" ]; }

x=$(stat -c %.9Y /)
case $x in
*[!0-9.]*|'') x=$(stat -f %Fm /); case $x in *[!0-9.]*|'') s=l;; *) s=f;; esac;;
*.*) s=g;;
*) s=c;;
esac
by_ls() { set -- $(ls -din --full-time "$1" || ls -din "$1"); say $6 $7_$8_$9 $1; }
stamps() {
  case $s$# in
  ?0) ;;
  g*) stat -c '%s %.9Y %i' "$@";;
  c*) stat -c '%s %Y %i' "$@";;
  f*) stat -f '%z %Fm %i' "$@";;
  l*) for f; do by_ls "$f"; done;;
  esac
}
# --- L digest: all that is there, or "same"

marker() {
  f=./.ccsync-store
  if plain; then say "m$(dd bs=1024 count=1 <$f | od -A n -v -t x1 | tr -d ' \n')"; else say m-; fi
}
files() {
  set -- . -type d '(' -path './*/*' -o -name '.?*' ')' -prune -o -type f -path './*/*' \
    '(' ! -name '.*' -o -name '.?*.icloud' ')' ! -path "*$lf*"
  case $s in
  g) find "$@" -exec stat -c '%s %.9Y %i %n' {} +;;
  c) find "$@" -exec stat -c '%s %Y %i %n' {} +;;
  f) find "$@" -exec stat -f '%z %Fm %i %N' {} +;;
  l) find "$@" -print | while IFS= read -r f; do say "$(by_ls "$f") $f"; done;;
  esac
}
look() {
  at || { say no $w; return; }
  all=$(marker; files)
  sum='openssl dgst -sha256 -r'
  for x in cksum sha256sum; do command -v $x >/dev/null && sum=$x; done
  set -- "$1" $($sum <<E
$all
E
  )
  [ "$1" != "$2-$3" ] || { say same; return; }
  cat <<E
look $2-$3
$all
.
E
}

# --- R count: remove files; M: make the root

# `sync` knows names and -f in newer systems only; a disk's own refusal must not be passed over.
flush() {
  if [ $# -gt 8 ]; then y=$(sync -f . 2>&1) && return; else y=$(sync "$@" 2>&1) && return; fi
  case $y in *nput/output*|*'No space'*|*uota*) return 1;; esac
  sync
}
remove() {
  [ -h "${f%/*}" ] || { [ ! -e "$f" ] && [ ! -h "$f" ]; } || {
    y=$(rm -f "$f" 2>&1) || x=$y
    [ "${f%/*}" = . ] || rmdir "${f%/*}"
  }
}
report() { [ -z "$x" ] || y=$x; }
removes() {
  names $1
  at || { say no $w; return; }
  each $1 remove
  y=; each $1 report
  [ -n "$y" ] || flush . || :
  if [ -n "$y" ]; then say no $y; else say ok; fi
}
make() {
  x=$(mkdir -p "$r" 2>&1)
  at || { say no $w $x; return; }
  flush .
  say ok
}

say; say $k
while IFS= read -r l; do
  set -- $l
  case $1 in
  L) look "$2";;
  F) ends $2 $3 $4;;
  G) gets gets $2;;
  K) gets digests $2;;
  P) put $2;;
  D) data $2;;
  B) base $2 $3;;
  E) ended $2 $3;;
  A) aborted;;
  C) commit $2;;
  R) removes $2;;
  M) make;;
  X) IFS= read -r l; eval "$(printf %s "$l" | tr '\001' '\n')";;
  *) exit 1;;
  esac
done
"""
