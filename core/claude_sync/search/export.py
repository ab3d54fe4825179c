"""A session as a document: plain text, Markdown, HTML, or JSON.

What was said is other people's text. In none of the documents can it load anything, run anything,
hide anything, or end what it stands in: the HTML is escaped whole and forbids scripts and every
source, the Markdown has neither raw HTML nor pictures outside of code.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Callable, Iterable, Iterator
from html import escape
from pathlib import Path

from claude_sync.claude.turns import ASSISTANT, PERSON, Attached, Part, TextPart, ToolCall, Turn
from claude_sync.disk import files
from claude_sync.disk.refusals import refusal
from claude_sync.errors import UsageError
from claude_sync.search.reader import SessionHeader, SessionReader
from claude_sync.search.subagents import Subagent, Subagents
from claude_sync.search.visible import visible
from claude_sync.wording import count, rfc3339, size

SPEAKERS = {PERSON: "You", ASSISTANT: "Claude"}
"""What those who speak are called; anybody else is Claude Code."""
_CLIENT = "Claude Code"
_OF_SUBAGENTS = {PERSON: "Task", ASSISTANT: "Subagent"}
"""The same where a subagent is told what to do, and where it speaks."""
_FENCE = re.compile(r" {0,3}(`{3,}|~{3,})(.*)")
_SHORTENED = "… (more was said than is shown)"


# --- what all have in common -------------------------------------------------------------------


def speaker_of(turn: Turn) -> str:
    """Who speaks, in a word or two for people."""
    if turn.subagent and turn.speaker in _OF_SUBAGENTS:
        return _OF_SUBAGENTS[turn.speaker]
    return SPEAKERS.get(turn.speaker, _CLIENT)


def name_of_subagent(subagent: Subagent) -> str:
    """What a subagent is called: what it was set to do, on one line."""
    return _line(subagent.description) or f"Subagent {subagent.id[:8]}"


def facts_of_subagent(subagent: Subagent) -> str:
    """What is known of a subagent besides its name."""
    kind = _line(subagent.kind)
    much = size(subagent.size) if subagent.turns is None else count(subagent.turns, "turn")
    return f"{kind}, {much}" if kind else much


def _moment(seconds: float | None) -> str:
    """A moment by this machine's clock, "" where there is none."""
    if seconds is None:
        return ""
    try:
        return time.strftime("%Y-%m-%d %H:%M", time.localtime(seconds))
    except (OSError, OverflowError, ValueError):
        return ""


def _facts(reader: SessionReader) -> Iterator[tuple[str, str]]:
    """What is known of a session, for people."""
    header = reader.header
    if header.subagent is not None:
        yield "Subagent", f"{header.subagent.id} ({facts_of_subagent(header.subagent)})"
    if header.project_key:
        yield "Project", header.project_key
    if header.directory is not None:
        yield "Directory", str(header.directory)
    own = header.subagent is None
    title = "" if own else _line(header.title)
    yield "Session", ", ".join(filter(None, [header.session_id, title]))
    machines = dict.fromkeys(one.machine for one in header.machines)
    if machines:
        yield "Machines", ", ".join(machines)
    if header.began is not None:
        yield "Begun", _moment(header.began)
    if header.mtime_ns:
        yield "Last used", _moment(header.mtime_ns / 1e9)
    yield "Read from", f"{header.read_from}, {size(header.size)}"
    listed, found = len(_listed(reader)), reader.subagents
    if listed:
        more = "" if found.complete else "; whether there are more is seen once it was pulled"
        yield "Subagents", f"{listed:,}, listed at the end; their turns aren't here{more}"
    elif own and not found.complete:
        yield "Subagents", "whether there are any is seen once it was pulled"


def _listed(reader: SessionReader) -> list[tuple[str, str]]:
    """The subagents that a document about their session names: each one's id, and what it did."""
    if reader.header.subagent is not None:
        return []
    return [
        (one.id[:8], f"{name_of_subagent(one)} ({facts_of_subagent(one)})")
        for one in reader.subagents
    ]


