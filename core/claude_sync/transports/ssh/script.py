"""What runs on the host: one shell script, sent over stdin, and the spelling of requests to it.

The remote command is a constant, so that no name or path ever becomes a command there; any login
shell that knows single quotes can run it. A shell's `read` takes its input byte by byte (POSIX
demands it), so what follows the script's line on stdin is left for the script itself: requests, a
line each, and the bytes of files. Where those have to be taken exactly only ``dd`` will do:
``head -c`` of several systems reads ahead.

The script needs a POSIX shell and cat, dd, find, head, ls, mkdir, mv, od, rm, rmdir, sed, sync,
tail, tr. It uses stat, and one of openssl, sha256sum and shasum, where they are; without any of
those three nothing proves that a file over there is what we think, and everything is sent. To wait
for changes it needs sleep, and uses inotifywait where that is.
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
    """The request that teaches a running script another of its parts, such as `READING`."""
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
  l) { find "$@" -print && echo; } | { x=1
    while IFS= read -r f; do
      if [ -z "$f" ]; then x=0; else say "$(by_ls "$f") $f"; fi
    done; return $x; };;
  esac
}
# Folders that can't be listed: what lies in them is unknown. Where `find` failed for another reason
# (or because a file went away meanwhile), nobody knows which folder it was: u alone.
unseen() {
  find . -type d '(' -path './*/*' -o -name '.?*' ')' -prune -o -type d ! -name . -print |
    while IFS= read -r f; do [ -r "$f" ] && [ -x "$f" ] || say "u $f"; done
}
whole() {
  y=$(files) z=$? x=$(unseen)
  [ $z = 0 ] || [ -n "$x" ] || { y=$(files) z=$? x=$(unseen); }
  [ $z = 0 ] || [ -n "$x" ] || x=u
  [ -z "$y" ] || say "$y"
  [ -z "$x" ] || say "$x"
}
look() {
  at || { say no $w; return; }
  all=$(marker; whole)
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

# `sync` knows names and -f in newer systems only; a disk's own refusal must not be ignored.
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
  # A home that isn't there may be one that isn't mounted: what is made in its place is lost there.
  case $r in
  "${HOME:-/}"/*) [ -d "$HOME" ] || { say no nohome; return; };;
  esac
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
  P) shift; put $*;;
  D) data $2;;
  B) base $2 $3;;
  E) ended $2 $3;;
  A) aborted;;
  C) commit $2;;
  R) removes $2;;
  W) watch $2 $3;;
  V) watched;;
  M) make;;
  X) IFS= read -r l; eval "$(printf %s "$l" | tr '\001' '\n')";;
  *) exit 1;;
  esac
done
"""

# The larger parts. A session sends each when it first needs it (`Session.need`). Besides the
# variables above: h how to hash, descriptor 4 the lines that go with a list.

HASHING = r"""
h=
hashes() {
  case $h in
  openssl) openssl dgst -sha256 -r "$@";;
  sha256sum) sha256sum "$@";;
  shasum) shasum -a 256 "$@";;
  esac | sed 's/^\\//; s/ .*//'
}
choose_hash() {
  [ -z "$h" ] || return
  for h in openssl sha256sum shasum none; do
    case $(hashes /dev/null) in e3b0c44298fc1c149afbf4c8996fb924*) return;; esac
  done
}
"""

# `dd` finds its place without reading up to it, and takes large pieces: where `head` and `tail` are
# busybox's, a big range comes in a tenth of the time.
CUTTING = r"""
# Whether `dd` can be told to go on where a read brought less than was asked for.
full=no
[ "$(echo abc | dd bs=2 count=1 iflag=fullblock)" != ab ] || full=yes
blocks() {
  case $full in
  yes) dd if="$f" bs=1048576 skip=$1 count=$2 iflag=fullblock;;
  *) dd if="$f" bs=1048576 skip=$1 count=$2;;
  esac
}
# The $2 bytes of f from $1 on.
range() {
  p=$((($1+1048575)/1048576)) q=$((($1+$2)/1048576))
  if [ $q -le $p ]; then few $1 $2; return; fi
  few $1 $((p*1048576-$1)) &&
    blocks $p $((q-p)) && few $((q*1048576)) $(($1+$2-q*1048576))
}
# The same for less than 2 MiB.
few() {
  [ $2 -eq 0 ] ||
    blocks $(($1/1048576)) 2 | tail -c +$(($1%1048576+1)) | head -c $2
}
"""

