"""The keys of an encrypted store (FORMAT.md, "Keys").

The *master key*, 32 random bytes, encrypts the store's files by way of keys derived from it. It
lies in the store's marker, wrapped under the *store key*: what a person keeps.
"""

from __future__ import annotations

import base64
import hashlib
import os
import re
import unicodedata
from collections.abc import Mapping
from functools import cached_property
from typing import Any

from claude_sync.errors import StoreKeyWrong, StoreLocked
from claude_sync.values import NamedTuple
from claude_sync.wording import size

LEAST_PASSPHRASE_CHARACTERS = 12
MASTER_BYTES = 32
NONCE_BYTES = 12
TAG_BYTES = 16
ID_BYTES = 16

# Crockford's base 32: without I, L, O and U, which look or read like others.
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_MISREAD = str.maketrans("OIL", "011")
_PREFIX = "ccs1"
_SECRET_CHARACTERS, _CHECK_CHARACTERS, _GROUP = 24, 4, 4

_N, _R, _P = 1 << 17, 8, 1
_GREATEST_N = 1 << 18
_SALT_BYTES = 16


class Master:
    """The master key of one store, and what is derived from it."""

    def __init__(self, key: bytes) -> None:
        if len(key) != MASTER_BYTES:
            raise ValueError("a master key has 32 bytes")
        self.key = key
        self._last_file: tuple[bytes, bytes] | None = None

    @classmethod
    def new(cls) -> Master:
        """A random one."""
        return cls(os.urandom(MASTER_BYTES))

    def __repr__(self) -> str:
        return "Master()"

    @cached_property
    def _names_key(self) -> bytes:
        return _derived(self.key, None, b"ccsync names 1")

    @cached_property
    def _identity_key(self) -> bytes:
        return _derived(self.key, None, b"ccsync identity 1")

    def marker_mac(self, data: bytes) -> bytes:
        """What proves that a machine that has the key wrote the store's marker: 16 bytes."""
        return _hmac(_derived(self.key, None, b"ccsync marker 1"), data)[:TAG_BYTES]

    def file_key(self, salt: bytes) -> bytes:
        """The key that encrypts the segments and the index of files with this salt."""
        last = self._last_file
        if last is None or last[0] != salt:  # a file's index and its segments are read in turn
            last = self._last_file = salt, _derived(self.key, salt, b"ccsync file 1")
        return last[1]

    def name_digest(self, data: bytes) -> bytes:
        """What stands for a name: 32 bytes."""
        return _hmac(self._names_key, data)

    def file_id(self, session_id: str, machine: str) -> bytes:
        """The id of the file that a machine writes of a session; case doesn't count."""
        return self.name_digest(f"{session_id}\0{machine}".lower().encode())[:ID_BYTES]

    def identity_tag(self, data: bytes) -> bytes:
        """What proves that a file was begun by a machine that has the key: 16 bytes."""
        return _hmac(self._identity_key, data)[:TAG_BYTES]


class Wrapped(NamedTuple):
    """A master key as it lies in a marker.

    Attributes:
        n, r, p: of Scrypt.
        salt: of Scrypt.
        wrapped: nonce, AES-256-GCM of the master key under what Scrypt makes of the store key.
    """

    n: int
    r: int
    p: int
    salt: bytes
    wrapped: bytes

    def document(self) -> dict[str, Any]:
        """As the marker has it."""
        return {
            "kdf": "scrypt",
            "n": self.n,
            "r": self.r,
            "p": self.p,
            "salt": base64.b64encode(self.salt).decode(),
            "wrapped": base64.b64encode(self.wrapped).decode(),
        }


def read_wrapped(document: object) -> Wrapped | None:
    """A wrapped master key from a marker, None where it is none that may be tried.

    Parameters that would cost more than ours are refused before they cost anything.
    """
    if not isinstance(document, Mapping) or document.get("kdf") != "scrypt":
        return None
    n, r, p = (document.get(name) for name in "nrp")
    if type(n) is not int or not 2 <= n <= _GREATEST_N or n & (n - 1):
        return None
    if type(r) is not int or not 1 <= r <= _R or type(p) is not int or p != _P:
        return None
    try:
        salt = base64.b64decode(document["salt"], validate=True)
        wrapped = base64.b64decode(document["wrapped"], validate=True)
    except (ValueError, TypeError, KeyError):
        return None
    if len(salt) < _SALT_BYTES or len(wrapped) != NONCE_BYTES + MASTER_BYTES + TAG_BYTES:
        return None
    return Wrapped(n, r, p, salt, wrapped)


