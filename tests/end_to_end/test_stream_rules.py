"""The rules of a TAK stream server against a started node, one test each.

S and T numbers are those of src/aquila/codecs/cot/README.md, and these, which need the whole node: S3 who a client is
follows its latest position, S5 a delete takes the copy for newcomers along, S6 `marti/dest` names who gets it, S7 the
sender's groups and the receiver's must meet, S10 flow tags, S13 what is stale is relayed but not told again, S14 file
offers. Tested elsewhere: S1, the switch to protobuf, S8 for a name that nobody has (test_clients.py), T2
(test_device_files.py, tests/links/test_tls_matrix.py).
"""

import re
import time
import xml.etree.ElementTree as ET
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import (
    Event,
    TakClient,
    callsign_of,
    chat,
    delete,
    event,
    fresh,
    marker,
    position,
    text_of,
)

Pair = tuple[TakClient, TakClient]
EVENT_BYTES_MAX = 65_535


def addressed(said: bytes, **dests: str) -> bytes:
    """An event for these addressees only, for instance callsign="BRAVO"."""
    marti = "".join(f'<dest {scheme}="{value}"/>' for scheme, value in dests.items())
    return said.replace(b"</detail>", f"<marti>{marti}</marti></detail>".encode())


def with_times(said: bytes, at: datetime, valid_s: float) -> bytes:
    """The same event at another time, valid for so long."""
    for name, when in (("time", at), ("start", at), ("stale", at + timedelta(seconds=valid_s))):
        text = when.isoformat(timespec="milliseconds")[:23] + "Z"
        said = re.sub(rf"(<event[^>]* {name}=)'[^']*'".encode(), rf"\1'{text}'".encode(), said, count=1)
    return said


def fence(one: TakClient, *others: TakClient) -> None:
    """Everything that `one` has said so far has reached the others, if it ever does."""
    word = fresh("fence ")
    one.chat(word)
    for other in others:
        other.hear(lambda each: text_of(each) == word)


def heard_uids(client: TakClient) -> list[str]:
    return [each.get("uid", "") for each in client.heard]


def meet(client: TakClient, *others: TakClient) -> None:
    """Read until the client has seen all the others, whoever came first."""
    wanted = {other.uid for other in others}

    def has_met() -> bool:
        client.read(0.02)
        return wanted <= set(heard_uids(client))

    wait_until(has_met, f"{client.callsign} sees {sorted(wanted)}")


def link_uid(heard: Event) -> str:
    link = heard.find("detail/link")
    return "" if link is None else link.get("uid", "")


def is_gone(uid: str) -> Callable[[Event], bool]:
    return lambda each: each.get("type") == "t-x-d-d" and link_uid(each) == uid


def detail_of(said: Event) -> str:
    """The detail as canonical XML, without what every relay adds."""
    detail = said.find("detail")
    assert detail is not None
    for flow in detail.findall("_flow-tags_"):
        detail.remove(flow)
    return ET.canonicalize(ET.tostring(detail).decode())


def lat_of(heard: Event) -> float:
    point = heard.find("point")
    assert point is not None
    return float(point.get("lat", "nan"))


# -- S2 to S5: who is there -------------------------------------------------------------------------------------------


def test_a_newcomer_that_says_nothing_gets_the_positions_and_then_the_offer(node: ServedNode, pair: Pair) -> None:
    """S2."""
    with node.client(fresh("SILENT")) as silent:
        silent.hear(lambda each: each.get("type") == "t-x-takp-v")
        fence(pair[0], silent)
    before = [each.get("uid") for each in silent.heard[: [e.get("type") for e in silent.heard].index("t-x-takp-v")]]
    assert {pair[0].uid, pair[1].uid} <= set(before)
    assert [each.get("type") for each in silent.heard].count("t-x-takp-v") == 1


def test_a_newcomer_gets_nothing_of_groups_that_are_not_its_own(node: ServedNode, papers: Any) -> None:
    """S2: the picture at connect obeys groups."""
    with papers.client("RED") as red, papers.client("BLUE") as blue, papers.client("RED", "BLUE") as both:
        red.report()
        blue.report()
        meet(both, red, blue)
        with papers.client("RED", "GREEN") as newcomer:
            newcomer.hear(lambda each: each.get("type") == "t-x-takp-v")
            assert red.uid in heard_uids(newcomer)
            assert blue.uid not in heard_uids(newcomer)


