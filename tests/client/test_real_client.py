"""A session of the real client, carried to another machine and gone on with there."""

from __future__ import annotations

import re
import shutil
from pathlib import Path
from typing import Any

import pytest

from client.room import MODEL, Desk, Room
from end_to_end.machine import Machine
from waiting import until

REMOTE = "https://example.org/you/app"
BEGIN, CHANGE, PLAN, WRITE = (
    "Fix the login bug",
    "Change it again",
    "Make a plan",
    "Write the plan down",
)
DEFERRED = "select:TaskCreate,TaskList,EnterPlanMode,ExitPlanMode"
NEWS = "laptop went on with “Said before leaving”"
ENDED = "Resume this session with:"


def tool(name: str, **values: Any) -> dict[str, Any]:
    return {"tool": name, "input": values}


def edit(file: Path, before: str, after: str) -> dict[str, Any]:
    return tool("Edit", file_path=str(file), old_string=before, new_string=after)


def task(subject: str) -> dict[str, Any]:
    return tool("TaskCreate", subject=subject, description=subject, activeForm=subject)


class Office:
    """Machines that share a folder, in one room.

    Args:
        room: where.
        folder: for the machines.

    Attributes:
        room, folder: the same.
        laptop: where a session is begun.
        file: what is worked on in it.
    """

    def __init__(self, room: Room, folder: Path) -> None:
        self.room = room
        self.folder = folder
        self.laptop = self.desk("laptop", folder / "work" / "app")
        self.file = self.laptop.project / "login.py"

    def desk(self, name: str, project: Path) -> Desk:
        """One more machine, set up, with a terminal; and where its project is."""
        machine = Machine(self.folder / name, REMOTE, str(project))
        machine.does("init", self.folder / "shared", "--name", name)
        return Desk(self.room, machine)

    def leave(self) -> None:
        """Take the laptop away: nothing of it is to be found in this room any more."""
        self.laptop.close()
        for folder in (self.laptop.project, self.laptop.machine.home):
            shutil.move(folder, self.folder / f"away-{folder.name}")


@pytest.fixture
def office(room: Room, tmp_path: Path) -> Office:
    return Office(room, tmp_path)


@pytest.fixture
def worked(office: Office) -> Office:
    """The same after a morning's work on the laptop: with tasks, changed files, a command in the
    background, and a plan; the session was closed and pushed."""
    laptop, room, file = office.laptop, office.room, office.file
    laptop.trusts(laptop.project)
    waiting = tool("Bash", command="sleep 600", description="Wait", run_in_background=True)
    room.answers(
        {
            BEGIN: [
                tool("ToolSearch", query=DEFERRED, max_results=5),
                [task("Read the log"), task("Test the fix")],
                tool("Write", file_path=str(file), content="one\n"),
                {"text": "Begun."},
            ],
            CHANGE: [edit(file, "one", "two"), waiting, {"text": "Changed."}],
            PLAN: [tool("EnterPlanMode"), {"text": "Thinking."}],
        }
    )
    laptop.types(f"claude --model {MODEL} --permission-mode acceptEdits")
    laptop.sees("accept edits on")
    for said, answer in ((BEGIN, "● Begun."), (CHANGE, "● Changed."), (PLAN, "● Thinking.")):
        laptop.types(said)
        laptop.sees(answer)
    assert file.read_text() == "two\n"
    plan = until(lambda: re.findall(r"/[^\" ]+/plans/[a-z-]+\.md", str(room.requests()[-1])))[-1]
    write = tool("Write", file_path=plan, content="# The plan\n\nAsk for the password once.\n")
    room.answers({WRITE: [write, tool("ExitPlanMode"), {"text": "Planned."}]})
    laptop.types(WRITE)
    laptop.answers("Would you like to proceed?", "● Planned.")
    leave_client(laptop)
    laptop.runs("claude-sync push", "Pushed ")
    return office


def leave_client(desk: Desk) -> None:
    """Close the client; what it runs in the background ends with it."""
    desk.types("/exit")
    if "Exit and stop tasks" in desk.sees_one_of("Exit and stop tasks", ENDED):
        desk.answers("Exit and stop tasks", ENDED)


def arrive(desk: Desk, *arguments: str) -> str:
    """Resume in a folder that is new to the client, and trust it; what was said before."""
    line = " ".join(["claude-sync resume", *arguments, "--", "--model", MODEL])
    seen = desk.runs(line, "❯ No, exit", "Yes, I trust this folder")
    desk.answers("Accessing workspace", "manual mode on", choose="Yes, I trust this folder")
    return seen