READING = r"""
# --- F head tail count, G count, K count: ends, ranges and digests of files

# Some shells' -r knows the mode only, and no list of who else may read: then it is opened.
readable() { [ -r "$f" ] || true <"$f"; }
find_plain() {
  if ! plain; then x=-; elif readable; then a="$a ./\"\$N$i\"" x=+; else x=!; fi
}
find_files() {
  a= total=0 marks=
  each $1 find_plain
  b=$(eval "stamps $a")
  exec 4<<E
$b
E
  each $1 $2
}
first_answer() { say $1 "=$marks" $total; say "$b"; say .; }
last_answer() { eval "stamps $a"; say .; }
# Framing holds though files shrink or grow meanwhile; the last answer tells that they did.
exactly() { [ $1 -eq 0 ] || { $2; cat /dev/zero; } </dev/null | head -c $1; }

measure_ends() {
  marks=$marks$x
  [ $x != + ] || { read -r z y <&4; z=${z:-0}; total=$((total + (z<H?z:H) + (z<Q?z:Q))); }
}
heads() {
  eval "set -- $a"
  if head -q -c 1 /dev/null /dev/null; then
    [ $H -eq 0 ] || head -q -c $H "$@"
    [ $Q -eq 0 ] || tail -q -c $Q "$@"
  else
    for f; do head -c $H "$f"; done
    for f; do tail -c $Q "$f"; done
  fi
}
ends() {
  H=$1 Q=$2
  names $3
  at || { say no $w; return; }
  find_files $3 measure_ends
  first_answer ends
  exactly $total heads
  last_answer
}

plan() {
  if [ $x = + ]; then
    read -r z y <&4
    eval "set -- \$R$i"
    z=${z:-0}
    [ "$1" -lt 0 ] || [ "$1" -eq "$z" ] || x='~'
  fi
  marks=$marks$x
  [ $x = + ] || return
  shift; p=$z
  while [ $# -gt 1 ]; do
    o=$1 l=$2; shift 2
    [ $o -le $z ] || o=$z
    [ $l -ge 0 ] && [ $l -le $((z-o)) ] || l=$((z-o))
    total=$((total+l)) p="$p $o $l"
  done
  eval "P$i=\$p"
}
emit() {
  [ $x = + ] || return
  eval "set -- \$P$i"; z=$1; shift
  while [ $# -gt 1 ]; do
    if [ $2 -eq 0 ]; then :
    elif [ $2 -eq $z ]; then cat "$f"
    else range $1 $2
    fi
    shift 2
  done
}
ranges() { each $K emit; }
digest() {
  if [ $x != + ] || [ $h = none ]; then say -; return; fi
  emit </dev/null | hashes
}
gets() {
  K=$2
  names $K and_ranges
  at || { say no $w; return; }
  find_files $K plan
  first_answer $1
  if [ $1 = gets ]; then exactly $total ranges; else choose_hash; each $K digest; fi
  last_answer
}
"""

