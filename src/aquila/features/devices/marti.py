"""Devices by the TAK server's contract: enrolment, channels."""

import base64
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from typing import Annotated, Literal

import msgspec

from aquila.codecs.cot.marti import JSON, as_json, as_text, enveloped, groups_form
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.devices.channels import CHANNELS_MAX, AskChannels, ChannelsSet, SetChannels, channels, set_channels
from aquila.features.devices.enrolment import Enrol, Enrolled, enrol_device
from aquila.features.devices.groups import GroupRow
from aquila.features.devices.invitations import invitation_key
from aquila.features.devices.profiles import AskPackage, Occasion, Package, Tool, package
from aquila.links.pki.certificates import bare_base64

GROUP = "com.bbn.marti.remote.groups.Group"
XML = "application/xml"
NAMESPACES = 'xmlns="http://bbn.com/marti/xml/config" xmlns:ns2="com.bbn.marti.config"'
NAME_ENTRIES = {"O": "Aquila", "OU": "Devices"}
"""What clients put into the subject of their request. Two at least: node-tak fails on one. We look at CN alone."""


# -- enrolment --------------------------------------------------------------------------------------------------------


def _tls_config(_: object, call: Call) -> Reply:
    # The prefix is part of the contract: node-tak looks for the name as it is written.
    entries = "".join(f'<nameEntry name="{name}" value="{value}"/>' for name, value in NAME_ENTRIES.items())
    body = f"<nameEntries>{entries}</nameEntries>"
    head = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>'
    return as_text(f"{head}<ns2:certificateConfig {NAMESPACES}>{body}</ns2:certificateConfig>", kind=XML)


def _ask_enrol(call: Call) -> Enrol:
    secret = credential(call.headers.get("authorization", ""))
    return Enrol(
        request=call.body,
        client=call.one("clientUid"),
        key=None if secret is None else invitation_key(secret),
        as_store=call.path.endswith("signClient"),
    )


def credential(header: str) -> str | None:
    """The password or token in an Authorization header; None = none that can be read."""
    scheme, _, value = header.partition(" ")
    if scheme.lower() == "bearer":
        return value.strip()
    if scheme.lower() != "basic":
        return None
    try:
        return base64.b64decode(value, validate=True).decode().partition(":")[2]
    except ValueError:
        return None


def _signed(enrolled: Enrolled, call: Call) -> Reply:
    signed = bare_base64(enrolled.certificate)
    chain = [bare_base64(each) for each in enrolled.chain]
    accepted = call.headers.get("accept", "")
    if "xml" in accepted and JSON not in accepted:
        # No white space between elements: ATAK's core ends on a text node.
        authorities = "".join(f"<ca>{each}</ca>" for each in chain)
        head = '<?xml version="1.0" encoding="UTF-8"?>'
        return as_text(f"{head}<enrollment><signedCert>{signed}</signedCert>{authorities}</enrollment>", kind=XML)
    # Root first: some clients trust ca0 alone, and OpenSSL ends a chain only in a root.
    return as_json({"signedCert": signed} | {f"ca{number}": each for number, each in enumerate(chain)})


def _signed_store(enrolled: Enrolled, call: Call) -> Reply:
    return Reply(body=enrolled.store, kind="application/octet-stream")


# -- profiles ---------------------------------------------------------------------------------------------------------


def _asks(occasion: Occasion) -> Callable[[Call], AskPackage]:
    def ask(call: Call) -> AskPackage:
        ago = call.one("syncSecago")
        since_ms = call.now_ms - int(ago) * 1000 if ago.isdecimal() and len(ago) <= 12 else None
        tool = msgspec.convert(call.parts["tool"], Tool) if "tool" in call.parts else None
        return AskPackage(occasion=occasion, tool=tool, since_ms=since_ms, paths=call.many("relativePath"))

    return ask


