"""What was said is found wherever it lies, and is gone from the index when it is gone."""

from __future__ import annotations

import itertools
import json
import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Barrier, Event
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from capabilities import MODES
from claude_sync.claude.turns import MAX_LINE_BYTES, read_turn
from claude_sync.errors import SearchError, Stopped
from claude_sync.model import IndexProgress
from claude_sync.search import passages as passages_room
from claude_sync.search.filling import Filling, index_path
from claude_sync.search.index import Index, remove_indexes
from claude_sync.search.reading import look_without_waiting, read_session
from claude_sync.search.searching import SearchHit, search_sessions, update_index
from claude_sync.search.sources import new_lines, sources_of
from claude_sync.search.turn_counts import turn_counts
from claude_sync.state import preferences
from claude_sync.sync.read_only import open_read_only
from claude_sync.sync.store_key import KeyChoice
from faults.disks import read_only_disk
from machines import KEY, OTHER, SESSION, Pair, PlayedMachine, World, bookkeeping, said
from randomness import examples

OPERATORS = ['"', "*", "^", "(", ")", ":", "-", "+", "{", "}", "NEAR", "AND", "OR", "NOT", "said:"]
PASSPHRASE = "correct horse battery staple"


def answer(text: str, *more: dict[str, Any]) -> bytes:
    content = [{"type": "text", "text": text}, *more]
    return json.dumps({"type": "assistant", "message": {"content": content}}).encode() + b"\n"


def found(at: PlayedMachine, text: str, **more: Any) -> list[SearchHit]:
    """What is found once everything is in the index, by a context that changes nothing else."""
    with at.here(), open_read_only(at.paths) as context:
        assert update_index(context).complete
        return list(search_sessions(context, text, **more).hits)


def ids(at: PlayedMachine, text: str, **more: Any) -> set[str]:
    return {hit.session_id for hit in found(at, text, **more)}


@contextmanager
def index_of(machine: PlayedMachine) -> Iterator[Index]:
    with machine.at_work() as context, closing(Index(index_path(context))) as index:
        yield index


def passages(machine: PlayedMachine) -> int:
    with index_of(machine) as index:
        return sum(len(index.places(one.no)) for one in index.sessions().values())


def written(machine: PlayedMachine) -> bytes:
    """Every byte of the index."""
    with machine.at_work() as context:
        path = index_path(context)
    return b"".join(one.read_bytes() for one in sorted(path.parent.glob(f"{path.name}*")))


def talk_in(world: World) -> Pair:
    """Two machines, of which one had a talk that the other never had."""
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(
        SESSION,
        said("Why does the Größe of the login cookie differ?", timestamp="2026-01-31T18:00:00Z"),
        bookkeeping(),
        answer("It is the cookie_name: see\n\tline 3 of <b>login</b>."),
        said("Please mend it", timestamp="2026-01-31T18:05:00Z"),
        answer("Done: the café is closed.", {"type": "tool_use", "name": "Bash", "input": {}}),
    )
    laptop.write(OTHER, said("Nothing about that"))
    laptop.push()
    return laptop, desktop


@pytest.fixture
def talk(world: World) -> Pair:
    """The same over a plain store."""
    return talk_in(world)


@pytest.fixture(params=[None, KeyChoice(True, PASSPHRASE)], ids=["plain", "encrypted"])
def either_talk(request: pytest.FixtureRequest, tmp_path: Path) -> Pair:
    """The same over a plain store, and over an encrypted one."""
    return talk_in(World(tmp_path, key=request.param))


ASKED: tuple[tuple[str, str | None], ...] = (
    ("login", SESSION),
    ("LOGIN cookie", SESSION),
    ("grosse differ", None),
    ("größe", SESSION),
    ("Grö", SESSION),
    ("cafe", SESSION),
    ("cook", SESSION),
    ("cook differ", None),
    ('"login cookie" differ', SESSION),
    ('"cookie login"', None),
    ('"cookie', SESSION),
    ("cookie-name", SESSION),
    ("nothing", OTHER),
    ("bash", None),
    ("cost", None),
    ("", None),
    ('"', None),
    ("*", None),
)


def test_what_was_said_is_found_here_and_elsewhere(either_talk: Pair) -> None:
    for machine in either_talk:
        with machine.at_work() as context:
            assert update_index(context).complete
            for text, session in ASKED:
                hits = search_sessions(context, text).hits
                assert [hit.session_id for hit in hits] == ([session] if session else []), text


