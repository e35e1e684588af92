"""Settings of one machine: one TOML file, unknown keys refused. Order: flag, AQUILA_* variable, file, default.

What changes what people see (labels, policy, groups) is an entry of the journal, never a setting.
"""

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any

import msgspec

from aquila.core.errors import UsageError
from aquila.core.feature import Role
from aquila.core.model import CONTEXT_PATTERN

DEFAULT_DATA = "aquila-data"
DEMO_DATA = "aquila-demo"
LOOPBACK = "127.0.0.1"
EVERY_ADDRESS = ("0.0.0.0", "::")  # noqa: S104  # compared with, not bound
Port = Annotated[int, msgspec.Meta(ge=0, le=65_535)]
GROUP_PATTERN = r"^[0-9.]{7,15}:[0-9]{1,5}$"
ENVIRONMENT_PREFIX = "AQUILA_"
NOT_SETTINGS = frozenset({"AQUILA_BACKUP_PASSPHRASE", "AQUILA_BROWSER"})
"""Variables of other commands and of the tests that only look like settings."""


class PersonRule(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What persons of one group of a directory or an OpenID provider may here.

    Attributes:
        group: as it is called there: a distinguished name, or a value of the groups claim.
        groups: of this node; both into which they may write and which they may read.
    """

    group: Annotated[str, msgspec.Meta(min_length=1)]
    role: Role = "viewer"
    groups: tuple[Annotated[str, msgspec.Meta(pattern=r"^[^,]{1,100}$")], ...] = ("COMMON",)
    nation: str | None = None
    clearance: str = "UNCLASSIFIED"


class Settings(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Every key of the settings file. Each is described in docs/guide/settings.md."""

    data: str = ""
    demo: str = "none"
    node_name: str = "AQUILA"
    context: Annotated[str, msgspec.Meta(pattern=CONTEXT_PATTERN)] | None = None
    host: str | None = None
    plain_host: str | None = None
    public_names: tuple[str, ...] = ()
    http_port: Port = 8080
    tak_port: Port = 8087
    tak_tls_port: Port = 8089
    api_tls_port: Port = 8443
    enrol_port: Port = 8446
    nation: str = "ITA"
    groups: tuple[str, ...] = ("COMMON",)
    clearance: str = "UNCLASSIFIED"
    plain_clearance: str = "UNCLASSIFIED"
    mesh: bool = False
    mesh_interface: str | None = None
    mesh_group: Annotated[str, msgspec.Meta(pattern=GROUP_PATTERN)] = "239.2.3.1:6969"
    mesh_chat_group: Annotated[str, msgspec.Meta(pattern=GROUP_PATTERN)] = "224.10.10.1:17012"
    mesh_hops: Annotated[int, msgspec.Meta(ge=0, le=255)] = 1
    mesh_clearance: str = "UNCLASSIFIED"
    tick_ms: Annotated[float, msgspec.Meta(ge=0, le=1000)] = 20.0
    tick_adaptive: bool = True
    link_idle_s: Annotated[float, msgspec.Meta(gt=0)] = 90.0
    link_unfinished_s: Annotated[float, msgspec.Meta(gt=0)] = 15.0
    handshake_s: Annotated[float, msgspec.Meta(gt=0)] = 5.0
    handshakes_at_once: Annotated[int, msgspec.Meta(ge=1)] = 64
    connections_per_address: Annotated[int, msgspec.Meta(ge=1)] = 200
    connections_per_device: Annotated[int, msgspec.Meta(ge=1)] = 32
    connections: Annotated[int, msgspec.Meta(ge=1)] = 6000
    rate_per_s: Annotated[float, msgspec.Meta(gt=0)] = 5000.0
    upload_max_mib: Annotated[int, msgspec.Meta(ge=1, le=400)] = 400
    upload_quota_mib: Annotated[int, msgspec.Meta(ge=1)] = 2_048
    upload_total_mib: Annotated[int, msgspec.Meta(ge=1)] = 20_480
    person_days: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 365
    person_days_extended: Annotated[int, msgspec.Meta(ge=1, le=36_500)] = 1095
    mail_hours: Annotated[float, msgspec.Meta(gt=0, le=8760)] = 24.0
    recording: bool = False
    people: tuple[PersonRule, ...] = ()
    ldap_url: str | None = None
    ldap_start_tls: bool = True
    ldap_ca: str | None = None
    ldap_person: str | None = None
    ldap_account: str = ""
    ldap_password_file: str | None = None
    ldap_base: str = ""
    ldap_filter: str = "(uid={name})"
    ldap_groups: str = "memberOf"
    ldap_group_base: str | None = None
    ldap_group_filter: str = "(member={dn})"
    oidc_issuer: str | None = None
    oidc_name: Annotated[str, msgspec.Meta(min_length=1, max_length=40)] = "OpenID"
    oidc_client: str = ""
    oidc_secret_file: str | None = None
    oidc_ca: str | None = None
    oidc_scope: str = "openid profile"
    oidc_person: str = "preferred_username"
    oidc_groups: str = "groups"
    login_timeout_s: Annotated[float, msgspec.Meta(gt=0, le=60)] = 5.0
    features: tuple[str, ...] = ()
    log_level: str = "WARNING"

    def folder(self) -> Path:
        """The data folder: the one named, else one for the demo and one for everything else."""
        return Path(self.data or (DEMO_DATA if self.demo != "none" else DEFAULT_DATA))

    def public_host(self) -> str:
        """The name or address by which devices are told to reach this node."""
        if self.public_names:
            return self.public_names[0]
        return self.host if self.host is not None and self.host not in EVERY_ADDRESS else LOOPBACK


def load_settings(flags: Mapping[str, Any], environment: Mapping[str, str], file: Path | None = None) -> Settings:
    """The settings in force.

    Args:
        flags: what was said on the command line; None = not said.
        environment: variables; those that begin with AQUILA_ count.
        file: the TOML file; None = no file.

    Raises:
        UsageError: an unknown key or a value that is not allowed; the sentence says where and what is.
    """
    known = {field.name for field in msgspec.structs.fields(Settings)}
    values: dict[str, Any] = {}
    if file is not None:
        values |= _checked(_read(file), known, str(file))
    spoken = {
        name.removeprefix(ENVIRONMENT_PREFIX).lower(): text
        for name, text in environment.items()
        if name.startswith(ENVIRONMENT_PREFIX) and name not in NOT_SETTINGS
    }
    values |= {
        name: tuple(text.split(",")) if _is_list(name) else text
        for name, text in _checked(spoken, known, "the environment").items()
    }
    values |= {name: value for name, value in flags.items() if value is not None}
    try:
        return msgspec.convert(values, Settings, strict=False)
    except msgspec.ValidationError as wrong:
        raise UsageError(f"settings: {wrong}. Every key and its values are in docs/guide/settings.md.") from wrong


def _read(file: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(file.read_text(encoding="utf-8"))
    except OSError as wrong:
        raise UsageError(f"settings file {file} cannot be read: {wrong.strerror}. Give a readable --config.") from wrong
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as wrong:
        raise UsageError(f"settings file {file} is not TOML: {wrong}.") from wrong


def _checked(values: dict[str, Any], known: set[str], where: str) -> dict[str, Any]:
    unknown = sorted(set(values) - known)
    if unknown:
        raise UsageError(f"unknown settings in {where}: {', '.join(unknown)}. Allowed: {', '.join(sorted(known))}.")
    return values


def _is_list(name: str) -> bool:
    default = next(field.default for field in msgspec.structs.fields(Settings) if field.name == name)
    return isinstance(default, tuple)
