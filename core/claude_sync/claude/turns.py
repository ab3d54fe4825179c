"""A transcript's lines as turns of a conversation: who said what, and which tools were called.

For reading and searching only; nothing that moves a session depends on it. Lines are other people's
and may hold anything: whatever is in one, it makes a turn or none, and no turn is without bounds.
Nothing here makes a text safe to show: that depends on where it is shown.
"""

from __future__ import annotations

import json
import re
from typing import Any

from claude_sync.claude.message import moment_of
from claude_sync.claude.subagents import is_subagent_id
from claude_sync.values import NamedTuple

PERSON, ASSISTANT, SYSTEM = "person", "assistant", "system"

MAX_LINE_BYTES = 8 << 20
"""A longer line isn't read: an endless output, a picture of many megabytes."""
MAX_TEXT_CHARACTERS = 1 << 20
"""How much of one text is kept."""
MAX_PARTS = 500
"""How many parts one turn may have."""
MAX_SUMMARY_CHARACTERS = 200
"""Of the one line that stands for a tool call."""
_NAME_CHARACTERS = 80

_BLANK = b"\0 \t\r\n"
_SPEAKERS = {"user": PERSON, "assistant": ASSISTANT}
# What says most about a call, the first that is there.
_TELLING = (
    "description",
    "file_path",
    "notebook_path",
    "command",
    "pattern",
    "query",
    "url",
    "path",
    "skill",
    "subject",
    "prompt",
)
_SUBAGENT_TOOLS = frozenset({"Agent", "Task"})
# What the client puts between tags into the person's messages.
_COMMAND = re.compile(r"<command-name>([^<]{0,300})</command-name>")
_ARGUMENTS = re.compile(r"<command-args>([^<]{0,2000})</command-args>")
_SHELL = re.compile(r"\s*<bash-input>(.{0,2000}?)</bash-input>", re.DOTALL)
_FROM_CLIENT = re.compile(
    r"\s*<(?:system-reminder|local-command-|bash-std|task-notification|command-message)"
)


class TextPart(NamedTuple):
    """Something that was said, in Markdown mostly.

    Attributes:
        text: what; without lone surrogates, but with whatever else was in it.
        shortened: whether more was said than is kept.
    """

    text: str
    shortened: bool = False


class ToolCall(NamedTuple):
    """A tool that was called, on one line.

    Attributes:
        name: the tool's.
        summary: what tells most about the call; at most 200 characters, "" where nothing does.
        subagent: whether it set a subagent to work.
        call_id: what its result names.
        failed: whether its result said that it failed, where that was read as well.
        agent: the id of that subagent, "" where that isn't known.
    """

    name: str
    summary: str
    subagent: bool = False
    call_id: str = ""
    failed: bool = False
    agent: str = ""


class Attached(NamedTuple):
    """A picture or a document in a message. It isn't kept.

    Attributes:
        kind: "image", "document" or another word of the client's.
    """

    kind: str


Part = TextPart | ToolCall | Attached


class Turn(NamedTuple):
    """What one said in one go.

    Attributes:
        speaker: "person", "assistant" or "system"; the last is the client itself.
        parts: in their order; at least one.
        time: seconds since the epoch as the line says, None where it doesn't.
        offset: where its first line begins in the transcript, bytes.
        end: where its last line ends.
        subagent: whether a subagent said it, or was told it.
        compaction: whether the client summed up here what was said before.
        unreadable: whether the line could not be understood; then a part says so.
    """

    speaker: str
    parts: tuple[Part, ...]
    time: float | None = None
    offset: int = 0
    end: int = 0
    subagent: bool = False
    compaction: bool = False
    unreadable: bool = False

    @property
    def text(self) -> str:
        """All that was said in words."""
        return "\n".join(part.text for part in self.parts if isinstance(part, TextPart))


class ToolResults(NamedTuple):
    """The results of tool calls, which stand in a line of their own.

    Attributes:
        failed: ids of the calls that failed.
        agent: a call's id, and the id of the subagent that it set to work; None where it set none.
    """

    failed: frozenset[str]
    agent: tuple[str, str] | None = None


def read_turn(line: bytes | None, offset: int, end: int) -> Turn | ToolResults | None:
    """What one line of a transcript says.

    Args:
        line: its bytes; None for one that is too long to be read.
        offset, end: where it begins and ends in the transcript.

    Returns:
        None where it says nothing that a person would read.
    """
    if line is None:
        return _unreadable(f"A line of {end - offset:,} bytes isn't shown", offset, end)
    if not line.strip(_BLANK):
        return None
    try:
        # As text: given bytes, the reader takes NULs for another encoding.
        event = json.loads(line.decode("utf-8", "replace"))
    except (ValueError, RecursionError):
        event = None
    if not isinstance(event, dict):
        return _unreadable(f"A line of {end - offset:,} bytes can't be read", offset, end)
    kind = event.get("type")
    if kind == "system":
        return _of_client(event, offset, end)
    if kind == "attachment":
        return _queued(event, offset, end)
    if kind not in ("user", "assistant") or event.get("isMeta") is True:
        return None
    return _said(event, _SPEAKERS[kind], offset, end)


def _unreadable(text: str, offset: int, end: int) -> Turn:
    return Turn(SYSTEM, (TextPart(text),), offset=offset, end=end, unreadable=True)


