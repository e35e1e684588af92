"""Settings of logins elsewhere: what cannot be is refused at the start, with the key and what to write."""

from pathlib import Path
from typing import Any

import pytest

from aquila.app.logins import ldap_settings, oidc_settings
from aquila.config import Settings, load_settings
from aquila.core.errors import UsageError

BASE = {"ldap_base": "dc=x"}


@pytest.mark.parametrize(
    ("url", "more", "sentence"),
    [
        ("http://x", BASE, "allowed are ldaps://HOST"),
        ("ldaps://", BASE, "allowed are ldaps://HOST"),
        ("ldap://x:port", BASE, "Write ldaps://HOST"),
        ("ldap://directory.example", {**BASE, "ldap_start_tls": False}, "sends passwords in the clear"),
        ("ldaps://x", {}, "needs ldap_base"),
        ("ldaps://x", {"ldap_person": "uid=ann,dc=x"}, "{name} must stand"),
        ("ldaps://x", {**BASE, "ldap_account": "cn=a"}, "ldap_account needs its password"),
        ("ldaps://x", {**BASE, "ldap_filter": "uid={name}"}, "ldap_filter: filter 'uid={name}'"),
        ("ldaps://x", {**BASE, "ldap_group_filter": "(member={who})"}, "ldap_group_filter: filter"),
        ("ldaps://x", {**BASE, "ldap_ca": "nowhere.pem"}, "ldap_ca nowhere.pem"),
    ],
)
def test_a_directory_that_cannot_be_asked_so_is_refused(url: str, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        ldap_settings(url, Settings(**more))
    assert sentence in str(refused.value)


@pytest.mark.parametrize(
    ("url", "tls", "port"),
    [("ldaps://x", "first", 636), ("ldap://x", "start", 389), ("ldaps://x:7", "first", 7)],
)
def test_tls_is_on_unless_it_is_this_machine(url: str, tls: str, port: int) -> None:
    made = ldap_settings(url, Settings(ldap_base="dc=x"))
    assert (made.tls, made.port, made.context is None) == (tls, port, False)
    assert ldap_settings("ldap://127.0.0.1", Settings(ldap_base="dc=x", ldap_start_tls=False)).tls == "none"


@pytest.mark.parametrize(
    ("issuer", "more", "sentence"),
    [
        ("http://login.example", {"oidc_client": "a"}, "is not encrypted"),
        ("https://x", {}, "oidc_issuer needs oidc_client"),
        ("https://x", {"oidc_client": "a", "oidc_scope": "profile"}, "openid must be one of the words"),
        ("https://x", {"oidc_client": "a", "oidc_secret_file": "nowhere"}, "oidc_secret_file nowhere"),
        ("https://x", {"oidc_client": "a", "oidc_ca": "nowhere.pem"}, "oidc_ca nowhere.pem"),
    ],
)
def test_a_provider_that_cannot_be_asked_so_is_refused(issuer: str, more: dict[str, Any], sentence: str) -> None:
    with pytest.raises(UsageError) as refused:
        oidc_settings(issuer, Settings(**more))
    assert sentence in str(refused.value)


def test_an_empty_secret_is_no_secret(tmp_path: Path) -> None:
    empty = tmp_path / "secret"
    empty.write_text("\n")
    with pytest.raises(UsageError, match="is empty"):
        oidc_settings("https://x", Settings(oidc_client="a", oidc_secret_file=str(empty)))


def test_rules_are_read_from_the_file_and_unknown_words_in_them_are_refused(tmp_path: Path) -> None:
    file = tmp_path / "aquila.toml"
    file.write_text('[[people]]\ngroup = "staff"\nrole = "operator"\ngroups = ["S3"]\n')
    (rule,) = load_settings({}, {}, file).people
    assert (rule.group, rule.role, rule.groups, rule.clearance) == ("staff", "operator", ("S3",), "UNCLASSIFIED")
    for wrong in ('role = "chief"', 'rank = "major"', 'groups = ["a,b"]'):
        file.write_text(f'[[people]]\ngroup = "staff"\n{wrong}\n')
        with pytest.raises(UsageError, match="settings"):
            load_settings({}, {}, file)
