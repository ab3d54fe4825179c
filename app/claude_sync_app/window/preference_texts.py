"""Every preference in plain words: what it is called, what it does, and how it is entered."""

from __future__ import annotations

import json
from collections.abc import Iterator

from claude_sync.state import preferences
from claude_sync.state.preference_kinds import KINDS
from claude_sync.state.preferences import Preferences
from claude_sync.values import NamedTuple

SWITCH, CHOICE, NUMBER, TEXT, LINES, COMMAND = (
    "switch",
    "choice",
    "number",
    "text",
    "lines",
    "command",
)


class PreferenceText(NamedTuple):
    """How one preference is shown.

    Attributes:
        key: its key; ``notifications.arrival`` names one kind of them.
        label: what it is called.
        explanation: what it does, a sentence or two.
        control: one of the words above.
        choices: for CHOICE: each value and what it is called.
        unit: for NUMBER.
    """

    key: str
    label: str
    explanation: str
    control: str
    choices: tuple[tuple[str, str], ...] = ()
    unit: str = ""


class Shown(NamedTuple):
    """A preference and what it is now.

    Attributes:
        text: how it is shown.
        value: as it is typed; "true" or "false" for a switch.
        is_default: whether the file says nothing else.
        problem: why what the file says isn't used, "" where it is.
    """

    text: PreferenceText
    value: str
    is_default: bool
    problem: str


SET_ELSEWHERE = frozenset({"location", "store_id", "encrypted", "paused_until", "notifications"})
"""What has a place of its own on the page, or stands there by its parts."""

_NOTICES = (
    ("arrival", "A session arrives", "Another machine pushed something newer."),
    ("pulled", "A session was pulled", "What you asked for, or what is pulled by itself, is here."),
    ("pushed", "A session was pushed", "After you asked for it; what goes by itself is silent."),
    ("conflict", "A conflict", "A session was continued on two machines."),
    ("doctor", "A warning of the doctor", "Something needs you."),
    ("failed", "Something failed", "With the reason, and what to do."),
)
GROUPS: tuple[tuple[str, tuple[PreferenceText, ...]], ...] = (
    (
        "Pushing and pulling",
        (
            PreferenceText(
                "push_on_change",
                "Push what changes here",
                "By itself, once a session has rested for some seconds, and when it is closed.",
                SWITCH,
            ),
            PreferenceText(
                "on_arrival",
                "When a session arrives",
                "A session that is open here is never replaced, whatever you choose.",
                CHOICE,
                (
                    ("ask", "Tell me, and pull with a click"),
                    ("pull", "Pull it by itself"),
                    ("nothing", "Only show it here"),
                ),
            ),
            PreferenceText(
                "quiet_seconds",
                "Rest before a push",
                "How long a session has to be unchanged before it is pushed.",
                NUMBER,
                unit="seconds",
            ),
            PreferenceText(
                "pull_interval_seconds",
                "Look for arrivals every",
                "How often the shared folder is looked at, where it doesn't tell by itself.",
                NUMBER,
                unit="seconds",
            ),
            PreferenceText(
                "watch_store",
                "Let a host tell of changes",
                "Keeps a connection to the host on which it tells of arrivals at once.",
                SWITCH,
            ),
            PreferenceText(
                "checkpoints",
                "Take checkpoints along",
                "They are what /rewind needs, and hold whole source files.",
                SWITCH,
            ),
            PreferenceText(
                "cloud_megabytes_a_day",
                "At most to a cloud in a day",
                "What is pushed by itself to a cloud; 0 for no limit. What you push by hand goes.",
                NUMBER,
                unit="MB",
            ),
        ),
    ),
    (
        "Notifications",
        (
            *(
                PreferenceText(f"notifications.{kind}", label, explanation, SWITCH)
                for kind, label, explanation in _NOTICES
            ),
            PreferenceText(
                "show_titles",
                "Titles in notifications",
                "Off, they name only the project: a notification may be seen by others.",
                SWITCH,
            ),
        ),
    ),
    (
        "The icon",
        (
            PreferenceText(
                "left_click",
                "A click on the icon",
                "On panels that tell it from a right click.",
                CHOICE,
                (("menu", "Opens the menu"), ("push", "Pushes what changed")),
            ),
            PreferenceText(
                "recent_limit",
                "Sessions in the menu",
                "How many of the last ones the menu shows, five at most; this window shows all.",
                NUMBER,
                unit="sessions",
            ),
            PreferenceText(
                "check_for_updates",
                "Tell of a newer version",
                "The icon asks GitHub once a day; off, nothing is ever asked.",
                SWITCH,
            ),
        ),
    ),
    (
        "Programs and folders",
        (
            PreferenceText(
                "search",
                "Search in what was said",
                "Keeps an index of the words on this machine, as private as the sessions; off, "
                "it is removed.",
                SWITCH,
            ),
            PreferenceText(
                "terminal",
                "Terminal",
                "The program that Resume opens, and its arguments; empty for this system's own.",
                COMMAND,
            ),
            PreferenceText(
                "projects_roots",
                "Where projects lie",
                "Folders below which a project that arrives is looked for, one a line.",
                LINES,
            ),
            PreferenceText(
                "claude_config_dir",
                "Claude Code's folder",
                "Where it isn't ~/.claude, as CLAUDE_CONFIG_DIR names it; empty for the usual one.",
                TEXT,
            ),
            PreferenceText(
                "ssh_command",
                "ssh",
                "The program that reaches a host, and its arguments.",
                COMMAND,
            ),
            PreferenceText(
                "ignore",
                "Projects that are never pushed",
                "Patterns of projects' keys, one a line, such as git:github.com/employer/*.",
                LINES,
            ),
            PreferenceText(
                "ignored_findings",
                "Findings you don't want to be warned of",
                "Codes of the doctor's findings, one a line; they stay listed.",
                LINES,
            ),
        ),
    ),
)


def shown_groups(chosen: Preferences) -> Iterator[tuple[str, list[Shown]]]:
    """Every group with what its preferences are now."""
    for name, texts in GROUPS:
        yield name, [_shown(text, chosen) for text in texts if text.key.split(".")[0] in KINDS]


def _shown(text: PreferenceText, chosen: Preferences) -> Shown:
    value = preferences.value_of(chosen, text.key)
    problem = next((one.reason for one in chosen.problems if one.key == text.key), "")
    default = preferences.value_of(Preferences(), text.key)
    return Shown(text, as_typed(text, value), value == default, problem)


def as_typed(text: PreferenceText, value: object) -> str:
    """A preference's value as a person types it into its control."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return "\n".join(value) if text.control == LINES else _command_line(value)
    return f"{value:g}" if isinstance(value, float) else str(value)


def _command_line(arguments: list[str]) -> str:
    """A program and its arguments; a program alone stands for itself, spaces and all."""
    return arguments[0] if len(arguments) == 1 else json.dumps(arguments, ensure_ascii=False)


def from_typed(key: str, typed: str) -> str:
    """What was typed into a preference's control, as `preferences.parse_value` reads it.

    Args:
        key: of a preference that there is.
        typed: what a browser sends.

    Raises:
        KeyError: no preference of that key can be set here.
    """
    control = CONTROLS[key]
    if control == LINES:
        lines = [line.strip() for line in typed.splitlines()]
        return json.dumps([line for line in lines if line])
    if not typed.strip() and control in (TEXT, COMMAND, NUMBER):
        return "null"
    return typed.strip()


CONTROLS = {text.key: text.control for _, texts in GROUPS for text in texts}
