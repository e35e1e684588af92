from typing import Any

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aquila.core.model import LOG_ROOM, Act, Alias, Note, Receipt
from aquila.core.policy import FULL
from aquila.features.access import Access, Grant, act_of
from aquila.features.chat import Chat
from aquila.features.chat import view as chat_view
from aquila.features.devices import Devices, Profiles
from aquila.features.devices import view as devices_view
from aquila.features.devices.profiles import Profile
from aquila.features.log import Log
from aquila.testing.views import folded_in_any_order

VIEWS = (Log, Chat, Access, Devices, Profiles)
STATES = ("delivered", "read", "pending")


def body(make: Any, number: int, kind: str, which: int) -> Any:
    at_ms = make.start_ms + number
    match kind:
        case "log":
            return Note(room=LOG_ROOM, text=f"line {number}", happened_at_ms=at_ms)
        case "chat":
            return Note(room=f"room {which}", text=f"line {number}", happened_at_ms=at_ms, reference=f"r{which}")
        case "receipt":
            by = Alias("cot", f"P{which % 2}")
            return Receipt(reference=f"r{which}", state=STATES[which % 3], happened_at_ms=at_ms, by=by)  # type: ignore[arg-type]
        case "grant":
            kind_of = "user" if which % 2 else "token"
            return act_of(Grant(kind=kind_of, name=f"P{which}", role="viewer", groups_in=(f"G{number}",)), at_ms)  # type: ignore[arg-type]
        case "profile":
            action = ("profile.add", "profile.drop")[which % 2]
            said = Profile(
                name=f"P{which}",
                occasions=("connection",),
                tool=None,
                files=(),
                preferences=(),
                changed_at_ms=at_ms,
            )
            detail = {"profile": msgspec.json.encode(said).decode()}
            return Act(action=action, target=f"P{which // 2}", happened_at_ms=at_ms, detail=detail)
        case "certificate":
            action = ("device.renew", "device.switch", "certificate.revoke", "certificate.delete", "device.channels")[
                number % 5
            ]
            detail = {"serial": f"{number - which:02X}", "client": f"c{which % 2}", "inactive": f"G{number}"}
            return Act(action=action, target=f"device:P{which}", happened_at_ms=at_ms, detail=detail)
        case "device":
            detail = {"serial": f"{number:02X}", "groups_in": "COMMON", "not_after_ms": "9"}
            return Act(action="device.add", target=f"device:P{which}", happened_at_ms=at_ms, detail=detail)
        case "bind":
            return Act(
                action="device.bind", target=f"device:P{which}", happened_at_ms=at_ms, detail={"uid": f"u{number}"}
            )
        case _:
            action = ("device.revoke", "token.revoke", "user.remove")[which % 3]
            return Act(action=action, target=f"{'device:' if which % 3 == 0 else ''}P{which}", happened_at_ms=at_ms)


KINDS = st.sampled_from(["log", "chat", "receipt", "grant", "device", "bind", "revoke", "certificate", "profile"])


@pytest.mark.parametrize("view", VIEWS)
@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rows=st.lists(st.tuples(KINDS, st.integers(0, 5)), max_size=40), dice=st.randoms(use_true_random=False))
def test_any_order_folds_to_the_same_state_and_a_snapshot_is_enough(make: Any, view: Any, rows: Any, dice: Any) -> None:
    heard = [make.entry(body(make, number, *row), number) for number, row in enumerate(rows, 1)]
    folded_in_any_order(view, heard, dice)


@pytest.mark.parametrize("order", [1, -1])
def test_bounds_keep_the_newest_in_any_order(make: Any, monkeypatch: pytest.MonkeyPatch, order: int) -> None:
    monkeypatch.setattr(chat_view, "ALL_LINES_MAX", 10)
    monkeypatch.setattr(chat_view, "RECEIPTS_MAX", 5)
    monkeypatch.setattr(chat_view, "SLACK", 3)
    chat = Chat()
    numbers = range(1, 41)[::order]
    for number in numbers:
        chat.fold(make.entry(body(make, number, "chat", number), number))
    kept = Chat()
    kept.restore(chat.snapshot())
    assert sorted(room for _, room in kept.rooms()) == sorted(f"room {number}" for number in range(31, 41))


def test_read_outranks_delivered_whatever_comes_first(make: Any) -> None:
    chat = Chat()
    for number, state in ((2, "read"), (1, "delivered"), (3, "delivered")):
        receipt = Receipt(reference="r", state=state, happened_at_ms=make.start_ms, by=Alias("cot", "P1"))  # type: ignore[arg-type]
        chat.fold(make.entry(receipt, number))

    assert chat.receipts(["r", None], lambda label, context: FULL) == {"r": {"P1": "read"}, None: {}}


