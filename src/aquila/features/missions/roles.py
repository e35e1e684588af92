"""Roles: who may do what in a mission, by its token, its subscription, an invitation, or what everybody may."""

import hashlib
from collections.abc import Mapping
from typing import Any, Literal, Protocol, cast

import msgspec

from aquila.core.errors import Refused
from aquila.core.feature import Reading
from aquila.core.model import Principal, Verdict
from aquila.core.owners import SPOOFED, Owners, is_of_another
from aquila.core.view import view_of
from aquila.features.missions.view import Mission, Missions

RoleName = Literal["MISSION_OWNER", "MISSION_SUBSCRIBER", "MISSION_READONLY_SUBSCRIBER"]
OWNER: RoleName = "MISSION_OWNER"
SUBSCRIBER: RoleName = "MISSION_SUBSCRIBER"
READONLY: RoleName = "MISSION_READONLY_SUBSCRIBER"
Permission = Literal[
    "MISSION_READ",
    "MISSION_WRITE",
    "MISSION_DELETE",
    "MISSION_SET_ROLE",
    "MISSION_SET_PASSWORD",
    "MISSION_UPDATE_GROUPS",
    "MISSION_MANAGE_FEEDS",
    "MISSION_MANAGE_LAYERS",
]
READ: Permission = "MISSION_READ"
WRITE: Permission = "MISSION_WRITE"
PERMISSIONS: Mapping[RoleName, tuple[Permission, ...]] = {
    OWNER: (
        "MISSION_READ",
        "MISSION_WRITE",
        "MISSION_DELETE",
        "MISSION_SET_ROLE",
        "MISSION_SET_PASSWORD",
        "MISSION_UPDATE_GROUPS",
        "MISSION_MANAGE_FEEDS",
        "MISSION_MANAGE_LAYERS",
    ),
    SUBSCRIBER: ("MISSION_READ", "MISSION_WRITE"),
    READONLY: ("MISSION_READ",),
}
ROLES = tuple(PERMISSIONS)
AUDIENCE = "mission"
TOKEN_LIFE_MS = 3650 * 86_400_000
"""Long, because clients keep it as long as the subscription; what it is good for is looked up at every use."""
TokenType = Literal["SUBSCRIPTION", "INVITATION", "ACCESS"]
NO_MISSION = Refused("absent", "there is no such mission, or you may not see it")


class Signer(Protocol):
    """The part `tokens` of a node."""

    def sign(
        self, audience: str, subject: str, now_ms: int, life_ms: int, claims: Mapping[str, str | int] | None = None
    ) -> str:
        """A token."""
        ...

    def read(self, token: str, audience: str, now_ms: int) -> dict[str, Any] | None:
        """What it says; None = not ours."""
        ...


class Passwords(Protocol):
    """The part `passwords` of a node: slow on purpose, so off the loop."""

    def password_hash(self, password: str) -> str:
        """What is kept."""
        ...

    def is_password(self, kept: str, password: str) -> bool:
        """Does it fit?"""
        ...


class Secrets(Protocol):
    """The part `secrets` of a node."""

    def get(self, name: str) -> Any:  # JSON
        """The value; None = there is none."""
        ...

    def put(self, name: str, value: Any) -> None:  # JSON
        """Keep it."""
        ...

    def remove(self, name: str) -> bool:
        """Forget it."""
        ...


class Known(Protocol):
    """The views `devices` and `access`: who is in force on this node."""

    def principal(self, node: str, name: str, context: str) -> Principal | None:
        """A device; None = there is none, or it was revoked."""
        ...

    def grant(self, node: str, kind: str, name: str) -> object | None:
        """A user or an API token; None = there is none, or it was taken back."""
        ...


class Which(msgspec.Struct, frozen=True, kw_only=True):
    """A mission as it is asked for, and what the asker shows for it.

    Attributes:
        name, guid: one of them.
        credential: a mission token. password: of the mission.
        by: the client that asks, as it says.
    """

    name: str = ""
    guid: str = ""
    credential: str = ""
    password: str = ""
    by: str = ""


class Subscription(msgspec.Struct, frozen=True, kw_only=True):
    """Value of a cell sub/USER UID."""

    uid: str
    user: str
    role: RoleName


class Invitation(msgspec.Struct, frozen=True, kw_only=True):
    """Value of a cell invite/TYPE INVITEE."""

    type: str
    invitee: str
    role: RoleName
    by: str


def missions_of(reading: Reading) -> Missions:
    """The view of this node."""
    return view_of(reading.views, "missions", Missions)


def is_visible(mission: Mission, reading: Reading) -> bool:
    """Is it released to the asker?"""
    return reading.release(mission.label, mission.context).verdict is Verdict.FULL


