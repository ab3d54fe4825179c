"""Forgetting: the only way a bundle leaves a store, and only by a person's word."""

from __future__ import annotations

import os
import time
from typing import Any

import pytest

from claude_sync.errors import UsageError
from claude_sync.model import Outcome
from claude_sync.state.vault import Vault
from claude_sync.sync.forget import bundles_of_machine, bundles_older_than, forget
from machines import DAY_NS, OTHER, SESSION, Pair, outcomes, said


def test_the_bundle_goes_and_the_session_stays(pair: Pair) -> None:
    laptop, desktop = pair
    assert laptop.forget() == 1
    assert not laptop.bundle().exists()
    assert laptop.has()
    assert desktop.has()


def test_it_is_not_pushed_again_until_it_is_named(pair: Pair) -> None:
    laptop, _ = pair
    laptop.forget()
    laptop.write(SESSION, said("second"))
    result = laptop.push()[SESSION]
    assert result.outcome is Outcome.UNCHANGED
    assert "forgotten" in result.message
    assert not laptop.bundle().exists()
    assert outcomes(laptop.push(SESSION)) == {SESSION: Outcome.PUSHED}
    laptop.write(SESSION, said("third"))
    assert outcomes(laptop.push()) == {SESSION: Outcome.PUSHED}


def test_what_lies_only_in_the_bundle_is_kept_first(pair: Pair) -> None:
    laptop, _ = pair
    old = laptop.read()
    laptop.write_sidecar(SESSION, "tool-results/one.txt", b"one")
    laptop.push()
    (laptop.folder / SESSION / "tool-results/one.txt").unlink()
    laptop.rewrite(SESSION, said("another beginning"))
    laptop.forget()
    assert {old, b"one"} <= set(laptop.kept())


def test_a_retired_machines_bundles_go_and_are_kept(pair: Pair) -> None:
    laptop, desktop = pair
    whole = laptop.write(SESSION, said("never pulled"))
    laptop.push()
    with desktop.at_work() as context:
        with pytest.raises(UsageError):
            bundles_of_machine(context, "nobody")
        with pytest.raises(UsageError):
            bundles_of_machine(context, "desktop")
        theirs = bundles_of_machine(context, "LAPTOP")
        assert forget(context, theirs) == tuple(theirs)
    assert not laptop.bundle().exists()
    assert whole in desktop.kept()
    assert outcomes(desktop.push()) == {SESSION: Outcome.PUSHED}


def test_only_old_bundles_of_this_machine_go_where_age_was_named(pair: Pair) -> None:
    laptop, desktop = pair
    desktop.push(SESSION)
    laptop.write(OTHER, said())
    then = time.time_ns() - 40 * DAY_NS
    os.utime(laptop.path(OTHER), ns=(then, then))
    laptop.push()
    with laptop.at_work() as context:
        old = bundles_older_than(context, 30)
        assert [bundle.head.session_id for bundle in old] == [OTHER]
        assert forget(context, old) == tuple(old)
    assert laptop.bundle().exists()
    assert desktop.bundle().exists()


def test_what_has_changed_since_it_was_agreed_to_is_left_alone(pair: Pair) -> None:
    laptop, desktop = pair
    with desktop.at_work() as context:
        agreed = bundles_of_machine(context, "laptop")
        laptop.write(SESSION, said("second"))
        laptop.push()
        assert forget(context, agreed) == ()
    assert laptop.bundle().exists()


def test_what_is_pushed_while_it_is_kept_is_left_alone(
    pair: Pair, monkeypatch: pytest.MonkeyPatch
) -> None:
    laptop, desktop = pair
    laptop.write(SESSION, said("second"))
    laptop.push()
    keep_stream = Vault.keep_stream

    def keep_and_push(vault: Vault, *arguments: Any, **named: Any) -> Any:
        kept = keep_stream(vault, *arguments, **named)
        bundle = laptop.bundle()
        bundle.write_bytes(bundle.read_bytes() + b"\n")
        return kept

    with desktop.at_work() as context:
        agreed = bundles_of_machine(context, "laptop")
        with monkeypatch.context() as patch:
            patch.setattr(Vault, "keep_stream", keep_and_push)
            assert forget(context, agreed) == ()
    assert laptop.bundle().exists()
