"""Missions by the TAK server's contract. Every row of one mission stands there twice: by name and by guid."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import msgspec

from aquila.codecs.cot.marti import as_json, bare, enveloped, instant, moment, short_instant
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.missions import queries
from aquila.features.missions.contents import (
    Contents,
    Keywords,
    Taken,
    add_row,
    keywords_row,
    remove_row,
    unkeyword_row,
)
from aquila.features.missions.creating import (
    Drop,
    Save,
    SetPassword,
    check_name,
    drop_row,
    password_row,
    save_row,
)
from aquila.features.missions.edits import Edited
from aquila.features.missions.files import Archive, zipped
from aquila.features.missions.forms import Change, MissionRow
from aquila.features.missions.marti_forms import (
    CHANGE,
    LAYER,
    LOG,
    PAGE,
    SEQ_HEADER,
    SUBSCRIPTION,
    Render,
    ask_of,
    both,
    done,
    edit_of,
    missions_reply,
    needed,
    number_in,
    role_in,
    role_word,
    row,
    saved,
    subscribed_form,
    text_of,
    which_of,
)
from aquila.features.missions.marti_whole import endpoints as whole_rows
from aquila.features.missions.members import (
    Give,
    Invites,
    Join,
    Joined,
    Leave,
    give_row,
    invite_row,
    join_row,
    leave_row,
)
from aquila.features.missions.queries import AskAll, Invited, Subscribed
from aquila.features.missions.roles import Which, role_form
from aquila.features.missions.work import (
    Adopt,
    ChangeLayer,
    DropLog,
    Item,
    Layer,
    Log,
    PutLog,
    adopt_row,
    change_layer_row,
    drop_log_row,
    expire_row,
    external_row,
    item_row,
    layer_row,
    log_row,
)


def _one(row: MissionRow, call: Call) -> Reply:
    return missions_reply([row], call)


def _edited(answer: Edited, call: Call) -> Reply:
    return missions_reply([answer.shown], call)


def _counted(rows: Sequence[MissionRow], call: Call) -> Reply:
    return enveloped("java.lang.Long", len(rows), call)


def _paged(rows: Sequence[MissionRow], call: Call) -> Reply:
    """One page, by name unless the sort is by another word of a mission; pages count from 0."""
    page, size = number_in(call, "page", 0), number_in(call, "pagesize", PAGE)
    words = text_of(call, "nameFilter").lower(), text_of(call, "uidFilter")
    found = [
        row
        for row in rows
        if words[0] in row.head["name"].lower()
        and (not words[1] or words[1] in {each["data"] for each in row.lists["uids"]})
    ]
    word = call.one("sort", "name")
    found.sort(key=lambda row: str(row.head.get(word, row.head["name"])), reverse=call.one("ascending") == "false")
    return missions_reply(found[page * size : (page + 1) * size], call)


def _changes(rows: Sequence[Change], call: Call) -> Reply:
    since = call.one("since")
    last = max([row.seq for row in rows], default=int(since) if since.isdecimal() else 0)
    reply = enveloped(CHANGE, [row.form for row in rows], call)
    return msgspec.structs.replace(reply, headers=((SEQ_HEADER, str(last)),))


def _plain(kind: str) -> Render:
    return lambda answer, call: enveloped(kind, answer, call)


# -- asks -------------------------------------------------------------------------------------------------------------


def _ask_all(call: Call) -> AskAll:
    return AskAll(
        is_protected=call.is_set("passwordProtected"),
        is_readonly=call.is_set("defaultRole"),
        tool=text_of(call, "tool"),
        uid=text_of(call, "clientUid"),
    )


def _ask_save(call: Call) -> Save:
    words = ("description", "chatRoom", "baseLayer", "bbox", "path", "classification", "tool")
    fields: dict[str, Any] = {name: text_of(call, name) for name in words if name in call.query}
    if call.one("defaultRole"):
        fields["defaultRole"] = role_in(call, "defaultRole")
    if call.one("expiration"):
        fields["expiration"] = number_in(call, "expiration")
    if "inviteOnly" in call.query:
        fields["inviteOnly"] = call.is_set("inviteOnly")
    groups = [name.strip() for text in call.many("group") for name in text.split(",")]
    if len(groups) > 100 or any(len(name) > 100 for name in groups):
        raise ValueError("group: at most 100 groups of at most 100 characters")
    return Save(
        which=which_of(call),
        fields=fields,
        groups=tuple(dict.fromkeys(name for name in groups if name)),
        allow_dupe=call.is_set("allowDupe"),
        allow_group_change=call.is_set("allowGroupChange"),
    )


def _ask_page(call: Call) -> AskAll:
    for name, default in (("page", 0), ("pagesize", PAGE)):
        if number_in(call, name, default) < 0:
            raise ValueError(f"{name}: not below 0")
    text_of(call, "nameFilter")
    text_of(call, "uidFilter")
    return _ask_all(call)


def _taken(call: Call) -> Taken:
    found = Taken(hash=text_of(call, "hash"), uid=text_of(call, "uid"))
    if not (found.hash or found.uid):
        raise ValueError("hash or uid: say which content is to be removed")
    return found


def _words(call: Call) -> Keywords:
    kind = "hash" if "hash" in call.parts else "uid" if "uid" in call.parts else ""
    words = call.json(list[str]) if call.method == "PUT" else []
    key = call.parts.get(kind, "")
    return msgspec.convert({"words": words, "kind": kind, "key": key}, Keywords)


def _join(call: Call) -> Join:
    # A topic is what older clients call the same.
    return Join(which=which_of(call), uid=needed(call, "uid", "topic"))


def _leave(call: Call) -> Leave:
    return Leave(uid=needed(call, "uid", "topic"), only_notices=call.is_set("disconnectOnly"))


def _give(call: Call) -> Give:
    uid, name = text_of(call, "clientUid"), text_of(call, "username")
    if not (uid or name):
        raise ValueError("clientUid or username: say whose role it is")
    return Give(uid=uid, username=name, role=role_in(call, "role") if call.one("role") else None)


def _invite(call: Call) -> Invites:
    fields = {
        "type": call.parts["type"],
        "invitee": call.parts["invitee"],
        "role": call.one("role") or None,
        "is_taken_back": call.method == "DELETE",
    }
    return msgspec.convert({"rows": [fields]}, Invites)


def _invite_many(call: Call) -> Invites:
    rows = [
        {"type": each.get("type"), "invitee": each.get("invitee"), "role": role_word(each.get("role"))}
        for each in call.json(list[dict[str, Any]])
    ]
    return msgspec.convert({"rows": rows}, Invites)


def _layer(call: Call) -> Layer:
    fields = {
        "name": call.one("name"),
        "type": call.one("type", "GROUP"),
        "uid": text_of(call, "uid"),
        "parent": text_of(call, "parentUid"),
        "after": text_of(call, "afterUid"),
    }
    return msgspec.convert(fields, Layer)


def _layer_changed(call: Call) -> ChangeLayer:
    uid = call.parts.get("uid") or needed(call, "uid", "layerUid")
    if call.method == "DELETE":
        return ChangeLayer(uid=uid, is_removed=True)
    fields = {
        "uid": uid,
        "name": call.one("name") or None,
        "parent": text_of(call, "parentUid") if call.path.endswith("/parent") else None,
        "after": None if call.path.endswith("/name") else text_of(call, "afterUid"),
    }
    return msgspec.convert(fields, ChangeLayer)


def _log(call: Call) -> PutLog:
    found: Log = call.json(Log)
    for name in found.mission_names:
        check_name(name)
    if call.method == "PUT" and not found.id:
        raise ValueError("id: say which entry is to be changed")
    at = instant(moment(found.dtg)) if found.dtg else instant(call.now_ms)
    which = which_of(call)
    return PutLog(log=found, dtg=at, created=instant(call.now_ms), which=which, must_exist=call.method == "PUT")


def _adopt(call: Call) -> Adopt:
    name, guid = call.parts.get("parent", ""), call.parts.get("parent_guid", "")
    if not (name or guid):
        return Adopt()
    return Adopt(parent=Which(name=check_name(name) if name else "", guid=guid, password=text_of(call, "password")))


def _item(kind: str) -> Callable[[Call], Item]:
    def read(call: Call) -> Item:
        value = None if call.method == "DELETE" else call.json(dict[str, Any])
        uid = call.parts.get("uid") or str((value or {}).get("uid") or "")
        if not uid:
            raise ValueError(f"uid: say which {kind} it is")
        return msgspec.convert({"kind": kind, "uid": uid, "value": None if value is None else bare(value)}, Item)

    return read


def _feed(call: Call) -> Item:
    uid = call.parts.get("uid") or needed(call, "dataFeedUid")
    words = ("filterPolygon", "filterCotTypes", "filterCallsign")
    value = {"dataFeedUid": uid, **{name: text_of(call, name) for name in words if call.one(name)}}
    return msgspec.convert({"kind": "feed", "uid": uid, "value": None if call.method == "DELETE" else value}, Item)


# -- more replies -----------------------------------------------------------------------------------------------------


def _joined(answer: Joined, call: Call) -> Reply:
    return enveloped(SUBSCRIPTION, {"token": answer.token, **subscribed_form(answer.row)}, call, status=201)


def _subscription(row: Subscribed, call: Call) -> Reply:
    return enveloped(SUBSCRIPTION, subscribed_form(row), call)


def _uids(rows: Sequence[Subscribed], call: Call) -> Reply:
    return enveloped(SUBSCRIPTION, list(dict.fromkeys(row.uid for row in rows)), call)


def _with_roles(rows: Sequence[Subscribed], call: Call) -> Reply:
    return enveloped(SUBSCRIPTION, [subscribed_form(row) for row in rows], call)


def _invitations(rows: Sequence[Invited], call: Call) -> Reply:
    data = [
        {
            "missionName": row.mission,
            "missionGuid": row.guid,
            "invitee": row.said.invitee,
            "type": row.said.type,
            "creatorUid": row.said.by.partition(":")[2],
            "createTime": short_instant(row.at_ms),
            "role": role_form(row.said.role),
            "token": row.token,
        }
        for row in rows
    ]
    return enveloped("MissionInvitation", data, call)


def _invited_names(rows: Sequence[Invited], call: Call) -> Reply:
    return enveloped("MissionInvitation", list(dict.fromkeys(row.mission for row in rows)), call)


def _followed(key: int) -> Render:
    def render(rows: Sequence[tuple[str, str, list[str]]], call: Call) -> Reply:
        return enveloped(SUBSCRIPTION, {row[key]: row[2] for row in rows}, call)

    return render


def _shown(kind: str) -> Render:
    return lambda answer, call: enveloped(kind, answer.shown, call)


def _log_written(answer: Edited, call: Call) -> Reply:
    return enveloped(LOG, answer.shown, call, status=201 if call.method == "POST" else 200)


def _log_one(form: Any, call: Call) -> Reply:
    return enveloped(LOG, [form], call)


def _contacts(rows: Sequence[Any], call: Call) -> Reply:
    return as_json(list(rows))


def _events(rows: Sequence[Any], call: Call) -> Reply:
    def parts() -> Iterator[bytes]:
        yield b"<?xml version='1.0' encoding='UTF-8'?>\n<events>"
        for each in rows:
            yield each.xml.encode()
        yield b"</events>"

    return Reply(body=parts(), kind="application/xml")


def _archived(answer: Archive, call: Call) -> Reply:
    return Reply(body=zipped(answer), kind="application/zip", filename=f"{answer.name[:100]}.zip")


# -- rows -------------------------------------------------------------------------------------------------------------


endpoints: tuple[Endpoint, ...] = (
    row("GET", "/missioncount", queries.listed, _ask_all, _counted),
    row("GET", "/pagedmissions", queries.listed, _ask_page, _paged),
    row("GET", "/missions", queries.listed, _ask_all, missions_reply),
    row(
        "DELETE",
        "/missions",
        drop_row,
        lambda call: Drop(which=which_of(call), deep=call.is_set("deepDelete")),
        _edited,
    ),
    row("POST", "/missions/{name}", save_row, _ask_save, saved),
    *both("PUT", "", save_row, _ask_save, saved),
    *both("GET", "", queries.whole, ask_of, _one),
    *both("DELETE", "", drop_row, lambda call: Drop(which=which_of(call), deep=call.is_set("deepDelete")), _edited),
    *both("PUT", "/contents", add_row, edit_of(lambda call: call.json(Contents)), _edited),
    *both("DELETE", "/contents", remove_row, edit_of(_taken), _edited),
    *both("GET", "/changes", queries.changed, ask_of, _changes),
    *both("PUT", "/keywords", keywords_row, edit_of(_words), _edited),
    *both("DELETE", "/keywords", keywords_row, edit_of(_words), _edited),
    *both(
        "DELETE",
        "/keywords/{word}",
        unkeyword_row,
        edit_of(lambda call: Keywords(words=(call.parts["word"],))),
        _edited,
    ),
    *both(
        "PUT",
        "/password",
        password_row,
        lambda call: SetPassword(
            which=msgspec.structs.replace(which_of(call), password=""), password=text_of(call, "password")
        ),
        done,
    ),
    *both("DELETE", "/password", password_row, lambda call: SetPassword(which=which_of(call)), done),
    *both("PUT", "/content/{hash}/keywords", keywords_row, edit_of(_words), _edited),
    *both("DELETE", "/content/{hash}/keywords", keywords_row, edit_of(_words), _edited),
    *both("PUT", "/uid/{uid}/keywords", keywords_row, edit_of(_words), _edited),
    *both("DELETE", "/uid/{uid}/keywords", keywords_row, edit_of(_words), _edited),
    *both("PUT", "/expiration", expire_row, edit_of(lambda call: number_in(call, "expiration")), done),
    *both("GET", "/token", queries.access_token, ask_of, _plain("java.lang.String")),
    *both("PUT", "/subscription", join_row, _join, _joined),
    *both("DELETE", "/subscription", leave_row, edit_of(_leave), done),
    *both("GET", "/subscription", queries.subscription, ask_of, _subscription),
    *both("GET", "/subscriptions", queries.subscribed, ask_of, _uids),
    *both("GET", "/subscriptions/roles", queries.subscribed, ask_of, _with_roles),
    row("GET", "/missions/all/subscriptions", queries.own_subscriptions, _ask_all, _followed(0)),
    row("GET", "/missions/all/subscriptions/guid", queries.own_subscriptions, _ask_all, _followed(1)),
    *both("GET", "/role", queries.role, ask_of, _plain("MissionRole")),
    *both("PUT", "/role", give_row, edit_of(_give), done),
    *both("GET", "/invitations", queries.invited, ask_of, _invitations),
    *both("PUT", "/invite/{type}/{invitee}", invite_row, edit_of(_invite), done),
    *both("DELETE", "/invite/{type}/{invitee}", invite_row, edit_of(_invite), done),
    *both("POST", "/invite", invite_row, edit_of(_invite_many), done),
    row("GET", "/missions/invitations", queries.own_invitations, _ask_all, _invited_names),
    row("GET", "/missions/all/invitations", queries.own_invitations, _ask_all, _invitations),
    *both("GET", "/contacts", queries.contacts, ask_of, _contacts),
    *both("GET", "/archive", queries.archive, ask_of, _archived),
    *both("GET", "/cot", queries.cot, ask_of, _events),
    *both("GET", "/children", queries.children, ask_of, missions_reply),
    *both("GET", "/parent", queries.parent, ask_of, _one),
    *both("DELETE", "/parent", adopt_row, edit_of(_adopt), done),
    row("PUT", "/missions/{name}/parent/{parent}", adopt_row, edit_of(_adopt), done),
    row("PUT", "/missions/guid/{guid}/parent/guid/{parent_guid}", adopt_row, edit_of(_adopt), done),
    *both("GET", "/layers", queries.layers, ask_of, _plain(LAYER)),
    *both("GET", "/layers/{uid}", queries.layer, ask_of, _plain(LAYER)),
    *both("PUT", "/layers", layer_row, edit_of(_layer), _shown(LAYER)),
    *both("DELETE", "/layers", change_layer_row, edit_of(_layer_changed), _shown(LAYER)),
    *both("PUT", "/layers/parent", change_layer_row, edit_of(_layer_changed), _shown(LAYER)),
    *both("PUT", "/layers/{uid}/name", change_layer_row, edit_of(_layer_changed), _shown(LAYER)),
    *both("PUT", "/layers/{uid}/position", change_layer_row, edit_of(_layer_changed), _shown(LAYER)),
    *both("POST", "/maplayers", item_row, edit_of(_item("maplayer")), _edited),
    *both("PUT", "/maplayers", item_row, edit_of(_item("maplayer")), _edited),
    *both("DELETE", "/maplayers/{uid}", item_row, edit_of(_item("maplayer")), _edited),
    *both("POST", "/feed", item_row, edit_of(_feed), _edited),
    *both("DELETE", "/feed/{uid}", item_row, edit_of(_feed), _edited),
    *both("POST", "/externaldata", external_row, edit_of(_item("external")), _edited),
    *both("DELETE", "/externaldata/{uid}", external_row, edit_of(_item("external")), _edited),
    *both("GET", "/log", queries.log, ask_of, _plain(LOG)),
    row("GET", "/missions/all/logs", queries.logs, ask_of, _plain(LOG)),
    row("POST", "/missions/logs/entries", log_row, _log, _log_written),
    row("PUT", "/missions/logs/entries", log_row, _log, _log_written),
    row("GET", "/missions/logs/entries/{uid}", queries.log_entry, ask_of, _log_one),
    row(
        "DELETE",
        "/missions/logs/entries/{uid}",
        drop_log_row,
        lambda call: DropLog(id=call.parts["uid"], which=which_of(call)),
        done,
    ),
    *whole_rows,
)