def find(which: Which, reading: Reading) -> Mission | Refused:
    """The mission that is meant, among those that the asker may see: absent, or gone when it was deleted."""
    view = missions_of(reading)
    if which.guid:
        found = view.mission(which.guid)
        meant = [] if found is None else [found]
    else:
        meant = view.named(reading.context, which.name)
    seen = [each for each in meant if is_visible(each, reading)]
    standing = next((each for each in seen if each.deleted is None), None)
    if standing is not None:
        return standing
    return Refused("gone", "the mission was deleted") if seen else NO_MISSION


# -- roles ------------------------------------------------------------------------------------------------------------


def may(role: RoleName | None, permission: Permission) -> bool:
    """Does a role allow it? None = no role at all."""
    return role is not None and permission in PERMISSIONS[role]


def role_form(role: RoleName) -> dict[str, Any]:
    """A role as clients have it."""
    return {"type": role, "permissions": list(PERMISSIONS[role])}


def field(mission: Mission, name: str, default: Any = "") -> Any:  # JSON
    """A field of a mission; the default when nobody set it."""
    value = mission.value(f"field/{name}")
    return default if value is None else msgspec.json.decode(value)


def default_role(mission: Mission) -> RoleName:
    """What everybody is who may come in."""
    found = field(mission, "defaultRole", SUBSCRIBER)
    return found if found in ROLES else SUBSCRIBER


def subscriptions(mission: Mission) -> list[tuple[Subscription, int]]:
    """All of them, with the time of each; the role is the one in force."""
    found = []
    for cell in mission.of_kind("sub"):
        assert cell.value is not None
        said = msgspec.json.decode(cell.value, type=Subscription)
        role = _given(mission, said.user) or said.role
        found.append((msgspec.structs.replace(said, role=role), cell.said.at_ms))
    return found


def sub_key(user: str, uid: str) -> str:
    """Key of a subscription: nobody has that of another, whatever uid it names.

    Names of devices may hold blanks, but no %: so where the uid begins is never in doubt.
    """
    return f"sub/{user.replace(' ', '%20')} {uid}"


def invitations(mission: Mission) -> list[tuple[Invitation, int]]:
    """All of them, with the time of each."""
    found = []
    for cell in mission.of_kind("invite"):
        assert cell.value is not None
        found.append((msgspec.json.decode(cell.value, type=Invitation), cell.said.at_ms))
    return found


def invite_key(type_: str, invitee: str) -> str:
    """Key of an invitation."""
    return f"invite/{type_} {invitee}"


def username(user: str) -> str:
    """A principal's id as clients call a user."""
    return user.partition(":")[2] or user


def _given(mission: Mission, user: str) -> RoleName | None:
    value = mission.value(f"role/{user}")
    return None if value is None else msgspec.json.decode(value, type=RoleName)


def _of_user(mission: Mission, user: str) -> RoleName | None:
    given = _given(mission, user)
    if given is not None:
        return given
    held = [said.role for said, _ in subscriptions(mission) if said.user == user]
    return min(held, key=ROLES.index, default=None)


def is_for(said: Invitation, principal: Principal, reading: Reading) -> bool:
    """Is the asker invited by it? A uid or callsign counts only for whom it belongs to."""
    match said.type:
        case "userName":
            return said.invitee in (username(principal.id), principal.id)
        case "group":
            return said.invitee in principal.groups_out
        case "clientUid":
            return owner_of(said.invitee, reading) == principal.id
        case "callsign":
            return said.invitee == principal.name
        case _:
            return False


def owner_of(uid: str, reading: Reading) -> str | None:
    """Whose a uid is; None = nobody's."""
    return view_of(reading.views, Owners.name, Owners).owner(uid)


def signed(principal: Principal, which: Which, reading: Reading) -> Which:
    """The same with the client that asks: where none is said, the one that the asker speaks with, else its name."""
    if which.by:
        return which
    uids = view_of(reading.views, Owners.name, Owners).uids(principal.id)
    return msgspec.structs.replace(which, by=uids[-1] if uids else username(principal.id))


def invited_as(mission: Mission, principal: Principal, reading: Reading) -> RoleName | None:
    """The best role that an invitation gives the asker; None = not invited."""
    roles = [said.role for said, _ in invitations(mission) if is_for(said, principal, reading)]
    return min(roles, key=ROLES.index, default=None)


