"""``claude-sync completion``"""

from __future__ import annotations

from argparse import SUPPRESS, Namespace

from claude_sync_app.cli.output import print_raw
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.runner import DONE, WrongArguments
from claude_sync_app.cli.shell_completion import LISTS, SHELLS


def configure(parser: Parser) -> None:
    parser.add_argument("shell", metavar="SHELL", nargs="?", choices=SHELLS, help=", ".join(SHELLS))
    parser.add_argument("--list", choices=LISTS, help=SUPPRESS)
    parser.describe(
        "Prints a script that has a shell complete commands, options, sessions and\n"
        "preferences when you press Tab. Keep it where the shell looks for it:\n"
        "\n"
        "  bash         ~/.local/share/bash-completion/completions/claude-sync\n"
        "  zsh          a folder of $fpath, as _claude-sync\n"
        "  fish         ~/.config/fish/completions/claude-sync.fish\n"
        "  PowerShell   add it to the file that $PROFILE names\n"
        "\n"
        "A new shell has it then.",
        ("completion fish > ~/.config/fish/completions/claude-sync.fish", "for fish"),
        ("completion powershell >> $PROFILE", "for PowerShell"),
    )


def run(arguments: Namespace) -> int:
    if arguments.list is not None:
        from claude_sync_app.cli.candidates import candidates

        for value, text in candidates(arguments.list):
            print_raw(f"{value}\t{text}\n" if text else f"{value}\n")
        return DONE
    if arguments.shell is None:
        raise WrongArguments(
            "no shell was named", todo=f"type `claude-sync completion` with {', '.join(SHELLS)}"
        )
    from claude_sync_app.cli.shell_completion import completion_script
    from claude_sync_app.cli.whole_parser import whole_parser

    print_raw(completion_script(arguments.shell, whole_parser()))
    return DONE
