"""What the rows of missions share: how a request is read, how an answer is told, how a row is made."""

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from aquila.codecs.cot.marti import VERSION, as_json, short_instant, span_of
from aquila.core.contract import Call, Files, Method, Reply
from aquila.core.errors import Refused
from aquila.core.feature import Command, Endpoint, Query, check_text
from aquila.features.missions.creating import Saved, check_name
from aquila.features.missions.edits import Edit
from aquila.features.missions.forms import MissionRow, pieces
from aquila.features.missions.queries import Ask, Subscribed
from aquila.features.missions.roles import ROLES, Which, role_form

MISSION, CHANGE, SUBSCRIPTION, LAYER = "Mission", "MissionChange", "MissionSubscription", "MissionLayer"
LOG = "com.bbn.marti.sync.model.LogEntry"
SEQ_HEADER = "x-aquila-seq"
"""The number behind which `changes?since=` goes on."""
TEXT_MAX = 4_000
PAGE = 50
"""Missions on one page when nobody says how many."""
STATUS = {"gone": 410, "role": 403, "spoof": 403}
SOURCE = "tak.md 6.3"
Render = Callable[[Any, Call], Reply]


def which_of(call: Call) -> Which:
    """The mission in the path, or in the parameter guid. Raises ValueError."""
    bearer = call.headers.get("missionauthorization") or call.headers.get("authorization", "")
    scheme, _, value = bearer.partition(" ")
    return Which(
        name=check_name(call.parts["name"]) if "name" in call.parts else "",
        guid=call.parts.get("guid") or ("" if "name" in call.parts else text_of(call, "guid")),
        credential=value.strip() if scheme.lower() == "bearer" else "",
        password=text_of(call, "password"),
        by=text_of(call, "creatorUid"),
    )


def text_of(call: Call, name: str) -> str:
    """A parameter that is plain text. Raises ValueError."""
    text = call.one(name)
    if len(text) > TEXT_MAX:
        raise ValueError(f"{name} of {len(text)} characters: at most {TEXT_MAX}")
    check_text(name, text)
    return text


# -- replies ----------------------------------------------------------------------------------------------------------


def told(render: Render) -> Render:
    """The same, but a refusal among the rows is an error in the words of the contract."""

    def rendered(answer: Any, call: Call) -> Reply:
        first = answer[0] if isinstance(answer, list) and answer else answer
        if isinstance(first, Refused):
            status = STATUS.get(first.reason, 404)
            return as_json({"status": first.reason, "code": status, "message": first.detail}, status=status)
        return render(answer, call)

    return rendered


def missions_reply(rows: Sequence[MissionRow], call: Call, status: int = 200) -> Reply:
    """Missions, in pieces."""
    before = {"version": VERSION, "type": MISSION, "nodeId": call.node}
    return Reply(body=pieces(rows, before), kind="application/json", status=status)


def saved(answer: Saved, call: Call) -> Reply:
    """A mission as it is now, with its owner's token."""
    head = answer.row.head if answer.token is None else {**answer.row.head, "token": answer.token}
    row = msgspec.structs.replace(answer.row, head=head)
    return missions_reply([row], call, 201 if answer.is_created else 200)


def done(_: Any, call: Call) -> Reply:
    """Nothing more to tell."""
    return Reply()


def ask_of(call: Call) -> Ask:
    """A question about one mission. Raises ValueError."""
    from_ms, until_ms = span_of(call)
    since = call.one("since")
    if since and (not since.isdecimal() or len(since) > 18):
        raise ValueError(f"since {since[:40]!r}: the number of a change, as the header {SEQ_HEADER} had it")
    return Ask(
        which=which_of(call),
        from_ms=from_ms,
        until_ms=until_ms,
        since=int(since) if since else None,
        squashed=call.one("squashed", "true").lower() != "false",
        with_changes=call.is_set("changes"),
        with_logs=call.is_set("logs"),
        uid=text_of(call, "uid") or text_of(call, "path") or call.parts.get("uid", ""),
    )


def role_in(call: Call, name: str) -> Any:
    """A role in a parameter. Raises ValueError."""
    word = call.one(name)
    if word not in ROLES:
        raise ValueError(f"{name} {word[:40]!r}: one of {', '.join(ROLES)}")
    return word


def number_in(call: Call, name: str, default: int | None = None) -> int:
    """A whole number in a parameter; the default when it is absent. Raises ValueError."""
    text = call.one(name)
    if not text and default is not None:
        return default
    if not text.removeprefix("-").isdecimal() or len(text) > 15:
        raise ValueError(f"{name} {text[:40]!r}: a whole number")
    return int(text)


def edit_of(body: Callable[[Call], Any]) -> Callable[[Call], Edit[Any]]:
    """An edit whose body is read so."""
    return lambda call: Edit(which=which_of(call), body=body(call))


def needed(call: Call, *names: str) -> str:
    """The first of these parameters that is said. Raises ValueError."""
    found = next((text_of(call, name) for name in names if call.one(name)), "")
    if not found:
        raise ValueError(f"the parameter {' or '.join(names)} is missing")
    return found


def role_word(said: Any) -> Any:
    """A role in a body: the word, or the whole role as it was told."""
    return said.get("type") if isinstance(said, dict) else said


def subscribed_form(row: Subscribed) -> dict[str, Any]:
    """A subscription."""
    return {
        "clientUid": row.uid,
        "username": row.username,
        "createTime": short_instant(row.at_ms),
        "role": role_form(row.role),
    }


def row(
    method: Method,
    path: str,
    work: Query | Command,
    ask: Callable[[Call], Any],
    render: Render,
    files: Files | None = None,
) -> Endpoint:
    """One row."""
    return Endpoint(
        method=method, path=f"/Marti/api{path}", work=work, ask=ask, render=told(render), source=SOURCE, files=files
    )


def both(
    method: Method, tail: str, work: Query | Command, ask: Callable[[Call], Any], render: Render
) -> tuple[Endpoint, ...]:
    """Rows of one mission, by its name and by its guid."""
    return tuple(row(method, f"/missions/{key}{tail}", work, ask, render) for key in ("{name}", "guid/{guid}"))
