"""Injectors: XML that an administrator has added to the events of a uid on their way to clients."""

import json
from collections.abc import Iterator
from uuid import uuid4

import httpx
import pytest

from aquila.testing.served import ServedNode
from aquila.testing.tak_client import device_context, fresh, marker

from .conftest import Enrolled, door
from .test_missions import said

PATH = "/Marti/api/injectors/cot/uid"
XML = '<link url="https://wiki.invalid/é" relation="r-u"/>'


@pytest.fixture
def admin(node: ServedNode) -> Iterator[httpx.Client]:
    """An administrator at another desk."""
    name = fresh("DESK")
    tls = device_context(node.enrolled(name), name)
    with door(node, "enrol", tls, headers={"Authorization": f"Bearer {node.token}"}) as client:
        yield client


@pytest.mark.row("GET /Marti/api/injectors/cot/uid", client="node-tak")
@pytest.mark.row("GET /Marti/api/injectors/cot/uid/{uid}", client="node-tak")
@pytest.mark.row("POST /Marti/api/injectors/cot/uid", client="TAK Server 5.7")
@pytest.mark.row("DELETE /Marti/api/injectors/cot/uid", client="TAK Server 5.7")
def test_what_is_injected_reaches_clients_and_not_the_history(
    node: ServedNode, device: Enrolled, admin: httpx.Client
) -> None:
    names = [fresh("FROM"), fresh("TO")]
    phones = [device(name) for name in names]
    uid = str(uuid4())
    config = {"uid": uid, "toInject": XML}
    for _ in range(2):
        assert said(admin.post(PATH, json=config), "InjectorConfig") == config
    assert said(admin.get(PATH), "InjectorConfig") == [config]
    assert said(admin.get(f"{PATH}/{uid}"), "InjectorConfig") == [config]
    assert said(admin.get(f"{PATH}/other"), "InjectorConfig") == []
    sender, receiver = (node.device_client(name, node.data.parent / f"{name}-files") for name in names)
    with sender, receiver:
        sender.report()
        receiver.report()
        receiver.hear_uid(sender.uid)
        sender.say(marker(uid, "Well"), marker(f"{uid}-2", "Other"))
        link = receiver.hear_uid(uid).find("detail/link")
        assert link is not None
        assert link.attrib == {"url": "https://wiki.invalid/é", "relation": "r-u"}
        assert receiver.hear_uid(f"{uid}-2").find("detail/link") is None
        assert "<link" not in phones[0].get(f"/Marti/api/cot/xml/{uid}/all").text
        for _ in range(2):
            assert said(admin.delete(PATH, params=config), "InjectorConfig") == config
        assert said(admin.get(PATH), "InjectorConfig") == []
        sender.say(marker(uid, "Dry well"))
        dry = receiver.hear(lambda each: each.get("uid") == uid and b"Dry" in _text(each))
        assert dry.find("detail/link") is None
    for phone in phones:
        assert phone.get(PATH).status_code == 403
        assert phone.post(PATH, json=config).status_code == 403


def _text(event: object) -> bytes:
    contact = event.find("detail/contact")  # type: ignore[attr-defined]
    return b"" if contact is None else contact.get("callsign", "").encode()


@pytest.mark.parametrize(
    "config",
    [
        {},
        {"uid": "", "toInject": XML},
        {"uid": "u", "toInject": ""},
        {"uid": "u", "toInject": "text"},
        {"uid": "u", "toInject": "<a/><b/>"},
        {"uid": "u", "toInject": "<a>"},
        {"uid": "u", "toInject": "<é/>"},
        {"uid": "u", "toInject": "<?xml version='1.0'?><a/>"},
        {"uid": "u", "toInject": "<!DOCTYPE a [<!ENTITY b 'c'>]><a>&b;</a>"},
        {"uid": "u", "toInject": "<marti><dest callsign='X'/></marti>"},
        {"uid": "u", "toInject": "<a>" + "x" * 4_000 + "</a>"},
        {"uid": "x" * 50_000, "toInject": XML},
        [],
    ],
)
def test_bad_injectors_are_refused(admin: httpx.Client, config: object) -> None:
    answer = admin.post(PATH, content=json.dumps(config))
    assert answer.status_code == 400, answer.text
    assert answer.json()["message"]
    assert said(admin.get(PATH), "InjectorConfig") == []
