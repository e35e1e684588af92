"""Who is there, by the TAK server's contract: end points, contacts, subscriptions."""

from collections.abc import Sequence
from typing import Any

import msgspec

from aquila.codecs.cot.marti import as_json, enveloped, groups_form, short_instant
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.links.contacts import (
    AskContacts,
    AskSubscriptions,
    ContactRow,
    SubscriptionRow,
    contacts,
    subscriptions,
)

CLIENT_ENDPOINT = "com.bbn.marti.remote.ClientEndpoint"
SUBSCRIPTION = "SubscriptionInfo"
PAGE_MAX = 10_000


def _whole(call: Call, name: str, default: int) -> int:
    """A parameter that is a whole number; absent or empty = the default. Raises ValueError."""
    text = call.one(name).strip()
    if not text:
        return default
    if len(text) > 10 or not text.removeprefix("-").isdecimal():
        raise ValueError(f"{name} {text[:40]!r}: a whole number")
    return int(text)


def _ask_end_points(call: Call) -> AskContacts:
    ago_s = _whole(call, "secAgo", 0)
    fields = {
        "connected": call.is_set("showCurrentlyConnectedClients"),
        # 0 is the official server's default and means: as far back as is known.
        "max_age_s": ago_s if ago_s > 0 else None,
        "group": ",".join(call.many("group")),
    }
    # Bounds are judged when a record is made from fields, not when it is made in Python.
    return msgspec.convert(fields, AskContacts)


def _end_points(rows: Sequence[ContactRow], call: Call) -> Reply:
    if call.is_set("showMostRecentOnly"):
        rows = _newest_of_each_name(rows)
    data = [
        {
            "uid": row.uid,
            "callsign": row.callsign,
            "username": row.principal,
            "team": row.team,
            "role": row.role,
            "lastEventTime": short_instant(row.last_ms),
            "lastStatus": "Connected" if row.connected else "Disconnected",
            "groups": groups_form(row.groups, ()),
        }
        for row in rows
    ]
    return enveloped(CLIENT_ENDPOINT, data, call)


def _newest_of_each_name(rows: Sequence[ContactRow]) -> list[ContactRow]:
    newest: dict[str, ContactRow] = {}
    for row in rows:
        known = newest.get(row.callsign)
        if known is None or (row.connected, row.last_ms) > (known.connected, known.last_ms):
            newest[row.callsign] = row
    return list(newest.values())


def _ask_contacts(call: Call) -> AskContacts:
    _descends(call)
    return AskContacts(connected=True)


def _descends(call: Call) -> bool:
    """Raises ValueError for a direction that is none."""
    direction = call.one("direction", "ASCENDING").upper()
    if direction not in ("ASCENDING", "DESCENDING", ""):
        raise ValueError(f"direction {direction[:40]!r}: ASCENDING or DESCENDING")
    return direction == "DESCENDING"


def _contacts(rows: Sequence[ContactRow], call: Call) -> Reply:
    by_uid = call.one("sortBy").upper() == "UID"
    ordered = sorted(rows, key=lambda row: row.uid if by_uid else row.callsign, reverse=_descends(call))
    return as_json([_contact(row) for row in ordered])


def _contact(row: ContactRow) -> dict[str, Any]:
    return {
        "filterGroups": list(row.groups),
        "notes": row.principal,
        "callsign": row.callsign,
        "team": row.team,
        "role": row.role,
        "takv": f"{row.platform}:{row.version}" if row.platform or row.version else "",
        "uid": row.uid,
    }


def _ask_subscriptions(call: Call) -> AskSubscriptions:
    _descends(call)
    _whole(call, "page", -1)
    _whole(call, "limit", -1)
    return AskSubscriptions()


def _subscriptions(rows: Sequence[SubscriptionRow], call: Call) -> Reply:
    """Pages are cut here, from what was released."""
    by_uid = call.one("sortBy").upper() == "UID"
    data = [_subscription(row, call) for row in rows]
    data.sort(key=lambda each: str(each["clientUid" if by_uid else "callsign"]), reverse=_descends(call))
    page, limit = _whole(call, "page", -1), _whole(call, "limit", -1)
    if limit >= 0:
        start = max(page, 0) * min(limit, PAGE_MAX)
        data = data[start : start + limit]
    return enveloped(SUBSCRIPTION, data, call)


def _subscription(row: SubscriptionRow, call: Call) -> dict[str, Any]:
    link, seen = row.link, row.seen
    last_ms = link.since_ms if seen is None else seen.at_ms
    user = (link.principal or "").partition(":")[2]
    battery_pct = None if seen is None else seen.battery_pct
    return {
        "dn": f"CN={user}",
        "callsign": link.callsign or link.name,
        "clientUid": link.uid or "",
        "lastReportMilliseconds": last_ms,
        "lastReportDiffMilliseconds": max(0, call.now_ms - last_ms),
        "takClient": row.software.platform,
        "takVersion": row.software.version,
        "username": user,
        "groups": groups_form(row.groups, ()),
        "role": "" if seen is None else seen.role or "",
        "team": "" if seen is None else seen.team or "",
        "ipAddress": link.peer or "",
        "port": "",
        "pendingWrites": link.backlog_bytes,
        "numProcessed": link.in_count,
        "protocol": link.transport,
        "xpath": "",
        "subscriptionUid": link.id,
        "appFramerate": "",
        "battery": "" if battery_pct is None else str(battery_pct),
        "batteryStatus": "",
        "batteryTemp": "",
        "deviceDataRx": "",
        "deviceDataTx": "",
        "heapCurrentSize": "",
        "heapFreeSize": "",
        "heapMaxSize": "",
        "deviceIPAddress": "",
        "storageAvailable": "",
        "storageTotal": "",
        "incognito": link.incognito,
        "handlerType": link.format or "",
    }


endpoints = (
    Endpoint(
        method="GET",
        path="/Marti/api/clientEndPoints",
        work=contacts,
        ask=_ask_end_points,
        render=_end_points,
        source="tak.md 6.2, 6.3, T6",
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/contacts/all",
        work=contacts,
        ask=_ask_contacts,
        render=_contacts,
        source="tak.md 6.3",
    ),
    Endpoint(
        method="GET",
        path="/Marti/api/subscriptions/all",
        work=subscriptions,
        ask=_ask_subscriptions,
        render=_subscriptions,
        source="tak.md 6.3",
    ),
)
