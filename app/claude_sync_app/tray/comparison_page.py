"""A conflict as a page in a browser: what each side says since they diverged. Pure.

All text in it is a stranger's: it is escaped, and the page may load and run nothing, whatever it
holds. It looks as the system does, light or dark, and can be read without its style.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Sequence
from datetime import datetime
from html import escape

from claude_sync.model import Side
from claude_sync.sync.read_conflict import ConflictView, Excerpt, SideView
from claude_sync.wording import ago, count, join, size
from claude_sync_app.shown_text import one_line, shortened, without_controls
from claude_sync_app.tray.labels import machine_of, project_of

_TITLE_LENGTH = 100
_WORD_LENGTH = 40

_STYLE = """
:root { color-scheme: light dark; --faint: #5e5c64; --line: #deddda; --user: #e8f0fb; }
@media (prefers-color-scheme: dark) {
  :root { --faint: #b5b3b9; --line: #4a484f; --user: #1d3046; }
}
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 90rem; padding: 0 1rem; }
h1 { font-size: 1.4rem; margin: 0; }
h2 { font-size: 1.1rem; margin: 0; }
p.how, header p, .events, .left, time { color: var(--faint); margin: 0.2rem 0; }
.sides { display: flex; flex-wrap: wrap; gap: 0 2rem; }
.sides section { flex: 1 1 20rem; }
section { border-top: 2px solid var(--line); margin-top: 1.5rem; padding-top: 1rem; min-width: 0; }
blockquote { border-radius: 8px; margin: 0.8rem 0 0; padding: 0.5rem 0.8rem; }
blockquote.user { background: var(--user); }
blockquote.assistant { border: 1px solid var(--line); }
blockquote b { display: block; font-size: 0.85rem; font-weight: 600; }
blockquote div { overflow-wrap: anywhere; unicode-bidi: plaintext; white-space: pre-wrap; }
.events, .left, time { font-size: 0.85rem; font-weight: 400; }
.name { unicode-bidi: isolate; }
"""
_HASH = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_POLICY = f"default-src 'none'; style-src 'sha256-{_HASH}'; base-uri 'none'; form-action 'none'"
_SPEAKERS = {"user": "You", "assistant": "Claude"}


def comparison_page(view: ConflictView, now: float) -> str:
    """The page, as HTML.

    Args:
        view: the conflict as it was read.
        now: seconds since the epoch.
    """
    title = _short(view.title, _TITLE_LENGTH) or _short(
        f"Untitled {view.session_id[:8]}", _TITLE_LENGTH
    )
    project = escape(project_of(view.project_key))
    session = escape(without_controls(view.session_id))
    machines = [_machine(one.side) for one in view.sides]
    sides = "\n".join(_side_section(one, now) for one in view.sides)
    return f"""<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="{escape(_POLICY)}">
<meta name="referrer" content="no-referrer">
<meta name="viewport" content="width=device-width">
<title>{title}</title>
<style>{_STYLE}</style>
</head>
<body>
<header>
<h1><bdi>{title}</bdi></h1>
<p>{f'<span class="name">{project}</span> — diverged' if project else "Diverged"} on \
{join(machines)}. Times are those of this machine's clock, \
{_moment(now)}.</p>
</header>
{_before(view.before)}<main class="sides">
{sides}
</main>
<section>
<p class="how">Choose in the menu of claude-sync, under “Conflicts”, or with <code>claude-sync \
resolve {session}</code>. Whatever you choose, what isn't kept stays in \
claude-sync's vault for a while.</p>
</section>
</body>
</html>
"""


def _before(excerpts: Sequence[Excerpt]) -> str:
    if not excerpts:
        return ""
    messages = "\n".join(_excerpt(excerpt) for excerpt in excerpts)
    return f"<section>\n<h2>Before they diverged</h2>\n{messages}\n</section>\n"


def _side_section(view: SideView, now: float) -> str:
    side = view.side
    written = side.mtime_ns / 1e9
    parts = [
        f"<h2>{_machine(side)}</h2>",
        f'<p class="left">{count(side.lines, "line")} more since they diverged, last written '
        f"{_time(written)} ({ago(side.mtime_ns, int(now * 1e9))}), "
        f"{size(side.version.size)} in all</p>",
    ]
    if not side.offered:
        parts.append('<p class="left">Another side holds all of it, so it can\'t be chosen.</p>')
    if view.left_out:
        parts.append(f'<p class="left">{count(view.left_out, "message")} before these</p>')
    if not view.excerpts:
        parts.append('<p class="left">There are no messages on this side.</p>')
    parts += [_excerpt(excerpt) for excerpt in view.excerpts]
    inside = "\n".join(parts)
    return f"<section>\n{inside}\n</section>"


def _excerpt(excerpt: Excerpt) -> str:
    parts = []
    message = excerpt.message
    if message is not None:
        speaker = _SPEAKERS.get(message.speaker, "")
        when = f" {_time(message.at)}" if message.at is not None else ""
        kind = message.speaker if speaker else ""
        parts.append(
            f'<blockquote class="{kind}"><b>{speaker}{when}</b>'
            f"<div>{_text(message.text)}</div></blockquote>"
        )
    if excerpt.events:
        words = ", ".join(
            _short(word, _WORD_LENGTH) + (f" × {number}" if number > 1 else "")
            for word, number in excerpt.events
        )
        parts.append(f'<p class="events">{words}</p>')
    return "\n".join(parts)


def _machine(side: Side) -> str:
    name = f'<span class="name">{escape(machine_of(side.machine))}</span>'
    if side.pushed_from_here:
        return f"{name} (pushed from this machine)"
    return name if side.machine_id else f"{name} (this machine)"


def _time(moment: float) -> str:
    return f"<time>{_moment(moment)}</time>"


def _moment(moment: float) -> str:
    """A moment in this machine's own time zone."""
    try:
        return datetime.fromtimestamp(moment).strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return "at an unknown time"


def _short(text: str, limit: int) -> str:
    return escape(shortened(one_line(text), limit))


def _text(text: str) -> str:
    """Lines of text without anything that acts on the text around them."""
    return "\n".join(escape(without_controls(line)) for line in text.splitlines())
