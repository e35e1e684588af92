"""Rows that work on a mission as a whole: copies, KML, many members at once, data that lie elsewhere."""

from typing import Any

import msgspec

from aquila.codecs.cot.marti import enveloped
from aquila.codecs.kml import KIND, document
from aquila.core.contract import Call, Files, Reply
from aquila.core.feature import Endpoint
from aquila.features.missions.copying import Copy, Drawn, copy_row, drawn
from aquila.features.missions.creating import check_name
from aquila.features.missions.edits import Edited
from aquila.features.missions.marti_forms import (
    CHANGE,
    SUBSCRIPTION,
    ask_of,
    both,
    done,
    edit_of,
    needed,
    role_in,
    role_word,
    row,
    saved,
    subscribed_form,
    text_of,
    which_of,
)
from aquila.features.missions.members import Members, enrol_row
from aquila.features.missions.sharing import Fill, Filled, Send, fill_row, send_row
from aquila.features.missions.work import Touch, touch_row

PACKAGE = Files(part="assetfile", keep=False)
"""A data package: what is in it is kept, one by one."""


def _copy(call: Call) -> Copy:
    fields: dict[str, Any] = {"path": text_of(call, "copyPath")} if call.one("copyPath") else {}
    if call.one("defaultRole"):
        fields["defaultRole"] = role_in(call, "defaultRole")
    # The password is that of the copy: for the original, a client shows its token.
    which = msgspec.structs.replace(which_of(call), password="")
    name = check_name(needed(call, "copyName"))
    return Copy(which=which, name=name, fields=fields, password=text_of(call, "password"))


def _kml(answer: Drawn, call: Call) -> Reply:
    return Reply(body=document(answer.name, answer.placemarks), kind=KIND, filename=f"{answer.name[:100]}.kml")


def _members(call: Call) -> Members:
    said = call.json(list[dict[str, Any]])
    rows = [{"uid": each.get("clientUid"), "role": role_word(each.get("role"))} for each in said]
    return msgspec.convert({"rows": rows}, Members)


def _enrolled(answer: Edited, call: Call) -> Reply:
    return enveloped(SUBSCRIPTION, [subscribed_form(each) for each in answer.shown], call, status=201)


def _fill(call: Call) -> Fill:
    if len(call.files) != 1:
        raise ValueError(f"{len(call.files)} files in one request: send one data package")
    return Fill(which=which_of(call), sha256=call.files[0].sha256)


def _filled(answer: Filled, call: Call) -> Reply:
    return enveloped(CHANGE, list(answer.changes), call, status=409 if answer.is_conflict else 200)


def _send(call: Call) -> Send:
    uids = tuple(dict.fromkeys(each for text in call.many("contacts") for each in text.split(",") if each))
    if not uids:
        raise ValueError("contacts: the uids of the clients that it is to go to")
    return msgspec.convert({"which": which_of(call), "uids": uids, "base": call.base}, Send)


def _touch(call: Call) -> Touch:
    return Touch(uid=call.parts["uid"], notes=text_of(call, "notes"), token=call.body.decode())


endpoints: tuple[Endpoint, ...] = (
    row("PUT", "/missions/{name}/copy", copy_row, _copy, saved),
    row("PUT", "/missions/{name}/contents/missionpackage", fill_row, _fill, _filled, PACKAGE),
    *both("POST", "/send", send_row, _send, done),
    *both("GET", "/kml", drawn, ask_of, _kml),
    *both("POST", "/subscription", enrol_row, edit_of(_members), _enrolled),
    *both("POST", "/externaldata/{uid}/change", touch_row, edit_of(_touch), done),
)
