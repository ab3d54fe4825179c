"""Makes the manual pages out of the command line's own parser: `man_pages.py FOLDER`.

One for the program, and one for each command, as git has them: claude-sync-push.1. Whoever packages
runs this with an environment that has the program and argparse-manpage.
"""

from __future__ import annotations

import sys
from argparse import ArgumentParser
from collections.abc import Mapping
from pathlib import Path

from argparse_manpage.manpage import Manpage

from claude_sync import __version__
from claude_sync_app.cli.commands import COMMANDS, GROUPS
from claude_sync_app.cli.output import PROGRAM
from claude_sync_app.cli.whole_parser import SUMMARY, command_parser

_FILES = """\
.TP
.I ~/.config/claude-sync
Preferences, projects and decisions ($XDG_CONFIG_HOME).
.TP
.I ~/.local/state/claude-sync
This machine's name, the records, the vault, the log ($XDG_STATE_HOME).
.TP
.I ~/.claude
Claude Code's folder ($CLAUDE_CONFIG_DIR)."""
_EXIT_STATUS = """\
.TP
.B 0
Done, also where there was nothing to do.
.TP
.B 1
A session failed, is in conflict, or was named and couldn't be done.
.TP
.B 2
Wrong usage, or no shared folder is chosen.
.TP
.B 130
Interrupted."""


def pages() -> Mapping[str, str]:
    """Every manual page in roff, by its file's name."""
    made = {f"{PROGRAM}.1": _program_page()}
    for name, command in COMMANDS.items():
        parser = command_parser(command)
        examples, parser.epilog = parser.epilog, None
        page = _page(parser, f"{PROGRAM}-{name}", command.summary)
        if examples:
            page.add_section("examples", ">", _text(examples.removeprefix("examples:\n")))
        page.add_section("see also", ">", f".BR {PROGRAM} (1)".replace("-", "\\-"))
        made[f"{PROGRAM}-{name}.1"] = str(page)
    return made


def _program_page() -> str:
    parser = ArgumentParser(PROGRAM, usage=f"{PROGRAM} COMMAND [arguments]", add_help=False)
    parser.description = (
        f"{PROGRAM} moves Claude Code sessions between your machines, byte for byte: push on one, "
        f"and `{PROGRAM} resume` goes on with it on another. `{PROGRAM} COMMAND --help` and the "
        f"page {PROGRAM}-COMMAND(1) say more of each command."
    )
    page = _page(parser, PROGRAM, SUMMARY)
    lines = []
    for title, group in GROUPS:
        lines.append(f".SS {title}")
        for command in group:
            lines += [".TP", f".BR {PROGRAM}-{command.name} (1)", command.summary]
    page.add_section("commands", ">", "\n".join(lines).replace("-", "\\-"))
    page.add_section("exit status", ">", _EXIT_STATUS)
    page.add_section("files", ">", _FILES.replace("-", "\\-"))
    return str(page)


def _page(parser: ArgumentParser, name: str, summary: str) -> Manpage:
    description, parser.description = parser.description or "", None
    page = Manpage(parser)
    page.prog, page.description = name, summary
    page.source, page.manual = f"{PROGRAM} {__version__}", f"{PROGRAM} manual"
    page.add_section("description", ">", _text(description))
    return page


def _text(text: str) -> str:
    """Text whose paragraphs flow, and whose indented lines stay as they are.

    A dash stays one, so that what is copied can be typed.
    """
    lines, verbatim = [], False
    for line in text.replace("\\", "\\e").replace("-", "\\-").splitlines():
        if verbatim != (indented := line.startswith("  ")):
            lines.append(".nf" if indented else ".fi")
            verbatim = indented
        lines.append(f"\\&{line}" if line else ".PP")
    return "\n".join([*lines, *[".fi"] * verbatim])


def main(folder: Path) -> None:
    """Write the pages into a folder, which is made."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in pages().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
