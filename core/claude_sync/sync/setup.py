"""Setting up: choosing the store, and what this machine is called there."""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from claude_sync.claude.config_dir import named_folder
from claude_sync.claude.home import ClaudeHome
from claude_sync.disk.home_directory import home_directory
from claude_sync.disk.locks import Lock
from claude_sync.disk.snapshot import is_link
from claude_sync.errors import MachineNameTaken, NotSetUp, ProjectKeyError, UsageError
from claude_sync.model import Machine
from claude_sync.names import WORDS_FOR_SIDES, is_machine_name
from claude_sync.state import preferences
from claude_sync.state.machine import load_machine, name_machine
from claude_sync.state.paths import Paths
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import LOCK_PATIENCE_SECONDS, Context
from claude_sync.sync.store_key import KeyChoice, ready_store
from claude_sync.sync.survey.look import look
from claude_sync.sync.survey.survey import Survey
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME
from claude_sync.transports.location import FolderLocation, parse_location


@dataclass(frozen=True, slots=True)
class SetUp:
    """What was set up.

    Attributes:
        location: the store's, as the preferences spell it.
        label: the same for a person.
        machine: this machine, as it is called there.
        machines: names of the other machines that have bundles there.
        encrypted: whether only machines that have the store's key can read and write there.
        made_key: the store key that was made, to be shown once; None where none was.
        is_new: whether the store was made just now.
    """

    location: str
    label: str
    machine: Machine
    machines: tuple[str, ...]
    encrypted: bool = False
    made_key: str | None = field(default=None, repr=False)
    is_new: bool = False


def default_location() -> str:
    """This machine's private folder, which is the store until another is chosen.

    Raises:
        UsageError: the home directory can't be found.
    """
    return str(home_directory() / "claude-sync")


def set_up_default(paths: Paths) -> SetUp | None:
    """Make the private folder of this machine the store, unless one was chosen already.

    A folder of that name which is something else (a clone of some tree, a link into a cloud's
    folder) is never taken for it.

    Args:
        paths: where claude-sync keeps its own files.

    Returns:
        what was set up, None where a store was chosen before.

    Raises:
        NotSetUp: that folder is something else, or the preferences don't tell.
        PreferencesError: the preferences can't be read.
        TransportError: it can't be made, written or read back.
        LockBusy: another claude-sync kept working.
    """
    lock = Lock(paths.lock_file, "setting up")
    lock.acquire(LOCK_PATIENCE_SECONDS)
    try:
        chosen = preferences.load(paths)
        if chosen.location is not None:
            return None
        _check_readable(paths, chosen)
        location = default_location()
        _check_private(Path(location))
        return set_up(paths, location)
    finally:
        lock.release()


def _check_readable(paths: Paths, chosen: Preferences) -> None:
    """Check that the preferences name no store, rather than one that can't be read."""
    preferences.check_read(paths, chosen)
    for problem in chosen.problems:
        if problem.key in ("", "location"):
            raise NotSetUp(
                f"the shared folder isn't known: {problem.key or 'the file'} {problem.reason}",
                where=str(paths.preferences_file),
                todo="correct that file, or choose a folder with `claude-sync init LOCATION`",
            )


def _check_private(folder: Path) -> None:
    """Check that a folder isn't there yet, is a store already, or is empty; make that private."""
    try:
        status = folder.lstat()
    except FileNotFoundError:
        return
    except OSError as error:
        raise _occupied(folder) from error
    if is_link(status) or not stat.S_ISDIR(status.st_mode):
        raise _occupied(folder)
    if (folder / MARKER_NAME).is_file():
        return
    try:
        if any(folder.iterdir()):
            raise _occupied(folder)
        if os.name == "posix":
            folder.chmod(0o700)
    except OSError as error:
        raise _occupied(folder) from error


def _occupied(folder: Path) -> NotSetUp:
    return NotSetUp(
        "no shared folder is chosen yet, and the default folder is something else",
        where=str(folder),
        todo="choose one with `claude-sync init LOCATION`",
    )


