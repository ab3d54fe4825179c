"""``claude-sync resume``"""

from __future__ import annotations

import math
import os
import sys
import time
from argparse import Namespace
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from claude_sync.claude.client import find_client
from claude_sync.claude.trust import is_new_to_client
from claude_sync.errors import UsageError
from claude_sync.model import Outcome, Result
from claude_sync.state.paths import paths
from claude_sync.sync.resume import Question, Resumption, prepare_resume
from claude_sync.wording import replaces, short_path
from claude_sync_app import resume_sentences as sentences
from claude_sync_app.cli import results, selection
from claude_sync_app.cli.context import command_context
from claude_sync_app.cli.output import flush, print_error, print_line, print_note
from claude_sync_app.cli.parser import Parser
from claude_sync_app.cli.prompt import can_ask, confirm
from claude_sync_app.cli.runner import DONE, FAILED, WrongArguments
from claude_sync_app.handover import hand_over, plan_handover
from claude_sync_app.resume_options import resume_options
from claude_sync_app.shown_text import titled_id

# Where a process can't become the client, it waits for it, which may leave the session meanwhile.
_OPENS_WITHIN = 30.0 if sys.platform == "win32" else math.inf


def configure(parser: Parser) -> None:
    parser.add_argument("session", metavar="SESSION", nargs="?", help=selection.SESSION)
    parser.add_argument(
        "--project",
        metavar="DIR",
        help="the newest session of this directory's project (default: of the current one)",
    )
    parser.add_passed_on("CLAUDE-ARGUMENTS", "what Claude Code gets besides, such as a prompt")
    parser.describe(
        "Pulls the session if another machine went on with it, then becomes\n"
        "`claude --resume` in the session's directory. Without SESSION: the session of this\n"
        "directory's project that was used last, on any machine. If it has diverged or lost\n"
        "something, you are asked first.",
        ("resume", "when you arrive at this machine"),
        ("resume 3f2a", "the session whose id begins with 3f2a"),
        ("resume -- --model opus", "with an option of Claude Code's"),
    )


def run(arguments: Namespace) -> int:
    if arguments.session is not None and arguments.project is not None:
        raise WrongArguments("SESSION can't be combined with --project", todo="use one of them")
    client = find_client()
    if client is None:
        raise UsageError(
            "Claude Code isn't installed here, or its folder isn't on the PATH",
            todo="install it, then resume; `claude-sync pull` pulls until then",
        )
    ready = _when_ready(arguments)
    if ready is None:
        return FAILED
    found, claude_home = ready
    directory = found.checked_directory()
    options = resume_options(paths(), found.path, found.from_elsewhere)
    handover = plan_handover(
        client,
        found.session_id,
        directory,
        options=options.arguments,
        arguments=arguments.passed_on,
        environment=os.environ,
        claude_home=claude_home,
    )
    if not _is_current(directory):
        print_note(sentences.directory_sentence(directory))
    is_new = is_new_to_client(claude_home, directory, handover.environment)
    mode = options.remark_on(handover.options)
    for line in sentences.remarks(found, mode, new_directory=is_new):
        print_note(line)
    flush()
    return hand_over(handover)


def _when_ready(arguments: Namespace) -> tuple[Resumption, Path] | None:
    """The session, once all is decided that has to be; None where it isn't."""
    session, agreed = arguments.session, dict[str, bool]()
    while True:
        with command_context(store=False) as context:
            project = None
            if session is None:
                project = context.registry.stand(selection.directory(arguments.project)).key
            else:
                selection.register_current_directory(context)
            found = prepare_resume(
                context, session, project=project, opens_within=_OPENS_WITHIN, **agreed
            )
            results.log_results(context, "resume", found.results)
            claude_home = context.home.path
        _print_pulled(found)
        if found.question is None:
            return found, claude_home
        session = found.session_id
        if not can_ask():
            print_error(_named(found))
            return None
        answer = _QUESTIONS[found.question](found)
        if answer is None:
            return None
        agreed.update(answer)


def _print_pulled(found: Resumption) -> None:
    if said := sentences.deleted_sentence(found):
        print_note(said)
    pulled = found.pulled
    if pulled is not None:
        print_line(sentences.pulled_sentence(found, time.time_ns()))
        if pulled.outcome is Outcome.REPLACED:
            _print_way_back(found)


def _named(found: Resumption) -> str:
    """A question's sentence, which says of which session it is."""
    name = titled_id(found.title, found.session_id)
    return results.about_session(name, found.session_id, found.message)


def _is_current(directory: Path) -> bool:
    try:
        return os.path.samefile(directory, os.curdir)
    except OSError:
        return False  # the current one was removed


# --- what is asked -----------------------------------------------------------------------------

_Answer = Mapping[str, bool] | None
"""What a person agreed to, for the next attempt; None where nothing is resumed."""


def _ask_for_side(found: Resumption) -> _Answer:
    from claude_sync_app.cli.commands.resolve import settle

    settled = settle(found.session_id)
    if settled is None:
        return _nothing()
    done, where = settled
    return _print_settled(found, done, where)


def _ask_for_version(found: Resumption) -> _Answer:
    from claude_sync.sync.resolve import MINE, resolve
    from claude_sync.sync.restore import earlier_versions, restore
    from claude_sync_app.cli.choices import choose_version

    with command_context(store=False) as context:
        versions = earlier_versions(context, found.session_id)
    print_note(_named(found))
    chosen = choose_version(versions, mine=True)
    if chosen is None:
        return _nothing()
    with command_context(store=False) as context:
        if isinstance(chosen, str):
            done = resolve(context, found.session_id, MINE)
        else:
            done = restore(context, found.session_id, chosen)
        results.log_results(context, "restore", done)
        where = short_path(context.store.label) if done[1:] or chosen == MINE else ""
    if isinstance(chosen, str):
        return _print_settled(found, done, where)
    results.print_restored(done, where, resumed=True)
    _print_way_back(found)
    return _unless_failed(done)


def _ask_to_replace(found: Resumption) -> _Answer:
    machine = found.results[0].machine
    what = f"{machine}'s version was chosen there and {replaces(found.replaces)}"
    name = titled_id(found.title, found.session_id)
    agreed = confirm(f"{name}: {what}; they would be kept as an earlier version. Go on with it?")
    return {"replace": True} if agreed else _nothing()


def _ask_for_what_is_here(found: Resumption) -> _Answer:
    print_note(_named(found))
    agreed = confirm("That may be a newer version. Go on with what is here all the same?")
    return {"as_it_is": True} if agreed else _nothing()


def _nothing() -> _Answer:
    print_line("Nothing was changed.")
    return None


def _print_settled(found: Resumption, done: Sequence[Result], where: str) -> _Answer:
    """Print what a choice did, as `resolve` does."""
    results.print_results(done, "resolve", where, named=True, resumed=found.session_id)
    if not any(one.outcome is Outcome.REPLACED for one in done):  # that says it itself
        _print_way_back(found)
    return _unless_failed(done)


def _unless_failed(done: Sequence[Result]) -> _Answer:
    return {} if results.exit_status(done, named=True) == DONE else None


def _print_way_back(found: Resumption) -> None:
    print_note(f"To go back: `claude-sync undo {found.session_id}`.")


_QUESTIONS: Mapping[Question, Callable[[Resumption], _Answer]] = {
    Question.DIVERGED: _ask_for_side,
    Question.SHORTENED: _ask_for_version,
    Question.REPLACES: _ask_to_replace,
    Question.UNREAD: _ask_for_what_is_here,
}