def test_a_hit_tells_where_and_shows_the_line_with_the_words_marked(talk: Pair) -> None:
    for machine in talk:
        (hit,) = found(machine, "login line")
        assert hit.title == "Why does the Größe of the login cookie differ?"
        assert (hit.project_key, hit.speaker, hit.machines) == (KEY, "assistant", ("laptop",))
        assert hit.time == 1769882700
        assert hit.line.text == "It is the cookie_name: see line 3 of <b>login</b>."
        assert [text for text, marked in hit.line.pieces() if marked] == ["line", "login"]
        with machine.at_work() as context, read_session(context, hit.session_id) as reader:
            assert reader.page_after(hit.offset, 1).turns[0].text.startswith("It is the")
    assert ids(talk[1], "login", project="git:example.org/other") == set()
    assert ids(talk[1], "login", project=KEY, machine="LAPTOP") == {SESSION}
    assert ids(talk[1], "login", machine="desktop") == set()


def test_what_several_machines_have_is_kept_once(either_talk: Pair) -> None:
    laptop, desktop = talk = either_talk
    laptop.write(SESSION, *(said(f"long {number} {'x' * 2000}") for number in range(5)))
    laptop.push()
    for machine in talk:
        found(machine, "login")
    alone = passages(desktop)
    assert alone == passages(laptop)
    desktop.pull()
    desktop.write(SESSION, said("x" * 20), answer("only on the desktop"))
    desktop.push()
    assert [hit.machines for hit in found(laptop, "desktop")] == [("desktop", "laptop")]
    assert [hit.machines for hit in found(desktop, "desktop")] == [("desktop", "laptop")]
    assert passages(laptop) == passages(desktop) == alone + 1
    # Nothing tells a third one, which has neither, that the one begins like the other.
    tablet = laptop.world.machine("tablet")
    assert [hit.machines for hit in found(tablet, "login")] == [("desktop", "laptop")]
    assert passages(tablet) == alone + 1
    # It goes on on the other one, from what was pulled.
    laptop.pull()
    laptop.write(SESSION, said("and back on the laptop"))
    laptop.push()
    for machine in talk:
        assert len(found(machine, "back laptop")) == 1
        assert passages(machine) == alone + 2


def test_both_sides_of_a_conflict_are_found(pair: Pair) -> None:
    for machine in pair:
        machine.write(SESSION, said(f"on {machine.name}"))
        machine.push()
    for machine in pair:
        for name in ("laptop", "desktop"):
            assert ids(machine, f"on {name}") == {SESSION}


