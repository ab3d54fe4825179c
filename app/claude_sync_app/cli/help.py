"""What ``claude-sync`` prints without a command."""

from __future__ import annotations

from claude_sync_app.cli.commands import GROUPS

_BEFORE = """\
claude-sync moves Claude Code sessions between your machines, byte for byte:
push on one, and `claude-sync resume` goes on with it on another.

usage: claude-sync COMMAND [arguments]
"""

_AFTER = """
Once, on each machine:
  claude-sync init ~/Dropbox/sessions --encrypt   a folder your machines share,
                                                  that nobody else can read
  claude-sync init nas:sessions                   or one on a host, by ssh
Then, in a project's directory:
  claude-sync push                                before you leave
  claude-sync resume                              when you arrive, to go on

`claude-sync COMMAND --help` says more, with examples."""


def overview() -> str:
    """Which commands there are, and how to begin."""
    lines = [_BEFORE]
    width = max(len(command.name) for _, group in GROUPS for command in group)
    for index, (title, group) in enumerate(GROUPS):
        lines += [""] * (index > 0) + [f"{title}:"]
        lines += [f"  {command.name.ljust(width)}   {command.summary}" for command in group]
    return "\n".join([*lines, _AFTER])
