"""Access: tokens and users, given and taken back. Secrets are shown once and kept only as hashes."""

import asyncio
import hashlib
import secrets
from collections.abc import Callable, Iterator
from typing import Annotated, Any, Protocol

import msgspec
from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from aquila.core.errors import Refused
from aquila.core.feature import ROLES, Command, Desk, Feature, Labelled, Query, Reading, Role, is_owner
from aquila.core.model import Act, Principal
from aquila.core.view import view_of
from aquila.features.access.marti import endpoints, password_mark, password_secret
from aquila.features.access.view import OPERATOR, Access, Grant, GrantKind, act_of, principal_of

TOKEN_PREFIX = "aq_"  # noqa: S105  # the visible beginning of every token, no secret
DAY_MS = 86_400_000
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Group = Annotated[str, msgspec.Meta(pattern=r"^[^,]{1,100}$")]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(max_length=100)]


_OWNED = f"the user {OPERATOR} owns this node: it stays an admin, and only who runs the node may change its password"


class Secrets(Protocol):
    """The part `secrets` of a node: names and JSON values that are in no entry."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep a value, instead of any before it."""
        ...

    def remove(self, name: str) -> bool:
        """Forget it; False = there was none."""
        ...

    def named(self, prefix: str) -> dict[str, Any]:
        """All whose name begins so."""
        ...


def hash_of(secret: str) -> str:
    """What is kept of a token or session. They are 256 random bits, so one SHA-256 without salt is enough."""
    return hashlib.sha256(secret.encode()).hexdigest()


def token_secret(value: str) -> str:
    """Name under which the secret store knows a token."""
    return f"token/{hash_of(value)}"


def password_hash(password: str) -> str:
    """The argon2id hash; takes some 50 ms and 64 MiB, so call it off the loop."""
    return PasswordHasher().hash(password)


def is_password(kept: str, password: str) -> bool:
    """Does the password match the hash? As dear as making one."""
    try:
        return PasswordHasher().verify(kept, password)
    except (VerificationError, InvalidHashError):
        return False


