"""Logins: the directory and the OpenID provider that the settings name, if any."""

import ssl
from pathlib import Path
from urllib.parse import urlsplit

from aquila.app.engine import Engine
from aquila.config import Settings
from aquila.core.errors import UsageError
from aquila.links.directory.filters import Filter, read_filter
from aquila.links.directory.https import LOOPBACK, checked_url
from aquila.links.directory.ldap import LdapDirectory, LdapSettings
from aquila.links.directory.oidc import OidcProvider, OidcSettings
from aquila.web_api.foreign import ForeignLogins
from aquila.web_api.port import NodePort


def foreign_logins(engine: Engine, port: NodePort, settings: Settings) -> ForeignLogins | None:
    """Lets in whom others know; None = the settings name nobody. Raises UsageError for settings that cannot be."""
    if settings.ldap_url is None and settings.oidc_issuer is None:
        return None
    if not settings.people:
        raise UsageError(
            "settings: ldap_url or oidc_issuer is set, but nobody may log in that way: add [[people]] with group, role"
            " and groups to the settings file, see docs/guide/login.md"
        )
    return ForeignLogins(
        port,
        engine.node.principal,
        settings.people,
        ldap=None if settings.ldap_url is None else LdapDirectory(ldap_settings(settings.ldap_url, settings)),
        oidc=None
        if settings.oidc_issuer is None
        else OidcProvider(oidc_settings(settings.oidc_issuer, settings), engine.clockwork.clock_ms),
        oidc_name=settings.oidc_name,
    )


def ldap_settings(text: str, settings: Settings) -> LdapSettings:
    """How to ask the directory at a URL. Raises UsageError."""
    try:
        url = urlsplit(text)
        number, host = url.port, url.hostname
    except ValueError as wrong:
        raise UsageError(f"ldap_url {text!r}: {wrong}. Write ldaps://HOST or ldap://HOST") from wrong
    if url.scheme not in {"ldap", "ldaps"} or not host or url.path not in {"", "/"} or url.query or url.username:
        raise UsageError(f"ldap_url {text!r}: allowed are ldaps://HOST, ldap://HOST, each with :PORT behind it")
    is_first = url.scheme == "ldaps"
    if not is_first and not settings.ldap_start_tls and host not in LOOPBACK:
        raise UsageError(
            f"ldap_url {text!r} with ldap_start_tls = false sends passwords in the clear: use ldaps:// or StartTLS;"
            " without TLS only a directory on this machine is asked"
        )
    if settings.ldap_person is None and not settings.ldap_base:
        raise UsageError(
            "settings: ldap_url needs ldap_base, where persons are looked up, or ldap_person, the distinguished name"
            " of a person with {name} in it"
        )
    if settings.ldap_person is not None and "{name}" not in settings.ldap_person:
        raise UsageError(f"ldap_person {settings.ldap_person!r}: {{name}} must stand where the person's name belongs")
    is_plain = not is_first and not settings.ldap_start_tls
    return LdapSettings(
        host=host,
        port=number or (636 if is_first else 389),
        tls="first" if is_first else "none" if is_plain else "start",
        context=None if is_plain else _context("ldap_ca", settings.ldap_ca),
        person_dn=settings.ldap_person,
        account_dn=settings.ldap_account,
        account_password=_account_password(settings),
        base=settings.ldap_base,
        person_filter=_filter("ldap_filter", settings.ldap_filter),
        group_attribute=settings.ldap_groups,
        group_base=settings.ldap_group_base,
        group_filter=_filter("ldap_group_filter", settings.ldap_group_filter),
        timeout_s=settings.login_timeout_s,
    )


def oidc_settings(issuer: str, settings: Settings) -> OidcSettings:
    """How to ask the provider. Raises UsageError."""
    try:
        checked_url(issuer)
    except ValueError as wrong:
        raise UsageError(f"oidc_issuer: {wrong}") from wrong
    if not settings.oidc_client:
        raise UsageError("settings: oidc_issuer needs oidc_client, the name of this node at the provider")
    if "openid" not in settings.oidc_scope.split():
        raise UsageError(f"oidc_scope {settings.oidc_scope!r}: openid must be one of the words")
    return OidcSettings(
        issuer=issuer,
        client=settings.oidc_client,
        secret=_secret("oidc_secret_file", settings.oidc_secret_file),
        scope=settings.oidc_scope,
        person_claim=settings.oidc_person,
        groups_claim=settings.oidc_groups,
        context=_context("oidc_ca", settings.oidc_ca),
        timeout_s=settings.login_timeout_s,
    )


def _account_password(settings: Settings) -> str:
    password = _secret("ldap_password_file", settings.ldap_password_file)
    if settings.ldap_account and not password:
        # RFC 4513, 5.1.2: without one the directory would take the account for an anonymous look-up.
        raise UsageError("settings: ldap_account needs its password, in a file that ldap_password_file names")
    return password


def _secret(key: str, path: str | None) -> str:
    if path is None:
        return ""
    try:
        found = Path(path).read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"{key} {path}: {wrong}. Give a file with the secret as its only line.") from wrong
    if not found:
        raise UsageError(f"{key} {path} is empty: give a file with the secret as its only line")
    return found


def _context(key: str, path: str | None) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=path)
    except OSError as wrong:
        raise UsageError(f"{key} {path}: {wrong}. Give a PEM file with the certificate of the authority.") from wrong
    context.minimum_version = ssl.TLSVersion.TLSv1_2
    return context


def _filter(key: str, text: str) -> Filter:
    try:
        return read_filter(text)
    except ValueError as wrong:
        raise UsageError(f"{key}: {wrong}") from wrong
