"""Access: tokens and users, given and taken back. Secrets are shown once and kept only as hashes."""

import asyncio
import secrets
from collections.abc import Callable, Iterator
from typing import Annotated

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import ROLES, Command, Desk, Feature, Labelled, Query, Reading, Role, is_owner
from aquila.core.model import Act, Principal
from aquila.core.policy import Policy, players_of
from aquila.core.view import view_of
from aquila.features.access.marti import endpoints, password_mark, password_secret
from aquila.features.access.proofs import (
    KnowsAddress,
    Secrets,
    hash_of,
    invite_secret,
    is_password,
    password_hash,
    token_secret,
)
from aquila.features.access.view import OPERATOR, PASSWORD_SET, Access, Grant, GrantKind, act_of, principal_of

TOKEN_PREFIX = "aq_"  # noqa: S105  # the visible beginning of every token, no secret
DAY_MS = 86_400_000
HOUR_MS = 3_600_000
Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$")]
Group = Annotated[str, msgspec.Meta(pattern=r"^[^,]{1,100}$")]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(max_length=100)]


_OWNED = f"the user {OPERATOR} owns this node: it stays an admin, and only who runs the node may change its password"


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


class InviteUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Somebody who is to log in by a link first, and may then choose a password; for one who is there: a new start.

    hours: the link is good so long, and once.
    """

    name: Name
    role: Role = "operator"
    hours: Annotated[float, msgspec.Meta(gt=0, le=168)] = 24
    groups_in: Groups | None = None
    groups_out: Groups | None = None


class UserInvited(msgspec.Struct, frozen=True, kw_only=True):
    """The link, shown this once. url: for another desk; path: the same below any address of this node."""

    name: str
    role: Role
    url: str
    path: str
    expires_at_ms: int


class ChangeUser(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Another role for somebody who is there; password, groups and marking stay."""

    name: Name
    role: Role


