"""Words that several requests about devices share: names, groups, and what of them stands in the acts."""

from typing import Annotated, Protocol

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading
from aquila.core.model import Principal
from aquila.features.devices.view import joined

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Group = Annotated[str, msgspec.Meta(pattern=r"^[^,\x00-\x1f]{1,100}$")]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(min_length=1, max_length=100)]
Nation = Annotated[str, msgspec.Meta(pattern=r"^[A-Z]{3}$")]
Clearance = Annotated[str, msgspec.Meta(max_length=40)]
Callsign = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Host = Annotated[str, msgspec.Meta(min_length=1, max_length=253)]


class Address(Protocol):
    """The part `address` of a node: by which devices reach it."""

    host: str
    tak_tls: int


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
    """What the act that adds the device says of its rights."""
    policy = reading.policy
    clearance = ask.clearance or policy.classifications[0]
    if policy.rank(clearance) is None:
        return Refused("clearance", f"clearance {clearance}: one of {', '.join(policy.classifications)}")
    groups_in = ask.groups_in or policy.default_label.groups
    return {
        "nation": ask.nation or principal.nation or "",
        "clearance": clearance,
        "groups_in": joined(groups_in),
        "groups_out": joined(ask.groups_out or groups_in),
        "callsign": ask.callsign or "",
    }