def wrap(master: Master, store_key: str, store_id: str) -> Wrapped:
    """Wrap a master key under a store key, for the marker of a store.

    Args:
        master: the master key.
        store_key: as `read_store_key` gives it.
        store_id: the store's.
    """
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    salt, nonce = os.urandom(_SALT_BYTES), os.urandom(NONCE_BYTES)
    key = _stretched(store_key, salt, _N, _R, _P)
    sealed = AESGCM(key).encrypt(nonce, master.key, store_id.encode())
    return Wrapped(_N, _R, _P, salt, nonce + sealed)


def unwrap(wrapped: Wrapped, store_key: str, store_id: str) -> Master:
    """The master key that a store key opens.

    Raises:
        StoreKeyWrong: it doesn't open this one.
        StoreLocked: there isn't enough memory to try it.
    """
    from cryptography.exceptions import InvalidTag
    from cryptography.hazmat.primitives.ciphers.aead import AESGCM

    key = _stretched(store_key, wrapped.salt, wrapped.n, wrapped.r, wrapped.p)
    nonce, sealed = wrapped.wrapped[:NONCE_BYTES], wrapped.wrapped[NONCE_BYTES:]
    try:
        return Master(AESGCM(key).decrypt(nonce, sealed, store_id.encode()))
    except InvalidTag:
        raise StoreKeyWrong(
            "that key doesn't open this store", todo="check it, and that it is this store's"
        ) from None


# --- the store key -----------------------------------------------------------------------------


def new_store_key() -> str:
    """A store key of 120 random bits, such as ``ccs1-7Q2M-…``: seven groups of four."""
    number = int.from_bytes(os.urandom(_SECRET_CHARACTERS * 5 // 8), "big")
    secret = _base32(number, _SECRET_CHARACTERS)
    return _spelled(secret)


def read_store_key(text: str) -> str:
    """A store key, or a passphrase, as it is used.

    A generated one may be typed in either case, with or without its dashes; its check group tells
    where it was mistyped.

    Args:
        text: what was typed, without the end of the line.

    Raises:
        StoreKeyWrong: it was mistyped, or is too short for a passphrase.
    """
    text = text.strip()
    plain = re.sub(r"[\s-]", "", text).upper()
    if plain.startswith(_PREFIX.upper()):
        body = plain[len(_PREFIX) :].translate(_MISREAD)
        spelled = _spelled(body[:_SECRET_CHARACTERS])
        if len(body) == _SECRET_CHARACTERS + _CHECK_CHARACTERS and _plain(spelled) == body:
            return spelled
        raise StoreKeyWrong(
            "that key was mistyped", todo="it is ccs1- and seven groups of four; type it again"
        )
    if len(text) < LEAST_PASSPHRASE_CHARACTERS:
        raise StoreKeyWrong(
            f"a passphrase has at least {LEAST_PASSPHRASE_CHARACTERS} characters",
            todo="choose a longer one, or let claude-sync make a key",
        )
    return unicodedata.normalize("NFC", text)


def typed_key(text: str) -> str:
    """The key of a store that there is, as it is used.

    Args:
        text: what was typed, without the end of the line.

    Raises:
        StoreKeyWrong: it was mistyped, or no store has such a key.
    """
    typed = text.strip()
    if len(typed) < LEAST_PASSPHRASE_CHARACTERS:
        raise StoreKeyWrong(
            f"no key has fewer than {LEAST_PASSPHRASE_CHARACTERS} characters",
            todo="type it again as it was shown",
        )
    return read_store_key(typed)


def _spelled(secret: str) -> str:
    digest = int.from_bytes(hashlib.sha256(f"{_PREFIX}{secret}".encode()).digest(), "big")
    body = secret + _base32(digest % 32**_CHECK_CHARACTERS, _CHECK_CHARACTERS)
    groups = [body[at : at + _GROUP] for at in range(0, len(body), _GROUP)]
    return "-".join([_PREFIX, *groups])


def _plain(spelled: str) -> str:
    return spelled[len(_PREFIX) :].replace("-", "")


def _base32(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


# --- primitives --------------------------------------------------------------------------------


def _stretched(store_key: str, salt: bytes, n: int, r: int, p: int) -> bytes:
    from cryptography.hazmat.primitives.kdf.scrypt import Scrypt

    try:
        return Scrypt(salt=salt, length=32, n=n, r=r, p=p).derive(store_key.encode())
    except MemoryError:
        raise StoreLocked(
            f"there isn't enough memory to try a store's key, which takes {size(128 * n * r)}",
            todo="end other programs, or raise the limit (ulimit -v)",
        ) from None


def _derived(key: bytes, salt: bytes | None, purpose: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.kdf.hkdf import HKDF

    return HKDF(algorithm=SHA256(), length=32, salt=salt, info=purpose).derive(key)


def _hmac(key: bytes, data: bytes) -> bytes:
    from cryptography.hazmat.primitives.hashes import SHA256
    from cryptography.hazmat.primitives.hmac import HMAC

    mac = HMAC(key, SHA256())
    mac.update(data)
    return mac.finalize()
