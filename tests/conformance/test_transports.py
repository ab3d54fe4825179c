"""What every transport must do, over the real thing."""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Iterator

import pytest

from claude_sync.errors import (
    BundleUnsafe,
    FileArrived,
    FileGone,
    SessionChanging,
    Stopped,
    StoreOffline,
)
from claude_sync.transports.base import MARKER_NAME, Block, Get, Predecessor, Put, Range, Transport
from conformance.storages import (
    MARKER,
    FileStorage,
    Storage,
    entry_of,
    put_of,
    read_one,
    whole,
    write_all,
)

MIB = 1 << 20


# --- setting up --------------------------------------------------------------------------------


def test_it_is_a_transport(store: Transport) -> None:
    assert isinstance(store, Transport)
    assert store.location
    assert store.label


def test_before_create_a_storage_is_offline_for_everything_else(
    storage: Storage,
) -> None:
    transport = storage.open()
    for work in (
        lambda: transport.list_files(),
        lambda: list(transport.ends(["p/a"], 10, 10)),
        lambda: [list(got.blocks) for got in transport.read([whole("p/a")])],
        lambda: list(transport.write([put_of("p/a", b"x")])),
        lambda: list(transport.write([put_of(MARKER_NAME, MARKER)])),
        lambda: transport.remove(["p/a"]),
        lambda: transport.digests([whole("p/a")]),
    ):
        with pytest.raises(StoreOffline) as caught:
            work()
        assert caught.value.passing
    transport.close()


def test_creating_twice_is_fine_and_creates_no_marker(storage: Storage) -> None:
    transport = storage.open()
    transport.create()
    transport.create()
    listing = transport.list_files()
    assert listing.marker is None
    assert listing.entries == ()
    transport.close()


def test_a_look_brings_the_marker_and_what_is_there(store: Transport, storage: Storage) -> None:
    write_all(store, put_of("b/2.ccsync", b"two"), put_of("a/1.ccsync", b"one!"))
    listing = store.list_files()
    assert listing.marker == MARKER
    assert [entry.name for entry in listing.entries] == ["a/1.ccsync", "b/2.ccsync"]
    for entry in listing.entries:
        assert entry.stamp.size == storage.size_of(entry.name)
    assert not any(entry.placeholder for entry in listing.entries)


def test_a_look_at_what_is_known_returns_the_known(store: Transport) -> None:
    write_all(store, put_of("a/1.ccsync", b"one"))
    first = store.list_files()
    assert store.list_files(first) is first
    write_all(store, put_of("a/1.ccsync", b"changed"))
    second = store.list_files(first)
    assert second is not first
    assert store.list_files(second) is second


def test_a_look_sees_what_others_did_since(store: Transport, storage: Storage) -> None:
    known = store.list_files()
    storage.plant("a/1.ccsync", b"one")
    known = store.list_files(known)
    assert [entry.name for entry in known.entries] == ["a/1.ccsync"]
    store.remove(["a/1.ccsync"])
    assert store.list_files(known).entries == ()


def test_a_look_can_be_asked_for_before_its_answer_is_needed(store: Transport) -> None:
    write_all(store, put_of("a/1.ccsync", b"one"))
    with store.start_listing() as answer:
        known = answer()
        # Answered, it is in nothing's way.
        write_all(store, put_of("a/2.ccsync", b"two"))
    assert [entry.name for entry in known.entries] == ["a/1.ccsync"]
    with store.start_listing(known) as answer:
        now = answer()
    assert [entry.name for entry in now.entries] == ["a/1.ccsync", "a/2.ccsync"]
    with store.start_listing(now) as answer:
        assert answer() is now


def test_an_answer_that_nobody_waits_for_is_no_later_one(store: Transport) -> None:
    with store.start_listing():
        pass
    with pytest.raises(ZeroDivisionError), store.start_listing():
        raise ZeroDivisionError
    write_all(store, put_of("a/1.ccsync", b"one"))
    assert [entry.name for entry in store.list_files().entries] == ["a/1.ccsync"]
    assert read_one(store, whole("a/1.ccsync")) == b"one"


def test_a_changed_marker_is_a_changed_listing(store: Transport, storage: Storage) -> None:
    known = store.list_files()
    storage.plant(MARKER_NAME, b"another one")
    assert store.list_files(known).marker == b"another one"


def test_only_the_first_kib_of_a_marker_is_read(store: Transport, storage: Storage) -> None:
    storage.plant(MARKER_NAME, b"m" * 5000)
    assert store.list_files().marker == b"m" * 1024


