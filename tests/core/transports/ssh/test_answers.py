"""What a host says is hostile until it was checked; what ssh says is looked at, never passed on."""

from __future__ import annotations

import pytest

from claude_sync.errors import StoreDenied, StoreFull, StoreOffline, TransportError
from claude_sync.model import Stamp
from claude_sync.transports.base import Entry
from claude_sync.transports.location import HostLocation, parse_location
from claude_sync.transports.ssh.answers import listing_from, stamp_from, usable_digest
from claude_sync.transports.ssh.errors import cant_make, file_refused, nonsense, not_connected

GOOD = b"12 1763822400.123456789 77 ./p/a b.ccsync"


def names(*lines: bytes) -> list[str]:
    listing = listing_from("ab-1", [b"m-", *lines])
    assert listing is not None
    return [entry.name for entry in listing.entries]


def test_a_listing_is_read_with_its_marker_and_sorted() -> None:
    listing = listing_from("0af-12-", [b"m7b7d", b"3 1 2 ./q/x", GOOD])
    assert listing is not None
    assert listing.marker == b"{}"
    assert listing.digest == "0af-12-"
    assert listing.entries == (
        Entry("p/a b.ccsync", Stamp(12, 1763822400123456789, 77)),
        Entry("q/x", Stamp(3, 10**9, 2)),
    )


@pytest.mark.parametrize(
    "line",
    [
        b"",
        b"12",
        b"12 1 77",
        b"12 1 77 p/a",
        b"12 1 77 ./a",
        b"12 1 77 ./p/",
        b"12 1 77 .//a",
        b"12 1 77 ./../a",
        b"12 1 77 ./p/..",
        b"12 1 77 ./p/q/a",
        b"12 1 77 ./p/.hidden",
        b"12 1 77 ./.hidden/a",
        b"12 1 77 ./p/a\x1b[31m",
        b"12 1 77 ./p/\xff",
        b"-1 1 77 ./p/a",
        b"1e3 1 77 ./p/a",
        b"12 1 x ./p/a",
        b"\xd9\xa3 1 77 ./p/a",
    ],
)
def test_a_line_that_can_not_be_one_is_left_out(line: bytes) -> None:
    assert names(line, GOOD) == ["p/a b.ccsync"]


@pytest.mark.parametrize("marker", [b"", b"x", b"m7", b"m7g", b"M-"])
def test_a_marker_that_is_none_is_none(marker: bytes) -> None:
    listing = listing_from("", [marker, GOOD])
    assert listing is not None
    assert listing.marker is None


def test_no_line_at_all_is_no_listing() -> None:
    assert listing_from("ab-1", []) is None


def test_numbers_never_outgrow_what_keeps_them() -> None:
    stamp = stamp_from(b"99999999999999999999999 1 99999999999999999999999")
    assert stamp is not None
    assert max(stamp) < 1 << 63


def test_times_that_only_ls_tells_differ_where_their_texts_do() -> None:
    first, second = stamp_from(b"1 Nov_22_10:00 7"), stamp_from(b"1 Nov_22_10:01 7")
    assert first != second


@pytest.mark.parametrize("text", ["", "ab", "AB-1", "ab-1; rm -rf /", "a" * 200 + "-1", "ab-1\n"])
def test_what_is_no_digest_is_never_sent_back(text: str) -> None:
    assert usable_digest(text) == ""


def test_a_placeholder_gives_way_to_the_file_it_stands_for() -> None:
    listing = listing_from(
        "", [b"m-", b"5 1 2 ./p/.a.icloud", b"5 1 3 ./p/.b.icloud", b"9 1 4 ./p/a"]
    )
    assert listing is not None
    assert [(entry.name, entry.placeholder) for entry in listing.entries] == [
        ("p/a", False),
        ("p/b", True),
    ]


