"""Capability: what somebody shows to prove that a run is theirs, and how a server signs it.

A browser shows a token, which the server has signed with a key of the folder of runs. A command
shows the file of the key itself, which the owner of the folder alone can read, else a secret of its
user's own. A run keeps a digest of what its maker shows, never that itself. Nobody who lacks the
key can make a token, and no token can be made from a digest.

Whatever is signed is revoked by ``revoke``, or all of it at once by removing the key.
"""

import contextlib
import hashlib
import hmac
import os
import secrets
from dataclasses import dataclass, field
from pathlib import Path

from dynamics.runs import queue

FOLDER = ".private"  # in the folder of runs, for its owner alone
OWNERS = "DLN_OWNER"  # the token of whoever owns the server, in place of one from the key
LENGTH = 64  # letters of a key or a secret
LONGEST = 200  # characters of a token that is looked at
_UNWRITTEN = secrets.token_bytes(32)  # the key where the folder of runs cannot be written


@dataclass(frozen=True)
class Capability:
    """What somebody shows. No text from a browser can set ``here`` or ``secret``.

    Attributes:
        token: signed by the server; whether it still holds is looked up whenever it is used.
        secret: of a user of the command line who does not own the folder of runs.
        here: whether the process itself belongs to the owner, or whoever uses it sits there.
        address: where the browser is; it gives no right, and counts for limits alone.
    """

    token: str = field(default="", repr=False)
    secret: str = field(default="", repr=False)
    here: bool = False
    address: str = field(default="", repr=False)


OWNER = Capability(here=True)
STRANGER = Capability()


def issue(runs: Path) -> Capability:
    """A new capability for whoever starts runs from now on."""
    return Capability(_signed(runs, "maker", secrets.token_urlsafe(24)))


def issue_owner(runs: Path, token: str) -> Capability | None:
    """A capability of the owner for a browser that has shown the owner's token, else None."""
    if not is_owners(runs, token):
        return None
    return Capability(_signed(runs, "owner", secrets.token_urlsafe(24)))


def is_owners(runs: Path, token: str) -> bool:
    """Whether a text is the owner's token."""
    return hmac.compare_digest(token.encode(), owners(runs).encode())


def owners(runs: Path) -> str:
    """The owner's token: that of ``DLN_OWNER``, else one that follows from the key."""
    given = os.environ.get(OWNERS, "")
    return given or hmac.new(_key(runs), b"the owner's token", hashlib.sha256).hexdigest()


def owns(runs: Path, by: Capability) -> bool:
    """Whether it is the owner's."""
    return by.here or _kind(runs, by.token) == "owner"


def holds(runs: Path, by: Capability) -> bool:
    """Whether it was given by this server, and was not revoked."""
    return by.here or bool(_kind(runs, by.token))


def digest(runs: Path, by: Capability) -> str:
    """What a run keeps of its maker; empty for the owner, and for whoever can prove nothing."""
    if by.here:
        return ""
    if by.secret:
        found = _digest(by.secret)
        return "" if found in _revoked(runs) else found
    return _digest(by.token.split(".")[1]) if _kind(runs, by.token) == "maker" else ""


def address_digest(runs: Path, by: Capability) -> str:
    """What a run keeps of the address of whoever started it; empty if none is known."""
    if not by.address or by.here:
        return ""
    return hmac.new(_key(runs), f"address {by.address}".encode(), hashlib.sha256).hexdigest()


def of_command(runs: Path) -> Capability:
    """The capability of whoever runs this command: the owner's, if the key can be read."""
    if _own(runs / FOLDER / "key"):
        return OWNER
    return Capability(secret=_secret())


def revoke(runs: Path, digests: set[str]) -> None:
    """Let no capability hold any more whose digest is one of these.

    Raises:
        OSError: if that cannot be written.
    """
    _private(runs)
    with open(runs / FOLDER / "revoked", "a", encoding="ascii") as file:
        file.writelines(f"{each}\n" for each in sorted(digests))


def revoke_all(runs: Path) -> None:
    """Let no capability hold any more: the next one is signed with a new key.

    Raises:
        OSError: if the key cannot be removed.
    """
    (runs / FOLDER / "key").unlink(missing_ok=True)


def _signed(runs: Path, kind: str, number: str) -> str:
    """A token; that of an owner ends with the owner's token, too."""
    content = f"{kind}.{number}"
    proven = f"{content}.{owners(runs)}" if kind == "owner" else content
    signature = hmac.new(_key(runs), proven.encode(), hashlib.sha256).hexdigest()
    return f"{content}.{signature}"


def _kind(runs: Path, token: str) -> str:
    """``maker`` or ``owner``; empty if the token was not signed here or was revoked."""
    kind, _, rest = token[: LONGEST + 1].partition(".")
    number, _, signature = rest.partition(".")
    if len(token) > LONGEST or kind not in ("maker", "owner") or not signature.isascii():
        return ""
    wanted = _signed(runs, kind, number).rpartition(".")[2]
    if not hmac.compare_digest(signature, wanted) or _digest(number) in _revoked(runs):
        return ""
    return kind


def _digest(number: str) -> str:
    return hashlib.sha256(number.encode()).hexdigest()


def _revoked(runs: Path) -> set[str]:
    with contextlib.suppress(OSError):
        return set((runs / FOLDER / "revoked").read_text(encoding="ascii").split())
    return set()


def _key(runs: Path) -> bytes:
    """The key that signs, made when it is first needed.

    It is read anew each time, so that removing it revokes all at once in every process.
    """
    with contextlib.suppress(OSError):
        _private(runs)
        return _written_once(runs / FOLDER / "key", secrets.token_hex(LENGTH // 2))
    return _UNWRITTEN


def _own(file: Path) -> bool:
    """Whether this user owns the folder of runs: nothing was ever signed, or they read its key."""
    try:
        with open(file, "rb"):
            return True
    except FileNotFoundError:
        return True
    except OSError:
        return False


def _private(runs: Path) -> None:
    (runs / FOLDER).mkdir(mode=0o700, parents=True, exist_ok=True)


def _secret() -> str:
    """This user's own secret, which is in a file that nobody else can read."""
    base = os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share"
    file = Path(base) / "dln-explorer" / "capability"
    with contextlib.suppress(OSError):
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        return _written_once(file, secrets.token_hex(LENGTH // 2)).decode("ascii")
    return secrets.token_hex(LENGTH // 2)  # of this process alone


def _written_once(file: Path, content: str) -> bytes:
    """What a file for its user alone has; it is written if it is missing or cut off."""
    with contextlib.suppress(FileNotFoundError):
        if len(found := file.read_bytes()) == LENGTH:
            return found
    with queue.lock(file.with_name(f"{file.name}.lock")):
        if not file.exists() or file.stat().st_size != LENGTH:
            aside = file.with_name(f"{file.name}.new")
            aside.unlink(missing_ok=True)
            handle = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "w", encoding="ascii") as new:
                new.write(content)
            aside.replace(file)
        return file.read_bytes()