# c the number of puts in the group, X what went wrong with the one that is being written, T its
# temporary (descriptor 3), U whether it uses its base. N, D, T, X, U, Z and H with a number after
# them: name, directory, temporary, trouble, use of the base, size and hash of that put.
WRITING = r"""
c=0 group=1 T= swept=

# --- P, D, B, E, A: one file to write; C: those since the last C take their places

take() {
  case $full in
  yes) dd bs=$1 count=1 iflag=fullblock;;
  *) dd ibs=1 obs=65536 count=$1 | { cat || { cat >/dev/null; false; }; };;
  esac
}
# From here on the file's bytes are taken from stdin and dropped, so that what follows is read.
fail() {
  X=${1:-failed}; exec 3>/dev/null
  [ -z "$T" ] || rm -f "$T"
}
put() {
  name
  c=$((c+1)) X= U=; d=./$n; d=${d%/*}; T=$d/.ccsync-$k-$group-$c.tmp
  if ! at; then X=$w
  elif [ $1 = 1 ] && [ ! -e .ccsync-store ]; then X=marker
  elif [ -h "$d" ] || { [ -e "$d" ] && [ ! -d "$d" ]; }; then X=inway
  elif [ ! -d "$d" ]; then X=$(mkdir "$d" 2>&1); [ ! -d "$d" ] || X=
  elif [ ! -r "$d" ]; then X='Permission denied'
  fi
  shift; eval "E$((c))=\$*"
  # `command` keeps a failing `exec` from ending the shell (POSIX, 2.8.1).
  [ -n "$X" ] || command exec 3>"$T" || { X=$({ true >"$T"; } 2>&1); X=${X:-failed}; }
  [ -z "$X" ] || fail "$X"
  eval "N$c=\$n D$c=\$d T$c=\$T"
}
data() { x=$(take $1 2>&1 >&3) || [ -n "$X" ] || fail "$x"; }
base() {
  f=./$n U=1
  [ -z "$X" ] || return
  plain || { fail bad; return; }
  x=$(range $1 $2 2>&1 >&3) || fail "$x"
}
aborted() { fail aborted; ended 0 -; }
ended() { exec 3>&-; T=; eval "X$c=\$X U$c=\$U Z$c=$1 H$c=$2"; }

list_good() { [ -n "$x" ] || a="$a \"\$T$i\""; }
list() { a=; each $c $1; }
compare() {
  [ -z "$x" ] || return
  read -r y z <&4
  eval "set -- \$Z$i \$H$i \$U$i; z=\$T$i"
  if [ "$2" = - ]; then
    # Whoever reads it proves it.
    y=$(stamps "$z"); [ "${y%% *}" = $1 ] || x=bad
  elif [ $h = none ]; then
    [ "$y" = $1 ] || x=bad
    [ -z "$3" ] || x=unproven
  else
    [ "$y" = $2 ] || x=bad
  fi
}
tell() { if [ $h = none ]; then stamps "$@"; else hashes "$@"; fi; }
# What they are is found out while the disk is waited for.
check() {
  list list_good
  [ -n "$a" ] || return
  b=$(eval "tell $a" & eval "flush $a"; z=$?; wait; say $z $y)
  exec 4<<E
$b
E
  each $c compare
  read -r z y <&4
  y=${y:-failed}
  [ "$z" = 0 ] || each $c give_up
}
give_up() { [ -n "$x" ] || x=$y; }
# Whether nothing lies there, or what the put says may: size, seconds, nanoseconds and number.
expected() {
  eval "set -- \$E$i"
  [ $# -gt 0 ] && { [ -e "$f" ] || [ -h "$f" ]; } || return 0
  plain && [ $# -eq 4 ] || return 1
  case $s in
  g|f) [ "$(stamps "$f")" = "$1 $2.$3 $4" ];;
  c) [ "$(stamps "$f")" = "$1 $2 $4" ];;
  l) e="$1 $4"; set -- $(stamps "$f"); [ "$1 $3" = "$e" ];;
  esac
}
place() {
  [ -z "$x" ] || return
  eval "y=\$T$i"
  if ! at; then x=$w
  elif [ $m = 1 ] && [ "$n" != .ccsync-store ] && [ ! -e .ccsync-store ]; then x=marker
  elif [ -d "$f" ]; then x='Is a directory'
  elif ! expected; then x=arrived
  else x=$(mv -f "$y" "$f" 2>&1) && x=
  fi
}
list_places() {
  [ -z "$x" ] || return
  a="$a ./\"\$N$i\"" placed=$((placed+1))
  case $seen in *"|${f%/*}|"*) ;; *) seen="$seen${f%/*}|" dirs="$dirs \"\$D$i\"";; esac
}
answer() {
  if [ -n "$x" ]; then eval "rm -f \"\$T$i\""; say no $x; return; fi
  if [ $placed = 0 ]; then y=$(stamps "$f"); else read -r y <&4; fi
  say ok $y
}
commit() {
  m=$1
  cd "$r"
  choose_hash
  check
  list list_good
  placed=0
  if [ -n "$a" ]; then
    each $c place
    seen='|' dirs=
    list list_places
    [ -z "$a" ] || eval "flush $dirs" || each $c give_up
  fi
  b=$(eval "stamps $a")
  set -- $b
  [ $# -eq $((3*placed)) ] || placed=0
  exec 4<<E
$b
E
  each $c answer
  c=0 group=$((group+1))
  [ -n "$swept" ] || sweep
}
sweep() {
  swept=1
  find . -type d '(' -path './*/*' -o -name '.?*' ')' -prune -o \
    -type f '(' -name '.ccsync-*.tmp' -o -path './claude-sync-probe-*.tmp' ')' \
    -mtime +0 -exec rm -f {} +
}
drop() { eval "rm -f \"\$T$i\""; }
left() { [ -z "$T" ] || rm -f "$T"; each $c drop; }
trap left 0
trap 'exit 1' HUP INT PIPE TERM
"""