def test_dot_files_files_at_the_root_and_deeper_ones_are_not_listed(
    store: Transport, storage: Storage
) -> None:
    for name in (".hidden/a", "p/.hidden", "p/.ccsync-0123.tmp", "p/.DS_Store", "stray"):
        storage.plant(name, b"x")
    storage.plant("p/seen", b"x")
    assert [entry.name for entry in store.list_files().entries] == ["p/seen"]


# --- reading -----------------------------------------------------------------------------------


def test_both_ends_come_in_order_whatever_was_asked(store: Transport) -> None:
    data = bytes(range(256)) * 40
    write_all(store, put_of("p/long", data), put_of("p/short", b"abc"), put_of("p/empty", b""))
    ends = list(store.ends(["p/short", "p/gone", "p/long", "p/empty"], 100, 50))
    assert [end.name for end in ends] == ["p/short", "p/gone", "p/long", "p/empty"]
    short, gone, long, empty = ends
    assert (short.head, short.tail, short.error) == (b"abc", b"", None)
    assert isinstance(gone.error, FileGone)
    assert (long.head, long.tail, long.error) == (data[:100], data[-50:], None)
    assert long.stamp == entry_of(store, "p/long").stamp
    assert (empty.head, empty.tail, empty.error) == (b"", b"", None)


@pytest.mark.parametrize("size", [0, 1, 14, 15, 16, 100])
def test_ends_that_meet_are_one_whole_file(store: Transport, size: int) -> None:
    data = bytes(range(size))
    write_all(store, put_of("p/a", data))
    (end,) = store.ends(["p/a"], 10, 5)
    assert (end.head, end.tail) == ((data, b"") if size <= 15 else (data[:10], data[-5:]))


def test_ranges_are_read_one_after_the_other_in_any_order(store: Transport) -> None:
    data = bytes(range(256)) * 10
    write_all(store, put_of("p/a", data))
    ranges = [Range(2000, 100), Range(0, 3), Range(5, 0), Range(2500, -1)]
    assert read_one(store, Get("p/a", ranges)) == data[2000:2100] + data[:3] + data[2500:]


def test_a_range_beyond_the_end_brings_what_there_is(store: Transport) -> None:
    write_all(store, put_of("p/a", b"0123456789"))
    get = Get("p/a", [Range(8, 100), Range(50, 3), Range(60, -1)])
    assert read_one(store, get) == b"89"


def test_many_files_are_read_in_their_order_though_some_are_gone_or_left_half_read(
    store: Transport,
) -> None:
    data = {f"p/{number}": f"{number}:".encode() * 70_000 for number in range(20)}
    write_all(store, *(put_of(name, value) for name, value in data.items()))
    gets: list[Get] = []
    for name in data:
        gets += [whole(name), whole("p/gone")]
    seen = []
    for number, got in enumerate(store.read(iter(gets))):
        if got.name == "p/gone":
            with pytest.raises(FileGone):
                list(got.blocks)
        elif number % 4 == 0:
            assert next(got.blocks)[:2] == data[got.name][:2]
        else:
            assert b"".join(got.blocks) == data[got.name]
        seen.append(got.name)
    assert seen == [get.name for get in gets]
    assert store.list_files().marker == MARKER


def test_reading_may_be_left_early_and_the_transport_goes_on(store: Transport) -> None:
    write_all(store, *(put_of(f"p/{number}", b"x" * MIB) for number in range(5)))
    for got in store.read([whole(f"p/{number}") for number in range(5)]):
        next(got.blocks)
        break
    assert read_one(store, whole("p/4")) == b"x" * MIB


def test_reading_nothing_is_fine(store: Transport) -> None:
    assert list(store.read([])) == []
    assert list(store.ends([], 1, 1)) == []
    assert store.digests([]) == []
    assert list(store.write([])) == []
    store.remove([])


def test_a_file_that_changed_since_it_was_listed_is_not_read(
    store: Transport, storage: Storage
) -> None:
    write_all(store, put_of("p/a", b"old"))
    stamp = entry_of(store, "p/a").stamp
    assert read_one(store, whole("p/a", stamp)) == b"old"
    storage.plant("p/a", b"newer")
    with pytest.raises(FileGone):
        read_one(store, whole("p/a", stamp))
    assert read_one(store, whole("p/a")) == b"newer"