def shown_role(mission: Mission, which: Which, reading: Reading) -> RoleName | None:
    """The role of the token that is shown; None = no token, or none of this mission that is still good."""
    if not which.credential:
        return None
    tokens: Signer = reading.part("tokens")
    said = tokens.read(which.credential, AUDIENCE, reading.now_ms())
    if said is None or said.get("guid") != mission.guid:
        return None
    if said.get("type") != "INVITATION" and not is_in_force(str(said["sub"]), reading):
        return None
    match said.get("type"):
        case "SUBSCRIPTION":
            user, uid = str(said["sub"]), str(said.get("uid", ""))
            return _of_user(mission, user) if mission.value(sub_key(user, uid)) is not None else None
        case "INVITATION":
            value = mission.value(str(said["sub"]))
            return None if value is None else msgspec.json.decode(value, type=Invitation).role
        case "ACCESS":
            is_member = _of_user(mission, str(said["sub"])) is not None
            is_open = not field(mission, "inviteOnly", False) or is_member
            return default_role(mission) if said.get("door") == door_of(mission) and is_open else None
        case _:
            return None


def is_in_force(user: str, reading: Reading) -> bool:
    """Is the principal of this id still known here? A token outlives neither its device nor its user."""
    kind, _, name = user.partition(":")
    match kind:
        case "device":
            devices = cast(Known, reading.views["devices"])
            return devices.principal(reading.node, name, reading.context) is not None
        case "person" | "token":
            access = cast(Known, reading.views["access"])
            return access.grant(reading.node, "user" if kind == "person" else "token", name) is not None
        case _:
            return True


def door_of(mission: Mission) -> str:
    """Tells one password of a mission from the next, and says nothing of it: its cell holds a new id for each."""
    return hashlib.sha256((mission.value("field/password") or "").encode()).hexdigest()[:16]


def is_over_all(principal: Principal) -> bool:
    """An administrator, or the node itself."""
    return principal.kind == "node" or "admin" in principal.roles


def own_role(principal: Principal, mission: Mission, which: Which, reading: Reading) -> RoleName | None:
    """The role by token, subscription or invitation; None = none of them. An administrator owns every mission."""
    if is_over_all(principal):
        return OWNER
    role = (
        # What an owner has said of this very user counts before any token: it may be an older, better one.
        _given(mission, principal.id)
        or shown_role(mission, which, reading)
        or _of_user(mission, principal.id)
        or invited_as(mission, principal, reading)
    )
    return _capped(principal, role)


def role_of(principal: Principal, mission: Mission, which: Which, reading: Reading) -> RoleName | None:
    """The role of the asker; None = it has none. May hash a password: off the loop when one is given."""
    role = own_role(principal, mission, which, reading)
    if role is not None or field(mission, "inviteOnly", False):
        return role
    if mission.value("field/password") is None or is_password(mission, which.password, reading):
        return _capped(principal, default_role(mission))
    return None


def _capped(principal: Principal, role: RoleName | None) -> RoleName | None:
    """A person who may only look stays so in a mission."""
    is_viewer = principal.kind == "person" and not {"operator", "admin"} & set(principal.roles)
    return READONLY if role is not None and is_viewer else role


def password_secret(guid: str) -> str:
    """Name under which the secret store knows the hash of a mission's password."""
    return f"mission/{guid}"


def is_password(mission: Mission, password: str, reading: Reading) -> bool:
    """Does it open the mission? Slow on purpose: off the loop."""
    if not password:
        return False
    secrets: Secrets = reading.part("secrets")
    kept = secrets.get(password_secret(mission.guid))
    passwords: Passwords = reading.part("passwords")
    return isinstance(kept, str) and passwords.is_password(kept, password)


def allowed(
    principal: Principal, which: Which, permission: Permission, reading: Reading
) -> tuple[Mission, RoleName] | Refused:
    """The mission and the asker's role, when that allows it. May hash a password: off the loop when one is given."""
    mission = find(which, reading)
    if isinstance(mission, Refused):
        return mission
    if is_of_another(which.by, principal, reading.views):
        return SPOOFED
    role = role_of(principal, mission, which, reading)
    if role is None and field(mission, "inviteOnly", False):
        return NO_MISSION
    if role is None:
        return Refused("role", "this mission needs its password or its token")
    if not may(role, permission):
        return Refused("role", f"{role} has not {permission}: ask an owner of the mission")
    if permission != READ and principal.kind != "node" and principal.groups_in.isdisjoint(mission.label.groups):
        return Refused("group", "you may write into none of the mission's groups")
    return mission, role


def token(mission: Mission, kind: TokenType, subject: str, reading: Reading, **claims: str) -> str:
    """A token of this mission. subject: a user, the key of an invitation, or whoever asked."""
    tokens: Signer = reading.part("tokens")
    said = {"type": kind, "guid": mission.guid, **claims}
    return tokens.sign(AUDIENCE, subject, reading.now_ms(), TOKEN_LIFE_MS, said)