def _said(event: dict[str, Any], speaker: str, offset: int, end: int) -> Turn | ToolResults | None:
    message = event.get("message")
    content = message.get("content") if isinstance(message, dict) else None
    parts, failed = _parts(content, speaker)
    agent = _agent_of(event, content)
    compaction = event.get("isCompactSummary") is True
    origin = event.get("origin")
    if compaction or (isinstance(origin, dict) and origin.get("kind") == "task-notification"):
        speaker = SYSTEM
    if not parts:
        return ToolResults(failed, agent) if failed or agent else None
    return Turn(
        speaker=speaker,
        parts=tuple(parts),
        time=moment_of(event.get("timestamp")),
        offset=offset,
        end=end,
        subagent=event.get("isSidechain") is True,
        compaction=compaction,
    )


def _agent_of(event: dict[str, Any], content: object) -> tuple[str, str] | None:
    """The call that set a subagent to work, and which that is, where the line holds its result."""
    told = event.get("toolUseResult")
    agent = told.get("agentId") if isinstance(told, dict) else None
    if not isinstance(agent, str) or not is_subagent_id(agent) or not isinstance(content, list):
        return None
    for item in content:
        if isinstance(item, dict) and item.get("type") == "tool_result":
            call = _name(item.get("tool_use_id"))
            return (call, agent) if call else None
    return None


def _of_client(event: dict[str, Any], offset: int, end: int) -> Turn | None:
    """What the client says itself: that it summed up, that something failed."""
    compaction = event.get("subtype") == "compact_boundary"
    content = event.get("content")
    text = _as_text(content) if isinstance(content, str) else None
    if text is None and compaction:
        text = TextPart("The conversation was summed up")
    if text is None or event.get("isMeta") is True or _FROM_CLIENT.match(text.text):
        return None
    return Turn(
        speaker=SYSTEM,
        parts=(text,),
        time=moment_of(event.get("timestamp")),
        offset=offset,
        end=end,
        subagent=event.get("isSidechain") is True,
        compaction=compaction,
    )


def _queued(event: dict[str, Any], offset: int, end: int) -> Turn | None:
    """What a person said while the assistant was at work, where the client attached it to a turn.

    The rest of what is attached wasn't said.
    """
    attachment = event.get("attachment")
    if not isinstance(attachment, dict) or attachment.get("type") != "queued_command":
        return None
    if attachment.get("commandMode", "prompt") != "prompt":
        return None
    parts, _ = _parts(attachment.get("prompt"), PERSON)
    if not parts:
        return None
    moment = moment_of(event.get("timestamp"))
    return Turn(PERSON, tuple(parts), time=moment, offset=offset, end=end)


# --- parts -------------------------------------------------------------------------------------


def _parts(content: object, speaker: str) -> tuple[list[Part], frozenset[str]]:
    """What a message consists of, and which tool calls it says to have failed."""
    if isinstance(content, str):
        text = _text_of(content, speaker)
        return ([text] if text else []), frozenset()
    if not isinstance(content, list):
        return [], frozenset()
    parts: list[Part] = []
    failed: set[str] = set()
    for item in content:
        if not isinstance(item, dict) or len(parts) == MAX_PARTS:
            continue
        kind = item.get("type", "text")
        if kind == "text" and isinstance(item.get("text"), str):
            text = _text_of(item["text"], speaker)
            parts += [text] if text else []
        elif kind == "tool_use":
            parts.append(_call(item))
        elif kind == "tool_result":
            if item.get("is_error") is True and len(failed) < MAX_PARTS:
                failed.add(_name(item.get("tool_use_id")))
        elif isinstance(kind, str) and kind in ("image", "document"):
            parts.append(Attached(kind))
    return parts, frozenset(failed)


def _text_of(text: str, speaker: str) -> TextPart | None:
    """What was said; of what stands in a person's name, only what the person typed."""
    if speaker == PERSON and "<" in text[:_NAME_CHARACTERS]:
        beginning = text[:4000]
        if found := _COMMAND.search(beginning):
            arguments = _ARGUMENTS.search(beginning)
            text = f"{found.group(1)} {arguments.group(1) if arguments else ''}"
        elif found := _SHELL.match(beginning):
            text = f"! {found.group(1)}"
        elif _FROM_CLIENT.match(beginning):
            return None
    return _as_text(text)


def _as_text(text: str) -> TextPart | None:
    kept = _valid(text[:MAX_TEXT_CHARACTERS]).strip()
    return TextPart(kept, shortened=len(text) > MAX_TEXT_CHARACTERS) if kept else None


def _call(item: dict[str, Any]) -> ToolCall:
    name = _name(item.get("name")) or "tool"
    given = item.get("input")
    summary = ""
    if isinstance(given, dict):
        told = (given.get(key) for key in _TELLING)
        summary = next((_one_line(one) for one in told if isinstance(one, str)), "")
    return ToolCall(name, summary, name in _SUBAGENT_TOOLS, _name(item.get("id")))


def _name(value: object) -> str:
    return _one_line(value)[:_NAME_CHARACTERS] if isinstance(value, str) else ""


def _one_line(text: str) -> str:
    line = " ".join(_valid(text[: 4 * MAX_SUMMARY_CHARACTERS]).split())
    if len(line) > MAX_SUMMARY_CHARACTERS:
        return line[: MAX_SUMMARY_CHARACTERS - 1] + "…"
    return line


def _valid(text: str) -> str:
    """A text that can be encoded: JSON may hold halves of pairs of surrogates."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text