def test_a_newcomer_is_not_told_of_who_went_incognito(node: ServedNode, pair: Pair) -> None:
    """S2."""
    one, two = pair
    two.say(event(two.uid, "t-x-c-i-e", ""))
    two.report(lat=42.3)
    fence(two, one)
    with node.client(fresh("LATE")) as late:
        late.hear(lambda each: each.get("type") == "t-x-takp-v")
        assert one.uid in heard_uids(late)
        assert two.uid not in heard_uids(late)
        two.say(event(two.uid, "t-x-c-i-d", ""))
        two.report(lat=42.4)
        late.hear_uid(two.uid)


def test_a_new_callsign_is_addressed_at_once_and_the_old_one_no_more(pair: Pair) -> None:
    """S3."""
    one, two = pair
    renamed = fresh("RENAMED")
    one.say(position(one.uid, renamed))
    two.hear(lambda each: callsign_of(each) == renamed)
    two.chat("to the new name", room=one.uid, to=[renamed])
    one.hear_text("to the new name")
    two.chat("to the old name", room=one.uid, to=[one.callsign])
    two.hear(lambda each: each.get("type") == "b-t-f-s" and each.findtext("detail/remarks") == "to the old name")
    assert not any("to the old name" in text_of(each) for each in one.heard)


def test_team_role_and_battery_are_taken_from_every_report(node: ServedNode, pair: Pair) -> None:
    """S3."""
    one, two = pair
    for team, role, battery in (("Cyan", "Team Lead", 80), ("Red", "Medic", 41)):
        said = position(one.uid, one.callsign).replace(
            b"<__group name='Cyan' role='Team Member'/>",
            f"<__group name='{team}' role='{role}'/><status battery='{battery}'/>".encode(),
        )
        one.say(said)
        two.hear(lambda each, battery=battery: f'battery="{battery}"' in ET.tostring(each).decode())
        (row,) = node.api.entities(q=one.callsign)
        assert (row["team"], row["role"], row["battery_pct"]) == (team, role, battery)


def test_a_goodbye_names_the_client_its_type_and_nobody_else(node: ServedNode, papers: Any, pair: Pair) -> None:
    """S4."""
    with papers.client("RED") as red, papers.client("BLUE") as blue, papers.client("RED", "BLUE") as both:
        red.report()
        both.hear_uid(red.uid)
        red.close()
        gone = both.hear(is_gone(red.uid))
        blue.report()
        both.hear_uid(blue.uid)
        fence(both, blue)
        assert not any(map(is_gone(red.uid), blue.heard))
    link = gone.find("detail/link")
    assert link is not None
    assert (link.get("relation"), link.get("type")) == ("p-p", "a-f-G-U-C")
    assert gone.get("how") == "h-g-i-g-o"
    assert gone.get("uid") != red.uid
    sent, stale = (datetime.fromisoformat(gone.get(name, "")) for name in ("time", "stale"))
    assert stale - sent == timedelta(seconds=20)


def test_a_delete_is_relayed_as_it_is_and_its_entity_is_told_to_no_newcomer(node: ServedNode, pair: Pair) -> None:
    """S5."""
    one, two = pair
    kept, gone = fresh("kept-"), fresh("gone-")
    one.say(marker(kept, kept), marker(gone, gone))
    two.hear_uid(gone)
    one.say(delete(gone))
    assert two.hear(is_gone(gone)).find("detail/__forcedelete") is not None
    with node.client(fresh("LATE")) as late:
        late.hear_uid(kept)
        fence(one, late)
        assert gone not in heard_uids(late)
    assert [row["name"] for row in node.api.entities(limit=1000) if row["name"] in (kept, gone)] == [kept]


# -- S6 to S8: addressees ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize("scheme", ["callsign", "uid"])
def test_what_names_an_addressee_reaches_that_one_only(node: ServedNode, pair: Pair, scheme: str) -> None:
    """S6."""
    one, two = pair
    uid = fresh("for-one-")
    with node.client(fresh("THIRD")) as third:
        third.report()
        two.hear_uid(third.uid)
        one.say(addressed(marker(uid, "Cache"), **{scheme: two.callsign if scheme == "callsign" else two.uid}))
        two.hear_uid(uid)
        fence(one, third)
        assert uid not in heard_uids(third)