def test_digests_are_of_the_ranges_or_unknown(store: Transport, storage: Storage) -> None:
    data = b"0123456789" * 1000
    write_all(store, put_of("p/a", data), put_of("p/b", b"b"))
    stamp = entry_of(store, "p/a").stamp
    answers = store.digests(
        [
            whole("p/a", stamp),
            Get("p/a", [Range(0, 5), Range(9000, 10)]),
            Get("p/a", [Range(0, 20_000)]),
            whole("p/gone"),
            whole("p/b", stamp),
            whole("p/b"),
        ]
    )
    wanted = [data, data[:5] + data[9000:9010], None, None, None, b"b"]
    digests = [None if x is None else hashlib.sha256(x).hexdigest() for x in wanted]
    assert answers == (digests if storage.hashes else [None] * 6)


# --- writing -----------------------------------------------------------------------------------


@pytest.mark.parametrize("size", [0, 1, 4095, MIB, 3 * MIB + 17])
def test_what_was_written_is_read_byte_for_byte(store: Transport, size: int) -> None:
    data = (bytes(range(256)) * (size // 256 + 1))[:size]
    (written,) = write_all(
        store, put_of("p/a", *(data[at : at + MIB] for at in range(0, size, MIB)))
    )
    assert written.stamp == entry_of(store, "p/a").stamp
    assert written.sent >= 0
    assert read_one(store, whole("p/a", written.stamp)) == data


def test_a_put_replaces_and_its_stamp_differs(store: Transport) -> None:
    (first,) = write_all(store, put_of("p/a", b"one"))
    (second,) = write_all(store, put_of("p/a", b"two"))
    assert first.stamp != second.stamp
    assert read_one(store, whole("p/a", second.stamp)) == b"two"


def test_many_puts_are_pulled_lazily_and_answered_in_order(store: Transport) -> None:
    taken = 0
    ahead = []

    def puts() -> Iterator[Put]:
        nonlocal taken
        for number in range(450):
            taken += 1
            yield put_of(f"p{number % 3}/{number}", b"%d" % number)

    for count, written in enumerate(store.write(puts())):
        assert written.error is None
        assert written.name == f"p{count % 3}/{count}"
        ahead.append(taken - count)
    assert max(ahead) < 450
    assert len(store.list_files().entries) == 450


def test_a_put_whose_bytes_fail_costs_only_itself(store: Transport, storage: Storage) -> None:
    def failing() -> Iterator[Block]:
        yield Block(b"x" * 2 * MIB)
        raise SessionChanging("it is being rewritten")

    storage.plant("p/b", b"as it was")
    answers = list(store.write([put_of("p/a", b"a"), Put("p/b", failing), put_of("p/c", b"c")]))
    assert [type(answer.error) for answer in answers] == [type(None), SessionChanging, type(None)]
    assert answers[1].stamp is None
    assert storage.bytes_of("p/b") == b"as it was"
    assert [entry.name for entry in store.list_files().entries] == ["p/a", "p/b", "p/c"]


def test_writing_may_be_left_early(store: Transport, storage: Storage) -> None:
    answers = store.write([put_of("p/a", b"a"), put_of("p/b", b"b" * 3 * MIB)])
    next(answers)
    answers.close()  # type: ignore[attr-defined]
    assert storage.bytes_of("p/a") == b"a"
    assert storage.bytes_of("p/b") in (None, b"b" * 3 * MIB)
    write_all(store, put_of("p/c", b"c"))


UNUSABLE = [
    "",
    "/",
    "p/",
    "/a",
    "../a",
    "p/../a",
    "..",
    "p/..",
    "p/q/a",
    "p/.hidden",
    ".hidden/a",
    "p/new\nline",
    "p/nul\0",
    "p/\x1b[31m",
    "p/\udcff",
    "p/.ccsync-store",
]


def test_names_that_could_lead_elsewhere_are_refused(store: Transport) -> None:
    good, *others = store.write([put_of("p/good", b"g"), *(put_of(n, b"x") for n in UNUSABLE)])
    assert good.error is None
    for name, written, end in zip(UNUSABLE, others, store.ends(UNUSABLE, 1, 1), strict=True):
        assert isinstance(written.error, BundleUnsafe), name
        assert isinstance(end.error, FileGone), name
        with pytest.raises(BundleUnsafe):
            store.remove([name])
    for got in store.read([whole(name) for name in UNUSABLE]):
        with pytest.raises(FileGone):
            list(got.blocks)
    assert store.digests([whole(name) for name in UNUSABLE]) == [None] * len(UNUSABLE)
    assert [entry.name for entry in store.list_files().entries] == ["p/good"]


USABLE = [
    "with space/a b.ccsync",
    "-n/-rf",
    "--/--help",
    "$(touch x)/`id`.ccsync",
    "'quote'/\"double\".ccsync",
    "back\\slash/a\\nb",
    "*/?[a-z]",
    "%s%n/%d",
    "~/~root",
    "ünï/日本語 😀.ccsync",
    "e\u0301/\u00e9",
    "#/!$&;|<>(){}",
    "p/a (conflicted copy 2026-11-22).ccsync",
    "p/trailing ",
    " /leading",
]


def test_any_other_name_works(store: Transport, storage: Storage) -> None:
    usable = [*USABLE, "git+github.com+you+app/" + "x" * storage.longest]
    answers = write_all(store, *(put_of(name, name.encode()) for name in usable))
    listed = {entry.name: entry for entry in store.list_files().entries}
    assert {answer.name: answer.stamp for answer in answers} == {
        name: entry.stamp for name, entry in listed.items()
    }
    gets = [whole(name, listed[name].stamp) for name in usable]
    for got, name in zip(store.read(gets), usable, strict=True):
        assert b"".join(got.blocks) == name.encode()
    for end, name in zip(store.ends(usable, 2, 2), usable, strict=True):
        assert (end.error, end.stamp) == (None, listed[name].stamp)
    digests = [hashlib.sha256(name.encode()).hexdigest() for name in usable]
    assert store.digests(gets) == (digests if storage.hashes else [None] * len(usable))

    def changed(name: str) -> Put:
        blocks = [Block(name.encode(), 0), Block(b", again")]
        return Put(name, lambda: iter(blocks), listed[name])

    write_all(store, *map(changed, usable))
    for name in usable:
        assert storage.bytes_of(name) == name.encode() + b", again"
    store.remove(usable)
    assert store.list_files().entries == ()


def test_a_marker_that_went_missing_stops_writing_but_not_the_marker_itself(
    store: Transport, storage: Storage
) -> None:
    store.list_files()
    store.remove([MARKER_NAME])
    with pytest.raises(StoreOffline):
        list(store.write([put_of("p/a", b"a")]))
    assert storage.bytes_of("p/a") is None
    write_all(store, put_of(MARKER_NAME, MARKER))
    write_all(store, put_of("p/a", b"a"))


# --- removing, vanishing, stopping --------------------------------------------------------------


def test_removing_removes_what_is_there_and_minds_nothing_else(
    store: Transport, storage: Storage
) -> None:
    write_all(store, put_of("p/a", b"a"), put_of("p/b", b"b"), put_of("q/c", b"c"))
    store.remove(["p/a", "p/never", "nowhere/x", "q/c"])
    assert [entry.name for entry in store.list_files().entries] == ["p/b"]
    write_all(store, put_of("q/c", b"again"))
    assert storage.bytes_of("q/c") == b"again"


def test_a_storage_that_vanishes_is_offline_and_not_made_again(
    store: Transport, storage: Storage
) -> None:
    write_all(store, put_of("p/a", b"a"))
    storage.vanish()
    with pytest.raises(StoreOffline):
        store.list_files()
    with pytest.raises(StoreOffline):
        list(store.write([put_of("p/a", b"a"), put_of("p/b", b"b")]))
    with pytest.raises(StoreOffline):
        store.remove(["p/a"])
    with pytest.raises(StoreOffline):
        list(store.read([whole("p/a")]))
    with pytest.raises(StoreOffline):
        list(store.ends(["p/a"], 1, 1))


def test_a_storage_that_vanishes_while_it_is_written_is_offline(
    store: Transport, storage: Storage
) -> None:
    def blocks() -> Iterator[Block]:
        yield Block(b"x" * MIB)
        storage.vanish()
        yield Block(b"x" * MIB)

    with pytest.raises(StoreOffline):
        list(store.write([Put("p/a", blocks)]))


def test_an_interrupt_stops_the_write_under_way_and_everything_after(
    store: Transport, storage: Storage
) -> None:
    def blocks() -> Iterator[Block]:
        yield Block(b"x" * MIB)
        thread = threading.Thread(target=store.interrupt, name="interrupter")
        thread.start()
        thread.join()
        for _ in range(100):
            yield Block(b"x" * MIB)

    with pytest.raises(Stopped) as caught:
        list(store.write([Put("p/a", blocks)]))
    assert caught.value.passing
    assert storage.bytes_of("p/a") is None
    for work in (
        lambda: store.list_files(),
        lambda: list(store.ends(["p/a"], 1, 1)),
        lambda: list(store.write([put_of("p/a", b"a")])),
        lambda: list(store.read([whole("p/a")])),
        lambda: store.remove(["p/a"]),
        lambda: store.digests([whole("p/a")]),
        lambda: store.create(),
    ):
        with pytest.raises(Stopped):
            work()
    again = storage.open()
    assert again.list_files().entries == ()
    again.close()


def test_an_interrupt_stops_the_read_under_way(store: Transport) -> None:
    write_all(store, put_of("p/a", b"x" * 8 * MIB))
    (got,) = [got for got in store.read([whole("p/a")]) for _ in [next(got.blocks)]]
    store.interrupt()
    with pytest.raises(Stopped):
        list(got.blocks)


def test_a_stream_that_was_left_is_not_taken_for_a_whole_one(store: Transport) -> None:
    data = b"x" * 3 * MIB
    write_all(store, put_of("p/a", data), put_of("p/b", data))
    left, _ = list(store.read([whole("p/a"), whole("p/b")]))
    try:
        found = b"".join(left.blocks)
    except FileGone:
        found = data
    assert found == data


def test_stopping_in_the_middle_of_the_bytes_stops_the_whole_write(
    store: Transport, storage: Storage
) -> None:
    def blocks() -> Iterator[Block]:
        yield Block(b"x")
        raise Stopped("enough")

    with pytest.raises(Stopped):
        list(store.write([Put("p/a", blocks), put_of("p/b", b"b")]))
    assert storage.bytes_of("p/a") is None
    write_all(store, put_of("p/c", b"c"))


def test_two_transports_over_one_storage_see_each_other(store: Transport, storage: Storage) -> None:
    other = storage.open()
    known = other.list_files()
    write_all(store, put_of("p/a", b"from one"))
    assert [entry.name for entry in other.list_files(known).entries] == ["p/a"]
    write_all(other, put_of("p/a", b"from the other"))
    assert read_one(store, whole("p/a")) == b"from the other"
    other.close()


def test_closing_twice_is_fine(storage: Storage) -> None:
    transport = storage.open()
    transport.create()
    transport.list_files()
    transport.close()
    transport.close()


# --- what may be replaced ----------------------------------------------------------------------


def test_what_was_listed_is_replaced(store: Transport, storage: Storage) -> None:
    write_all(store, put_of("p/a", b"old"))
    listed = Predecessor(entry_of(store, "p/a").stamp)
    write_all(store, put_of("p/a", b"new")._replace(predecessor=listed))
    assert storage.bytes_of("p/a") == b"new"


@pytest.mark.parametrize("listed", [True, False])
def test_what_arrived_since_the_listing_is_not_replaced(
    store: Transport, storage: Storage, listed: bool
) -> None:
    write_all(store, put_of("p/other", b"x"))
    expected = None
    if listed:
        write_all(store, put_of("p/a", b"old"))
        expected = entry_of(store, "p/a").stamp

    storage.plant("p/a", b"a newer bundle that a mirror brought")
    put = put_of("p/a", b"first half, ", b"second half")._replace(predecessor=Predecessor(expected))
    refused, fine = store.write([put, put_of("p/b", b"b")])
    assert isinstance(refused.error, FileArrived)
    assert refused.error.passing
    assert fine.error is None
    assert storage.bytes_of("p/a") == b"a newer bundle that a mirror brought"
    assert storage.bytes_of("p/b") == b"b"


def test_where_nothing_lies_any_more_what_was_listed_does_not_matter(
    store: Transport, storage: Storage
) -> None:
    write_all(store, put_of("p/a", b"old"))
    listed = Predecessor(entry_of(store, "p/a").stamp)
    store.remove(["p/a"])
    write_all(store, put_of("p/a", b"new")._replace(predecessor=listed))
    assert storage.bytes_of("p/a") == b"new"
    write_all(store, put_of("p/b", b"b")._replace(predecessor=Predecessor(None)))
    assert storage.bytes_of("p/b") == b"b"


def test_what_arrives_while_the_bytes_are_on_their_way_is_not_replaced(
    file_store: Transport, file_storage: FileStorage
) -> None:
    def blocks() -> Iterator[Block]:
        yield Block(b"first half, ")
        file_storage.plant("p/a", b"a newer bundle that a mirror brought")
        yield Block(b"second half")

    write_all(file_store, put_of("p/other", b"x"))
    (refused,) = file_store.write([Put("p/a", blocks, predecessor=Predecessor(None))])
    assert isinstance(refused.error, FileArrived)
    assert file_storage.bytes_of("p/a") == b"a newer bundle that a mirror brought"
