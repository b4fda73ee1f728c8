"""Who may promote: a short-lived token, signed with Ed25519, that names the branch and what it would make production's.

A token is a JSON Web Token (RFC 7519) with the algorithm EdDSA (RFC 8037).
"""

import os
import secrets
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from platform_core.errors import PromotionError
from platform_core.namespaces import Namespace
from platform_core.settings import Settings

LASTS = timedelta(minutes=15)
_AUDIENCE = "headrace-promotion"
_ALGORITHM = "EdDSA"


@dataclass(frozen=True)
class Leave:
    """The leave to promote a branch.

    Args:
        digest: of the versions that were looked at; leave for others is not given.
        token: an id of its own, by which it is used once.
    """

    branch: str
    digest: str
    issuer: str
    token: str
    issued_at: datetime


def issue(settings: Settings, branch: Namespace, digest: str, issuer: str, lasts: timedelta = LASTS) -> str:
    """A token that lets one promotion of a branch happen.

    Raises:
        PromotionError: this process cannot read the private key.
    """
    import jwt

    now = datetime.now(UTC).replace(microsecond=0)
    claims = {
        "aud": _AUDIENCE,
        "sub": str(branch),
        "iss": issuer,
        "iat": now,
        "exp": now + lasts,
        "jti": secrets.token_hex(16),
        "digest": digest,
    }
    return jwt.encode(claims, _private_key(settings), algorithm=_ALGORITHM)


def accept(settings: Settings, token: str, branch: Namespace, digest: str) -> Leave:
    """What a token says, when it holds for exactly this promotion.

    Raises:
        PromotionError: it was not signed by who may, is over, or is of another branch or other versions.
    """
    import jwt

    try:
        claims = jwt.decode(token, _public_key(settings), algorithms=[_ALGORITHM], audience=_AUDIENCE)
    except jwt.ExpiredSignatureError:
        raise PromotionError(f"The token for {branch} is over; issue another one: {_how(branch)}") from None
    except jwt.PyJWTError as error:
        raise PromotionError(
            f"The token does not let {branch} be promoted ({error}). {_who(settings, branch)}"
        ) from None
    if claims["sub"] != str(branch):
        raise PromotionError(f"The token is for {claims['sub']}, not for {branch}. {_who(settings, branch)}")
    if claims["digest"] != digest:
        raise PromotionError(
            f"{branch} holds other versions than those that the token was issued for; look at them and issue another"
            f" one: {_how(branch)}"
        )
    issued = datetime.fromtimestamp(claims["iat"], UTC)
    return Leave(claims["sub"], claims["digest"], claims["iss"], claims["jti"], issued)


def _how(branch: Namespace) -> str:
    return f"headrace branch token {branch.name}"


def _who(settings: Settings, branch: Namespace) -> str:
    return f"{promoters(settings)} can issue one: {_how(branch)}"


def promoters(settings: Settings) -> str:
    """Who may promote, by name: as the team says, else the owner of the key."""
    if settings.promoters:
        return settings.promoters
    try:
        return f"{settings.promotion_key.owner()}, who owns {settings.promotion_key},"
    except (OSError, KeyError):  # it is elsewhere, or its owner has no name here
        return f"Whoever can read {settings.promotion_key}"


def _private_key(settings: Settings) -> bytes:
    if settings.promotion_secret:
        return _secret_keys(settings)[0]
    path = settings.promotion_key
    if not path.exists() and not settings.promotion_verifier.exists():
        _make_keys(settings)
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PromotionError(
            f"Only a holder of production's key can promote, and {path} cannot be read here ({error.strerror})."
            f" {promoters(settings)} can, or the merge workflow: ask for a token, and give it with --token."
        ) from error
    return _pair_in(
        content, f"{path}", "name the file that was made at the first promotion with HEADRACE_PROMOTION_KEY"
    )[0]


def _public_key(settings: Settings) -> bytes:
    if settings.promotion_secret and not settings.promotion_verifier.exists():
        return _secret_keys(settings)[1]
    path = settings.promotion_verifier
    try:
        content = path.read_bytes()
    except OSError as error:
        raise PromotionError(
            f"{path} cannot be read ({error.strerror}), so that no token can be proven; name"
            " the public key with HEADRACE_PROMOTION_VERIFIER."
        ) from error
    if not _is_public(content):
        raise PromotionError(f"{path} is no public key as PEM, of Ed25519: name it with HEADRACE_PROMOTION_VERIFIER.")
    return content


def _secret_keys(settings: Settings) -> tuple[bytes, bytes]:
    """Private and public, of a key that is a setting."""
    instead = "give it the whole content of the file that HEADRACE_PROMOTION_KEY names where merges were done until now"
    return _pair_in(settings.promotion_secret.get_secret_value().encode(), "HEADRACE_PROMOTION_SECRET", instead)


def _pair_in(content: bytes, named: str, instead: str) -> tuple[bytes, bytes]:
    """Private and public, of a private key as people keep it."""
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
    from cryptography.hazmat.primitives.serialization import load_pem_private_key

    try:
        key = load_pem_private_key(content, password=None)
    except (ValueError, TypeError, UnsupportedAlgorithm):  # of a key with a passphrase, a TypeError
        key = None
    if not isinstance(key, Ed25519PrivateKey):
        raise PromotionError(f"{named} is no private key as PEM, of Ed25519 and without a passphrase: {instead}.")
    return _as_pem(key)


def _is_public(content: bytes) -> bool:
    from cryptography.exceptions import UnsupportedAlgorithm
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
    from cryptography.hazmat.primitives.serialization import load_pem_public_key

    try:
        return isinstance(load_pem_public_key(content), Ed25519PublicKey)
    except (ValueError, UnsupportedAlgorithm):
        return False


def _as_pem(key: Any) -> tuple[bytes, bytes]:
    from cryptography.hazmat.primitives import serialization as form

    private = key.private_bytes(form.Encoding.PEM, form.PrivateFormat.PKCS8, form.NoEncryption())
    return private, key.public_key().public_bytes(form.Encoding.PEM, form.PublicFormat.SubjectPublicKeyInfo)


def _make_keys(settings: Settings) -> None:
    """A pair of keys, the private one for its owner's eyes. Of several processes, one pair wins."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    private, public = _as_pem(Ed25519PrivateKey.generate())
    with suppress(FileExistsError):
        _write(settings.promotion_key, private, 0o600)
        _write(settings.promotion_verifier, public, 0o644)


def _write(path: Path, content: bytes, mode: int) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode), "wb") as file:
        file.write(content)
