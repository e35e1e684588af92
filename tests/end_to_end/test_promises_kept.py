"""What an attacker found once, each as a test: promises that must hold against a peer who means ill."""

import ssl

import httpx
import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import ClientConnection, connect

from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import PATIENCE_S, delete, device_context, event, fresh, marker, position, text_of

COMMON = {"groups_in": ["COMMON"], "groups_out": ["COMMON"]}


def tls_of(node: ServedNode) -> ssl.SSLContext:
    name = fresh("TLS")
    return device_context(node.enrolled(name), name)


def socket_of(node: ServedNode, token: str) -> connect:
    headers = {"Authorization": f"Bearer {token}"}
    return connect(
        f"wss://localhost:{node.ports['enrol']}/takproto/1",
        ssl=tls_of(node),
        open_timeout=PATIENCE_S,
        additional_headers=headers,
    )


def hear_on(peer: ClientConnection) -> None:
    """Until the node ends it."""
    while True:
        peer.recv(timeout=PATIENCE_S)


def test_a_token_that_was_taken_back_hears_nothing_more(node: ServedNode) -> None:
    name = fresh("gone")
    token = node.command("token", name, "--role", "operator").strip()
    with socket_of(node, token) as peer:
        node.api.drop_token(name)
        with pytest.raises(ConnectionClosed):
            hear_on(peer)


def test_who_may_only_look_has_no_stream_that_speaks(node: ServedNode) -> None:
    token = node.command("token", fresh("looks"), "--role", "viewer").strip()
    with pytest.raises(InvalidStatus), socket_of(node, token):
        pass


def test_an_old_password_opens_nothing_after_it_was_changed(node: ServedNode) -> None:
    name = fresh("anna")
    groups = f"https://localhost:{node.ports['enrol']}/Marti/api/groups/all"
    node.api.make_user(name=name, password="the first password")
    with httpx.Client(verify=tls_of(node), timeout=60) as client:
        assert client.get(groups, auth=(name, "the first password")).status_code == 200
        node.api.make_user(name=name, password="the second password")
        assert client.get(groups, auth=(name, "the first password")).status_code == 401
        assert client.get(groups, auth=(name, "the second password")).status_code == 200


def test_stored_is_said_only_of_what_waits_after_kill_9(serve: Serve) -> None:
    node = serve()
    token = node.token
    away, lines = fresh("AWAY"), [f"<<{fresh('kept')}>>" for _ in range(60)]
    with node.client(fresh("SENDS")) as sender:
        sender.report()
        for line in lines:
            sender.chat(line, to=[away])
        sender.hear(lambda each: each.get("type") == "b-t-f-s")
        node.kill()
        while sender.read(2):
            pass
    stored = {each.findtext("detail/remarks") or "" for each in sender.heard if each.get("type") == "b-t-f-s"}
    node.start()
    assert token
    with node.client(away) as back:
        back.report()
        wait_until(lambda: back.read(0.2) and stored <= {text_of(each) for each in back.heard}, "what was stored")


def test_one_who_names_hundreds_does_not_push_out_the_mail_of_others(node: ServedNode) -> None:
    away, text = fresh("AWAY"), f"<<{fresh('precious')}>>"
    with node.client(fresh("GOOD")) as good, node.client(fresh("EVIL")) as evil:
        good.report()
        good.chat(text, to=[away])
        good.hear(lambda each: each.get("type") == "b-t-f-s")
        evil.report()
        for number in range(20):
            evil.chat("flood", to=[f"NOBODY-{number}-{each}" for each in range(250)])
        evil.chat("one dest too many", to=[f"X{each}" for each in range(300)])
        evil.chat("<<fence>>")
        good.hear_text("<<fence>>")
    assert sum(row["to"].startswith("NOBODY-") for row in node.api.mail(limit=10_000)) <= 20 * 20
    with node.client(away) as back:
        back.report()
        back.hear_text(text)


