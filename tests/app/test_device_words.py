"""The words of the command line about devices."""

from pathlib import Path

import pytest

from aquila.app.asking import ask
from aquila.testing.served import ServedNode
from aquila.testing.tak_client import fresh


def listed(node: ServedNode) -> dict[str, list[str]]:
    """Name -> the other columns."""
    lines = node.command("device", "list").splitlines()
    rows = ([word.strip() for word in line.strip("│┃ ").replace("┃", "│").split("│")] for line in lines)
    return {row[0]: row[1:] for row in rows if len(row) > 3}


def test_the_list_of_devices_says_what_became_of_each(node: ServedNode) -> None:
    here, gone, invited = fresh("HERE"), fresh("GONE"), fresh("INVITED")
    made = {name: ask(node.data, "devices.add_device", {"name": name}) for name in (here, gone)}
    ask(node.data, "devices.drop_device", {"name": gone})
    ask(node.data, "devices.invite_device", {"name": invited, "minutes": 5})
    rows = listed(node)
    assert rows["name"][0] == "state"
    assert {name: rows[name][0] for name in (here, gone, invited)} == {
        here: "active",
        gone: "revoked",
        invited: "pending",
    }
    assert rows[here][-1] == made[here]["serial"]
    # The page and programs are told of those in force, as before, unless they ask.
    assert gone not in {row["name"] for row in node.api.devices(limit=10_000)}
    told = {row["name"]: row["state"] for row in ask(node.data, "devices.devices", {"revoked": True})}
    assert (told[here], told[gone]) == ("active", "revoked")


def test_files_lie_in_a_folder_of_their_own_when_none_is_named(
    node: ServedNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    one, two = fresh("ONE"), fresh("TWO")
    monkeypatch.chdir(tmp_path)
    for name in (one, two):
        node.command("device", "add", name)
    stores = {name: tmp_path / "device-files" / name / "truststore.p12" for name in (one, two)}
    assert stores[one].read_bytes() != stores[two].read_bytes()


def test_a_device_is_added_with_callsign_and_clearance(node: ServedNode) -> None:
    name = fresh("NAMED")
    node.device(name, "--callsign", "FALCO 9", "--clearance", "RESTRICTED")
    (row,) = [each for each in ask(node.data, "devices.devices", {}) if each["name"] == name]
    assert (row["callsign"], row["clearance"]) == ("FALCO 9", "RESTRICTED")
