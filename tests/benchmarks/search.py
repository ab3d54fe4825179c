"""How fast what was said is found: ``python tests/benchmarks/search.py [SESSIONS] [KIB]``.

Two machines meet in a folder. The index is filled from nothing on the one where the sessions lie,
and on the other, which has them as bundles only; then it is asked, and filled after one more turn.
A session is mostly of text, pieces of Python's own library. And the last page of a session of
300 MB is read, here and out of its bundle. The exit status is 1 if a limit was missed.
"""

from __future__ import annotations

import itertools
import json
import os
import random
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "core"))
sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from benchmarks.tables import Row, show
from claude_sync.search.filling import Filling, index_path
from claude_sync.search.reading import look_without_waiting, read_session
from claude_sync.search.searching import search_sessions, update_index
from claude_sync.sync.context import Context
from machines import SESSION, PlayedMachine, World

_TURN_CHARACTERS = 600
_FILL_LIMIT_SECONDS = 20.0
_QUERY_LIMIT_MS = 50.0
_UPDATE_LIMIT_MS = 10.0
_OPEN_LIMIT_SECONDS = 0.5
_BIG_BYTES = 300_000_000
_QUERIES = (
    "self",
    "return the",
    "the",
    "s",
    '"of the"',
    "nothing like this",
    "wo",
    "threading lock",
)
_ASKED = 5


class Language:
    """Gives text such as sessions are of, English and code: that of Python's own library."""

    def __init__(self) -> None:
        self._chance = random.Random(1)
        library = Path(os.__file__).parent
        files = sorted(path for path in library.rglob("*.py") if "site-packages" not in path.parts)
        whole = "".join(path.read_text(encoding="utf-8", errors="ignore") for path in files)
        step = _TURN_CHARACTERS
        self._pieces = [whole[at : at + step] for at in range(0, len(whole), step)]
        self._chance.shuffle(self._pieces)
        self._next = itertools.cycle(self._pieces)

    def line(self, number: int) -> tuple[bytes, int]:
        """A line of a transcript, and how much text is in it."""
        text = next(self._next)
        event = {
            "parentUuid": f"{self._chance.getrandbits(128):032x}",
            "type": "assistant" if number % 2 else "user",
            "message": {"role": "x", "content": [{"type": "text", "text": text}]},
            "uuid": f"{self._chance.getrandbits(128):032x}",
            "timestamp": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(1_780_000_000 + number)),
        }
        return json.dumps(event).encode() + b"\n", len(text)


@contextmanager
def at_work(machine: PlayedMachine) -> Iterator[Context]:
    with machine.at_work() as context, context.working("measuring"):
        yield context


def filled(machine: PlayedMachine) -> tuple[float, float, int]:
    """Fill an index from nothing: seconds, seconds of work, bytes."""
    with at_work(machine) as context:
        began, worked = time.perf_counter(), time.process_time()
        assert update_index(context, seconds=3600).complete
        took, work = time.perf_counter() - began, time.process_time() - worked
        path = index_path(context)
        size = sum(one.stat().st_size for one in path.parent.glob(path.name + "*"))
    return took, work, size


def asked(context: Context, query: str) -> float:
    """Milliseconds of work for one query, the middle of some."""
    figures = []
    for _ in range(_ASKED):
        began = time.process_time()
        search_sessions(context, query)
        figures.append(1000 * (time.process_time() - began))
    return sorted(figures)[_ASKED // 2]


def after_a_turn(machine: PlayedMachine, session: str, language: Language) -> float:
    """Milliseconds of work to take in one more turn, the middle of some."""
    figures = []
    with (
        at_work(machine) as context,
        closing(Filling(context, lambda: look_without_waiting(context))) as filling,
    ):
        filling.look()
        for _ in range(2 * _ASKED):
            machine.write(session, language.line(0)[0])
            survey = look_without_waiting(context)[0]
            began = time.process_time()
            filling.look(survey)
            filling.step(lambda: False)
            figures.append(1000 * (time.process_time() - began))
            assert not filling.has_work
    return sorted(figures)[_ASKED]


def opened(machine: PlayedMachine, session: str) -> float:
    """Seconds until the last page of a session is there."""
    with machine.at_work() as context:
        began = time.perf_counter()
        with read_session(context, session) as reader:
            assert reader.page().turns
        return time.perf_counter() - began


def main() -> int:
    sessions = int(sys.argv[1]) if len(sys.argv) > 1 else 1000
    size = (int(sys.argv[2]) if len(sys.argv) > 2 else 50) << 10
    language = Language()
    with tempfile.TemporaryDirectory() as folder:
        os.environ |= {"HOME": folder, "USERPROFILE": folder}
        world = World(Path(folder))
        laptop, desk = world.machines("laptop", "desk")
        ids = [f"{number:08x}-1111-4222-8333-444455556666" for number in range(sessions)]
        text = 0
        for session in ids:
            lines, length = list[bytes](), 0
            while length < size:
                line, characters = language.line(len(lines))
                lines.append(line)
                length += len(line)
                text += characters
            laptop.write(session, *lines)
        laptop.push()
        rows: list[Row] = []
        for machine, of in ((laptop, "transcripts here"), (desk, "bundles")):
            took, work, bytes_ = filled(machine)
            limit = _FILL_LIMIT_SECONDS
            rows.append(Row(f"index of {of}, work", work, "s", limit, f"{took:.1f} s in all"))
            share = 100 * bytes_ / text
            rows.append(Row("  its size, of the text", share, "%", 100 / 3))
            with machine.at_work() as context:
                rows += [
                    Row(f"  asked for {query}", asked(context, query), "ms", _QUERY_LIMIT_MS)
                    for query in _QUERIES
                ]
        figure = after_a_turn(laptop, ids[0], language)
        rows.append(Row("taken in after a turn, work", figure, "ms", _UPDATE_LIMIT_MS))
        many = b"".join(language.line(number)[0] for number in range(2000))
        laptop.write(SESSION, *itertools.repeat(many, _BIG_BYTES // len(many)))
        laptop.push(SESSION)
        measure: Callable[[PlayedMachine], float] = lambda machine: opened(machine, SESSION)  # noqa: E731
        rows.append(Row("300 MB opened, here", measure(laptop), "s", _OPEN_LIMIT_SECONDS))
        rows.append(Row("300 MB opened, its bundle", measure(desk), "s", _OPEN_LIMIT_SECONDS))
    title = f"{sessions:,} sessions of {size >> 10} KiB, {text / 1e6:.0f} MB of text"
    return 0 if show(title, rows) else 1


if __name__ == "__main__":
    sys.exit(main())
