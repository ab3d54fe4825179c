"""A stand-in for the client's API: it answers as a file says that it should.

``python stand_in_api.py PORT FOLDER`` serves on a loopback port. ``answers.json`` in the folder has
a list of steps for what a person may say: the first is the answer to that, the second the answer to
what the first led to, and so on. A step is ``{"text": …}``, ``{"tool": NAME, "input": {…}}``, or a
list of those. Whatever else is said gets a few words. ``requests.jsonl`` there gets a line for each
request: its tools' names, its last message, and what was answered.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Lock
from typing import Any, ClassVar

ANSWERS, REQUESTS = "answers.json", "requests.jsonl"
TITLE = "A title that nobody asked for"
_USAGE = {"input_tokens": 5, "output_tokens": 5}

Block = dict[str, Any]


# --- what is answered --------------------------------------------------------------------------


def answer_to(
    request: Mapping[str, Any], answers: Mapping[str, Any], numbers: Iterator[int]
) -> list[Block]:
    """The blocks of the answer to a request."""
    step = _step(request.get("messages", []), answers)
    if step is None:
        return [{"type": "text", "text": _small_talk(request)}]
    return [_block(part, numbers) for part in (step if isinstance(step, list) else [step])]


def _step(messages: Sequence[Mapping[str, Any]], answers: Mapping[str, Any]) -> Any:
    """The step that is due, None where none is."""
    for at in range(len(messages) - 1, -1, -1):
        if messages[at]["role"] != "user":
            continue
        said = [text.strip() for text in _texts(messages[at])]
        steps = next((answers[text] for text in said if text in answers), None)
        if steps is not None:
            done = sum(one["role"] == "assistant" for one in messages[at + 1 :])
            return steps[done] if done < len(steps) else None
        if said and not _is_result(messages[at]):
            return None  # something else was said since
    return None


def _texts(message: Mapping[str, Any]) -> list[str]:
    """What a message says in words, without what the client adds in tags."""
    content = message["content"]
    texts = [content] if isinstance(content, str) else [one.get("text", "") for one in content]
    return [text for text in texts if text.strip() and not text.lstrip().startswith("<")]


def _is_result(message: Mapping[str, Any]) -> bool:
    content = message["content"]
    return not isinstance(content, str) and any(one["type"] == "tool_result" for one in content)


def _small_talk(request: Mapping[str, Any]) -> str:
    if not request.get("tools") and "title" in json.dumps(request.get("system")).lower():
        return json.dumps({"title": TITLE})
    return f"An answer to {len(request.get('messages', []))} messages."


def _block(part: Mapping[str, Any], numbers: Iterator[int]) -> Block:
    if "text" in part:
        return {"type": "text", "text": part["text"]}
    name = f"toolu_{next(numbers):06d}"
    return {"type": "tool_use", "id": name, "name": part["tool"], "input": part["input"]}


# --- how it is sent ----------------------------------------------------------------------------


def message(model: str, blocks: Sequence[Block], number: int) -> dict[str, Any]:
    """An answer as one document."""
    uses_tools = any(block["type"] == "tool_use" for block in blocks)
    return {
        "id": f"msg_{number:06d}",
        "type": "message",
        "role": "assistant",
        "model": model,
        "content": list(blocks),
        "stop_reason": "tool_use" if uses_tools else "end_turn",
        "stop_sequence": None,
        "usage": _USAGE,
    }


def events(whole: Mapping[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The same as events of a stream."""
    begun = {**whole, "content": [], "stop_reason": None}
    yield "message_start", {"message": begun}
    for index, block in enumerate(whole["content"]):
        if block["type"] == "text":
            empty, delta = {**block, "text": ""}, {"type": "text_delta", "text": block["text"]}
        else:
            empty = {**block, "input": {}}
            delta = {"type": "input_json_delta", "partial_json": json.dumps(block["input"])}
        yield "content_block_start", {"index": index, "content_block": empty}
        yield "content_block_delta", {"index": index, "delta": delta}
        yield "content_block_stop", {"index": index}
    ended = {"stop_reason": whole["stop_reason"], "stop_sequence": None}
    yield "message_delta", {"delta": ended, "usage": _USAGE}
    yield "message_stop", {}


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    folder: ClassVar[Path]
    numbers: ClassVar[Iterator[int]] = count(1)
    writing: ClassVar[Lock] = Lock()

    def log_message(self, *_: object) -> None:
        """Nothing on a terminal."""

    def do_GET(self) -> None:
        self._send(404, "application/json", b"{}")

    do_HEAD = do_GET  # noqa: N815

    def do_POST(self) -> None:
        request = self.rfile.read(int(self.headers.get("content-length") or 0))
        if not self.path.startswith("/v1/messages"):
            return self._send(404, "application/json", b"{}")
        if "count_tokens" in self.path:
            return self._send(200, "application/json", b'{"input_tokens":1}')
        return self._answer(json.loads(request))

    def _answer(self, request: dict[str, Any]) -> None:
        answers = json.loads((self.folder / ANSWERS).read_text())
        blocks = answer_to(request, answers, self.numbers)
        self._note(request, blocks)
        whole = message(request["model"], blocks, next(self.numbers))
        if not request.get("stream"):
            return self._send(200, "application/json", json.dumps(whole).encode())
        lines = [
            f"event: {name}\ndata: {json.dumps({'type': name, **data})}\n\n"
            for name, data in events(whole)
        ]
        return self._send(200, "text/event-stream", "".join(lines).encode())

    def _note(self, request: Mapping[str, Any], blocks: Sequence[Block]) -> None:
        messages = request.get("messages", [])
        noted = {
            "tools": [tool.get("name") for tool in request.get("tools", [])],
            "last": messages[-1:],
            "answer": blocks,
        }
        with self.writing, (self.folder / REQUESTS).open("a") as file:
            file.write(json.dumps(noted) + "\n")

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-type", kind)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


def main() -> None:
    """Serve until the process is ended."""
    _Handler.folder = Path(sys.argv[2])
    ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), _Handler).serve_forever()


if __name__ == "__main__":
    main()
