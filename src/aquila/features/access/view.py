"""Access: a view of who may log in, folded from the acts user.add, user.remove, token.create and token.revoke.

The journal is the truth about names, roles and entitlements. What proves who somebody is (password and token hashes)
lies in the secret store and never in an entry.
"""

from collections.abc import Mapping
from typing import Literal

import msgspec

from aquila.core.feature import OWNER, ROLES, Role
from aquila.core.model import Act, Arrival, Context, Entry, Principal, Stamp

GrantKind = Literal["user", "token"]
OPERATOR = "operator"
"""The user that the node makes at its first start, for who runs it. It owns the node."""
PASSWORD_SET = "user.password"  # noqa: S105  # the word of an act
"""The act of somebody who chose a new password: grants stay, logins end."""
_GIVEN: Mapping[str, GrantKind] = {"user.add": "user", "token.create": "token"}
_TAKEN: Mapping[str, GrantKind] = {"user.remove": "user", "token.revoke": "token"}


class Grant(msgspec.Struct, frozen=True, kw_only=True):
    """What somebody may do: role and entitlements.

    Attributes:
        expires_at_ms: None = never.
        active: false when it was taken back.
    """

    kind: GrantKind
    name: str
    role: Role
    nation: str | None = None
    clearance: str = "UNCLASSIFIED"
    caveats: tuple[str, ...] = ()
    groups_in: tuple[str, ...] = ()
    groups_out: tuple[str, ...] = ()
    expires_at_ms: int | None = None
    active: bool = True


class _State(msgspec.Struct, array_like=True):
    grants: dict[str, tuple[Stamp, Grant]]


_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(_State)


class Access:
    """Users and tokens by name. `turn` counts changes, so that whoever keeps connections open looks again."""

    name = "access"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._grants: dict[str, tuple[Stamp, Grant]] = {}
        self.turn = 0

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, stamp = arrival.body, arrival.envelope.stamp
        if act.action == PASSWORD_SET:
            self.turn += 1
            return
        kind = _GIVEN.get(act.action) or _TAKEN.get(act.action)
        if kind is None:
            return
        # Per node: what another node grants and a merge brings here opens nothing here.
        key = _key(arrival.envelope.node, kind, act.target)
        known = self._grants.get(key)
        if known is None or stamp > known[0]:
            self._grants[key] = (stamp, grant_of(act, kind))
            self.turn += 1

    def snapshot(self) -> bytes:
        """See View."""
        return _encoder.encode(_State(self._grants))

    def restore(self, data: bytes) -> None:
        """See View."""
        self._grants = _decoder.decode(data).grants
        self.turn += 1

    def grants(self, node: str, kind: GrantKind) -> list[Grant]:
        """All of a kind that this node gave and did not take back, by name."""
        prefix = _key(node, kind, "")
        return [grant for key, (_, grant) in sorted(self._grants.items()) if key.startswith(prefix) and grant.active]

    def grant(self, node: str, kind: GrantKind, name: str) -> Grant | None:
        """The one of this name; None = there is none or it was taken back."""
        known = self._grants.get(_key(node, kind, name))
        return known[1] if known is not None and known[1].active else None


def _key(node: str, kind: GrantKind, name: str) -> str:
    return f"{node}\0{kind}\0{name}"


def principal_of(grant: Grant, context: Context) -> Principal:
    """The principal that a grant makes."""
    return Principal(
        id=f"{'person' if grant.kind == 'user' else 'token'}:{grant.name}",
        kind="person",
        name=grant.name,
        context=context,
        nation=grant.nation,
        clearance=grant.clearance,
        caveats=grant.caveats,
        groups_in=frozenset(grant.groups_in),
        groups_out=frozenset(grant.groups_out),
        roles=(grant.role, OWNER) if grant.kind == "user" and grant.name == OPERATOR else (grant.role,),
    )


def act_of(grant: Grant, at_ms: int) -> Act:
    """The act that gives a grant."""
    detail = {
        "role": grant.role,
        "nation": grant.nation or "",
        "clearance": grant.clearance,
        "caveats": ",".join(grant.caveats),
        "groups_in": ",".join(grant.groups_in),
        "groups_out": ",".join(grant.groups_out),
    }
    if grant.expires_at_ms is not None:
        detail["expires_at_ms"] = str(grant.expires_at_ms)
    action = "user.add" if grant.kind == "user" else "token.create"
    return Act(action=action, target=grant.name, happened_at_ms=at_ms, detail=detail)


def grant_of(act: Act, kind: GrantKind) -> Grant:
    """The grant that an act gives; inactive when the act takes it back or names no known role."""
    detail = act.detail
    role = next((role for role in ROLES if role == detail.get("role")), None)
    expires = detail.get("expires_at_ms", "")
    return Grant(
        kind=kind,
        name=act.target,
        role=role or "viewer",
        nation=detail.get("nation") or None,
        clearance=detail.get("clearance", "UNCLASSIFIED"),
        caveats=_words(detail.get("caveats", "")),
        groups_in=_words(detail.get("groups_in", "")),
        groups_out=_words(detail.get("groups_out", "")),
        # What is no number ends at once: an unreadable end is no reason to let somebody in for ever.
        expires_at_ms=None if not expires else int(expires) if expires.isdecimal() else 0,
        active=act.action in _GIVEN and role is not None,
    )


def _words(text: str) -> tuple[str, ...]:
    return tuple(sorted(word for word in text.split(",") if word))
