"""Devices and groups by the TAK server's contract."""

from collections.abc import Sequence

from aquila.codecs.cot.marti import enveloped, groups_form
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint
from aquila.features.devices.groups import AskGroups, GroupRow, groups

GROUP = "com.bbn.marti.remote.groups.Group"


def _groups(rows: Sequence[GroupRow], call: Call) -> Reply:
    writable = [row.name for row in rows if row.may_write]
    readable = [row.name for row in rows if row.may_read]
    return enveloped(GROUP, groups_form(writable, readable), call)


endpoints = (
    Endpoint(
        method="GET",
        path="/Marti/api/groups/all",
        work=groups,
        ask=lambda call: AskGroups(),
        render=_groups,
        source="tak.md 6.2",
    ),
)