def test_several_addressees_get_it_once_each(node: ServedNode, pair: Pair) -> None:
    """S6: dest may be repeated; a name that nobody has takes nothing from the others."""
    one, two = pair
    uid = fresh("for-two-")
    with node.client(fresh("THIRD")) as third, node.client(fresh("FOURTH")) as fourth:
        third.report()
        fourth.report()
        meet(one, third, fourth)
        dests = "".join(f"<dest callsign='{name}'/>" for name in (two.callsign, "NOBODY-AT-ALL", third.callsign))
        one.say(marker(uid, "Cache").replace(b"</detail>", f"<marti>{dests}</marti></detail>".encode()))
        fence(one, two, third, fourth)
        counts = [heard_uids(each).count(uid) for each in (two, third, fourth)]
    assert counts == [1, 1, 0]


def test_a_group_may_be_the_addressee(papers: Any) -> None:
    """S6."""
    uid = fresh("for-red-")
    with papers.client("RED") as red, papers.client("BLUE") as blue, papers.client("RED", "BLUE") as both:
        blue.report()
        both.hear_uid(blue.uid)
        both.say(addressed(marker(uid, "Cache"), group="RED"))
        red.hear_uid(uid)
        fence(both, blue)
        assert uid not in heard_uids(blue)


def test_a_name_gives_no_right_and_the_sender_is_told(papers: Any) -> None:
    """S7, S8: an addressee of another group is as good as nobody."""
    uid = fresh("marker-")
    with papers.client("RED") as red, papers.client("BLUE") as blue, papers.client("RED", "BLUE") as both:
        red.report()
        blue.report()
        meet(both, red, blue)
        red.say(addressed(marker(uid, "Cache"), callsign=blue.callsign))
        red.chat("across groups", room=blue.uid, to=[blue.callsign])
        back = red.hear(lambda each: each.get("type") == "b-t-f-s")
        assert back.findtext("detail/remarks") == "across groups"
        fence(both, blue)
        assert uid not in heard_uids(blue)
        assert not any("across groups" in text_of(each) for each in blue.heard)


def test_groups_are_written_in_one_direction_and_read_in_the_other(node: ServedNode, papers: Any) -> None:
    """S7: the sender's IN and the receiver's OUT must meet."""
    name = fresh("VALVE")
    files = node.enrolled(name, groups_in=["RED"], groups_out=["BLUE"])
    with (
        node.device_client(name, files) as valve,
        papers.client("RED") as red,
        papers.client("BLUE") as blue,
    ):
        valve.report()
        red.hear_uid(valve.uid)
        red.report()
        blue.report()
        valve.hear_uid(blue.uid)
        fence(red)
        fence(blue, valve)
        assert red.uid not in heard_uids(valve)
        assert valve.uid not in heard_uids(blue)


# -- S10, T8: loops ---------------------------------------------------------------------------------------------------


def test_what_was_relayed_bears_our_flow_tag_and_is_not_relayed_again(pair: Pair) -> None:
    """S10."""
    one, two = pair
    uid = fresh("looping-")
    one.say(marker(uid, "Loop"))
    heard = two.hear_uid(uid)
    flow = heard.find("detail/_flow-tags_")
    assert flow is not None
    (tag,) = flow.keys()
    assert re.fullmatch(r"TAK-Server-[0-9a-f-]{36}", tag)
    two.say(ET.tostring(heard))
    fence(two, one)
    assert uid not in heard_uids(one)


def test_an_edit_that_keeps_our_flow_tag_is_no_loop(pair: Pair) -> None:
    """T8."""
    one, two = pair
    uid = fresh("edited-")
    one.say(marker(uid, "First"))
    edited = with_times(ET.tostring(two.hear_uid(uid)).replace(b'"', b"'"), datetime.now(UTC), 600)
    two.say(edited.replace(b"First", b"Second"))
    assert callsign_of(one.hear_uid(uid)) == "Second"