class NewToken(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A token to be made. What is left out it has from whoever makes it; it never gets more than that.

    `days`: it ends after so many.
    """

    name: Name
    role: Role = "viewer"
    days: Annotated[float, msgspec.Meta(gt=0, le=3660)] = 30
    groups_in: Groups | None = None
    groups_out: Groups | None = None


class TokenMade(msgspec.Struct, frozen=True, kw_only=True):
    """The token, shown this once and kept nowhere."""

    name: str
    token: str
    role: Role
    expires_at_ms: int


class NewUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A user to be made, or a new password and role for one that is there."""

    name: Name
    password: Annotated[str, msgspec.Meta(min_length=10, max_length=200)]
    role: Role = "operator"
    groups_in: Groups | None = None
    groups_out: Groups | None = None


class UserMade(msgspec.Struct, frozen=True, kw_only=True):
    """The user that now is."""

    name: str
    role: Role


class Named(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which one."""

    name: Name


class Taken(msgspec.Struct, frozen=True, kw_only=True):
    """What was taken back, and the journal entry that says so."""

    name: str
    entry: str


class AskGrants(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """All of them."""

    limit: Annotated[int, msgspec.Meta(ge=1, le=10_000)] = 1000


def access_of(reading: Reading) -> Access:
    """The view of this node."""
    return view_of(reading.views, "access", Access)


def _listed(kind: GrantKind) -> Callable[[Principal, AskGrants, Reading], Iterator[Labelled]]:
    def answer(principal: Principal, ask: AskGrants, reading: Reading) -> Iterator[Labelled]:
        for grant in access_of(reading).grants(reading.node, kind):
            yield Labelled(grant, None, reading.context)

    return answer


def _narrowed(
    principal: Principal, role: Role, groups_in: Groups | None, groups_out: Groups | None
) -> Refused | tuple[tuple[str, ...], tuple[str, ...]]:
    """Groups for somebody new: those asked for, if the asker has them itself, and a role not above its own.

    The owner of the node gives any group: else none but those of its first start could ever be given.
    """
    own = max((ROLES.index(each) for each in ROLES if each in principal.roles), default=-1)
    if principal.kind != "node" and ROLES.index(role) > own:
        return Refused("role", f"role {role}: you may give {', '.join(ROLES[: own + 1]) or 'none'}")
    wanted_in = frozenset(groups_in) if groups_in is not None else principal.groups_in
    wanted_out = frozenset(groups_out) if groups_out is not None else principal.groups_out
    missing = sorted((wanted_in - principal.groups_in) | (wanted_out - principal.groups_out))
    if missing and not is_owner(principal):
        return Refused("group", f"groups {', '.join(missing)}: you can only give groups you have")
    return tuple(sorted(wanted_in)), tuple(sorted(wanted_out))


async def make_token(principal: Principal, ask: NewToken, desk: Desk) -> TokenMade | Refused:
    """Make a token. The act is written first: a token that is in no journal must not work."""
    groups = _narrowed(principal, ask.role, ask.groups_in, ask.groups_out)
    if isinstance(groups, Refused):
        return groups
    now_ms = desk.now_ms()
    grant = Grant(
        kind="token",
        name=ask.name,
        role=ask.role,
        nation=principal.nation,
        clearance=principal.clearance,
        caveats=principal.caveats,
        groups_in=groups[0],
        groups_out=groups[1],
        expires_at_ms=now_ms + int(ask.days * DAY_MS),
    )
    written = await desk.write(act_of(grant, now_ms))
    if isinstance(written, Refused):
        return written
    value = TOKEN_PREFIX + secrets.token_urlsafe(32)
    store: Secrets = desk.part("secrets")
    await asyncio.to_thread(_keep_token, store, ask.name, value)
    assert grant.expires_at_ms is not None
    return TokenMade(name=ask.name, token=value, role=ask.role, expires_at_ms=grant.expires_at_ms)


def _keep_token(store: Secrets, name: str, value: str) -> None:
    _drop_tokens(store, name)
    store.put(token_secret(value), {"name": name})


def _drop_tokens(store: Secrets, name: str) -> None:
    for key, kept in store.named("token/").items():
        if kept.get("name") == name:
            store.remove(key)


async def make_user(principal: Principal, ask: NewUser, desk: Desk) -> UserMade | Refused:
    """Make a user with a password, or change them."""
    groups = _narrowed(principal, ask.role, ask.groups_in, ask.groups_out)
    if isinstance(groups, Refused):
        return groups
    if ask.name == OPERATOR and not (is_owner(principal) and ask.role == "admin"):
        return Refused("role", _OWNED)
    kept = await asyncio.to_thread(password_hash, ask.password)
    grant = Grant(
        kind="user",
        name=ask.name,
        role=ask.role,
        nation=principal.nation,
        clearance=principal.clearance,
        caveats=principal.caveats,
        groups_in=groups[0],
        groups_out=groups[1],
    )
    store: Secrets = desk.part("secrets")
    # The old password goes first: who was let in by it is thrown out by the entry, and must not come back in between.
    before = await asyncio.to_thread(store.get, password_secret(ask.name))
    await asyncio.to_thread(store.remove, password_secret(ask.name))
    await asyncio.to_thread(_drop_sessions, store, ask.name)
    written = await desk.write(act_of(grant, desk.now_ms()))
    if isinstance(written, Refused):
        if before is not None:
            await asyncio.to_thread(store.put, password_secret(ask.name), before)
        return written
    await asyncio.to_thread(store.put, password_secret(ask.name), kept)
    return UserMade(name=ask.name, role=ask.role)


def _drop_sessions(store: Secrets, name: str) -> None:
    """End every login of the page under this name. Before the entry: who hears that looks which are left."""
    for key, kept in store.named("session/").items():
        if kept.get("name") == name:
            store.remove(key)


async def drop_token(principal: Principal, ask: Named, desk: Desk) -> Taken | Refused:
    """Take a token back; its connections are closed."""
    if access_of(desk).grant(desk.node, "token", ask.name) is None:
        return Refused("absent", f"there is no token {ask.name}")
    return await _taken("token.revoke", ask.name, desk)


async def drop_user(principal: Principal, ask: Named, desk: Desk) -> Taken | Refused:
    """Take a user's access back; its sessions are closed."""
    if access_of(desk).grant(desk.node, "user", ask.name) is None:
        return Refused("absent", f"there is no user {ask.name}")
    if ask.name == OPERATOR:
        return Refused("role", _OWNED)
    return await _taken("user.remove", ask.name, desk)


async def _taken(action: str, name: str, desk: Desk) -> Taken | Refused:
    store: Secrets = desk.part("secrets")
    if action == "user.remove":
        await asyncio.to_thread(_drop_sessions, store, name)
    written = await desk.write(Act(action=action, target=name, happened_at_ms=desk.now_ms()))
    if isinstance(written, Refused):
        return written
    if action == "token.revoke":
        await asyncio.to_thread(_drop_tokens, store, name)
    else:
        await asyncio.to_thread(store.remove, password_secret(name))
    return Taken(name=name, entry=written.envelope.id)


feature = Feature(
    name="access",
    views=(Access,),
    queries=(
        Query(
            name="tokens",
            path="/tokens",
            request=AskGrants,
            row=Grant,
            role="admin",
            answer=_listed("token"),
            summary="Tokens that were not taken back; never their values",
        ),
        Query(
            name="users",
            path="/users",
            request=AskGrants,
            row=Grant,
            role="admin",
            answer=_listed("user"),
            summary="Users",
        ),
    ),
    commands=(
        Command(
            name="make_token",
            method="POST",
            path="/tokens",
            request=NewToken,
            answer=TokenMade,
            role="admin",
            act=make_token,
            summary="Make a token; it is shown once",
        ),
        Command(
            name="drop_token",
            method="DELETE",
            path="/tokens/{name}",
            request=Named,
            answer=Taken,
            role="admin",
            act=drop_token,
            summary="Take a token back",
        ),
        Command(
            name="make_user",
            method="POST",
            path="/users",
            request=NewUser,
            answer=UserMade,
            role="admin",
            act=make_user,
            summary="Make a user with a password",
        ),
        Command(
            name="drop_user",
            method="DELETE",
            path="/users/{name}",
            request=Named,
            answer=Taken,
            role="admin",
            act=drop_user,
            summary="Take a user's access back",
        ),
    ),
    endpoints=endpoints,
)

__all__ = [
    "Access",
    "Grant",
    "Secrets",
    "act_of",
    "feature",
    "hash_of",
    "is_password",
    "password_hash",
    "password_mark",
    "password_secret",
    "principal_of",
    "token_secret",
]
