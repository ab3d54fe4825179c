"""The vault: what was replaced is kept, durable before it is replaced, and not for ever."""

from __future__ import annotations

import hashlib
import os
import time
from pathlib import Path

import pytest

from capabilities import require_open_files_that_can_be_replaced, require_posix
from claude_sync.disk import files
from claude_sync.errors import VaultError
from claude_sync.model import Version
from claude_sync.state.vault import KEEP_DAYS, KEEP_VERSIONS, Vault
from claude_sync.state.vault_entry import ENTRY, SIDECAR, TRANSCRIPT, Kept
from faults.disks import ordinary_permissions

SESSION = "0f4c1d9e-1111-4222-8333-444455556666"
LONG_AGO = time.time() + (KEEP_DAYS + 1) * 86_400
"""A present in which all that is kept now was kept long ago."""


@pytest.fixture
def vault(tmp_path: Path) -> Vault:
    return Vault(tmp_path / "vault")


def version(data: bytes) -> Version:
    return Version(len(data), hashlib.sha256(data).hexdigest())


def keep(vault: Vault, data: bytes, name: str = "transcript.jsonl") -> Kept:
    """Keep a file, and replace it as its caller would."""
    path = vault.folder.parent / name
    path.write_bytes(data)
    kept = vault.keep(SESSION, "pull", transcript=path, version=version(data))
    path.unlink()
    return kept


def keep_from_elsewhere(vault: Vault, data: bytes, sidecar: dict[str, bytes]) -> Kept:
    def fill(folder: Path) -> None:
        files.replace(folder / TRANSCRIPT, data)
        for name, words in sidecar.items():
            files.make_private(folder / SIDECAR)
            files.replace(folder / SIDECAR / name, words)

    digest = hashlib.sha256(repr(sidecar).encode()).hexdigest() if sidecar else ""
    return vault.keep_stream(
        SESSION, "push", version(data), fill, size=len(data), sidecar_sha256=digest
    )


def texts(vault: Vault) -> list[bytes]:
    return [kept.transcript.read_bytes() for kept in vault.entries(SESSION)]


# --- keeping -----------------------------------------------------------------------------------


def test_what_is_kept_is_there_with_all_that_is_known_of_it(vault: Vault, tmp_path: Path) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"words\n")
    os.utime(path, ns=(1, 123_456_700))
    side = tmp_path / "side.txt"
    side.write_bytes(b"side")
    kept = vault.keep(
        SESSION, "pull", transcript=path, version=version(b"words\n"), sidecar=[("a/b.txt", side)]
    )
    (found,) = vault.entries(SESSION)
    assert found == kept
    assert (found.version, found.reason, found.mtime_ns) == (
        version(b"words\n"),
        "pull",
        123_456_700,
    )
    assert found.transcript.read_bytes() == b"words\n"
    assert (found.sidecar / "a/b.txt").read_bytes() == b"side"
    assert vault.sessions() == [SESSION]


@pytest.mark.skipif(os.name == "nt", reason="Windows has no such modes")
def test_a_file_that_all_may_read_is_closed_off_by_its_folders_and_left_as_it_is(
    vault: Vault, tmp_path: Path
) -> None:
    path, side = tmp_path / "t.jsonl", tmp_path / "side.txt"
    for one in (path, side):
        one.write_bytes(b"words\n")
        one.chmod(0o666)
    umask = os.umask(0)
    try:
        kept = vault.keep(
            SESSION,
            "pull",
            transcript=path,
            version=version(b"words\n"),
            sidecar=[("a/b.txt", side)],
        )
    finally:
        os.umask(umask)
    folders = [vault.folder, *(one for one in vault.folder.rglob("*") if one.is_dir())]
    assert (kept.sidecar / "a") in folders
    assert {one.stat().st_mode & 0o777 for one in folders} == {0o700}
    assert [one.stat().st_mode & 0o777 for one in (path, side)] == [0o666, 0o666]


