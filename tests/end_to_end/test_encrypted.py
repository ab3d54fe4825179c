"""An encrypted shared folder from the command line: two machines meet in it, as the README says."""

from __future__ import annotations

import json
import re
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.sshd import SshHost, running_sshd
from end_to_end.machine import COMMAND, SESSION, Machine, outcomes
from end_to_end.terminal import on_terminal

KEY = re.compile(r"ccs1(?:-[0-9A-Z]{4}){7}")
PASSPHRASE = "correct horse battery"


@pytest.fixture
def folder(shared_folder: Path) -> Path:
    """A folder that both machines see."""
    return shared_folder


def set_up(machine: Machine, folder: Path, *options: str) -> str:
    return machine.does("init", str(folder), "--name", machine.name, *options)


def test_two_machines_meet_with_the_key_that_was_shown(
    new_laptop: Machine, new_desktop: Machine, folder: Path
) -> None:
    said = set_up(new_laptop, folder, "--encrypt")
    [key] = KEY.findall(said)
    assert "only machines that have its key can read" in said
    text = new_laptop.says("hello")
    new_laptop.does("push")
    seen = on_terminal(
        new_desktop, "init", folder, "--name", "desktop", "--encrypt",
        answers=[("isn't shown", "not the key at all\n"), ("isn't shown", f"{key.lower()}\n")],
    )  # fmt: skip
    assert seen.status == 0
    assert "doesn't open this store" in seen.text
    assert "This machine is called desktop there." in seen.text
    assert key.lower() not in seen.text, "what is typed isn't shown"
    assert "not the key at all" not in seen.text
    new_desktop.does("pull")
    assert new_desktop.read() == text
    for machine in (new_laptop, new_desktop):
        assert "this machine has its key" in machine.does("key")
        kept = [path.read_text("utf-8", "replace") for path in logs(machine)]
        assert kept
        assert not [one for one in kept if key in one]
    assert not [path for path in folder.rglob("*/*") if b"hello" in path.read_bytes()]


def logs(machine: Machine) -> list[Path]:
    return [path for path in machine.home.rglob("*.log") if path.is_file()]


def test_a_key_comes_from_a_file_from_stdin_and_from_a_program(
    new_laptop: Machine, new_desktop: Machine, folder: Path
) -> None:
    file = new_laptop.home / "the key"
    file.write_text(f"{PASSPHRASE}\nmore\n")
    assert "--new" in new_laptop.misuses("init", folder, "--encrypt", "--key-file", file)
    set_up(new_laptop, folder, "--encrypt", "--new", "--key-file", str(file))
    set_up(new_desktop, folder, "--key-command", f"head -n 1 '{file}'")
    done = new_desktop.run(
        "init", str(folder), "--name", "desktop", "--key-file", "-", typed=PASSPHRASE
    )
    assert done.status == 0
    for options, what in (
        (["--key-command", "no-such-program-here"], "can't be run"),
        (["--key-command", "false"], "ended with status 1"),
        (["--key-command", "true"], "gave no key"),
        (["--key-command", "echo $HOME/and/more"], "doesn't open"),
        (["--key-file", str(file) + "x"], "can't be read"),
    ):
        done = new_desktop.run("init", str(folder), *options)
        assert done.status == 2
        assert what in done.err
        assert done.err.count("\n") == 1
        assert PASSPHRASE not in done.err


def test_without_a_key_nothing_is_set_up_and_one_sentence_says_why(
    new_laptop: Machine, new_desktop: Machine, folder: Path
) -> None:
    set_up(new_laptop, folder, "--encrypt")
    done = new_desktop.run("init", str(folder))
    assert done.status == 2
    assert "encrypted" in done.err
    assert "--key-file" in done.err
    assert not list(new_desktop.home.rglob("preferences.json"))


def test_a_second_machine_is_told_to_wait_for_what_has_not_arrived_yet(
    new_desktop: Machine, folder: Path
) -> None:
    for options, question in ((["--encrypt"], "first of your machines"), ([], "isn't encrypted")):
        seen = on_terminal(new_desktop, "init", folder, *options, answers=[(question, "n\n")])
        assert seen.status == 2
        assert "wait until it has arrived" in seen.text
    assert "wait until it has arrived" in new_desktop.misuses(
        "init", folder, "--key-command", "echo correct horse battery"
    )
    assert not list(folder.glob("**/.ccsync-store"))
    assert not list(new_desktop.home.rglob("preferences.json"))
    seen = on_terminal(new_desktop, "init", folder, "--encrypt", answers=[("first of", "y\n")])
    assert seen.status == 0
    assert KEY.search(seen.text)


