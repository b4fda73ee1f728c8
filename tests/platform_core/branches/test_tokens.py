"""A token lets one branch, with the versions that were looked at, be promoted for a few minutes, and nothing else."""

import os
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from pydantic import SecretStr

from platform_core.branches.tokens import accept, issue
from platform_core.errors import PromotionError
from platform_core.namespaces import Namespace
from platform_core.settings import Settings

BRANCH = Namespace("branch", "new-engine")


@pytest.fixture
def settings(tmp_path: Path) -> Settings:
    return Settings(home=tmp_path, repository=tmp_path)


def test_a_token_says_who_issued_it_for_what(settings: Settings) -> None:
    leave = accept(settings, issue(settings, BRANCH, "digest", "ann"), BRANCH, "digest")
    assert (leave.branch, leave.digest, leave.issuer) == ("branch/new-engine", "digest", "ann")
    assert leave.token != accept(settings, issue(settings, BRANCH, "digest", "ann"), BRANCH, "digest").token


def test_the_key_is_for_its_owner_alone(settings: Settings) -> None:
    issue(settings, BRANCH, "digest", "ann")
    assert stat.S_IMODE(os.stat(settings.promotion_key).st_mode) == 0o600


@pytest.mark.parametrize(
    ("branch", "digest", "sentence"),
    [
        ("other", "digest", "The token is for branch/new-engine, not for branch/other"),
        ("new-engine", "another", "holds other versions than those that the token was issued for"),
    ],
)
def test_a_token_for_something_else_is_refused(settings: Settings, branch: str, digest: str, sentence: str) -> None:
    token = issue(settings, BRANCH, "digest", "ann")
    with pytest.raises(PromotionError, match=sentence):
        accept(settings, token, Namespace("branch", branch), digest)


def test_a_token_that_is_over_is_refused(settings: Settings) -> None:
    token = issue(settings, BRANCH, "digest", "ann", lasts=-timedelta(seconds=1))
    with pytest.raises(PromotionError, match="is over; issue another one: headrace branch token new-engine"):
        accept(settings, token, BRANCH, "digest")


def test_a_token_signed_by_somebody_else_is_refused(settings: Settings, tmp_path: Path) -> None:
    issue(settings, BRANCH, "digest", "ann")
    other = Settings(home=tmp_path / "other", repository=tmp_path)
    with pytest.raises(PromotionError, match="does not let branch/new-engine be promoted"):
        accept(settings, issue(other, BRANCH, "digest", "eve"), BRANCH, "digest")


def test_a_key_that_is_a_secret_needs_no_file(settings: Settings, tmp_path: Path) -> None:
    token = issue(settings, BRANCH, "digest", "ann")
    secret = settings.promotion_key.read_text()
    elsewhere = Settings(home=tmp_path / "runner", repository=tmp_path, promotion_secret=SecretStr(secret))
    assert accept(elsewhere, issue(elsewhere, BRANCH, "digest", "ci"), BRANCH, "digest").issuer == "ci"
    assert accept(elsewhere, token, BRANCH, "digest").issuer == "ann"
    assert not list((tmp_path / "runner").rglob("*.pem"))
    assert secret.splitlines()[1] not in repr(elsewhere)


RSA, LOCKED = rsa.generate_private_key(65537, 2048), Ed25519PrivateKey.generate()
FORM = (serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8)
OTHER_KEYS = [
    RSA.private_bytes(*FORM, serialization.NoEncryption()).decode(),
    LOCKED.private_bytes(*FORM, serialization.BestAvailableEncryption(b"open")).decode(),
]


@pytest.mark.parametrize("secret", OTHER_KEYS, ids=["of another kind", "with a passphrase"])
def test_a_secret_that_is_another_key_is_said(settings: Settings, tmp_path: Path, secret: str) -> None:
    elsewhere = Settings(home=tmp_path / "runner", repository=tmp_path, promotion_secret=SecretStr(secret))
    with pytest.raises(PromotionError, match="is no private key as PEM, of Ed25519 and without a passphrase: give it"):
        issue(elsewhere, BRANCH, "digest", "ci")


@pytest.mark.parametrize("content", [*OTHER_KEYS, "swordfish"], ids=["of another kind", "with a passphrase", "none"])
def test_a_file_that_is_another_key_is_said(settings: Settings, content: str) -> None:
    token = issue(settings, BRANCH, "digest", "ann")
    settings.promotion_key.write_text(content)
    with pytest.raises(PromotionError, match=r"promotion\.pem is no private key as PEM, of Ed25519 and without a"):
        issue(settings, BRANCH, "digest", "ann")
    settings.promotion_verifier.write_text(content)
    with pytest.raises(PromotionError, match=r"promotion\.pub is no public key as PEM, of Ed25519: name it with"):
        accept(settings, token, BRANCH, "digest")


def test_a_secret_that_is_no_key_is_said(settings: Settings, tmp_path: Path) -> None:
    token = issue(settings, BRANCH, "digest", "ann")
    elsewhere = Settings(home=tmp_path / "runner", repository=tmp_path, promotion_secret=SecretStr("swordfish"))
    for attempt in (
        lambda: issue(elsewhere, BRANCH, "digest", "ci"),
        lambda: accept(elsewhere, token, BRANCH, "digest"),
    ):
        with pytest.raises(PromotionError, match="HEADRACE_PROMOTION_SECRET is no private key as PEM") as refused:
            attempt()
        assert "swordfish" not in str(refused.value)


@pytest.mark.parametrize("forged", ["", "a.b.c", "eyJhbGciOiJub25lIn0.eyJzdWIiOiJicmFuY2gvbmV3LWVuZ2luZSJ9."])
def test_what_is_no_token_is_refused(settings: Settings, forged: str) -> None:
    issue(settings, BRANCH, "digest", "ann")
    with pytest.raises(PromotionError, match=r", who owns .*promotion\.pem, can issue one"):
        accept(settings, forged, BRANCH, "digest")


def test_who_has_only_the_public_key_cannot_issue(settings: Settings) -> None:
    issue(settings, BRANCH, "digest", "ann")
    settings.promotion_key.unlink()
    with pytest.raises(PromotionError, match="Only a holder of production's key can promote"):
        issue(settings, BRANCH, "digest", "eve")
    assert not settings.promotion_key.exists()


def test_a_refusal_names_who_can(settings: Settings) -> None:
    issue(settings, BRANCH, "digest", "ann")
    settings.promotion_key.unlink()
    named = settings.model_copy(update={"promoters": "The team data-platform"})
    with pytest.raises(PromotionError, match=r"The team data-platform can, or the merge workflow: ask for a token"):
        issue(named, BRANCH, "digest", "eve")
