"""OIDC: a person logs in at an OpenID provider, which sends him back (OpenID Connect Core 1.0, authorization code).

With state (RFC 6749, 10.12), nonce, and PKCE (RFC 7636). The id token is checked against the provider's own keys even
though it comes straight from there: it is what says who somebody is.
"""

import base64
import hashlib
import hmac
import secrets
import ssl
from collections import OrderedDict
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey

from aquila.links.directory import DirectoryError, NotProven, Person
from aquila.links.directory.https import Answer, ask, checked_url

ALGORITHMS = {"RS256": "RSA", "ES256": "EC"}
"""What may sign an id token, and the type of its key."""
RSA_BITS_MIN, RSA_BITS_MAX = 2048, 8192
KEYS_MAX = 100
KEY_FIELD_LENGTH_MAX = 1_400
"""Of what a key is made of, in base64url: 8192 bits take 1,366 letters."""
_PUBLIC = ("kty", "kid", "alg", "use", "crv", "x", "y", "n", "e")
LEEWAY_S = 60
BEGUN_MAX = 1_000
BEGUN_LIFE_MS = 600_000
KNOWN_MS = 3_600_000
KEYS_AGAIN_MS = 60_000
GROUPS_MAX = 1_000
Keys = Mapping[str | None, jwt.PyJWK]


class OidcSettings(msgspec.Struct, frozen=True, kw_only=True):
    """Which provider, and how this node is known there.

    Attributes:
        secret: empty = the node is a public client; PKCE protects the code all the same.
        person_claim, groups_claim: of the id token.
        context: whom to trust. timeout_s: for each question to the provider.
    """

    issuer: str
    client: str
    secret: str = ""
    scope: str = "openid profile"
    person_claim: str = "preferred_username"
    groups_claim: str = "groups"
    context: ssl.SSLContext
    timeout_s: float = 5.0


class Provider(msgspec.Struct, frozen=True):
    """What a provider says of itself (OpenID Connect Discovery 1.0, 3)."""

    issuer: str
    authorization_endpoint: str
    token_endpoint: str
    jwks_uri: str
    token_endpoint_auth_methods_supported: tuple[str, ...] = ("client_secret_basic",)


class Begun(msgspec.Struct, frozen=True):
    """A login that has begun. url: where the browser goes. browser: a secret that it keeps and shows at the end."""

    url: str
    browser: str


class _Waiting(msgspec.Struct, frozen=True):
    browser: str
    nonce: str
    verifier: str
    redirect: str
    ends_ms: int


