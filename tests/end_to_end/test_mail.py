"""Chat to somebody who is away: it waits, it is handed over once, it survives kill -9, and nobody else gets it."""

from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import TakClient, chat, fresh, text_of


def waiting_for(node: ServedNode, callsign: str) -> int:
    return sum(row["to"] == callsign for row in node.api.mail())


def said_to_nobody(node: ServedNode, sender: TakClient, away: str, text: str) -> None:
    """Say a line to somebody who is away; wait until it waits."""
    sender.report()
    sender.chat(text, to=[away])
    sender.hear(lambda each: each.get("type") == "b-t-f-s")
    wait_until(lambda: waiting_for(node, away), f"a line waits for {away}")


def test_a_line_waits_for_who_is_away_and_comes_once(node: ServedNode) -> None:
    away, text = fresh("AWAY"), f"<<{fresh('come back')}>>"
    with node.client(fresh("SENDS")) as sender, node.client(fresh("NOSY")) as nosy:
        nosy.report()
        said_to_nobody(node, sender, away, text)
        with node.client(away) as back:
            back.report()
            heard = back.hear_text(text)
            assert heard.find("detail/marti/dest") is not None
        wait_until(lambda: not waiting_for(node, away), "nothing waits any more")
        with node.client(away) as again:
            again.report()
            again.say(chat(again.uid, away, "<<mark>>"))
            nosy.hear_text("<<mark>>")
            assert text not in [text_of(each) for each in again.heard + nosy.heard]
    lines = [row for row in node.api.entries(kind="note", newest=True, limit=100) if row["body"].get("text") == text]
    assert len(lines) == 1


def test_it_still_waits_after_kill_9(serve: Serve) -> None:
    node = serve()
    away, text = fresh("AWAY"), f"<<{fresh('still')}>>"
    with node.client(fresh("SENDS")) as sender:
        said_to_nobody(node, sender, away, text)
    node.kill()
    node.start()
    with node.client(away) as back:
        back.report()
        back.hear_text(text)


def test_it_waits_no_longer_than_the_node_is_told_to_keep_it(serve: Serve) -> None:
    node = serve("data", AQUILA_MAIL_HOURS="0.0003")
    away, text = fresh("AWAY"), f"<<{fresh('too late')}>>"
    with node.client(fresh("SENDS")) as sender:
        sender.report()
        sender.chat(text, to=[away])
        wait_until(lambda: "mail.wait" in str(node.api.entries(kind="act", limit=100)), "a line waits")
        wait_until(lambda: not waiting_for(node, away), "its time is over")
        with node.client(away) as back:
            back.report()
            back.chat("<<mark>>")
            sender.hear_text("<<mark>>")
            assert text not in [text_of(each) for each in back.heard]


def test_who_takes_a_name_takes_no_mail_away_from_the_device_that_had_it(node: ServedNode) -> None:
    name, text = fresh("NAMED"), f"<<{fresh('for whom')}>>"
    devices = [fresh("DEVICE") for _ in range(2)]
    files = {each: node.enrolled(each) for each in devices}
    with node.client(fresh("SENDS")) as sender:
        with node.device_client(devices[0], files[devices[0]]) as owner:
            owner.callsign = name
            owner.report()
            sender.hear_uid(owner.uid)
            uid = owner.uid
        with node.device_client(devices[1], files[devices[1]]) as other:
            other.callsign = name
            other.report()
            sender.hear_uid(other.uid)
            sender.chat(text, to=[name])
            other.hear_text(text)
        wait_until(lambda: waiting_for(node, uid), "the line waits for the device that had the name")
        with node.device_client(devices[0], files[devices[0]]) as back:
            back.uid = uid
            back.report()
            back.hear_text(text)
        wait_until(lambda: not waiting_for(node, uid), "nothing waits any more")


def test_mail_obeys_groups(node: ServedNode) -> None:
    away, text = fresh("AWAY"), f"<<{fresh('red only')}>>"
    sends = fresh("SENDS")
    red = {"groups_in": ["COMMON"], "groups_out": ["COMMON"]}
    files = {sends: node.enrolled(sends, **red)}
    stranger = fresh("STRANGER")
    files[stranger] = node.enrolled(stranger, groups_in=["COMMON"], groups_out=["OTHER"])
    with node.device_client(sends, files[sends]) as sender:
        said_to_nobody(node, sender, away, text)
        with node.device_client(stranger, files[stranger]) as other:
            other.callsign = away
            other.report()
            sender.hear_uid(other.uid)
            sender.chat("<<mark>>", to=[away])
            sender.hear(lambda each: each.get("type") == "b-t-f-s")
            assert text not in [text_of(each) for each in other.heard]
        with node.client(away) as back:
            back.report()
            back.hear_text(text)
