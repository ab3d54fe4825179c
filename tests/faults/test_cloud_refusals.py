"""A cloud that refuses some of what it is asked, for a while or for good."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from pathlib import Path

import pytest

from claude_sync.errors import FileUnreadable, StoreDenied, StoreOffline, TransportError
from claude_sync.model import Outcome
from claude_sync.sync.store_key import KeyChoice
from claude_sync.transports import open_transport
from claude_sync.transports.base import MARKER_NAME, Put, Transport
from claude_sync.transports.rclone import errors
from conformance.clouds import BUCKET, Clouds, let_servers_forget
from conformance.storages import MARKER, put_of, read_one, whole, write_all
from faults.refusals import RefusingCloud, refusing_cloud
from machines import OTHER, PASSPHRASE, SESSION, World, outcomes, said

OLD, NEW = b"old" * 100, b"new" * 200
PASSING = (423, 503)


@pytest.fixture
def cloud(clouds: Clouds, monkeypatch: pytest.MonkeyPatch) -> Iterator[RefusingCloud]:
    monkeypatch.setenv("RCLONE_CONFIG", str(clouds.config))
    with refusing_cloud(clouds.ports["webdav"]) as cloud:
        yield cloud


@pytest.fixture
def location(clouds: Clouds, cloud: RefusingCloud) -> str:
    name = f"refusing-{cloud.port}"
    clouds.remote(name, "webdav", cloud.port)
    return f"rclone:{name}:{BUCKET}/store-{os.urandom(4).hex()}"


@pytest.fixture
def store(location: str, tmp_path: Path) -> Iterator[Transport]:
    with closing(open_transport(location, [], tmp_path / "run")) as transport:
        transport.create()
        write_all(transport, put_of(MARKER_NAME, MARKER))
        write_all(transport, put_of("p/a.ccsync", OLD), put_of("p/b.ccsync", OLD))
        yield transport


# --- reading -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", [None, KeyChoice(True, PASSPHRASE)], ids=["plain", "encrypted"])
@pytest.mark.parametrize(("known", "method"), [(True, "GET"), (False, "GET"), (True, "PROPFIND")])
def test_one_object_that_is_refused_costs_the_session_that_needs_it(
    cloud: RefusingCloud,
    location: str,
    tmp_path: Path,
    cheap_keys: None,
    key: KeyChoice | None,
    known: bool,
    method: str,
) -> None:
    laptop, desktop = World(tmp_path, location, key).machines("laptop", "desktop")
    laptop.write(SESSION, said("hello"))
    name = laptop.push()[SESSION].bundle.removesuffix(".ccsync")
    laptop.write(OTHER, said("hello"))
    laptop.push()
    if known:
        desktop.states()  # so it isn't read again what the bundles say of themselves
    cloud.refuse = lambda asked, path: 403 if asked == method and name in path else 0
    pulled = desktop.pull()
    of = SESSION if known or key is None else ""  # an encrypted name tells nothing
    assert outcomes(pulled) == {of: Outcome.FAILED, OTHER: Outcome.IMPORTED}
    refused = pulled[of]
    assert refused.code == FileUnreadable.__name__
    assert "a file can't be read" in refused.message
    assert name in refused.message, "where"
    assert "rclone" in refused.message, "what to do"
    cloud.refuse = lambda asked, path: 0
    assert outcomes(desktop.pull()) == {SESSION: Outcome.IMPORTED, OTHER: Outcome.UNCHANGED}
    assert desktop.read(SESSION) == laptop.read(SESSION)


def test_many_that_are_refused_keep_no_other_from_being_read(
    store: Transport, cloud: RefusingCloud
) -> None:
    names = [f"p/refused-{number:02}.ccsync" for number in range(45)]
    write_all(store, *(put_of(name, OLD) for name in names))
    cloud.refuse = lambda asked, path: 403 if asked == "GET" and "refused-" in path else 0
    kinds = [type(end.error) for end in store.ends([*names, "p/b.ccsync"], 10, 10)]
    assert kinds == [FileUnreadable] * 45 + [type(None)]
    read: list[bytes | str] = []
    for got in store.read(map(whole, [*names, "p/b.ccsync"])):
        try:
            read.append(b"".join(got.blocks))
        except FileUnreadable as error:
            read.append(error.where.rpartition("/")[2][:10])
    assert read == [f"refused-{number:02}" for number in range(45)] + [OLD]


def test_a_cloud_that_refuses_all_files_is_not_asked_for_each(
    store: Transport, cloud: RefusingCloud
) -> None:
    names = [f"p/{number}.ccsync" for number in range(200)]
    write_all(store, *(put_of(name, OLD) for name in names))
    cloud.refuse = lambda asked, path: 403 if asked == "GET" else 0
    for ask in (
        lambda: list(store.ends(names, 10, 10)),
        lambda: [list(_as_far_as_it_comes(got.blocks)) for got in store.read(map(whole, names))],
    ):
        cloud.refused.clear()
        with pytest.raises(StoreDenied) as caught:
            ask()
        assert caught.value.todo
        assert len(cloud.refused) < 50


def _as_far_as_it_comes(blocks: Iterator[bytes]) -> Iterator[bytes]:
    with suppress(FileUnreadable):
        yield from blocks


# --- the steps of a push -----------------------------------------------------------------------


@pytest.mark.parametrize("status", [403, *PASSING])
@pytest.mark.parametrize("step", ["MKCOL", "PUT", "PROPFIND", "DELETE"])
def test_a_step_that_is_refused_loses_nothing_and_the_next_push_does_it(
    store: Transport, cloud: RefusingCloud, step: str, status: int
) -> None:
    store.list_files()
    # What is about one file or directory; a listing is what follows on an upload.
    where = {"MKCOL": "/q", "PUT": "/c.", "PROPFIND": "/q/", "DELETE": "/a."}[step]

    def refuse(asked: str, path: str) -> int:
        begun = step != "PROPFIND" or any(method == "PUT" for method, _ in cloud.asked)
        return status if begun and asked == step and where in path else 0

    puts = [put_of("q/c.ccsync", NEW), put_of("p/a.ccsync", NEW)]
    cloud.asked.clear()
    cloud.refuse = refuse
    written = _written(store, puts)
    assert cloud.refused, "the step was asked for"
    cloud.refuse = lambda asked, path: 0
    let_servers_forget()
    for name, why in written.items():
        if why is None:
            assert read_one(store, whole(name)) == NEW
        else:
            _is_told(why)
    if written:
        assert written["p/a.ccsync"] is None, "what wasn't refused is written"
        assert (written["q/c.ccsync"] is None) == (step == "DELETE")
    there = {entry.name: read_one(store, whole(entry.name)) for entry in store.list_files().entries}
    assert there["p/b.ccsync"] == OLD
    assert there["p/a.ccsync"] in (OLD, NEW)
    assert there.get("q/c.ccsync") in (None, NEW)
    assert set(there.values()) <= {OLD, NEW}
    write_all(store, *puts)
    assert read_one(store, whole("p/a.ccsync")) == NEW
    assert read_one(store, whole("q/c.ccsync")) == NEW


def _written(store: Transport, puts: Sequence[Put]) -> dict[str, Exception | None]:
    """What became of each put; empty where the cloud was offline for all of them."""
    try:
        return {answer.name: answer.error for answer in store.write(puts)}
    except StoreOffline as offline:
        _is_told(offline)
        return {}


def _is_told(error: Exception) -> None:
    assert isinstance(error, TransportError)
    assert error.where
    assert error.todo


@pytest.mark.parametrize("status", [403, *PASSING])
def test_a_marker_that_can_not_be_renamed_counts_under_its_revisions_name(
    store: Transport, cloud: RefusingCloud, location: str, tmp_path: Path, status: int
) -> None:
    changed = MARKER.replace(b"5f4d", b"0000")
    cloud.refuse = lambda asked, path: status if asked == "MOVE" else 0
    write_all(store, put_of(MARKER_NAME, changed))
    assert cloud.refused
    let_servers_forget()
    with closing(open_transport(location, [], tmp_path / "run")) as other:
        assert other.list_files().marker == changed


@pytest.mark.parametrize("status", [403, *PASSING])
def test_a_file_that_can_not_be_removed_is_told(
    store: Transport, cloud: RefusingCloud, status: int
) -> None:
    cloud.refuse = lambda asked, path: status if asked == "DELETE" and "/a." in path else 0
    with pytest.raises(TransportError) as caught:
        store.remove(["p/a.ccsync", "p/b.ccsync"])
    _is_told(caught.value)
    let_servers_forget()
    assert read_one(store, whole("p/a.ccsync")) == OLD


# --- what rclone says --------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["q", "o", "e", "ma", "Req"])
def test_a_short_name_hides_no_sign(name: str) -> None:
    error = errors.refused("429 Too Many Requests", name, "where", [name])
    assert type(error) is StoreOffline