class OidcProvider:
    """One OpenID provider, as a node that relies on it sees it.

    Args:
        clock_ms: the node's time, by which tokens end.
    """

    def __init__(self, settings: OidcSettings, clock_ms: Callable[[], int]) -> None:
        self._settings = settings
        self._clock_ms = clock_ms
        self._waiting: OrderedDict[str, _Waiting] = OrderedDict()
        self._provider: tuple[Provider, int] | None = None
        self._keys: tuple[Keys, int] = ({}, 0)

    async def begin(self, redirect: str) -> Begun:
        """Begin a login. redirect: the URL of this node to which the provider sends the browser back.

        Raises DirectoryError when the provider cannot be asked.
        """
        provider = await self._discovered()
        state, browser, verifier, nonce = (secrets.token_urlsafe(32) for _ in range(4))
        ends_ms = self._clock_ms() + BEGUN_LIFE_MS
        self._waiting[state] = _Waiting(browser, nonce, verifier, redirect, ends_ms)
        if len(self._waiting) > BEGUN_MAX:
            self._waiting.popitem(last=False)
        asked = {
            "response_type": "code",
            "client_id": self._settings.client,
            "redirect_uri": redirect,
            "scope": self._settings.scope,
            "state": state,
            "nonce": nonce,
            "code_challenge": _base64url(hashlib.sha256(verifier.encode()).digest()),
            "code_challenge_method": "S256",
        }
        joint = "&" if "?" in provider.authorization_endpoint else "?"
        return Begun(provider.authorization_endpoint + joint + urlencode(asked), browser)

    async def finish(self, said: Mapping[str, str], browser: str) -> Person:
        """The person, from what the browser brought back.

        Args:
            said: the query of the callback.
            browser: the secret that the browser kept.

        Raises:
            NotProven: it does not belong to a login that began here, or proves nobody.
            DirectoryError: the provider cannot be asked.
        """
        waiting = self._waiting.pop(said.get("state", ""), None)
        if waiting is None or self._clock_ms() >= waiting.ends_ms:
            raise NotProven("This login did not begin here, was used already, or took longer than ten minutes.")
        if not hmac.compare_digest(waiting.browser.encode(), browser.encode()):
            raise NotProven("This login began in another browser.")
        if said.get("iss", self._settings.issuer) != self._settings.issuer:
            # RFC 9207: an answer of another provider.
            raise NotProven("The answer is another provider's.")
        if "error" in said or not said.get("code"):
            raise NotProven("The provider did not let you in.")
        token = await self._redeemed(said["code"], waiting)
        claims = await self._checked(token, waiting.nonce)
        return person_of(claims, self._settings)

    async def _discovered(self) -> Provider:
        if self._provider is None or self._clock_ms() >= self._provider[1]:
            issuer = self._settings.issuer
            answer = await self._ask(issuer.rstrip("/") + "/.well-known/openid-configuration")
            try:
                found = msgspec.convert(_ok(answer), Provider)
                for url in (found.authorization_endpoint, found.token_endpoint, found.jwks_uri):
                    _check_endpoint(url, issuer)
            except ValueError as wrong:
                raise DirectoryError(f"what {issuer} says of itself cannot be used: {wrong}") from wrong
            if found.issuer != issuer:
                raise DirectoryError(f"{issuer} calls itself {found.issuer}: write that into oidc_issuer")
            self._provider = found, self._clock_ms() + KNOWN_MS
        return self._provider[0]

    async def _redeemed(self, code: str, waiting: _Waiting) -> str:
        """The id token for a code. Raises NotProven for a code that is not good (any more)."""
        provider, settings = await self._discovered(), self._settings
        form = {
            "grant_type": "authorization_code",
            "code": code,
            "redirect_uri": waiting.redirect,
            "client_id": settings.client,
            "code_verifier": waiting.verifier,
        }
        authorization = None
        methods = provider.token_endpoint_auth_methods_supported
        if settings.secret and ("client_secret_basic" in methods or "client_secret_post" not in methods):
            # RFC 6749, 2.3.1: both are form-encoded before they are joined.
            pair = f"{quote(settings.client, safe='')}:{quote(settings.secret, safe='')}"
            authorization = "Basic " + base64.b64encode(pair.encode()).decode()
        elif settings.secret:
            form["client_secret"] = settings.secret
        answer = await self._ask(provider.token_endpoint, form, authorization)
        if answer.status == 400:
            raise NotProven("The provider does not take this login (any more).")
        token = _ok(answer).get("id_token")
        if not isinstance(token, str):
            raise DirectoryError("the provider gives no id_token: the scope must hold openid")
        return token

    async def _checked(self, token: str, nonce: str) -> dict[str, Any]:
        """What an id token says, once it is known to be good. Raises NotProven."""
        key = await self._key(key_name(token))
        try:
            return read_id_token(token, key, self._settings, nonce, self._clock_ms())
        except jwt.InvalidTokenError as wrong:
            raise NotProven("What the provider says about you does not hold.") from wrong

    async def _key(self, name: str | None) -> jwt.PyJWK:
        keys, known_ms = self._keys
        age_ms = self._clock_ms() - known_ms
        # A new key is looked for when it is needed, but not more than once a minute: anybody can write a name.
        if age_ms >= KNOWN_MS or (_named(keys, name) is None and age_ms >= KEYS_AGAIN_MS):
            keys = keys_of(_ok(await self._ask((await self._discovered()).jwks_uri)))
            self._keys = keys, self._clock_ms()
        found = _named(keys, name)
        if found is None:
            raise NotProven("The provider signs with a key that it does not show.")
        return found

    async def _ask(self, url: str, form: Mapping[str, str] | None = None, authorization: str | None = None) -> Answer:
        context, timeout_s = self._settings.context, self._settings.timeout_s
        return await ask(url, context=context, timeout_s=timeout_s, form=form, authorization=authorization)


def key_name(token: str) -> str | None:
    """By which key an id token says it is signed; None = it does not say. Raises NotProven for another algorithm."""
    try:
        header = jwt.get_unverified_header(token)
    except jwt.InvalidTokenError as wrong:
        raise NotProven("What the provider says about you cannot be read.") from wrong
    said = header.get("alg")
    if not isinstance(said, str) or said not in ALGORITHMS:
        raise NotProven(f"The provider signs with {str(said)[:40]!a}; allowed: {', '.join(ALGORITHMS)}.")
    return header.get("kid")