def set_up(
    paths: Paths,
    location: str,
    *,
    name: str | None = None,
    take_over: bool = False,
    anyway: bool = False,
    key: KeyChoice | None = None,
    accept_older: bool = False,
) -> SetUp:
    """Choose the store; folder and marker are made if they are missing.

    Args:
        paths: where claude-sync keeps its own files.
        location: a folder, ``ssh://[user@]host[:port]/path`` or ``host:path``.
        name: this machine's name; None for the one it has, or had there, or the host's.
        take_over: this is the machine of that name, installed anew: its old bundles then count
            as another's.
        anyway: take a folder that is most likely not meant, too; or one that isn't encrypted in
            place of one that is.
        key: whether the store is to be encrypted, and its key; None for a plain one, or one whose
            key this machine has.
        accept_older: take what lies in an encrypted store now for what counts, though newer files
            were seen there.

    Raises:
        UsageError: the location can't be read or isn't fit for a store, or the name can't be used.
        StoreMissing: there is none, and `key` says that none is to be made.
        StoreKeyNeeded: the store is encrypted, and no key was given.
        StoreKeyWrong: the key doesn't open it, or can't be one.
        MarkerReplaced: the store was encrypted and its marker no longer says so.
        MachineNameTaken: another machine has it there.
        TransportError: the store can't be made, written or read back.
    """
    if name is not None:
        _check_name(name)
    chosen = preferences.load(paths)
    parsed = parse_location(location)
    if isinstance(parsed, FolderLocation) and not anyway:
        _check_fit(Path(parsed.path), chosen)
    spelled = parsed.spelling
    transport = open_transport(spelled, chosen.ssh_command, paths.runtime)
    try:
        choice = key or KeyChoice()
        was_encrypted = chosen.encrypted and not anyway
        ready = ready_store(paths, transport, choice, was_encrypted=was_encrypted)
        label = transport.label
    finally:
        transport.close()
    named = named_folder()
    if named is not None and chosen.location is None and chosen.claude_config_dir is None:
        # The folder of the first set-up is this machine's; a later one's is a machine of its own.
        chosen = chosen._replace(claude_config_dir=named)
    store_id, encrypted = ready.marker.store_id, ready.marker.encrypted
    new = chosen._replace(location=spelled, store_id=store_id, encrypted=encrypted)
    with Context(paths, new) as context:
        if encrypted and accept_older:
            context.store.accept_older()
        machine, others = _named(context, look(context), name, take_over=take_over)
        name_machine(paths, machine.name, context.homes)
        homes = context.homes
    preferences.change(
        paths,
        location=spelled,
        store_id=store_id,
        encrypted=encrypted or None,
        claude_config_dir=named or chosen.claude_config_dir,
    )
    machine = load_machine(paths, homes)
    return SetUp(
        spelled,
        label,
        machine,
        others,
        encrypted=encrypted,
        made_key=ready.made_key,
        is_new=ready.is_new,
    )


def rename_machine(context: Context, name: str) -> Machine:
    """Give this machine another name; its id stays, and so does all that it pushed.

    Each of its bundles bears the new name once its session is pushed next. What was opened before
    with the old name is to be opened anew.

    Args:
        context: what to work with.
        name: the new name.

    Raises:
        UsageError: that can't be a machine's name.
        MachineNameTaken: another machine has it in the store.
        NotSetUp, TransportError: the store can't be looked at.
        RecordsError: it can't be kept.
        LockBusy: another claude-sync is at work.
    """
    _check_name(name)
    with context.working("renaming this machine"):
        if name.lower() in _names_of_others(context, look(context)):
            raise MachineNameTaken(
                "another machine has that name", where=name, todo="choose another name"
            )
        return name_machine(context.paths, name, context.homes)


def _check_name(name: str) -> None:
    """Check that a machine can be called so.

    Raises:
        UsageError: it can't.
    """
    if not is_machine_name(name):
        raise UsageError(
            "a machine's name is letters, digits, '.', '_' and '-', at most 64 of them",
            todo="choose another name",
        )
    if name.lower() in WORDS_FOR_SIDES:
        raise UsageError(
            "a machine can't have that name, which means something else to `claude-sync resolve`",
            where=name,
            todo="choose another name",
        )


def _check_fit(folder: Path, chosen: Preferences) -> None:
    """Check that a folder isn't in a place where a store does harm, or is lost.

    Raises:
        UsageError: it is, and why.
    """
    why = _unfit(folder, chosen)
    if why:
        raise UsageError(
            f"the shared folder can't be there: {why}",
            where=str(folder),
            todo="choose another folder, or add --anyway if this is what you want",
        )


def _unfit(folder: Path, chosen: Preferences) -> str:
    real = Path(os.path.realpath(folder))
    remembered = chosen.claude_config_dir
    claude = ClaudeHome.locate(remembered=str(remembered) if remembered else None).path
    if real.is_relative_to(os.path.realpath(claude)):
        return "it is inside Claude Code's own folder, whose contents Claude Code manages"
    home = home_directory()
    if not home.is_dir() and folder.is_relative_to(home):
        return "it is below a home directory that isn't there, and may only not be mounted"
    from claude_sync.projects.git import remote_of
    from claude_sync.projects.repository import Finder

    try:
        found = Finder().find(str(real))
        if found is not None and remote_of(found.repository).url is not None:
            return "it is inside a git repository with a remote, where sessions would be committed"
    except ProjectKeyError:
        return ""  # there is a repository, but nothing tells that it goes anywhere
    return ""


def _named(
    context: Context, survey: Survey, name: str | None, *, take_over: bool
) -> tuple[Machine, tuple[str, ...]]:
    machine = context.machine
    wanted = name or machine.name
    others = _names_of_others(context, survey)
    if wanted.lower() in others and not take_over:
        raise MachineNameTaken(
            "another machine has that name",
            where=wanted,
            todo="choose another with --name, or use --take-over if this is that machine "
            "reinstalled",
        )
    return Machine(wanted, machine.id, named=True), tuple(sorted(others.values()))


def _names_of_others(context: Context, survey: Survey) -> dict[str, str]:
    """The names that other machines have in the store, by what they are without capitals."""
    heads = (bundle.head for bundles in survey.bundles.values() for bundle in bundles)
    own = context.machine.id
    return {head.machine.lower(): head.machine for head in heads if head.machine_id != own}