def _how_to_read(reader: SessionReader) -> str:
    return f"claude-sync show {reader.header.session_id[:8]} --agent ID"


def _title(header: SessionHeader) -> str:
    if header.subagent is not None:
        return name_of_subagent(header.subagent)
    return _line(header.title) or header.session_id[:8]


def _line(text: str) -> str:
    return " ".join(visible(text).split())


def _one_line(part: ToolCall | Attached, subagents: Subagents) -> str:
    if isinstance(part, Attached):
        return f"[{part.kind}]"
    words = f"{_line(part.name)}: {_line(part.summary)}" if part.summary else _line(part.name)
    if subagent := subagents.get(part.agent):
        words += f" (subagent {subagent.id[:8]}: {facts_of_subagent(subagent)})"
    return f"{words} (failed)" if part.failed else words


def save_document(path: Path, pieces: Iterable[str]) -> int:
    """Write a document into a file that only this user can read, replacing what was there.

    Args:
        path: the file.
        pieces: the document, as one of the functions here gives it.

    Returns:
        its size, bytes.

    Raises:
        UsageError: it can't be written there.
        SessionError, BundleError, TransportError: the session can't be read.
    """
    try:
        return files.replace(path, (piece.encode("utf-8", "replace") for piece in pieces)).size
    except OSError as error:
        why, todo = refusal(error, "choose another place for it")
        raise UsageError(f"it can't be written ({why})", where=str(path), todo=todo) from error


# --- plain text --------------------------------------------------------------------------------


def as_text(reader: SessionReader, bold: Callable[[str], str] = str) -> Iterator[str]:
    """A session as text for a terminal or a file, piece by piece.

    Args:
        reader: the session.
        bold: makes a heading bold.

    Raises:
        SessionError, BundleError, TransportError: it can't be read.
    """
    header = reader.header
    yield bold(_title(header)) + "\n"
    for name, value in _facts(reader):
        yield f"{name}: {_line(value)}\n"
    for turn in reader.turns():
        when = _moment(turn.time)
        yield "\n" + bold(f"{speaker_of(turn)}{' · ' + when if when else ''}") + "\n"
        for part in turn.parts:
            yield _part_as_text(part, reader.subagents) + "\n"
    if listed := _listed(reader):
        yield "\n" + bold("Subagents") + f" (read one with `{_how_to_read(reader)}`)\n"
        yield from (f"  {agent}  {what}\n" for agent, what in listed)


def _part_as_text(part: Part, subagents: Subagents) -> str:
    if isinstance(part, TextPart):
        return visible(part.text) + (f"\n{_SHORTENED}" if part.shortened else "")
    return f"  ▸ {_one_line(part, subagents)}"


# --- Markdown ----------------------------------------------------------------------------------


def as_markdown(reader: SessionReader) -> Iterator[str]:
    """A session as Markdown, piece by piece.

    Args:
        reader: the session.

    Raises:
        SessionError, BundleError, TransportError: it can't be read.
    """
    header = reader.header
    yield f"# {_plain_markdown(_title(header))}\n\n"
    for name, value in _facts(reader):
        yield f"- {name}: {_plain_markdown(_line(value))}\n"
    for turn in reader.turns():
        when = _moment(turn.time)
        yield f"\n## {speaker_of(turn)}{' · ' + when if when else ''}\n\n"
        for part in turn.parts:
            if isinstance(part, TextPart):
                yield f"{_harmless_markdown(visible(part.text))}\n\n"
                yield f"{_SHORTENED}\n\n" if part.shortened else ""
            else:
                yield f"> ▸ {_plain_markdown(_one_line(part, reader.subagents))}\n\n"
    if listed := _listed(reader):
        yield f"\n## Subagents\n\nTo read one: `{_how_to_read(reader)}`\n\n"
        yield from (f"- `{agent}`: {_plain_markdown(what)}\n" for agent, what in listed)


