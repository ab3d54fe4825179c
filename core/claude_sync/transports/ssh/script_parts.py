"""The larger parts of the script on the host; each is sent when a session first needs it.

Names of variables are those of `ssh_script`. Besides: h how to hash, descriptor 4 the lines that
go with a list.
"""

from __future__ import annotations

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

find_plain() { if plain; then a="$a ./\"\$N$i\"" x=+; else x=-; fi; }
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
  [ $x = - ] || { read -r z y <&4; z=${z:-0}; total=$((total + (z<H?z:H) + (z<Q?z:Q))); }
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
  eval "set -- \$Z$i \$H$i \$U$i"
  if [ $h = none ]; then
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
place() {
  [ -z "$x" ] || return
  eval "y=\$T$i"
  if ! at; then x=$w
  elif [ $m = 1 ] && [ "$n" != .ccsync-store ] && [ ! -e .ccsync-store ]; then x=marker
  elif [ -d "$f" ]; then x='Is a directory'
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