# -- S11, T7: groups that change --------------------------------------------------------------------------------------


def test_asking_for_groups_tells_nobody_that_they_changed(node: ServedNode, pair: Pair) -> None:
    """T7: CloudTAK would ask for ever."""
    one, two = pair
    for _ in range(3):
        node.api.groups()
        node.api.devices()
    fence(one, two)
    fence(two, one)
    assert not any(each.get("type") == "t-x-g-c" for each in one.heard + two.heard)


def test_a_device_added_anew_has_its_new_groups_and_its_old_link_is_closed(node: ServedNode, papers: Any) -> None:
    """S11 by the only way that there is yet: revoke, and add again."""
    name = fresh("MOVER")
    before = node.device(name, "--group", "RED")
    with papers.client("RED") as red, papers.client("BLUE") as blue:
        with node.device_client(name, before) as mover:
            mover.report()
            red.hear_uid(mover.uid)
            node.command("device", "revoke", name)
            mover.wait_closed(5)
        with node.device_client(name, node.device(name, "--group", "BLUE")) as mover:
            mover.report(lat=41.5)
            blue.hear_uid(mover.uid)
            fence(blue, mover)
            red.chat("still red")
            fence(red)
            fence(blue, mover)
            assert not any("still red" in text_of(each) for each in mover.heard)
            assert 41.5 not in [lat_of(each) for each in red.heard if each.get("uid") == mover.uid]


# -- S12: what is for the server alone --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cot_type",
    [
        *("t-b", "t-b-a", "t-b-c", "t-b-q", "t-x-c-f", "t-x-c-t", "t-x-c-t-r", "t-x-c-m", "t-x-c-i-e", "t-x-c-i-d"),
        *("t-x-takp-q", "t-x-takp-v", "t-x-takp-r", "t-x-g-c"),
    ],
)
def test_a_control_is_never_relayed(pair: Pair, cot_type: str) -> None:
    """S12."""
    one, two = pair
    uid = fresh("control-")
    one.say(event(uid, cot_type, "<TakControl><TakRequest version='9'/></TakControl>"))
    fence(one, two)
    assert uid not in heard_uids(two)
    assert cot_type not in [each.get("type") for each in two.heard if each.get("type") != "t-x-takp-v"]


# -- S13: validity ----------------------------------------------------------------------------------------------------


def test_a_stale_report_is_relayed_and_told_to_no_newcomer(node: ServedNode, pair: Pair) -> None:
    """S13."""
    one, two = pair
    stale, fine = fresh("stale-"), fresh("fine-")
    said = event(stale, "a-f-G-U-C", f"<contact callsign='{stale}'/>")
    one.say(with_times(said, datetime.now(UTC) - timedelta(seconds=5), 0))
    two.hear_uid(stale)
    one.say(marker(fine, fine))
    two.hear_uid(fine)
    with node.client(fresh("LATE")) as late:
        late.hear_uid(fine)
        fence(one, late)
        assert stale not in heard_uids(late)


def test_a_report_that_was_good_is_told_to_no_newcomer_once_it_is_stale(node: ServedNode, pair: Pair) -> None:
    """S13."""
    one, two = pair
    uid, valid_s = fresh("brief-"), 0.5
    one.say(with_times(event(uid, "a-f-G-U-C", f"<contact callsign='{uid}'/>"), datetime.now(UTC), valid_s))
    two.hear_uid(uid)
    over_s = time.monotonic() + valid_s
    wait_until(lambda: time.monotonic() > over_s, "the report is stale")
    fence(one, two)
    with node.client(fresh("LATE")) as late:
        late.hear(lambda each: each.get("type") == "t-x-takp-v")
        assert uid not in heard_uids(late)


# -- S14: files -------------------------------------------------------------------------------------------------------


