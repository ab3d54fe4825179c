"""Move Claude Code sessions between machines, byte for byte.

Everything a script or another front end needs is here; see `__all__`. Names are imported when they
are first used, so that a program pays only for what it uses.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from claude_sync.bundle.codec import decode, encode
    from claude_sync.bundle.file_names import bundle_file_name, encoded_key
    from claude_sync.bundle.head import read_head
    from claude_sync.claude.home import ClaudeHome, encode_directory
    from claude_sync.claude.message import Message
    from claude_sync.claude.turns import Attached, TextPart, ToolCall, Turn
    from claude_sync.doctor import examine
    from claude_sync.errors import (
        BundleError,
        ClaudeSyncError,
        LockBusy,
        NotSetUp,
        ProjectKeyError,
        SessionError,
        Stopped,
        TransportError,
        UsageError,
    )
    from claude_sync.model import (
        Bundle,
        BundleHead,
        Finding,
        IndexProgress,
        Level,
        LocalSession,
        Machine,
        Outcome,
        Progress,
        ProjectKey,
        Result,
        SessionState,
        Side,
        State,
        Version,
    )
    from claude_sync.projects.key import project_key, project_key_from_remote
    from claude_sync.search.export import as_html, as_json, as_markdown, as_text, save_document
    from claude_sync.search.marked_line import MarkedLine
    from claude_sync.search.reader import (
        Found,
        MachineCopy,
        SessionHeader,
        SessionReader,
        Standing,
        TurnPage,
    )
    from claude_sync.search.reading import read_session
    from claude_sync.search.searching import (
        SearchAnswer,
        SearchHit,
        search_sessions,
        update_index,
    )
    from claude_sync.search.subagents import Subagent, Subagents
    from claude_sync.service.service import Service
    from claude_sync.service.status import Arrival, Event, Status
    from claude_sync.state.paths import Paths, paths
    from claude_sync.state.preferences import Preferences
    from claude_sync.sync.conflict import Conflict, show_conflict
    from claude_sync.sync.context import Context, open_context
    from claude_sync.sync.forget import (
        bundles_of_machine,
        bundles_of_sessions,
        bundles_of_this_machine,
        bundles_older_than,
        forget,
    )
    from claude_sync.sync.pack import pack, unpack
    from claude_sync.sync.pull import pull
    from claude_sync.sync.push import push
    from claude_sync.sync.read_conflict import ConflictView, Excerpt, SideView, read_conflict
    from claude_sync.sync.resolve import resolve
    from claude_sync.sync.restore import (
        EarlierVersion,
        Restorable,
        earlier_versions,
        restorable,
        restore,
    )
    from claude_sync.sync.resume import Question, Resumption, prepare_resume
    from claude_sync.sync.setup import (
        SetUp,
        default_location,
        rename_machine,
        set_up,
        set_up_default,
    )
    from claude_sync.sync.states import states
    from claude_sync.sync.undo import undo
    from claude_sync.transports.base import Transport
    from claude_sync.transports.folder.transport import FolderTransport
    from claude_sync.transports.memory import MemoryTransport

__version__ = "0.1.0"

_HOMES = {
    "bundle.file_names": ("bundle_file_name", "encoded_key"),
    "bundle.head": ("read_head",),
    "claude.home": (
        "ClaudeHome",
        "encode_directory",
    ),
    "bundle.codec": (
        "decode",
        "encode",
    ),
    "doctor": ("examine",),
    "errors": (
        "BundleError",
        "ClaudeSyncError",
        "LockBusy",
        "NotSetUp",
        "ProjectKeyError",
        "SessionError",
        "Stopped",
        "TransportError",
        "UsageError",
    ),
    "model": (
        "Bundle",
        "BundleHead",
        "Finding",
        "IndexProgress",
        "Level",
        "LocalSession",
        "Machine",
        "Outcome",
        "Progress",
        "ProjectKey",
        "Result",
        "SessionState",
        "Side",
        "State",
        "Version",
    ),
    "state.paths": (
        "Paths",
        "paths",
    ),
    "state.preferences": ("Preferences",),
    "projects.key": (
        "project_key",
        "project_key_from_remote",
    ),
    "service.service": ("Service",),
    "service.status": (
        "Arrival",
        "Event",
        "Status",
    ),
    "sync.conflict": (
        "Conflict",
        "show_conflict",
    ),
    "sync.context": (
        "Context",
        "open_context",
    ),
    "sync.forget": (
        "bundles_of_machine",
        "bundles_of_sessions",
        "bundles_of_this_machine",
        "bundles_older_than",
        "forget",
    ),
    "sync.read_conflict": (
        "ConflictView",
        "Excerpt",
        "SideView",
        "read_conflict",
    ),
    "sync.pack": (
        "pack",
        "unpack",
    ),
    "sync.pull": ("pull",),
    "sync.push": ("push",),
    "sync.resolve": ("resolve",),
    "sync.restore": (
        "EarlierVersion",
        "Restorable",
        "earlier_versions",
        "restorable",
        "restore",
    ),
    "sync.resume": (
        "Question",
        "Resumption",
        "prepare_resume",
    ),
    "sync.setup": (
        "SetUp",
        "default_location",
        "rename_machine",
        "set_up",
        "set_up_default",
    ),
    "sync.states": ("states",),
    "sync.undo": ("undo",),
    "transports.base": ("Transport",),
    "transports.folder.transport": ("FolderTransport",),
    "transports.memory": ("MemoryTransport",),
    "claude.message": ("Message",),
    "claude.turns": (
        "Attached",
        "TextPart",
        "ToolCall",
        "Turn",
    ),
    "search.export": (
        "as_html",
        "as_json",
        "as_markdown",
        "as_text",
        "save_document",
    ),
    "search.marked_line": ("MarkedLine",),
    "search.reader": (
        "Found",
        "MachineCopy",
        "SessionHeader",
        "SessionReader",
        "Standing",
        "TurnPage",
    ),
    "search.reading": ("read_session",),
    "search.searching": (
        "SearchAnswer",
        "SearchHit",
        "search_sessions",
        "update_index",
    ),
    "search.subagents": ("Subagent", "Subagents"),
}
_HOME_OF = {name: home for home, names in _HOMES.items() for name in names}

__all__ = [
    "Arrival",
    "Attached",
    "Bundle",
    "BundleError",
    "BundleHead",
    "ClaudeHome",
    "ClaudeSyncError",
    "Conflict",
    "ConflictView",
    "Context",
    "EarlierVersion",
    "Event",
    "Excerpt",
    "Finding",
    "FolderTransport",
    "Found",
    "IndexProgress",
    "Level",
    "LocalSession",
    "LockBusy",
    "Machine",
    "MachineCopy",
    "MarkedLine",
    "MemoryTransport",
    "Message",
    "NotSetUp",
    "Outcome",
    "Paths",
    "Preferences",
    "Progress",
    "ProjectKey",
    "ProjectKeyError",
    "Question",
    "Restorable",
    "Result",
    "Resumption",
    "SearchAnswer",
    "SearchHit",
    "Service",
    "SessionError",
    "SessionHeader",
    "SessionReader",
    "SessionState",
    "SetUp",
    "Side",
    "SideView",
    "Standing",
    "State",
    "Status",
    "Stopped",
    "Subagent",
    "Subagents",
    "TextPart",
    "ToolCall",
    "Transport",
    "TransportError",
    "Turn",
    "TurnPage",
    "UsageError",
    "Version",
    "as_html",
    "as_json",
    "as_markdown",
    "as_text",
    "bundle_file_name",
    "bundles_of_machine",
    "bundles_of_sessions",
    "bundles_of_this_machine",
    "bundles_older_than",
    "decode",
    "default_location",
    "earlier_versions",
    "encode",
    "encode_directory",
    "encoded_key",
    "examine",
    "forget",
    "open_context",
    "pack",
    "paths",
    "prepare_resume",
    "project_key",
    "project_key_from_remote",
    "pull",
    "push",
    "read_conflict",
    "read_head",
    "read_session",
    "rename_machine",
    "resolve",
    "restorable",
    "restore",
    "save_document",
    "search_sessions",
    "set_up",
    "set_up_default",
    "show_conflict",
    "states",
    "undo",
    "unpack",
    "update_index",
]


def __getattr__(name: str) -> Any:
    home = _HOME_OF.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    value = getattr(import_module(f"{__name__}.{home}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return [*__all__, "__version__"]