def test_a_key_that_was_made_is_shown_although_setting_up_fails(
    new_laptop: Machine, folder: Path
) -> None:
    kept = new_laptop.home / "not a folder"
    kept.write_bytes(b"")
    for options in ([], ["--json"]):
        done = new_laptop.run(
            "init", str(folder / f"store{len(options)}"), "--encrypt", *options,
            environment={"XDG_CONFIG_HOME": str(kept)},
        )  # fmt: skip
        assert done.status != 0
        assert KEY.search(done.out)


def test_who_sets_up_again_is_told_how_to_get_another_key(
    new_laptop: Machine, folder: Path
) -> None:
    set_up(new_laptop, folder, "--encrypt")
    said = set_up(new_laptop, folder, "--encrypt")
    assert not KEY.search(said)
    assert "key change" in said


def test_ctrl_d_ends_the_question_for_a_key(
    new_laptop: Machine, new_desktop: Machine, folder: Path
) -> None:
    set_up(new_laptop, folder, "--encrypt")
    seen = on_terminal(
        new_desktop, "init", folder, "--encrypt",
        answers=[("isn't shown", "\n"), ("isn't shown", "\x04")],
    )  # fmt: skip
    assert seen.status == 130
    assert seen.text.count("isn't shown") == 2
    assert "type it again as it was shown" in seen.text
    assert "choose a longer one" not in seen.text


def test_a_key_is_changed_and_shown_once(new_laptop: Machine, folder: Path) -> None:
    document = json.loads(set_up(new_laptop, folder, "--encrypt", "--json"))
    assert document["encrypted"]
    assert KEY.fullmatch(document["key"])
    made = json.loads(new_laptop.does("key", "change", "--json"))["key"]
    assert KEY.fullmatch(made)
    assert made != document["key"]
    seen = on_terminal(
        new_laptop, "key", "change", "--passphrase",
        answers=[("isn't shown", f"{PASSPHRASE}\n"), ("again", f"{PASSPHRASE}\n")],
    )  # fmt: skip
    assert seen.status == 0
    assert PASSPHRASE not in seen.text
    different = on_terminal(
        new_laptop, "key", "change", "--passphrase",
        answers=[("isn't shown", f"{PASSPHRASE}\n"), ("again", "something else\n")],
    )  # fmt: skip
    assert different.status == 2
    assert "differ" in different.text
    assert "key" not in json.loads(set_up(new_laptop, folder, "--json"))


def test_a_prompt_that_is_left_shows_what_is_typed_again(
    new_laptop: Machine, new_desktop: Machine, folder: Path
) -> None:
    set_up(new_laptop, folder, "--encrypt")
    script = f"trap : INT; claude-sync init '{folder}'; stty -a"
    seen = on_terminal(
        new_desktop, program=("sh", "-c", script.replace("claude-sync", str(COMMAND))),
        answers=[("isn't shown", "\x03")],
    )  # fmt: skip
    assert re.search(r"(?<!-)\becho\b", seen.text)


def test_keys_are_kept_where_only_their_owner_reads_them(new_laptop: Machine, folder: Path) -> None:
    set_up(new_laptop, folder, "--encrypt")
    [file] = new_laptop.home.rglob("keys/*.json")
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.parent.stat().st_mode) == 0o700


def test_whether_the_key_fits_is_said_from_a_look_at_the_folder(
    new_laptop: Machine, folder: Path
) -> None:
    set_up(new_laptop, folder, "--encrypt")
    assert "this machine has its key" in new_laptop.does("key")
    (folder / ".ccsync-store").unlink()
    done = new_laptop.run("key")
    assert done.status == 1
    assert "can't be said" in done.out
    assert "is encrypted, and this machine has its key" not in done.out


def test_a_store_that_is_plain_says_so(laptop: Machine) -> None:
    assert "isn't encrypted" in laptop.does("key")
    done = laptop.run("key", "change")
    assert done.status == 2
    assert "isn't encrypted" in done.err
    laptop.says("hello")
    assert outcomes(laptop.document("push")) == {SESSION: "pushed"}


@pytest.fixture
def ssh_host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SshHost]:
    """A host. What machines share of connections to it ends with the test."""
    with running_sshd(tmp_path_factory.mktemp("sshd")) as host:
        yield host
        host.end_connections()


@pytest.mark.ssh
def test_two_machines_meet_on_a_host(
    new_laptop: Machine, new_desktop: Machine, ssh_host: SshHost, tmp_path: Path
) -> None:
    store = f"box:{tmp_path.name}/sessions"
    for machine in (new_laptop, new_desktop):
        machine.does("config", "set", "ssh_command", json.dumps(ssh_host.ssh_command))
    [key] = KEY.findall(new_laptop.does("init", store, "--name", "laptop", "--encrypt"))
    text = new_laptop.says("hello")
    new_laptop.does("push")
    done = new_desktop.run("init", store, "--name", "desktop", "--key-file", "-", typed=key)
    assert done.status == 0, done.err
    new_desktop.does("pull")
    assert new_desktop.read() == text