def test_one_word_goes_on_in_another_directory_and_comes_back(worked: Office) -> None:
    worked.leave()
    desktop = worked.desk("desktop", worked.folder / "code" / "app")
    said = arrive(desktop)
    assert f"Pulled “{WRITE}” from laptop, just now." in said
    assert "choose “Yes, I trust this folder”, which isn't the answer that is preselected." in said
    desktop.sees("● Planned.", "Background shell command didn't finish")
    desktop.types("Go on")
    desktop.sees("● An answer to")
    leave_client(desktop)
    desktop.runs("echo status $?", "status 0")
    desktop.runs("claude-sync push", "Pushed ")
    # And back, on a machine that has the directory that the laptop had.
    worked.file.parent.mkdir()
    nas = worked.desk("nas", worked.file.parent)
    assert "Pulled “Go on” from desktop, just now." in arrive(nas)
    nas.sees("● Planned.", "❯ Go on", "● An answer to")


def test_tasks_and_plan_are_there_and_the_code_of_another_directory_is_left_alone(
    worked: Office,
) -> None:
    worked.leave()
    desktop = worked.desk("desktop", worked.folder / "code" / "app")
    arrive(desktop)
    desktop.presses("C-t")
    desktop.sees("0/2 tasks done", "◻ Read the log", "◻ Test the fix")
    desktop.types("/plan")
    desktop.sees("plan mode on")
    desktop.types("/plan")  # in that mode it shows the plan
    desktop.sees("Current plan", "Ask for the password once.")
    file = desktop.project / "login.py"
    file.write_text("of the desktop\n")
    restore_code(desktop, CHANGE)
    desktop.sees("Restored the code, but skipped 1 file", "login.py")
    assert file.read_text() == "of the desktop\n"
    assert not worked.file.parent.exists()


def test_where_the_directory_is_the_same_code_goes_back(worked: Office) -> None:
    worked.leave()
    worked.file.parent.mkdir()
    nas = worked.desk("nas", worked.file.parent)
    worked.file.write_text("two\n")
    arrive(nas)
    restore_code(nas, CHANGE)
    until(worked.file.read_text, lambda text: text == "one\n")


def restore_code(desk: Desk, said: str) -> None:
    """Have the client bring the code back to before something was said."""
    desk.types("/rewind")
    desk.sees("Restore the code and/or conversation")
    while f"❯ {said}" not in desk.at_rest():
        desk.presses("Up")
    desk.presses("Enter")
    desk.sees("Restore to the point before", "3. Restore code")
    desk.at_rest()
    desk.presses("3")


def test_a_branch_is_gone_on_with_as_the_session_that_it_is(worked: Office) -> None:
    laptop = worked.laptop
    laptop.runs(f"claude-sync resume -- --model {MODEL}", "● Planned.")
    laptop.types("/branch")
    laptop.sees("Branched session")
    laptop.types("Only in the branch")
    laptop.sees("● An answer to")
    leave_client(laptop)
    laptop.runs("claude-sync push", "Pushed ")
    worked.leave()
    desktop = worked.desk("desktop", worked.folder / "code" / "app")
    assert f"Pulled “{BEGIN} (Branch)” from laptop, just now." in arrive(desktop)
    desktop.sees("● Planned.", "❯ Only in the branch")


def test_with_the_plugin_an_exit_pushes_and_a_start_says_what_is_newer(worked: Office) -> None:
    laptop = worked.laptop
    desktop = worked.desk("desktop", worked.folder / "code" / "app")
    for desk in (laptop, desktop):
        desk.trusts(desk.project)
        desk.runs("claude-sync plugin enable", "claude-sync is inside Claude Code")
    # As if the project had just been cloned there: nobody has used claude-sync in it yet.
    for known in desktop.machine.home.rglob("projects.json"):
        known.unlink()
    desktop.keeps_running("claude-sync", "watch", "--no-pull")
    laptop.runs(f"claude-sync resume -- --model {MODEL}", "● Planned.")
    laptop.types("Said before leaving")
    laptop.sees("● An answer to")
    rested = until(lambda: bundle(worked), lambda pushed: b"Said before leaving" in pushed)
    leave_client(laptop)
    until(lambda: bundle(worked), lambda pushed: pushed != rested)
    # The client waits for a hook only so long: on a busy machine it may say nothing.
    until(lambda: NEWS in told_at_start(desktop))
    desktop.runs(f"claude-sync resume -- --model {MODEL}", "❯ Said before leaving")


def told_at_start(desk: Desk) -> str:
    """What stands on the screen after the client's start."""
    desk.runs(f"claude --model {MODEL}", "manual mode on")
    screen = desk.at_rest()
    desk.types("/exit")
    return screen


def bundle(office: Office) -> bytes:
    """What the laptop has pushed."""
    [path] = (office.folder / "shared").glob("*/*-laptop.ccsync")
    return path.read_bytes()
