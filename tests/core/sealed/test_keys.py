"""Store keys, and the master key that they open."""

from __future__ import annotations

import random
import re

import pytest

from claude_sync.errors import StoreKeyWrong
from claude_sync.sealed import keys
from claude_sync.sealed.keys import (
    Master,
    Wrapped,
    new_store_key,
    read_store_key,
    read_wrapped,
    unwrap,
    wrap,
)

STORE = "5f4dcc3b-5aa7-4659-9c2e-1b9a3d0d7f10"


pytestmark = pytest.mark.usefixtures("cheap_keys")


def test_a_made_key_is_easy_to_type_and_no_two_are_alike() -> None:
    made = {new_store_key() for _ in range(200)}
    assert len(made) == 200
    for key in made:
        assert re.fullmatch(r"ccs1(-[0-9A-HJKMNP-TV-Z]{4}){7}", key)
        assert read_store_key(key) == key


def test_a_made_key_may_be_typed_as_people_type() -> None:
    key = new_store_key()
    assert read_store_key(f"  {key.lower()} ") == key
    assert read_store_key(key.replace("-", "")) == key
    assert read_store_key(key.replace("-", " ")) == key
    assert read_store_key(key.replace("0", "o").replace("1", "l").replace("ccsl", "ccs1")) == key


def test_a_mistyped_key_is_told_from_a_wrong_one() -> None:
    rng = random.Random(1)
    for _ in range(300):
        key = new_store_key()
        at = rng.choice([i for i, c in enumerate(key) if i > 4 and c != "-"])
        other = rng.choice([c for c in keys._ALPHABET if c != key[at]])
        with pytest.raises(StoreKeyWrong, match="mistyped"):
            read_store_key(key[:at] + other + key[at + 1 :])
    for wrong in ("ccs1", "ccs1-ABCD", new_store_key() + "-ABCD"):
        with pytest.raises(StoreKeyWrong, match="mistyped"):
            read_store_key(wrong)


def test_a_passphrase_has_twelve_characters_and_one_spelling() -> None:
    with pytest.raises(StoreKeyWrong, match="12"):
        read_store_key("elevenchars")
    assert read_store_key(" correct horse battery ") == "correct horse battery"
    assert read_store_key("cafe\u0301 au lait chaud") == read_store_key("caf\u00e9 au lait chaud")


def test_a_key_opens_what_it_wrapped_and_no_other_store() -> None:
    master, key = Master.new(), new_store_key()
    wrapped = read_wrapped(wrap(master, key, STORE).document())
    assert wrapped is not None
    assert unwrap(wrapped, key, STORE).key == master.key
    with pytest.raises(StoreKeyWrong):
        unwrap(wrapped, key, STORE.replace("5", "6"))


def test_the_wrong_key_a_hundred_times_opens_nothing_and_is_never_quoted() -> None:
    wrapped = wrap(Master.new(), new_store_key(), STORE)
    for _ in range(100):
        wrong = new_store_key()
        with pytest.raises(StoreKeyWrong) as caught:
            unwrap(wrapped, wrong, STORE)
        assert wrong[5:9] not in str(caught.value)


def test_every_flipped_bit_of_a_wrapped_key_is_refused() -> None:
    key = new_store_key()
    wrapped = wrap(Master.new(), key, STORE)
    for bit in range(8 * len(wrapped.wrapped)):
        data = bytearray(wrapped.wrapped)
        data[bit // 8] ^= 1 << bit % 8
        with pytest.raises(StoreKeyWrong):
            unwrap(wrapped._replace(wrapped=bytes(data)), key, STORE)


@pytest.mark.parametrize(
    "change",
    [
        {"n": 1 << 21},
        {"n": 1 << 60},
        {"n": 100_000},
        {"n": 1},
        {"n": -2},
        {"n": True},
        {"n": "131072"},
        {"n": 131072.0},
        {"r": 9},
        {"r": 0},
        {"p": 2},
        {"p": 1 << 30},
        {"p": None},
        {"kdf": "argon2"},
        {"salt": ""},
        {"salt": "AAAA"},
        {"salt": 5},
        {"wrapped": "AAAA"},
        {"wrapped": "!"},
    ],
)
def test_what_would_cost_too_much_or_is_no_wrapped_key_is_not_tried(
    change: dict[str, object],
) -> None:
    document = wrap(Master.new(), "x" * 12, STORE).document()
    assert read_wrapped(document) is not None
    assert read_wrapped({**document, **change}) is None
    nothings: list[object] = [None, 5, "x", [], {}]
    assert [read_wrapped(nothing) for nothing in nothings] == [None] * 5


def test_what_is_made_costs_as_much_as_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    wrapped = wrap(Master.new(), "x" * 12, STORE)
    assert (wrapped.n, wrapped.r, wrapped.p) == (131072, 8, 1)


def test_keys_do_not_show_in_what_is_printed_of_a_value() -> None:
    master = Master(bytes(range(32)))
    assert repr(master) == "Master()"
    assert isinstance(wrap(master, "x" * 12, STORE), Wrapped)


def test_each_purpose_has_a_key_of_its_own() -> None:
    one, other = Master(bytes(32)), Master(bytes([1]) * 32)
    derived = [one.file_key(bytes(32)), one.file_key(bytes([1]) * 32), other.file_key(bytes(32))]
    derived += [one.name_digest(b"x"), one.identity_tag(b"x"), other.name_digest(b"x")]
    assert len(set(derived)) == len(derived)
    assert one.file_id("ABC", "Laptop") == one.file_id("abc", "laptop")
    assert one.file_id("a", "bc") != one.file_id("ab", "c")
    with pytest.raises(ValueError, match="32"):
        Master(b"short")
