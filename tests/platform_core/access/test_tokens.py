"""Tokens that a provider signed are believed, and nothing else is."""

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from platform_core.access.settings import AccessSettings
from platform_core.access.tokens import PAUSE, Keys, Verifier
from platform_core.errors import AccessError, SettingsError

KEY = rsa.generate_private_key(public_exponent=65537, key_size=2048)
OTHER = rsa.generate_private_key(public_exponent=65537, key_size=2048)
CURVE = ec.generate_private_key(ec.SECP256R1())
PUBLIC = KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def jwk(key: Any, name: str) -> dict[str, Any]:
    algorithm = jwt.algorithms.RSAAlgorithm if isinstance(key, rsa.RSAPrivateKey) else jwt.algorithms.ECAlgorithm
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": name, "use": "sig"}


@pytest.fixture
def keys(tmp_path: Path) -> Path:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [jwk(KEY, "one"), jwk(CURVE, "curve")]}))
    return path


@pytest.fixture
def verifier(keys: Path) -> Verifier:
    roles: dict[str, tuple[str, ...]] = {"pilots": ("team:flight-operations",), "release": ("production",)}
    return Verifier(
        AccessSettings(
            access="oidc", access_issuer="https://idp.test", access_audience="headrace", access_keys=str(keys),
            access_roles=roles,
        )
    )  # fmt: skip


def claims(**changed: Any) -> dict[str, Any]:
    now = int(time.time())
    said = {"iss": "https://idp.test", "aud": "headrace", "iat": now, "exp": now + 60, "preferred_username": "finn"}
    return {
        key: value for key, value in {**said, "groups": ["pilots", "choir"], **changed}.items() if value is not None
    }


def token(key: Any = KEY, algorithm: str = "RS256", kid: str | None = "one", **changed: Any) -> str:
    return jwt.encode(claims(**changed), key, algorithm=algorithm, headers={"kid": kid} if kid else {})


def test_a_signed_token_names_a_user_and_gives_the_roles_of_the_groups(verifier: Verifier):
    who = verifier.identify(f"Bearer {token()}")
    assert (who.user, set(who.roles), who.teams) == ("finn", {"team:flight-operations"}, ["flight-operations"])
    assert verifier.identify(f"Bearer {token(CURVE, 'ES256', 'curve')}").user == "finn"


def test_groups_without_a_role_give_none(verifier: Verifier):
    assert verifier.identify(token(groups=["admin", "production"])).roles == frozenset()
    assert verifier.identify(token(groups=None)).roles == frozenset()


def unsigned() -> str:
    return jwt.encode(claims(), "", algorithm="none", headers={"kid": "one"})


def signed_with_the_public_key() -> str:
    """The attack by which a public key is taken for a shared secret."""
    import base64
    import hashlib
    import hmac

    def part(data: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(data).encode()).rstrip(b"=")

    head = part({"alg": "HS256", "typ": "JWT", "kid": "one"}) + b"." + part(claims())
    mark = base64.urlsafe_b64encode(hmac.new(PUBLIC, head, hashlib.sha256).digest()).rstrip(b"=")
    return (head + b"." + mark).decode()


@pytest.mark.parametrize(
    ("make", "said"),
    [
        (lambda: "", "no token"),
        (lambda: "nonsense", "cannot be trusted"),
        (lambda: "a" * 20_000, "no token"),
        (lambda: token() + "x", "cannot be trusted"),
        (unsigned, "cannot be trusted"),
        (signed_with_the_public_key, "cannot be trusted"),
        (lambda: token(OTHER), "cannot be trusted"),
        (lambda: token(OTHER, kid="unknown"), "does not have"),
        (lambda: token(kid=None), "does not have"),
        (lambda: token(CURVE, "ES256", "one"), "cannot be trusted"),
        (lambda: token(exp=int(time.time()) - 60), "over"),
        (lambda: token(exp=None), "cannot be trusted"),
        (lambda: token(iat=None), "cannot be trusted"),
        (lambda: token(nbf=int(time.time()) + 600), "cannot be trusted"),
        (lambda: token(iss="https://evil.test"), "cannot be trusted"),
        (lambda: token(iss=None), "cannot be trusted"),
        (lambda: token(aud="another"), "cannot be trusted"),
        (lambda: token(aud=None), "cannot be trusted"),
        (lambda: token(preferred_username=None), "cannot be trusted"),
        (lambda: token(preferred_username=""), "names no user"),
        (lambda: token(preferred_username=["finn"]), "names no user"),
        (lambda: token(preferred_username="fi\nnn"), "names no user"),
        (lambda: token(groups="pilots"), "no list"),
    ],
)
def test_what_is_wrong_with_a_token_is_said(verifier: Verifier, make: Callable[[], str], said: str):
    with pytest.raises(AccessError, match=said):
        verifier.identify(f"Bearer {make()}")


def test_a_token_that_was_verified_is_over_in_time(verifier: Verifier, monkeypatch: pytest.MonkeyPatch):
    good = token(exp=int(time.time()) + 5)
    verifier.identify(good)
    later = time.time() + 120
    monkeypatch.setattr(time, "time", lambda: later)
    monkeypatch.setattr("platform_core.access.tokens.jwt.decode", _over)
    with pytest.raises(AccessError, match="over"):
        verifier.identify(good)


def _over(*_: Any, **__: Any) -> Any:
    raise jwt.ExpiredSignatureError


def test_a_new_key_of_the_issuer_is_found_and_unknown_ones_ask_but_seldom(keys: Path):
    now = [0.0]
    found = Keys(str(keys), lambda: now[0])
    found.find("one")
    keys.write_text(json.dumps({"keys": [jwk(OTHER, "two")]}))
    with pytest.raises(AccessError, match="does not have"):
        found.find("two")
    now[0] += PAUSE + 1
    assert found.find("two").key_id == "two"


def test_an_issuer_that_is_away_for_a_moment_locks_nobody_out(keys: Path):
    now = [0.0]
    found = Keys(str(keys), lambda: now[0])
    found.find("one")
    keys.unlink()
    now[0] += 10_000
    assert found.find("one").key_id == "one"


def test_an_issuer_that_was_never_there_lets_nobody_in(tmp_path: Path):
    with pytest.raises(AccessError, match="cannot be had"):
        Keys(str(tmp_path / "missing.json")).find("one")


def test_an_address_that_was_not_verified_is_nobodys(keys: Path):
    settings = AccessSettings(
        access="oidc", access_issuer="https://idp.test", access_audience="headrace", access_keys=str(keys),
        access_user="email",
    )  # fmt: skip
    assert Verifier(settings).identify(token(email="f@x.test", email_verified=True)).user == "f@x.test"
    with pytest.raises(AccessError, match="not verified"):
        Verifier(settings).identify(token(email="f@x.test", email_verified=False))


def test_without_oidc_there_is_nothing_to_verify():
    with pytest.raises(SettingsError, match="HEADRACE_ACCESS=oidc"):
        Verifier(AccessSettings())