def test_who_takes_the_name_of_one_who_is_away_gets_none_of_his_mail(node: ServedNode) -> None:
    name, text = fresh("VICTIM"), f"<<{fresh('for him alone')}>>"
    with node.client(fresh("SENDS")) as sender:
        with node.client(name) as victim:
            victim.report()
            sender.hear_uid(victim.uid)
        sender.report()
        sender.hear(lambda each: each.get("type") == "t-x-d-d")
        sender.chat(text, to=[name])
        sender.hear(lambda each: each.get("type") == "b-t-f-s")
        with node.client(fresh("EVIL")) as evil:
            evil.callsign = name
            evil.report()
            sender.hear_uid(evil.uid)
            sender.chat("<<fence>>")
            evil.hear_text("<<fence>>")
            assert text not in [text_of(each) for each in evil.heard]
        with node.client(name) as back:
            back.report()
            back.hear_text(text)


def alert(uid: str, owner: str, on: bool) -> bytes:
    said = "type='911 Alert'" if on else "cancel='true'"
    link = f"<link uid='{owner}' type='a-f-G-U-C' relation='p-p'/>"
    return event(uid, "b-a-o-tbl" if on else "b-a-o-can", f"{link}<emergency {said}>{owner}</emergency>")


def test_nobody_takes_or_ends_the_alert_of_another(node: ServedNode) -> None:
    names = victim, evil, friend = fresh("VICTIM"), fresh("EVIL"), fresh("FRIEND")
    files = {name: node.enrolled(name, **COMMON) for name in names}
    with (
        node.device_client(victim, files[victim]) as one,
        node.device_client(evil, files[evil]) as two,
        node.device_client(friend, files[friend]) as three,
    ):
        uid = f"{one.uid}-9-1-1"
        two.say(position(uid, "GRAB"))
        one.report()
        three.hear_uid(one.uid)
        one.say(alert(uid, one.uid, on=True))
        three.hear(lambda each: each.get("type") == "b-a-o-tbl")
        two.say(alert(uid, one.uid, on=False))
        two.chat("<<fence>>")
        three.hear_text("<<fence>>")
        assert "b-a-o-can" not in [each.get("type") for each in three.heard]
        assert node.api.entities(), "the picture stands"


def test_a_removal_of_another_group_hides_nothing_from_newcomers(node: ServedNode) -> None:
    red, hears, blue, late = fresh("RED"), fresh("RED"), fresh("BLUE"), fresh("LATE")
    groups = {red: "RED", hears: "RED", blue: "BLUE", late: "BLUE"}
    files = {name: node.enrolled(name, groups_in=[group], groups_out=[group]) for name, group in groups.items()}
    uid = fresh("blue-marker-")
    with (
        node.device_client(red, files[red]) as one,
        node.device_client(hears, files[hears]) as friend,
        node.device_client(blue, files[blue]) as two,
    ):
        two.say(marker(uid, "BLUE MARK"))
        one.say(delete(uid))
        friend.hear(lambda each: each.get("type") == "t-x-d-d")
        with node.device_client(late, files[late]) as newcomer:
            newcomer.hear_uid(uid)


def test_nobody_invents_markings_without_end(node: ServedNode) -> None:
    with node.client(fresh("MANY")) as many, node.client(fresh("SEES")) as sees:
        for number in range(200):
            said = position(f"{many.uid}-{number}", "X")
            many.say(said.replace(b" how=", b" releasableTo='N%d' how=" % number, 1))
        many.report()
        sees.hear_uid(many.uid)
    assert node.counted()["aquila_node_refused_markings"] >= 100


def test_wrong_passwords_do_not_shut_out_who_holds_a_link(serve: Serve) -> None:
    node = serve()
    with httpx.Client(base_url=node.url, timeout=60, headers={"Host": "localhost"}) as client:
        for _ in range(12):
            client.post("/login", content=b"user=operator&password=guess")
        link = node.link()
        assert client.get(link.partition(str(node.ports["http"]))[2]).status_code == 303