def _plain_markdown(text: str) -> str:
    """One line that stands for itself."""
    return re.sub(r"([\\`*_{}\[\]<>#|!~&])", r"\\\1", text)


def _harmless_markdown(text: str) -> str:
    """Markdown in which nothing but code is taken as it is, and no block of code stays open."""
    found = []
    for code, lines in blocks(text):
        if code is None:
            found.append(_without_markup("\n".join(lines)))
        else:
            longest = max((len(run) for run in re.findall(r"`{3,}", "\n".join(lines))), default=2)
            fence = "`" * (longest + 1)
            found.append("\n".join([f"{fence}{code}", *lines, fence]))
    return "\n".join(found)


def _without_markup(text: str) -> str:
    """Text between blocks of code, in which HTML is text and a picture a link.

    What stands between backquotes stays as it is, where there is no doubt which belong together.
    """
    lines = text.split("\n")
    if not all(map(_is_plainly_quoted, lines)):
        return _escaped(text)
    return "\n".join(map(_with_quoted, lines))


def _is_plainly_quoted(line: str) -> bool:
    return "``" not in line and "\\`" not in line and line.count("`") % 2 == 0


def _with_quoted(line: str) -> str:
    pieces = line.split("`")
    if any("|" in quoted for quoted in pieces[1::2]):
        return _escaped(line)  # in a table, a cell may end between the two
    return "`".join(piece if number % 2 else _escaped(piece) for number, piece in enumerate(pieces))


def _escaped(text: str) -> str:
    # Not by a backslash: after another one, that would stand for itself.
    return text.replace("&", "&amp;").replace("<", "&lt;").replace("![", "&#33;[")


def blocks(text: str) -> Iterator[tuple[str | None, list[str]]]:
    """The lines of a Markdown text, by whether they are a block of code.

    Returns:
        the code's language, "" where it isn't named, None for what is no code; and the lines.
    """
    fence, code, lines = "", None, list[str]()
    for line in text.split("\n"):
        opening = _FENCE.fullmatch(line)
        if fence:
            ends = opening and opening[1][0] == fence[0] and len(opening[1]) >= len(fence)
            if ends and opening and not opening[2].strip():
                yield code, lines
                fence, code, lines = "", None, []
                continue
        elif opening and "`" not in opening[2]:
            if lines:
                yield None, lines
            words = re.findall(r"[\w+#.-]{1,30}", opening[2][:40])
            fence, code, lines = opening[1], words[0] if words else "", []
            continue
        lines.append(line)
    if lines or fence:
        yield code, lines


# --- HTML --------------------------------------------------------------------------------------

_STYLE = """
:root { color-scheme: light dark; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 50rem; margin: 2rem auto; padding: 0 1rem; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem; }
dt { opacity: .75; } dd { margin: 0; overflow-wrap: anywhere; }
article { border-top: 1px solid #8886; padding: .5rem 0; }
h2 { font-size: 1rem; margin: .5rem 0; } time { font-weight: normal; opacity: .75; }
p, pre { white-space: pre-wrap; overflow-wrap: anywhere; margin: .5rem 0; }
pre { background: #8882; padding: .5rem; border-radius: .3rem; }
.call { opacity: .8; font-size: .9rem; margin: .2rem 0; }
"""


def as_html(reader: SessionReader) -> Iterator[str]:
    """A session as one page of HTML that needs nothing else, piece by piece.

    Args:
        reader: the session.

    Raises:
        SessionError, BundleError, TransportError: it can't be read.
    """
    header = reader.header
    title = escape(_title(header))
    yield (
        '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">\n"
        '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        f"<title>{title}</title>\n<style>{_STYLE}</style>\n</head>\n<body>\n"
        f"<h1>{title}</h1>\n<dl>\n"
    )
    for name, value in _facts(reader):
        yield f"<dt>{name}</dt><dd>{escape(_line(value))}</dd>\n"
    yield "</dl>\n"
    for turn in reader.turns():
        yield from _turn_as_html(turn, reader.subagents)
    if listed := _listed(reader):
        yield "<article>\n<h2>Subagents</h2>\n"
        yield f"<p>To read one: <code>{_how_to_read(reader)}</code></p>\n<ul>\n"
        for agent, what in listed:
            yield f"<li><code>{escape(agent)}</code> {escape(what)}</li>\n"
        yield "</ul>\n</article>\n"
    yield "</body>\n</html>\n"