def test_the_offer_of_a_file_and_its_answer_reach_who_is_named_unchanged(node: ServedNode, pair: Pair) -> None:
    """S14."""
    one, two = pair
    digest, offered, answered = "ab" * 32, fresh("transfer-"), fresh("answer-")
    offer = event(
        offered,
        "b-f-t-r",
        f"<fileshare filename='map &amp; plan.zip' senderUrl='http://node:8080/Marti/sync/content?hash={digest}'"
        f" sizeInBytes='123456' sha256='{digest}' senderUid='{one.uid}' senderCallsign='{one.callsign}' name='План'/>"
        f"<ackrequest uid='{offered}' ackrequested='true' tag='map'/>",
        how="h-e",
    )
    answer = event(
        answered,
        "b-f-t-a",
        f"<ackresponse uid='{offered}' senderUid='{two.uid}' sha256='{digest}' sizeInBytes='123456' success='true'"
        " reason='' tag='map'/>",
    )
    with node.client(fresh("THIRD")) as third:
        third.report()
        one.hear_uid(third.uid)
        for sender, receiver, said in ((one, two, offer), (two, one, answer)):
            said = addressed(said, callsign=receiver.callsign)
            sender.say(said)
            heard = receiver.hear_uid(ET.fromstring(said).get("uid", ""))
            assert detail_of(heard) == detail_of(ET.fromstring(said))
        fence(one, two, third)
        assert {offered, answered}.isdisjoint(heard_uids(third))


# -- T1, T9: bytes ----------------------------------------------------------------------------------------------------


def raw_until(client: TakClient, word: bytes) -> bytes:
    """The bytes as they come, up to the end of the event with this word in it."""
    data = client.rest
    while word not in data or not data.endswith(b"</event>"):
        client.socket.settimeout(10)
        came = client.socket.recv(1 << 20)
        assert came, "the node hung up"
        data += came
    return data


def test_no_message_that_leaves_is_larger_than_a_phone_takes(node: ServedNode, pair: Pair) -> None:
    """T1: a large event arrives whole or not at all, also one that grows on its way."""
    one, two = pair
    letters = "Қ" * 8_000  # 2 bytes here, 7 as a character reference
    for text in ("x" * 58_000, letters, "x" * 64_000, letters + letters, "x" * 70_000):
        one.chat(text)
        one.chat("between")  # three refused ones in a row would end the connection
    one.chat("the last one")
    events = re.split(rb"(?<=</event>)", raw_until(two, b"the last one"))
    assert max(map(len, events)) <= EVENT_BYTES_MAX
    texts = [text_of(ET.fromstring(each)) for each in events if each]
    assert [text for text in texts if text not in ("", "between")] == ["x" * 58_000, letters, "the last one"]
    # Whoever says too much stays connected.
    two.chat("are you there")
    one.hear_text("are you there")


def test_xml_stays_whole_ascii_while_others_speak_protobuf(node: ServedNode, pair: Pair) -> None:
    """T9: header, event, nothing behind it; no byte that a reader of single chunks could split."""
    one, two = pair
    with node.client(fresh("PROTO")) as proto:
        proto.hear(lambda each: each.get("type") == "t-x-takp-v")
        proto.say(event(fresh("ask-"), "t-x-takp-q", "<TakControl><TakRequest version='1'/></TakControl>"))
        proto.hear(lambda each: each.get("type") == "t-x-takp-r")
        for number in range(20):
            one.say(chat(one.uid, "Қ " + one.callsign, f"Қазақстан 🏔 {number}"), marker(fresh("Ж-"), "Мост"))
        one.chat("the end")
        data = raw_until(two, b"the end")
    assert data.isascii()
    events = re.split(rb"(?<=</event>)", data)
    assert events.pop() == b""
    assert all(re.match(rb"<\?xml [^>]*\?>\n<event ", each) and each.count(b"<?xml") == 1 for each in events)
    assert [text_of(ET.fromstring(each)) for each in events if b"GeoChat" in each][:20] == [
        f"Қазақстан 🏔 {number}" for number in range(20)
    ]


# -- chat rooms, receipts, drawings -----------------------------------------------------------------------------------


def test_a_team_line_reaches_the_team_only_and_keeps_its_room(node: ServedNode, pair: Pair) -> None:
    one, two = pair
    with node.client(fresh("OTHER")) as other:
        other.report()
        one.hear_uid(other.uid)
        one.chat("cyan only", room="Cyan", to=[two.callsign])
        heard = two.hear_text("cyan only")
        room = heard.find("detail/__chat")
        assert room is not None
        assert (room.get("id"), room.get("chatroom")) == ("Cyan", "Cyan")
        fence(one, other)
        assert not any("cyan only" in text_of(each) for each in other.heard)
    assert [line["text"] for line in node.api.lines(room="Cyan")] == ["cyan only"]


