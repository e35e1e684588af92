"""The commands: what they refuse in one sentence, and what they promise."""

import json
import os
import socket
from pathlib import Path

import pytest

from aquila.testing.served import FREE_PORTS, PORT_FLAGS, Serve, ServedNode, run_aquila


def refusal(*words: str) -> str:
    """The one sentence of a command that fails."""
    answer = run_aquila(*words)
    assert answer.returncode == 1, answer.stdout + answer.stderr
    assert "Traceback" not in answer.stderr
    lines = answer.stderr.strip().splitlines()
    assert len(lines) == 1, lines
    assert lines[0].startswith("aquila: ")
    return lines[0]


def test_a_second_node_on_the_same_folder_is_refused(node: ServedNode) -> None:
    assert str(node.data) in refusal("serve", "--data", str(node.data), "--demo", "none", *FREE_PORTS)


@pytest.mark.parametrize("flag", PORT_FLAGS)
def test_a_port_in_use_is_named(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = str(holder.getsockname()[1])
        sentence = refusal("serve", "--data", str(tmp_path / "data"), "--demo", "none", *FREE_PORTS, flag, port)
    assert port in sentence


def test_an_unknown_demo_is_refused(tmp_path: Path) -> None:
    assert "no-such-demo" in refusal("serve", "--data", str(tmp_path / "data"), "--demo", "no-such-demo", *FREE_PORTS)
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_written_is_refused() -> None:
    # /proc is read-only for root as well, as no mode of a folder is.
    folder = Path("/proc/sys/aquila")
    assert str(folder) in refusal("serve", "--data", str(folder), "--demo", "none", *FREE_PORTS)


@pytest.mark.skipif(os.geteuid() == 0, reason="no mode of a folder stops root")
def test_a_folder_without_the_right_to_write_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o500)
    assert str(folder) in refusal("serve", "--data", str(folder), "--demo", "none", *FREE_PORTS)


def test_a_backup_of_a_running_node_is_restored_with_the_same_entries(serve: Serve, tmp_path: Path) -> None:
    first = serve("first")
    for number in range(20):
        first.api.write_note(text=f"note {number}")
    first.api.place_marker(name="Bridge", lat_deg=42.5, lon_deg=77.5)
    before = first.api.entries(limit=500)
    file = tmp_path / "node.backup"
    first.command("backup", str(file))
    answer = run_aquila("restore", str(file), "--data", str(tmp_path / "second"))
    assert answer.returncode == 0, answer.stderr
    second = serve("second")
    after = {row["id"]: row["body"] for row in second.api.entries(limit=500)}
    assert [row["id"] for row in before] == list(after)[: len(before)]
    assert all(after[row["id"]] == row["body"] for row in before)
    assert [row["name"] for row in second.api.entities()] == ["Bridge"]


def test_a_restore_into_a_used_folder_is_refused(node: ServedNode, tmp_path: Path) -> None:
    file = tmp_path / "node.backup"
    node.command("backup", str(file))
    assert str(node.data) in refusal("restore", str(file), "--data", str(node.data))


def test_a_recording_replays_to_the_same_hash(serve: Serve) -> None:
    node = serve("recorded", "--recording")
    with node.client("RECORDED1") as one, node.client("RECORDED2") as two:
        for step in range(20):
            one.report(lat=42 + step / 100)
            one.chat(f"step {step}")
        two.hear_text("step 19")
    node.stop()
    (recording,) = (node.data / "recordings").glob("*.rec")
    once, twice = (run_aquila("replay", str(recording)) for _ in range(2))
    assert once.returncode == 0, once.stderr
    assert len(once.stdout.strip()) == 64
    assert once.stdout == twice.stdout
    assert int(once.stderr.split(" entries")[0]) >= 20


def test_what_is_no_recording_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "wrong.rec"
    file.write_bytes(b"nothing of the kind")
    assert str(file) in refusal("replay", str(file))


def test_a_node_with_clients_stops_within_five_seconds(serve: Serve) -> None:
    node = serve()
    with node.client("STOPPED") as client:
        client.report()
        node.api.write_note(text="the last word")
        assert node.stop() < 5
        client.wait_closed(1)
    assert node.process.returncode == 0
    assert "Traceback" not in node.log.read_text()
    assert "the last word" in [(row["body"] or {}).get("text") for row in node.start().api.entries(limit=500)]


def test_doctor_finds_a_healthy_node_healthy(node: ServedNode) -> None:
    assert "bad" not in node.command("doctor")


def test_ports_json_names_every_port(node: ServedNode) -> None:
    ports = json.loads((node.data / "ports.json").read_text())
    assert set(ports) == {"http", "tak", "tak_tls", "api_tls", "enrol"}
    assert all(ports.values())


def test_a_folder_may_lie_deeper_than_the_name_of_a_socket_reaches(serve: Serve) -> None:
    node = serve("deep" * 40)
    assert node.command("login").startswith("http://localhost:")
