"""An issued order on two stream clients: the extract and the route come at once, or when its addressee comes back."""

from aquila.testing.served import ServedNode, wait_until
from aquila.testing.tak_client import fresh

TWO_HOURS_MS = 2 * 3_600_000


def test_an_order_reaches_who_is_there_and_waits_hours_for_who_is_away(node: ServedNode) -> None:
    here, away, nosy = fresh("HERE"), fresh("AWAY"), fresh("NOSY")
    route = {"id": "R1", "name": fresh("ROUTE"), "shape": "route", "points": [[43.0, 77.0], [43.1, 77.1]]}
    area = {"id": "A1", "name": fresh("AREA"), "shape": "polygon", "points": [[43.0, 77.0], [43.0, 77.1], [43.1, 77.1]]}
    order = {
        "kind": "OPORD",
        "title": fresh("Cedar"),
        "graphics": [route, area],
        "tasks": [{"id": "T1", "unit": away, "verb": "PATROL"}],
        "distribution": [here, away],
    }
    with node.client(here) as there, node.client(nosy) as other:
        there.report()
        other.report()
        there.hear_uid(other.uid)
        id = node.api.create_order(order=order)["id"]
        for action in ("approve", "issue"):
            node.api.step_order(id, action=action)
        drawn = there.hear_uid(f"{id}.R1")
        assert drawn.get("type") == "b-m-r"
        assert len(drawn.findall("detail/link")) >= 2
        there.hear_uid(f"{id}.A1")
        wait_until(lambda: sum(row["to"] == away for row in node.api.mail()) == 3, "extract, route and area wait")
        waiting = [row for row in node.api.mail() if row["to"] == away]
        assert all(row["until_ms"] - row["since_ms"] >= TWO_HOURS_MS for row in waiting)
        with node.client(away) as back:
            back.report()
            back.hear(lambda each: each.get("type") == "b-t-f" and "T1" in "".join(each.itertext()))
            heard = [back.hear_uid(f"{id}.{name}") for name in ("R1", "A1")]
            assert [each.get("type") for each in heard] == ["b-m-r", "u-d-f"]
            back.chat("WILCO", to=[here])
            wait_until(lambda: node.api.order(id)["answers"][1]["state"] == "wilco", "it will comply")
            there.chat("<<mark>>")
            other.hear_text("<<mark>>")
            assert not [each for each in other.heard if each.get("uid", "").startswith(id)]
            node.api.step_order(id, action="cancel")
            back.hear(lambda each: each.get("type") == "t-x-d-d" and f"{id}.R1" in str(each.find("detail/link").attrib))