def test_a_clients_own_bytes_are_durable_before_they_are_said_to_be_kept(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, side = tmp_path / "t.jsonl", tmp_path / "side.txt"
    for one in (path, side):
        one.write_bytes(b"words\n")
        one.chmod(0o400)
    steps: list[int | str] = []
    sync, rename = os.fsync, os.replace

    def synced(descriptor: int) -> None:
        steps.append(os.fstat(descriptor).st_ino)
        sync(descriptor)

    def renamed(source: Path, target: Path) -> None:
        steps.append(target.name)
        rename(source, target)

    monkeypatch.setattr(os, "fsync", synced)
    monkeypatch.setattr(os, "replace", renamed)
    given = {"transcript": path, "version": version(b"words\n"), "sidecar": [("a.txt", side)]}
    with ordinary_permissions():
        vault.keep(SESSION, "pull", **given)  # type: ignore[arg-type]
    before = steps[: steps.index(ENTRY)]
    assert {path.stat().st_ino, side.stat().st_ino} <= set(before)
    steps.clear()
    vault.keep(SESSION, "pull", **given, passing=True)  # type: ignore[arg-type]
    assert not {path.stat().st_ino, side.stat().st_ino} & set(steps)


def test_what_is_appended_after_it_was_kept_is_kept_too(vault: Vault, tmp_path: Path) -> None:
    require_open_files_that_can_be_replaced(tmp_path)
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\n")
    with path.open("ab") as client:
        kept = vault.keep(SESSION, "pull", transcript=path, version=version(b"one\n"))
        files.replace(path, b"another")
        client.write(b"two\n")
    assert kept.transcript.read_bytes() == b"one\ntwo\n"


def test_where_there_are_no_second_names_what_was_appended_is_caught_up_with(
    vault: Vault, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    require_posix("replacing a file that is open")

    def refuse(*_: object, **__: object) -> None:
        raise OSError(1, "no links here")

    monkeypatch.setattr(os, "link", refuse)
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\n")
    kept = vault.keep(SESSION, "pull", transcript=path, version=version(b"one\n"))
    with path.open("rb") as old:
        with path.open("ab") as client:
            client.write(b"two\n")
        files.replace(path, b"another")
        vault.catch_up(kept.transcript, old)
    assert kept.transcript.read_bytes() == b"one\ntwo\n"


def test_what_comes_from_elsewhere_is_kept_once(vault: Vault) -> None:
    first = keep_from_elsewhere(vault, b"one\n", {})
    assert keep_from_elsewhere(vault, b"one\n", {}) == first
    assert texts(vault) == [b"one\n"]


def test_the_same_transcript_with_other_sidecar_files_is_kept_again(vault: Vault) -> None:
    keep_from_elsewhere(vault, b"one\n", {"a": b"1"})
    keep_from_elsewhere(vault, b"one\n", {"a": b"2"})
    kept = [(entry.sidecar / "a").read_bytes() for entry in vault.entries(SESSION)]
    assert kept == [b"1", b"2"]


def test_a_file_that_is_still_in_use_does_not_stand_in_for_a_version(
    vault: Vault, tmp_path: Path
) -> None:
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\n")
    vault.keep(SESSION, "pull", transcript=path, version=version(b"one\n"))
    # A crash came here: the file was never replaced, and its client rewrites it in place.
    keep_from_elsewhere(vault, b"one\n", {})
    path.write_bytes(b"else")
    assert b"one\n" in texts(vault)


def test_what_was_damaged_in_the_vault_does_not_stand_in_for_a_version(vault: Vault) -> None:
    first = keep_from_elsewhere(vault, b"one\n", {})
    first.transcript.write_bytes(b"0ne\n")
    keep_from_elsewhere(vault, b"one\n", {})
    assert texts(vault) == [b"0ne\n", b"one\n"]


def test_an_entry_that_a_crash_cut_short_is_none(vault: Vault) -> None:
    kept = keep(vault, b"one\n")
    (kept.folder / ENTRY).unlink()
    assert vault.entries(SESSION) == []


@pytest.mark.parametrize("said", [b"", b"[]", b"{}", b"\xff", b'{"sha256": []}', b"[" * 9999])
def test_an_entry_whose_description_is_damaged_is_none(vault: Vault, said: bytes) -> None:
    kept = keep(vault, b"one\n")
    (kept.folder / ENTRY).write_bytes(said)
    assert vault.entries(SESSION) == []


def test_nothing_is_left_of_what_could_not_be_brought(vault: Vault) -> None:
    def fail(folder: Path) -> None:
        (folder / "half").write_bytes(b"x")
        raise VaultError("no")

    with pytest.raises(VaultError):
        vault.keep_stream(SESSION, "push", version(b"one"), fail, size=3)
    assert list((vault.folder / SESSION).iterdir()) == []


# --- limits ------------------------------------------------------------------------------------


def test_a_full_vault_refuses_in_words(tmp_path: Path) -> None:
    vault = Vault(tmp_path / "vault", limit=10)
    keep(vault, b"123456\n")
    with pytest.raises(VaultError, match="full"):
        keep(vault, b"abcdef\n")
    assert texts(vault) == [b"123456\n"]


def test_a_full_vault_first_drops_what_need_not_be_kept(tmp_path: Path) -> None:
    one = Vault(tmp_path / "vault")
    keep(one, b"one\n" + b"x" * 1000)
    keep(one, b"one\n" + b"x" * 1001)
    vault = Vault(tmp_path / "vault", limit=one.size() + 500)
    keep(vault, b"y" * 1000)
    assert texts(vault) == [b"one\n" + b"x" * 1001, b"y" * 1000]


def test_the_limit_is_a_tenth_of_the_disk_or_5_gb(vault: Vault) -> None:
    import shutil

    disk = shutil.disk_usage(vault.folder.parent).total
    assert vault.limit() == min(5 << 30, disk // 10)


# --- pruning -----------------------------------------------------------------------------------


def test_the_last_five_versions_stay_however_old_they_are(vault: Vault) -> None:
    for number in range(KEEP_VERSIONS + 3):
        keep(vault, b"version %d\n" % number)
    assert vault.prune(LONG_AGO) == 3
    assert texts(vault) == [b"version %d\n" % number for number in range(3, 8)]
    assert vault.prune(LONG_AGO) == 0


def test_files_that_were_replaced_alone_push_no_version_out(vault: Vault, tmp_path: Path) -> None:
    keep(vault, b"a transcript\n")
    for number in range(KEEP_VERSIONS + 3):
        task = tmp_path / "1.json"
        task.write_bytes(b"%d" % number)
        vault.keep(SESSION, "pull", sidecar=[("@tasks/1.json", task)])
        task.unlink()
    assert vault.prune(LONG_AGO) == 3
    (version_of_long_ago,) = [one for one in vault.entries(SESSION) if one.version]
    assert version_of_long_ago.transcript.read_bytes() == b"a transcript\n"
    kept = [one.sidecar / "@tasks/1.json" for one in vault.entries(SESSION) if not one.version]
    assert [path.read_bytes() for path in kept] == [b"%d" % number for number in range(3, 8)]


def test_within_thirty_days_all_versions_stay(vault: Vault) -> None:
    for number in range(KEEP_VERSIONS + 3):
        keep(vault, b"version %d\n" % number)
    assert vault.prune() == 0


def test_a_version_that_a_later_one_extends_goes(vault: Vault) -> None:
    keep(vault, b"one\n")
    keep(vault, b"apart\n")
    keep(vault, b"one\ntwo\n")
    assert vault.prune() == 1
    assert texts(vault) == [b"apart\n", b"one\ntwo\n"]


def test_a_version_with_sidecar_files_of_its_own_stays(vault: Vault) -> None:
    keep_from_elsewhere(vault, b"one\n", {"a": b"1"})
    keep(vault, b"one\ntwo\n")
    assert vault.prune() == 0


def test_a_version_that_only_a_file_in_use_extends_stays(vault: Vault, tmp_path: Path) -> None:
    keep(vault, b"one\n")
    path = tmp_path / "t.jsonl"
    path.write_bytes(b"one\ntwo\n")
    vault.keep(SESSION, "pull", transcript=path, version=version(b"one\ntwo\n"))
    assert vault.prune() == 0


def test_what_a_crash_left_goes_after_a_day(vault: Vault) -> None:
    kept = keep(vault, b"one\n")
    (kept.folder / ENTRY).unlink()
    vault.prune()
    assert kept.folder.exists()
    vault.prune(time.time() + 2 * 86_400)
    assert not (vault.folder / SESSION).exists()


def test_it_is_tidied_once_a_day(vault: Vault) -> None:
    vault.tidy()
    assert not vault.folder.exists()
    keep(vault, b"one\n")
    keep(vault, b"one\ntwo\n")
    vault.tidy()
    assert texts(vault) == [b"one\ntwo\n"]
    keep(vault, b"one\ntwo\nthree\n")
    vault.tidy()
    assert len(texts(vault)) == 2
    os.utime(vault.folder / ".pruned", (0, 0))
    vault.tidy()
    assert texts(vault) == [b"one\ntwo\nthree\n"]
