"""A .ccsync file that is opened by a double click: asked about first, and unpacked by the rules."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from claude_sync.sync.pack import pack
from claude_sync_app.desktop.opened_file import open_file
from machines import SESSION, PlayedMachine, World, said


class Person:
    """Answers as planned, and remembers what was asked."""

    def __init__(self, *answers: int | None, folder: Path | None = None) -> None:
        self._answers = list(answers)
        self._folder = folder
        self.asked: list[str] = []
        self.labels: list[str] = []

    def choose_button(self, title: str, text: str, labels: Sequence[str]) -> int | None:
        assert title
        self.asked.append(text)
        self.labels += labels
        return self._answers.pop(0)

    def choose_folder(self, title: str, start: Path) -> Path | None:
        assert start.is_dir()
        self.asked.append(title)
        return self._folder


def packed(machine: PlayedMachine, folder: Path) -> Path:
    with machine.at_work() as context:
        return pack(context, SESSION, folder)


def opened(machine: PlayedMachine, file: Path, person: Person) -> bool:
    with machine.here():
        return open_file(file, person, machine.paths)


def test_it_asks_before_it_unpacks(world: World, tmp_path: Path) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    laptop.write(SESSION, said("fix the <b>parser</b>\u202e"))
    file = packed(laptop, tmp_path)
    person = Person(None)
    assert not opened(desktop, file, person)
    assert not desktop.has(SESSION)
    assert "from laptop" in person.asked[0]
    assert "\u202e" not in person.asked[0]
    person = Person(0, None)
    assert opened(desktop, file, person)
    assert desktop.read(SESSION) == laptop.read(SESSION)
    assert person.labels == ["Unpack", "Resume in terminal"]
    assert str(desktop.project.name) in person.asked[1]


def test_a_project_that_is_not_known_here_is_asked_for(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    laptop.write(SESSION, said("hello"))
    file = packed(laptop, tmp_path)
    stranger = PlayedMachine(world, "stranger")
    place = stranger.home / "elsewhere"
    place.mkdir(parents=True)
    (stranger.claude / "sessions").mkdir(parents=True)
    declined = Person(0, folder=None)
    assert not opened(stranger, file, declined)
    assert len(declined.asked) == 2
    assert not list(stranger.claude.rglob("*.jsonl"))
    chosen = Person(0, None, folder=place)
    assert opened(stranger, file, chosen)
    (found,) = stranger.claude.rglob("*.jsonl")
    assert found.read_bytes() == laptop.read(SESSION)


def test_nothing_that_was_said_here_is_replaced(world: World, tmp_path: Path) -> None:
    laptop, desktop = world.machines("laptop", "desktop")
    both = said("both")
    laptop.write(SESSION, both, said("of the laptop"))
    desktop.write(SESSION, both, said("of the desktop"))
    before = desktop.read(SESSION)
    person = Person(0, 0)
    assert not opened(desktop, packed(laptop, tmp_path), person)
    assert desktop.read(SESSION) == before
    assert person.labels == ["Unpack", "OK"]


def test_what_is_no_bundle_is_said_and_left_alone(world: World, tmp_path: Path) -> None:
    (laptop,) = world.machines("laptop")
    broken = tmp_path / "broken.ccsync"
    broken.write_bytes(b"{}")
    for file in (broken, tmp_path / "missing.ccsync", tmp_path / "other.txt"):
        person = Person(0)
        assert not opened(laptop, file, person)
        assert person.labels == ["OK"]