# n the seconds that are left, c the inotifywait under way; v what waits, in the main shell.
#
# It ends with the connection: the main shell reads its end and ends what waits; if the main shell
# is killed, that is seen within a second, or, where inotifywait waits, when the time is over. And
# if the connection dies without a word, what waits ends with its time, which is short; from then on
# nothing runs that costs anything.
WATCHING = r"""
# --- W seconds digest: a line as soon as the listing has another digest, or when time is over
# --- V: that line was read

v=
watch() { watched; wait_for_change $1 $2 </dev/null & v=$!; }
# A number is somebody else's once the shell was told of its end, so nothing that ended is killed.
watched() { [ -z "$v" ] || wait $v; v=; }
# In a store files change by taking a new one's place, which a folder's time tells. Where times are
# of whole seconds only, the files' numbers are looked at too.
folders() {
  set +f
  case $s in
  g) stat -c '%.9Y %i %n' . ./*;;
  f) stat -f '%Fm %i %N' . ./*;;
  *) ls -in . ./*;;
  esac
}
changed() {
  x=$(look $1 | head -n 1)
  [ "$x" != same ] && say $x
}
# Whether inotifywait is there, and the system knows of all that happens on that disk.
is_told() {
  command -v inotifywait >/dev/null || return
  case $(stat -f -c %T .) in
  ext*|btrfs|xfs|zfs|f2fs|bcachefs|jfs|reiserfs|tmpfs|ramfs|overlay*) ;;
  *) return 1;;
  esac
}
# Whether the main shell is still there. A signal of its that comes at once after the fork is lost.
is_wanted() { kill -0 $$; }
# In a process of its own, which becomes it.
events() {
  exec inotifywait -qq -r -t $1 --exclude '/\.[^/]*$' \
    -e create,close_write,moved_to,moved_from,delete,delete_self,move_self,unmount .
}
wait_for_event() {
  events $1 & c=$!
  # By the end of this second it watches all folders. What came before is found by looking, and
  # what comes meanwhile ends the second.
  (events 1)
  is_wanted || { kill $c; exit; }
  if changed $2; then kill $c; return 0; fi
  wait $c
  x=$? c=
  case $x in
  0|2) changed $2 || say same;;
  *) return 1;;
  esac
}
wait_for_change() {
  c=
  trap '[ -z "$c" ] || kill $c; exit' HUP INT TERM
  at || { say no $w; return; }
  sleep 0 || { say no sleep; return; }
  y=$(folders)
  changed $2 && return
  is_told && wait_for_event $1 $2 && return
  c= n=$1
  while [ $n -gt 0 ]; do
    sleep 1
    n=$((n-1))
    is_wanted || exit
    x=$(folders)
    [ "$x" = "$y" ] || { y=$x; changed $2 && return; }
  done
  changed $2 || say same
}
trap '[ -z "$v" ] || kill $v' 0
trap 'exit 1' HUP INT PIPE TERM
"""