# --- what ssh says -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("said", "kind", "words"),
    [
        ("ssh: Could not resolve hostname nas: No such host is known. ", StoreOffline, "nowhere"),
        ("ssh: connect to host nas port 22: Connection refused", StoreOffline, "refuses"),
        ("ssh: connect to host nas port 22: Connection timed out", StoreOffline, "doesn't answer"),
        ("ssh: connect to host nas port 22: No route to host", StoreOffline, "doesn't answer"),
        ("ssh: connect to host nas port 22: Network is unreachable", StoreOffline, "answer"),
        ("me@nas: Permission denied (publickey,password).", StoreOffline, "keys"),
        ("Received disconnect: 2: Too many authentication failures", StoreOffline, "keys"),
        ("Host key verification failed.", StoreDenied, "isn't known"),
        (
            "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\nHost key verification failed.",
            StoreDenied,
            "isn't the one known",
        ),
        ("/etc/ssh/c: line 3: Bad configuration option: x", StoreDenied, "configuration"),
        ("Can't open user config file /x: No such file or directory", StoreDenied, "configuration"),
        ("Bad owner or permissions on C:\\\\Users\\\\me/.ssh/config", StoreDenied, "configuration"),
        ("Unable to negotiate with 10.0.0.1 port 22: no matching", StoreDenied, "common"),
        ("something that nobody has seen yet", StoreOffline, "can't connect"),
        ("", StoreOffline, "can't connect"),
    ],
)
def test_what_ssh_says_is_understood_and_not_repeated(
    said: str, kind: type[TransportError], words: str
) -> None:
    error = not_connected(said, 255, HostLocation("nas", "/srv"))
    assert isinstance(error, kind)
    assert error.passing is (kind is StoreOffline)
    assert words in str(error)
    assert error.todo
    assert not said or said not in str(error)


@pytest.mark.parametrize(
    ("host", "known_as", "todo"),
    [
        ("nas.local", "nas.local", "`ssh-keygen -R nas.local` and"),
        ("NAS.local", "[nas.local]:2222", '`ssh-keygen -R "[nas.local]:2222"` and'),
        ("fe80::1%eth0", "[fe80::1%eth0]:22", '`ssh-keygen -R "[fe80::1%eth0]:22"` and'),
        ("nas.local", "another.example", "known_hosts"),
        ("nas.local", "[another.example]:22", "known_hosts"),
        ("nas", "nas.local", "known_hosts"),
        ("-f", "-f", "known_hosts"),
        ("$(id)", "$(id)", "known_hosts"),
        ("a\033b", "a\033b", "known_hosts"),
    ],
)
def test_a_key_that_changed_is_forgotten_by_the_name_that_ssh_knows_it_by(
    host: str, known_as: str, todo: str
) -> None:
    said = (
        "WARNING: REMOTE HOST IDENTIFICATION HAS CHANGED!\r\n"
        f"Host key for {known_as} has changed and you have requested strict checking.\r\n"
    )
    error = not_connected(said, 255, HostLocation(host, "/srv"))
    assert todo in error.todo
    assert (known_as in error.todo) is ("ssh-keygen" in todo)


@pytest.mark.parametrize("status", [0, 1, 126, 127])
def test_a_status_of_the_hosts_own_is_about_its_shell_whatever_it_said(status: int) -> None:
    error = not_connected(
        "bash: line 1: Permission denied (x)", status, HostLocation("nas", "/srv")
    )
    assert isinstance(error, StoreDenied)
    assert "/bin/sh" in str(error)


@pytest.mark.parametrize(
    ("said", "kind"),
    [
        ("dd: error writing 'standard output': No space left on device", StoreFull),
        ("cat: write error: Disk quota exceeded", StoreFull),
        ("dd: File too large", StoreFull),
        ("sh: can't create ./p/x: Read-only file system", StoreDenied),
        ("mkdir: cannot create directory './q': Permission denied", StoreDenied),
        ("sync: error: Input/output error", StoreOffline),
        ("mv: Stale file handle", StoreOffline),
        ("whatever else", StoreDenied),
    ],
)
def test_what_the_host_says_of_a_file_is_understood_and_not_repeated(
    said: str, kind: type[TransportError]
) -> None:
    error = file_refused(said, "nas:/srv/p/x")
    assert type(error) is kind
    assert said not in str(error)
    assert error.todo


@pytest.mark.parametrize(
    ("location", "login"),
    [
        ("nas:sessions", "ssh nas"),
        ("me@nas:sessions", "ssh me@nas"),
        ("ssh://nas.local:2222/srv/sessions", "ssh -p 2222 nas.local"),
        ("ssh://me@[fe80::1]:22/srv/sessions", "ssh -p 22 me@fe80::1"),
        ("ssh://WORK\\me@nas/sessions", "ssh 'WORK\\me@nas'"),
    ],
)
def test_the_login_that_is_advised_is_the_one_that_leads_to_the_store(
    location: str, login: str
) -> None:
    parsed = parse_location(location)
    assert isinstance(parsed, HostLocation)
    error = not_connected("Host key verification failed.\r\n", 255, parsed)
    assert error.todo == f"log in once with `{login}` and confirm it"
    assert f"`{login}`" in nonsense(parsed).todo


def test_a_folder_that_nobody_can_make_is_no_passing_trouble() -> None:
    error = cant_make(
        "mkdir: cannot create directory '/proc/x': No such file or directory", "nas:x"
    )
    assert isinstance(error, StoreDenied)
    assert not error.passing
    assert "can't be made on the host" in str(error)