def test_what_another_node_grants_opens_nothing_here(make: Any) -> None:
    access, devices = Access(), Devices()
    grant = Grant(kind="user", name="operator", role="admin")
    access.fold(make.entry(act_of(grant, make.start_ms), 1, node="n2"))
    devices.fold(make.entry(body(make, 2, "device", 1), 2, node="n2"))
    assert access.grant("n1", "user", "operator") is None
    assert devices.device("n1", "P1") is None
    assert devices.device("n2", "P1") is not None


def test_a_revoked_device_is_nobody_until_it_is_added_again(make: Any) -> None:
    devices = Devices()
    devices.fold(make.entry(body(make, 1, "device", 0), 1))
    devices.fold(make.entry(body(make, 2, "bind", 0), 2))
    principal = devices.principal("n1", "P0", make.context, "01")
    assert principal is not None
    assert (principal.id, principal.groups_in) == ("device:P0", frozenset({"COMMON"}))
    assert devices.principal("n1", "P0", make.context, "FF") is None
    devices.fold(make.entry(body(make, 3, "revoke", 0), 3))
    assert devices.principal("n1", "P0", make.context) is None
    devices.fold(make.entry(body(make, 4, "device", 0), 4))
    again = devices.device("n1", "P0")
    assert again is not None
    assert (again.serial, again.uids) == ("04", ())


def act(make: Any, number: int, action: str, name: str = "P0", **detail: str) -> Any:
    target = name if action.startswith("user.") else f"device:{name}"
    return make.entry(Act(action=action, target=target, happened_at_ms=make.start_ms + number, detail=detail), number)


def test_a_renewed_certificate_replaces_the_old_one_at_its_first_use(make: Any) -> None:
    devices = Devices()
    devices.fold(act(make, 1, "device.add", serial="01"))
    devices.fold(act(make, 2, "device.renew", serial="02"))
    assert devices.device("n1", "P0").serials == ("01", "02")  # type: ignore[union-attr]
    assert devices.replaces("n1", "P0", "02")
    assert not devices.replaces("n1", "P0", "01")
    devices.fold(act(make, 3, "device.switch", serial="02"))
    assert devices.principal("n1", "P0", make.context, "01") is None
    assert devices.principal("n1", "P0", make.context, "02") is not None
    assert [row.state for row in devices.certificates("n1")] == ["replaced", "active"]


def test_clients_of_one_person_keep_their_own_certificates(make: Any) -> None:
    devices = Devices()
    devices.fold(act(make, 0, "user.add", "P0"))
    devices.fold(act(make, 1, "device.add", serial="01", client="phone", person="P0"))
    devices.fold(act(make, 2, "device.renew", serial="02", client="desk"))
    devices.fold(act(make, 3, "device.switch", serial="02"))
    assert devices.device("n1", "P0").serials == ("01", "02")  # type: ignore[union-attr]
    devices.fold(act(make, 4, "certificate.revoke", serial="02"))
    assert devices.device("n1", "P0").serials == ("01",)  # type: ignore[union-attr]
    devices.fold(act(make, 5, "user.remove"))
    assert devices.device("n1", "P0") is None
    assert [row.state for row in devices.certificates("n1")] == ["revoked", "revoked"]


def test_what_was_on_its_way_when_somebody_was_revoked_opens_nothing(make: Any) -> None:
    devices = Devices()
    devices.fold(act(make, 1, "device.add", serial="01"))
    devices.fold(act(make, 2, "device.revoke"))
    devices.fold(act(make, 3, "device.renew", serial="02"))
    assert devices.device("n1", "P0") is None
    devices.fold(act(make, 4, "device.add", serial="03"))
    assert devices.device("n1", "P0").serials == ("03",)  # type: ignore[union-attr]
    devices.fold(act(make, 5, "device.add", "eva", serial="04", person="eva"))
    devices.fold(act(make, 6, "user.remove", "eva"))
    devices.fold(act(make, 7, "device.add", "eva", serial="05", person="eva"))
    assert devices.device("n1", "eva") is None
    devices.fold(act(make, 8, "user.add", "eva"))
    assert devices.device("n1", "eva").serials == ("05",)  # type: ignore[union-attr]


def test_groups_that_are_switched_off_are_no_rights(make: Any) -> None:
    devices = Devices()
    devices.fold(act(make, 1, "device.add", serial="01", groups_in="A,B", groups_out="A,C"))
    devices.fold(act(make, 2, "device.channels", inactive="A,C"))
    principal = devices.principal("n1", "P0", make.context)
    assert principal is not None
    assert (principal.groups_in, principal.groups_out) == (frozenset({"B"}), frozenset())
    assert devices.device("n1", "P0").groups == ("A", "B", "C")  # type: ignore[union-attr]


def test_a_long_series_of_renewals_keeps_its_device_in_force(make: Any) -> None:
    devices = Devices()
    devices.fold(act(make, 1, "device.add", serial="01"))
    for number in range(2, 3 * devices_view.CERTIFICATES_MAX):
        devices.fold(act(make, number, "device.renew", serial=f"{number:04X}"))
    device = devices.device("n1", "P0")
    assert device is not None
    assert len(device.serials) == devices_view.CERTIFICATES_MAX