def keys_of(body: Mapping[str, Any]) -> Keys:
    """The keys of a provider (RFC 7517) that may sign an id token, by name; all others are left out.

    Raises DirectoryError when they are no list, or more than KEYS_MAX.
    """
    told: Any = body.get("keys")
    if not isinstance(told, list) or len(told) > KEYS_MAX:
        many = f"{len(told)} keys" if isinstance(told, list) else "no list of keys"
        raise DirectoryError(f"the provider shows {many}: at most {KEYS_MAX} are read")
    found: dict[str | None, jwt.PyJWK] = {}
    for each in told:
        key = _key_of(each) if isinstance(each, dict) else None
        if key is not None:
            found[key.key_id] = key
    return found


def _key_of(told: Mapping[str, Any]) -> jwt.PyJWK | None:
    # Only what a public key is made of: of a private one the primes would be looked for, which takes minutes.
    public = {name: told[name] for name in _PUBLIC if isinstance(told.get(name), str)}
    if any(len(value) > KEY_FIELD_LENGTH_MAX for value in public.values()):
        return None
    if public.get("kty") not in ALGORITHMS.values() or told.get("use", "sig") != "sig":
        return None
    try:
        key = jwt.PyJWK(public)
    except jwt.PyJWTError:
        return None
    if isinstance(key.key, RSAPublicKey) and not RSA_BITS_MIN <= key.key.key_size <= RSA_BITS_MAX:
        return None
    return key if key.algorithm_name in ALGORITHMS else None


def _check_endpoint(url: str, issuer: str) -> None:
    """Raises ValueError. A provider elsewhere must not send the node to ports of its own machine."""
    if checked_url(url).scheme != "https" and urlsplit(issuer).scheme == "https":
        raise ValueError(f"{url!r} is not encrypted, though the provider itself is")


def _named(keys: Keys, name: str | None) -> jwt.PyJWK | None:
    if name is None and len(keys) == 1:
        return next(iter(keys.values()))
    return keys.get(name)


def read_id_token(token: str, key: jwt.PyJWK, settings: OidcSettings, nonce: str, now_ms: int) -> dict[str, Any]:
    """What an id token says (OpenID Connect Core 1.0, 3.1.3.7). Raises jwt.InvalidTokenError when it is not good."""
    said: dict[str, Any] = jwt.decode(
        token,
        key.key,
        # The key's own algorithm, never the token's: a token must not choose how it is checked.
        algorithms=[key.algorithm_name],
        audience=settings.client,
        issuer=settings.issuer,
        # The clock is the node's, not the machine's: the times are checked below.
        options={
            "require": ["exp", "iat", "iss", "aud", "sub"],
            "verify_exp": False,
            "verify_nbf": False,
            "verify_iat": False,
        },
    )
    times = [said["exp"], said["iat"], said.get("nbf", 0)]
    if not all(isinstance(each, int | float) for each in times):
        raise jwt.InvalidTokenError("its times are no numbers")
    now_s = now_ms / 1000
    if not (max(times[1:]) - LEEWAY_S <= now_s < times[0] + LEEWAY_S):
        raise jwt.ExpiredSignatureError("it is too old, or not good yet")
    if said.get("nonce") != nonce:
        raise jwt.InvalidTokenError("its nonce is another login's")
    if said.get("azp", settings.client) != settings.client:
        raise jwt.InvalidAudienceError("it was made for another client")
    return said


def person_of(claims: Mapping[str, Any], settings: OidcSettings) -> Person:
    """The person that an id token tells of. Raises NotProven when it does not name him."""
    name = claims.get(settings.person_claim)
    if not isinstance(name, str) or not name:
        raise NotProven(f"The provider does not say your {settings.person_claim}.")
    groups = claims.get(settings.groups_claim, ())
    groups = [groups] if isinstance(groups, str) else groups if isinstance(groups, list) else []
    plain = tuple(group for group in groups if isinstance(group, str))[:GROUPS_MAX]
    return Person(by="oidc", name=name, subject=str(claims["sub"]), groups=plain)


def _ok(answer: Answer) -> dict[str, Any]:
    if answer.status != 200 or not isinstance(answer.body, dict):
        raise DirectoryError(f"the provider answers {answer.status}, not 200 with a JSON object")
    return answer.body


def _base64url(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()