class NewPassword(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new password of the asker. old: the present one; empty = there is none yet."""

    password: Annotated[str, msgspec.Meta(min_length=10, max_length=200)]
    old: Annotated[str, msgspec.Meta(max_length=200)] = ""


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


def _wrong_role(principal: Principal, role: Role) -> Refused | None:
    own = max((ROLES.index(each) for each in ROLES if each in principal.roles), default=-1)
    if principal.kind == "node" or ROLES.index(role) <= own:
        return None
    return Refused("role", f"role {role}: you may give {', '.join(ROLES[: own + 1]) or 'none'}")


def _narrowed(
    policy: Policy, principal: Principal, role: Role, groups_in: Groups | None, groups_out: Groups | None
) -> Refused | tuple[tuple[str, ...], tuple[str, ...]]:
    """Groups for somebody new: those asked for, if the asker has them itself, and a role not above its own.

    The owner of the node gives any group: else none but those of its first start could ever be given. Who is given no
    group by name gets the asker's, but never exercise control's beside others.
    """
    wrong = _wrong_role(principal, role)
    if wrong is not None:
        return wrong
    wanted_in = frozenset(groups_in) if groups_in is not None else players_of(policy, principal.groups_in)
    wanted_out = frozenset(groups_out) if groups_out is not None else players_of(policy, principal.groups_out)
    missing = sorted((wanted_in - principal.groups_in) | (wanted_out - principal.groups_out))
    if missing and not is_owner(principal):
        return Refused("group", f"groups {', '.join(missing)}: you can only give groups you have")
    return tuple(sorted(wanted_in)), tuple(sorted(wanted_out))


async def make_token(principal: Principal, ask: NewToken, desk: Desk) -> TokenMade | Refused:
    """Make a token. The act is written first: a token that is in no journal must not work."""
    groups = _narrowed(desk.policy, principal, ask.role, ask.groups_in, ask.groups_out)
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
    made = await _admit(principal, ask, desk)
    if isinstance(made, Refused):
        return made
    kept = await asyncio.to_thread(password_hash, ask.password)
    await asyncio.to_thread(desk.part("secrets").put, password_secret(ask.name), kept)
    return made


async def invite_user(principal: Principal, ask: InviteUser, desk: Desk) -> UserInvited | Refused:
    """Make a user without a password, and a link by which he comes in once."""
    made = await _admit(principal, ask, desk)
    if isinstance(made, Refused):
        return made
    key, ends_ms = secrets.token_urlsafe(24), desk.now_ms() + round(ask.hours * HOUR_MS)
    kept = {"name": ask.name, "ends_ms": ends_ms}
    await asyncio.to_thread(desk.part("secrets").put, invite_secret(key), kept)
    place: KnowsAddress = desk.part("address")
    path = f"/login?key={key}"
    url = f"https://{place.host}:{place.enrol}{path}"
    return UserInvited(name=ask.name, role=ask.role, url=url, path=path, expires_at_ms=ends_ms)


async def change_user(principal: Principal, ask: ChangeUser, desk: Desk) -> UserMade | Refused:
    """Give somebody another role. What he has open is closed, and he comes back with what he now may."""
    grant = access_of(desk).grant(desk.node, "user", ask.name)
    if grant is None:
        return Refused("absent", f"there is no user {ask.name}")
    if ask.name == OPERATOR:
        return Refused("role", _OWNED)
    wrong = _wrong_role(principal, ask.role) or _wrong_role(principal, grant.role)
    if wrong is not None:
        return wrong
    written = await desk.write(act_of(msgspec.structs.replace(grant, role=ask.role), desk.now_ms()))
    return written if isinstance(written, Refused) else UserMade(name=ask.name, role=ask.role)


async def set_password(principal: Principal, ask: NewPassword, desk: Desk) -> UserMade | Refused:
    """Choose a password for oneself; every login under the name ends, the asker's too."""
    kind, _, name = principal.id.partition(":")
    grant = access_of(desk).grant(desk.node, "user", name) if kind == "person" else None
    if grant is None:
        return Refused("person", f"{principal.id} has no password here: only users do; log in by name or by a link")
    store: Secrets = desk.part("secrets")
    if await asyncio.to_thread(store.get, f"foreign/{name}") is not None:
        return Refused("person", f"{name} logs in elsewhere: change the password there")
    # A desk that was left open must not be enough to lock its owner out.
    present = await asyncio.to_thread(store.get, password_secret(name))
    if present is not None and not await asyncio.to_thread(is_password, present, ask.old):
        return Refused("password", "the present password is another one; who runs the node can give a new link")
    kept = await asyncio.to_thread(password_hash, ask.password)
    await asyncio.to_thread(_drop_sessions, store, name)
    written = await desk.write(Act(action=PASSWORD_SET, target=name, happened_at_ms=desk.now_ms()))
    if isinstance(written, Refused):
        return written
    await asyncio.to_thread(store.put, password_secret(name), kept)
    return UserMade(name=name, role=grant.role)


async def _admit(principal: Principal, ask: NewUser | InviteUser, desk: Desk) -> UserMade | Refused:
    """The grant of a user, new or anew, with no way in yet: whatever opened his access before is gone."""
    groups = _narrowed(desk.policy, principal, ask.role, ask.groups_in, ask.groups_out)
    if isinstance(groups, Refused):
        return groups
    if ask.name == OPERATOR and not (is_owner(principal) and ask.role == "admin"):
        return Refused("role", _OWNED)
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
    return UserMade(name=ask.name, role=ask.role)


def _drop_sessions(store: Secrets, name: str) -> None:
    """End every login of the page under this name, and what could open one without a password.

    Before the entry: who hears that looks which are left.
    """
    for key, kept in {**store.named("session/"), **store.named("invite/")}.items():
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
            name="invite_user",
            method="POST",
            path="/users/invitations",
            request=InviteUser,
            answer=UserInvited,
            role="admin",
            act=invite_user,
            summary="Make a user who comes in by a link, once; it is shown once",
        ),
        Command(
            name="change_user",
            method="POST",
            path="/users/{name}/role",
            request=ChangeUser,
            answer=UserMade,
            role="admin",
            act=change_user,
            summary="Give a user another role",
        ),
        Command(
            name="set_password",
            method="POST",
            path="/password",
            request=NewPassword,
            answer=UserMade,
            role="viewer",
            act=set_password,
            summary="Choose a password for oneself",
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
    "invite_secret",
    "is_password",
    "password_hash",
    "password_mark",
    "password_secret",
    "principal_of",
    "token_secret",
]