@pytest.mark.parametrize(("cot_type", "state"), [("b-t-f-d", "delivered"), ("b-t-f-r", "read")])
def test_a_receipt_reaches_the_sender_of_the_line_only(node: ServedNode, pair: Pair, cot_type: str, state: str) -> None:
    one, two = pair
    with node.client(fresh("THIRD")) as third:
        third.report()
        one.hear_uid(third.uid)
        text = fresh("with receipt ")
        one.chat(text, room=two.uid, to=[two.callsign])
        line = two.hear_text(text).find("detail/__chat")
        assert line is not None
        reference = line.get("messageId", "")
        receipt = event(
            reference,
            cot_type,
            f"<__chatreceipt id='{one.uid}' chatroom='{two.callsign}' messageId='{reference}'"
            f" senderCallsign='{two.callsign}'><chatgrp uid0='{two.uid}' uid1='{one.uid}' id='{one.uid}'/>"
            f"</__chatreceipt><link uid='{two.uid}' type='a-f-G-U-C' relation='p-p'/>",
            how="h-g-i-g-o",
        )
        two.say(addressed(receipt, callsign=one.callsign))
        heard = one.hear(lambda each: each.get("type") == cot_type)
        assert heard.get("uid") == reference
        fence(two, third)
        assert cot_type not in [each.get("type") for each in third.heard]
    (shown,) = [each for each in node.api.lines(room=two.uid, limit=50) if each["text"] == text]
    assert state in str(shown)


POINTS = ((42.80, 74.50), (42.90, 74.50), (42.90, 74.70), (42.80, 74.70))
LINKS = "".join(f"<link point='{lat},{lon}'/>" for lat, lon in POINTS)
COLOURS = (
    "<strokeColor value='-65536'/><strokeWeight value='4.0'/><fillColor value='1358888960'/><labels_on value='true'/>"
)
DRAWINGS = {
    "polygon": ("u-d-f", f"{LINKS}<link point='42.80,74.50'/>{COLOURS}"),
    "circle": (
        "u-d-c-c",
        "<shape><ellipse major='250.5' minor='250.5' angle='360'/><link uid='S.Style' type='b-x-KmlStyle'"
        f" relation='p-c'><Style><LineStyle><color>ffff0000</color></LineStyle></Style></link></shape>{COLOURS}",
    ),
    "route": (
        "b-m-r",
        "".join(
            f"<link uid='way-{number}' callsign='CP {number}' type='b-m-p-w' point='{lat},{lon},800.0' relation='c'/>"
            for number, (lat, lon) in enumerate(POINTS)
        )
        + "<link_attr planningmethod='Infil' color='-1' method='Driving' prefix='CP' type='Vehicle' order='Ascending"
        " Check Points'/><__routeinfo><__navcues/></__routeinfo>",
    ),
}


@pytest.mark.parametrize("shape", DRAWINGS)
def test_a_drawing_is_relayed_to_the_last_detail_and_stands_in_the_picture(
    node: ServedNode, pair: Pair, shape: str
) -> None:
    one, two = pair
    cot_type, drawn = DRAWINGS[shape]
    name = fresh(shape)
    said = event(name, cot_type, f"{drawn}<contact callsign='{name}'/><remarks>a &amp; b</remarks><archive/>")
    one.say(said)
    heard = two.hear_uid(name)
    assert heard.get("type") == cot_type
    assert detail_of(heard) == detail_of(ET.fromstring(said))
    (row,) = node.api.entities(q=name)
    assert row["category"] == "drawing"
    geometry = row["geometry"]
    assert geometry is not None
    assert geometry["shape"] == shape
    if shape == "circle":
        assert geometry["radius_m"] == pytest.approx(250.5)
    else:
        # GeoJSON: longitude first, and a polygon has rings.
        line = geometry["coordinates"][0] if shape == "polygon" else geometry["coordinates"]
        assert [(lat, lon) for lon, lat in line][:4] == list(POINTS)