def test_only_what_is_new_is_read(talk: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    laptop, _ = talk
    for machine in talk:
        found(machine, "login")
    laptop.write(SESSION, said("one more thing"))
    laptop.push()
    read: list[bytes] = []

    def read_and_count(data: bytes, offset: int, end: int) -> object:
        read.append(data)
        return read_turn(data, offset, end)

    monkeypatch.setattr(passages_room, "read_turn", read_and_count)
    for machine in talk:
        with machine.at_work() as context:
            read.clear()
            assert update_index(context).complete
            assert [json.loads(line)["message"]["content"] for line in read] == ["one more thing"]


def test_words_of_a_session_that_is_gone_leave_the_file(talk: Pair) -> None:
    laptop, _ = talk
    for machine in talk:
        assert ids(machine, "login") == {SESSION}
        assert b"differ" in written(machine)
        assert b"cookie_name" not in written(machine)  # words only, but for titles
    laptop.path().unlink()
    assert ids(laptop, "differ") == {SESSION}  # the store has it
    laptop.forget()
    for machine in talk:
        assert ids(machine, "differ") == set()
        assert b"differ" not in written(machine)
        assert ids(machine, "nothing") == {OTHER}


def test_words_that_were_replaced_leave_the_file(talk: Pair) -> None:
    laptop, _ = talk
    found(laptop, "login")
    laptop.rewrite(SESSION, said("Something else"))
    assert ids(laptop, "something") == {SESSION}
    (hit,) = found(laptop, "differ")  # pushed it still lies in the store
    assert hit.line.text.startswith("Why does")
    laptop.world.bundles()[0].unlink()
    laptop.world.bundles()[0].unlink()
    assert ids(laptop, "differ") == set()
    assert b"differ" not in written(laptop)


def test_while_the_store_is_away_what_is_there_isnt_forgotten(talk: Pair) -> None:
    _, desktop = talk
    found(desktop, "login")
    desktop.world.store.rename(desktop.world.folder / "unplugged")
    (hit,) = found(desktop, "login cookie")
    assert (hit.session_id, hit.line.text) == (SESSION, "")
    (desktop.world.folder / "unplugged").rename(desktop.world.store)
    assert found(desktop, "login cookie")[0].line.text


def test_what_follows_a_line_that_is_too_long_to_be_read_is_shown_as_well(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.path().unlink()
    laptop.write(SESSION, said("x" * (MAX_LINE_BYTES + 1)), said("after that"))
    laptop.push()
    for machine in pair:
        assert [hit.line.text for hit in found(machine, "after")] == ["after that"]


def test_a_step_ends_when_it_has_to_and_keeps_what_it_did(world: World) -> None:
    laptop = world.machine("laptop")
    for number in range(1000):
        laptop.write(SESSION, said(f"number {number} " + "x " * 800))
    with (
        laptop.at_work() as context,
        closing(Filling(context, lambda: look_without_waiting(context))) as filling,
    ):
        filling.look()
        steps = 0
        while filling.has_work:
            asked = itertools.count()
            filling.step(lambda asked=asked: next(asked) > 0)  # type: ignore[misc]
            steps += 1
        assert steps >= 20
    assert len(found(laptop, "number 999")) == 1
    with index_of(laptop) as index:
        (session,) = index.sessions().values()
        assert session.turns == 1000
        places = index.places(session.no)
        assert len({place.start for place in places}) == len(places) == 1000


@pytest.mark.parametrize("how", ["garbage", "empty", "newer", "another program's", "cut", "pages"])
def test_an_index_that_cannot_be_used_is_made_anew(talk: Pair, how: str) -> None:
    laptop, _ = talk
    found(laptop, "login")
    with laptop.at_work() as context:
        path = index_path(context)
    whole = path.read_bytes()
    if how in ("newer", "another program's"):
        with closing(sqlite3.connect(path)) as db:
            db.execute("PRAGMA " + ("user_version=99" if how == "newer" else "application_id=7"))
            db.commit()
    elif how == "pages":
        path.write_bytes(whole[:4096] + b"\xa5" * (len(whole) - 4096))
    else:
        path.write_bytes({"garbage": b"x" * 5000, "empty": b"", "cut": whole[:-5000]}[how])
    try:
        hits = found(laptop, "login")
    except SearchError:
        hits = found(laptop, "login")  # it was found to be damaged on the way
    assert {hit.session_id for hit in hits} == {SESSION}
    assert not MODES or path.stat().st_mode & 0o077 == 0
    assert [one.name for one in path.parent.glob("search*") if one != path] == []


def test_one_that_another_process_writes_is_waited_for_and_then_left(talk: Pair) -> None:
    laptop, _ = talk
    found(laptop, "login")
    laptop.write(SESSION, said("more"))
    with laptop.at_work() as context, closing(sqlite3.connect(index_path(context))) as other:
        other.execute("BEGIN IMMEDIATE")
        with pytest.raises(SearchError, match="locked"):
            update_index(context)
        assert [hit.session_id for hit in search_sessions(context, "login").hits] == [SESSION]
        other.rollback()
        assert update_index(context).complete


def test_one_on_a_disk_that_is_read_only_is_said_to_be_there(talk: Pair) -> None:
    laptop, _ = talk
    found(laptop, "login")
    with (
        read_only_disk(laptop.paths.state),
        laptop.here(),
        open_read_only(laptop.paths) as context,
        pytest.raises(SearchError, match=r"disk is read-only.*: mount that disk for writing"),
    ):
        update_index(context)


def test_several_that_open_a_new_one_at_once_all_get_it(tmp_path: Path) -> None:
    for number in range(20):
        path, ready = tmp_path / f"search-{number}.sqlite", Barrier(4)

        def open_it(path: Path = path, ready: Barrier = ready) -> int:
            ready.wait()
            with closing(Index(path)):
                return path.stat().st_ino

        with ThreadPoolExecutor(4) as pool:
            opened = [pool.submit(open_it) for _ in range(4)]
            assert len({one.result() for one in opened}) == 1


def test_how_far_it_is_is_told_while_it_is_filled(world: World) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    for number in range(5):
        laptop.write(f"{number}{SESSION[1:]}", said(f"number {number}"))
        laptop.grow_old(f"{number}{SESSION[1:]}", seconds=100 * number)
    desktop.write(OTHER, said("elsewhere"))
    desktop.push()
    with laptop.at_work() as context:
        assert update_index(context, seconds=0) == IndexProgress(0, 6, complete=False)
        with closing(Filling(context, lambda: look_without_waiting(context))) as filling:
            filling.look()
            steps = iter([False, False, True])
            filling.step(lambda: next(steps))
            assert filling.progress() == IndexProgress(2, 6, complete=False)
        assert [hit.title for hit in search_sessions(context, "number").hits] == ["number 0"]
        assert update_index(context) == IndexProgress(6, 6, complete=True)


def test_a_copy_that_is_read_for_the_index_is_left_where_that_is_to_stop(talk: Pair) -> None:
    ending = Event()
    for machine in talk:  # a transcript here, and a bundle
        ending.clear()
        with machine.at_work(ending.is_set) as context:
            survey, _ = look_without_waiting(context)
            (source,) = sources_of(context, survey, SESSION)[:1]
            assert list(new_lines(context, source, 0, 0))
            ending.set()
            with pytest.raises(Stopped):
                next(new_lines(context, source, 0, 0))


def test_who_wants_no_index_has_none(talk: Pair) -> None:
    laptop, _ = talk
    found(laptop, "login")
    preferences.change(laptop.paths, search=False)
    with laptop.at_work() as context:
        for work in (lambda: search_sessions(context, "login"), lambda: update_index(context)):
            with pytest.raises(SearchError, match="turned off"):
                work()
        remove_indexes(context.paths)
        assert list(index_path(context).parent.glob("search*")) == []


def counted(at: PlayedMachine) -> dict[str, int]:
    """How many turns the index knows of each session, once everything is in it."""
    with at.at_work() as context:
        assert update_index(context).complete
        return turn_counts(context.paths, context.preferences)


def called() -> bytes:
    """An assistant that says nothing, and calls a tool."""
    content = [{"type": "tool_use", "name": "Bash", "input": {}}]
    return json.dumps({"type": "assistant", "message": {"content": content}}).encode() + b"\n"


def test_the_turns_of_each_session_are_known_as_who_reads_it_sees_them(either_talk: Pair) -> None:
    laptop, desktop = either_talk
    aside = json.loads(answer("a subagent's")) | {"isSidechain": True}
    for more, number in (
        ((), 4),
        ((answer("And that is all."), called(), bookkeeping()), 4),
        ((said("Thanks"), called()), 6),
        ((answer("You are welcome"), json.dumps(aside).encode() + b"\n", called()), 6),
    ):
        if more:
            laptop.write(SESSION, *more)
            laptop.push()
        for machine in either_talk:
            assert counted(machine) == {SESSION: number, OTHER: 1}, more
    with laptop.at_work() as context, read_session(context, SESSION) as reader:
        assert len([one for one in reader.turns() if not one.subagent]) - 1 == 6  # it parts two
    # Where two diverged, as many as the one has that went on farther.
    desktop.pull()
    desktop.write(SESSION, said("there"), answer("yes"), said("and on"))
    laptop.write(SESSION, said("here"))
    desktop.push()
    laptop.push()
    for machine in either_talk:
        assert counted(machine)[SESSION] == 9
    laptop.path().unlink()
    for bundle in laptop.world.bundles():
        bundle.unlink()
    assert counted(laptop) == {OTHER: 1}


def test_no_turns_are_known_where_there_is_no_index(talk: Pair) -> None:
    laptop, _ = talk
    with laptop.at_work() as context:
        known = context.paths, context.preferences
        assert turn_counts(*known) == {}
        assert not index_path(context).exists(), "asking makes none"
        assert update_index(context).complete
        assert turn_counts(*known) == {SESSION: 4, OTHER: 1}
        assert turn_counts(known[0], known[1]._replace(search=False)) == {}
        index_path(context).write_bytes(b"x" * 5000)
        assert turn_counts(*known) == {}


@given(
    st.text(max_size=30)
    | st.lists(st.sampled_from('"*^():-+{}NEAR AND OR NOT said a'), max_size=9).map(" ".join)
)
@settings(
    max_examples=examples(200),
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_whatever_is_typed_is_no_mistake(pair: Pair, text: str) -> None:
    with pair[0].at_work() as context:
        search_sessions(context, text)