def _package(rows: Sequence[Package], call: Call) -> Reply:
    if not rows:
        return Reply(status=204)
    (row,) = rows
    # Dates of HTTP have no parts of a second.
    changed_s = row.changed_at_ms // 1000
    headers = (("last-modified", format_datetime(datetime.fromtimestamp(changed_s, UTC), usegmt=True)),)
    seen_s = _seen_s(call.headers.get("if-modified-since", ""))
    if seen_s is not None and changed_s <= seen_s:
        return Reply(status=304, headers=headers)
    if row.is_zip:
        return Reply(body=row.content, kind="application/zip", headers=headers, filename="profile.zip")
    return Reply(body=row.content, kind="application/octet-stream", headers=headers, filename="file")


def _seen_s(header: str) -> int | None:
    try:
        return int(parsedate_to_datetime(header).timestamp())
    except (ValueError, TypeError, OverflowError):
        return None


def _profile_row(path: str, occasion: Occasion, role: Literal["enrolling"] | None) -> Endpoint:
    return Endpoint(
        method="GET",
        path=path,
        work=package,
        ask=_asks(occasion),
        render=_package,
        role=role,
        source="tak.md 7.1" if role else "tak.md 6.2",
    )


# -- channels ---------------------------------------------------------------------------------------------------------


class ChannelForm(msgspec.Struct, frozen=True):
    """A group as clients send it back; what else they say of it is passed over."""

    name: Annotated[str, msgspec.Meta(max_length=1024)]
    active: bool = True


def _ask_channels(call: Call) -> AskChannels:
    return AskChannels(resend=call.is_set("sendLatestSA"))


def _groups(rows: Sequence[GroupRow], call: Call) -> Reply:
    writable = [row.name for row in rows if row.may_write]
    readable = [row.name for row in rows if row.may_read]
    return enveloped(GROUP, groups_form(writable, readable, [row.name for row in rows if not row.active]), call)


def _ask_active(call: Call) -> SetChannels:
    forms: list[ChannelForm] = call.json(Annotated[list[ChannelForm], msgspec.Meta(max_length=2 * CHANNELS_MAX)])
    # A group has a row for each direction, but is one channel: it is off when both are.
    named: dict[str, bool] = {}
    for form in forms:
        named[form.name] = form.active or named.get(form.name, False)
    return SetChannels(named=named, client=call.one("clientUid"))


def _ask_bits(call: Call) -> SetChannels:
    places: tuple[int, ...] = call.json(Annotated[tuple[int, ...], msgspec.Meta(max_length=CHANNELS_MAX)])
    return SetChannels(places=places, client=call.one("clientUid"))


def _set(_: ChannelsSet, call: Call) -> Reply:
    return Reply()


_ENROL = "tak.md 7.1"
_CHANNELS = "tak.md 6.2"

endpoints = (
    Endpoint(method="GET", path="/Marti/api/tls/config", render=_tls_config, role="enrolling", source=_ENROL),
    Endpoint(
        method="POST",
        path="/Marti/api/tls/signClient/v2",
        work=enrol_device,
        ask=_ask_enrol,
        render=_signed,
        role="enrolling",
        source="tak.md 7.1, 7.3",
    ),
    Endpoint(
        method="POST",
        path="/Marti/api/tls/signClient",
        work=enrol_device,
        ask=_ask_enrol,
        render=_signed_store,
        role="enrolling",
        source="tak.md 7.2",
    ),
    _profile_row("/Marti/api/tls/profile/enrollment", "enrolment", "enrolling"),
    _profile_row("/Marti/api/tls/profile/tool/{tool}/file", "tool", "enrolling"),
    _profile_row("/Marti/api/device/profile/connection", "connection", None),
    _profile_row("/Marti/api/device/profile/tool/{tool}", "tool", None),
    _profile_row("/Marti/api/device/profile/tool/{tool}/file", "tool", None),
    Endpoint(
        method="GET",
        path="/Marti/api/groups/all",
        work=channels,
        ask=_ask_channels,
        render=_groups,
        source=_CHANNELS,
    ),
    Endpoint(
        method="PUT",
        path="/Marti/api/groups/active",
        work=set_channels,
        ask=_ask_active,
        render=_set,
        source=_CHANNELS,
    ),
    Endpoint(
        method="PUT",
        path="/Marti/api/groups/activebits",
        work=set_channels,
        ask=_ask_bits,
        render=_set,
        source="tak.md 6.3",
    ),
)
