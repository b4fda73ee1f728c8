"""Verifies the token of a request: a JSON Web Token that an OpenID provider has signed."""

import json
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import jwt

from platform_core.access.identity import Identity
from platform_core.access.settings import AccessSettings
from platform_core.errors import AccessError, SettingsError

LONGEST = 16_384  # characters of a token; a provider that lists hundreds of groups needs some thousand
LEEWAY = 10.0  # seconds by which clocks may differ
FRESH = 300.0  # seconds for which the keys of an issuer are believed
PAUSE = 30.0  # seconds between two questions for keys, whatever unknown keys requests name
REMEMBERED = 4096  # tokens that were verified already


class Keys:
    """The keys of an issuer, asked for again when they are old, or when a token names an unknown one."""

    def __init__(self, source: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._source, self._clock = source, clock
        self._keys: Mapping[str, Any] = {}
        self._asked = float("-inf")
        self._lock = threading.Lock()

    def find(self, name: str | None) -> Any:
        """The key of a name; of an issuer with one key alone, that one for a token that names none."""
        with self._lock:
            known = name in self._keys if name else len(self._keys) == 1
            age = self._clock() - self._asked
            if age > FRESH or (not known and age > PAUSE):
                self._ask()
            if name is None and len(self._keys) == 1:
                return next(iter(self._keys.values()))
            if name is None or name not in self._keys:
                raise AccessError("The token is signed with a key that the issuer does not have.")
            return self._keys[name]

    def _ask(self) -> None:
        self._asked = self._clock()
        try:
            found = self._load()
        except (OSError, ValueError, jwt.PyJWTError) as error:
            if not self._keys:
                raise AccessError(f"The issuer's keys at {self._source} cannot be had: {error}") from error
            return  # an issuer that is away for a moment locks nobody out
        self._keys = {key.key_id or "": key for key in found.keys if key.public_key_use in (None, "sig")}

    def _load(self) -> jwt.PyJWKSet:
        if self._source.startswith("https://"):
            return jwt.PyJWKClient(self._source, cache_jwk_set=False, timeout=5).get_jwk_set()
        return jwt.PyJWKSet.from_dict(json.loads(Path(self._source).read_text()))


class Verifier:
    """Turns the value of a header into who asks, or refuses it."""

    def __init__(self, settings: AccessSettings, keys: Keys | None = None) -> None:
        if settings.access != "oidc":
            raise SettingsError("Tokens are verified with HEADRACE_ACCESS=oidc alone.")
        self._settings = settings
        self._keys = keys or Keys(settings.access_keys)
        self._seen: OrderedDict[bytes, Identity] = OrderedDict()
        self._lock = threading.Lock()

    def identify(self, header: str) -> Identity:
        """Who asks.

        Raises:
            AccessError: the token is not there, is over, or was not signed for us.
        """
        if (known := self.remembered(header)) is not None:
            return known
        token = header.removeprefix("Bearer ").strip()
        if not token or len(token) > LONGEST:
            raise AccessError("There is no token: sign in first.")
        identity = self._verified(token)
        with self._lock:
            self._seen[_digest(header)] = identity
            while len(self._seen) > REMEMBERED:
                self._seen.popitem(last=False)
        return identity

    def remembered(self, header: str) -> Identity | None:
        """Who asks, if the same token was verified before and is not over."""
        with self._lock:
            known = self._seen.get(_digest(header))
        return known if known is not None and time.time() < (known.expires or 0) else None

    def _verified(self, token: str) -> Identity:
        wanted = self._settings
        try:
            key = self._keys.find(jwt.get_unverified_header(token).get("kid"))
            claims = jwt.decode(
                token,
                key,
                algorithms=list(wanted.access_algorithms),
                audience=wanted.access_audience,
                issuer=wanted.access_issuer,
                leeway=LEEWAY,
                options={"require": ["exp", "iat", "aud", "iss", wanted.access_user]},
            )
        except jwt.ExpiredSignatureError:
            raise AccessError("The token is over: sign in again.") from None
        except (jwt.PyJWTError, ValueError, TypeError) as error:
            raise AccessError(f"The token cannot be trusted: {error}.") from None
        return self._read(claims)

    def _read(self, claims: Mapping[str, Any]) -> Identity:
        user, groups = claims[self._settings.access_user], claims.get(self._settings.access_groups, [])
        if not isinstance(user, str) or not user.isprintable() or not 0 < len(user) <= 200:  # noqa: PLR2004
            raise AccessError(f"The token names no user in its claim {self._settings.access_user}.")
        if self._settings.access_user == "email" and claims.get("email_verified") is False:
            raise AccessError("The address of the user was not verified by the issuer.")
        if not isinstance(groups, list):
            raise AccessError(f"The claim {self._settings.access_groups} of the token is no list of groups.")
        given = self._settings.access_roles
        roles = {role for group in groups if isinstance(group, str) for role in given.get(group, ())}
        return Identity(user, frozenset(roles), float(claims["exp"]))


def _digest(header: str) -> bytes:
    """What a token is remembered by, so that none is kept."""
    return sha256(header.encode()).digest()