def _turn_as_html(turn: Turn, subagents: Subagents) -> Iterator[str]:
    when = _moment(turn.time)
    shown = f" <time>{when}</time>" if when else ""
    yield f"<article>\n<h2>{speaker_of(turn)}{shown}</h2>\n"
    for part in turn.parts:
        if isinstance(part, TextPart):
            for code, lines in blocks(visible(part.text)):
                inside = escape("\n".join(lines).strip("\n"))
                if code is not None:
                    yield f"<pre><code>{inside}</code></pre>\n"
                elif inside.strip():
                    yield f"<p>{inside}</p>\n"
            yield f"<p>{_SHORTENED}</p>\n" if part.shortened else ""
        else:
            yield f'<p class="call">▸ {escape(_one_line(part, subagents))}</p>\n'
    yield "</article>\n"


# --- JSON --------------------------------------------------------------------------------------


def as_json(reader: SessionReader) -> Iterator[str]:
    """A session as one JSON document, piece by piece; texts as they are.

    Args:
        reader: the session.

    Raises:
        SessionError, BundleError, TransportError: it can't be read.
    """
    header = header_json(reader.header)
    header["subagents"] = list(map(subagent_json, reader.subagents))
    yield json.dumps(header, indent=2)[:-2] + ',\n  "turns": ['
    between = "\n    "
    for turn in reader.turns():
        yield between + json.dumps(turn_json(turn))
        between = ",\n    "
    yield "\n  ]\n}\n"


def header_json(header: SessionHeader) -> dict[str, object]:
    """What is known of a session, as JSON has it."""
    return {
        "session_id": header.session_id,
        "title": header.title,
        "project_key": header.project_key,
        "directory": None if header.directory is None else str(header.directory),
        "path": None if header.path is None else str(header.path),
        "read_from": header.read_from,
        "size": header.size,
        "began": _moment_json(header.began),
        "modified": rfc3339(header.mtime_ns),
        "subagent": None if header.subagent is None else header.subagent.id,
        "machines": [
            {
                "machine": one.machine,
                "here": one.here,
                "size": one.size,
                "modified": rfc3339(one.mtime_ns),
                "standing": str(one.standing),
                "read": one.is_read,
            }
            for one in header.machines
        ],
    }


def subagent_json(subagent: Subagent) -> dict[str, object]:
    """A subagent, as JSON has it."""
    return {
        "id": subagent.id,
        "description": subagent.description,
        "kind": subagent.kind,
        "size": subagent.size,
        "turns": subagent.turns,
        "began": _moment_json(subagent.began),
    }


def turn_json(turn: Turn) -> dict[str, object]:
    """A turn, as JSON has it."""
    return {
        "speaker": turn.speaker,
        "time": _moment_json(turn.time),
        "offset": turn.offset,
        "subagent": turn.subagent,
        "compaction": turn.compaction,
        "unreadable": turn.unreadable,
        "parts": list(_parts_json(turn.parts)),
    }


def _parts_json(parts: Iterable[Part]) -> Iterator[dict[str, object]]:
    for part in parts:
        if isinstance(part, TextPart):
            yield {"text": part.text, "shortened": part.shortened}
        elif isinstance(part, ToolCall):
            yield {
                "tool": part.name,
                "summary": part.summary,
                "subagent": part.subagent,
                "agent": part.agent or None,
                "failed": part.failed,
            }
        else:
            yield {"attached": part.kind}


def _moment_json(seconds: float | None) -> str | None:
    try:
        return None if seconds is None else rfc3339(int(seconds) * 1_000_000_000)
    except (OSError, OverflowError, ValueError):
        return None  # Windows knows no moments after the year 3000
