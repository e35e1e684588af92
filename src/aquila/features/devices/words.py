"""Words that several requests about devices share: names, groups, and what of them stands in the acts."""

from collections.abc import Iterable
from typing import Annotated, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading, is_owner
from aquila.core.model import Principal
from aquila.core.policy import Policy
from aquila.features.devices.view import joined

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Group = Annotated[str, msgspec.Meta(pattern=r"^[^,\x00-\x1f]{1,100}$")]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(min_length=1, max_length=100)]
Nation = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Clearance = Annotated[str, msgspec.Meta(max_length=40)]
Callsign = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Host = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]

GROUPS_SAID = 10


class Address(Protocol):
    """The part `address` of a node: by which devices reach it."""

    host: str
    tak_tls: int
    others: tuple[str, ...]
    """Addresses of this machine under which others may reach it; none = it listens to itself only."""


class Wanted(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a new device is to have.

    Attributes:
        nation: three letters (ISO 3166); None = that of the asker.
        groups_in: groups it may write into; None = the policy's default group. groups_out: groups it may read; None =
            the same as groups_in.
        clearance: highest classification it may read; None = the policy's lowest.
        host: name or address under which it reaches this node; None = the node's own.
    """

    name: Name
    nation: Nation | None = None
    groups_in: Groups | None = None
    groups_out: Groups | None = None
    clearance: Clearance | None = None
    callsign: Callsign | None = None
    host: Host | None = None


def entitlements(principal: Principal, ask: Wanted, reading: Reading) -> dict[str, str] | Refused:
    """What the act that adds the device says of its rights: nothing that the asker has not himself (ADR 12)."""
    policy = reading.policy
    clearance = ask.clearance or policy.classifications[0]
    if policy.rank(clearance) is None:
        return Refused("clearance", f"clearance {clearance}: one of {', '.join(policy.classifications)}")
    groups_in = ask.groups_in or policy.default_label.groups
    groups_out = ask.groups_out or groups_in
    nation = ask.nation or principal.nation or ""
    if not is_owner(principal):
        beyond = _beyond(principal, policy, nation, clearance, groups_in, groups_out)
        if beyond:
            return Refused("role", f"{beyond}; only the operator of this node gives what he does not hold himself")
    return {
        "nation": nation,
        "clearance": clearance,
        "groups_in": joined(groups_in),
        "groups_out": joined(groups_out),
        "callsign": ask.callsign or "",
    }


def _beyond(
    principal: Principal,
    policy: Policy,
    nation: str,
    clearance: str,
    groups_in: Iterable[str],
    groups_out: Iterable[str],
) -> str:
    """What of these rights the principal has not himself, as a sentence; "" = he has them all."""
    missing_in, missing_out = set(groups_in) - principal.groups_in, set(groups_out) - principal.groups_out
    if missing_in:
        return f"groups to write into {_few(missing_in)}: yours are {_few(principal.groups_in)}"
    if missing_out:
        return f"groups to read {_few(missing_out)}: yours are {_few(principal.groups_out)}"
    wanted, has = policy.rank(clearance), policy.rank(principal.clearance)
    if wanted is None or has is None or wanted > has:
        return f"clearance {clearance}: yours is {principal.clearance}"
    if nation != (principal.nation or ""):
        return f"nation {nation}: yours is {principal.nation or 'none'}"
    return ""


def _few(groups: Iterable[str]) -> str:
    return ", ".join(sorted(groups)[:GROUPS_SAID]) or "none"
