"""The commands: what they refuse in one sentence, and what they promise."""

import json
import os
import pty
import re
import socket
import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import pytest

from aquila.stores.sqlite.secrets import SubjectKeys
from aquila.testing.served import AQUILA, FREE_PORTS, PORT_FLAGS, Serve, ServedNode, run_aquila, wait_until
from aquila.testing.tak_client import fresh

ROOT = Path(__file__).parents[2]
NO_PHRASE = {name: text for name, text in os.environ.items() if name != "AQUILA_BACKUP_PASSPHRASE"}


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
    first = serve("first", "--context", "EXERCISE:RESTORED")
    for number in range(20):
        first.api.write_note(text=f"note {number}")
    first.api.place_marker(name="Bridge", lat_deg=42.5, lon_deg=77.5)
    before = first.api.entries(limit=500)
    file = tmp_path / "node.backup"
    first.command("backup", str(file))
    answer = run_aquila("restore", str(file), "--data", str(tmp_path / "second"))
    assert answer.returncode == 0, answer.stderr
    # Of the same context, though nobody says so again.
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


def test_a_node_stops_though_its_clients_stay(serve: Serve) -> None:
    node = serve()
    with node.client("STOPPED") as client:
        client.report()
        node.api.write_note(text="the last word")
        node.stop()
        client.wait_closed()
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


# -- passphrases ------------------------------------------------------------------------------------------------------


def typed(lines: list[str], *words: str) -> tuple[int, str]:
    """A command at a terminal at which somebody answers each question with a line: its status, and what it said."""
    ours, theirs = pty.openpty()
    # A session of its own has no terminal but the one it is given, so that nobody else's is asked.
    asker = subprocess.Popen(
        [*AQUILA, *words],
        stdin=theirs,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env=NO_PHRASE,
        start_new_session=True,
    )
    os.close(theirs)
    late = threading.Timer(60, asker.kill)
    late.start()
    said = b""
    with asker:
        assert asker.stderr is not None
        # What is typed before the question stands there is thrown away.
        for count, line in enumerate(lines, 1):
            while said.count(b": ") < count and (more := os.read(asker.stderr.fileno(), 4096)):
                said += more
            os.write(ours, f"{line}\n".encode())
        said += asker.stderr.read()
    late.cancel()
    os.close(ours)
    return asker.returncode, said.decode()


@pytest.fixture(scope="module")
def sealed(node: ServedNode, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup with keys; its passphrase lies beside it."""
    file = tmp_path_factory.mktemp("sealed") / "node.backup"
    file.with_suffix(".phrase").write_text("five words in a file\n")
    node.command("backup", str(file), "--passphrase-file", str(file.with_suffix(".phrase")))
    return file


def test_a_restore_without_a_passphrase_says_how_to_give_one(sealed: Path, tmp_path: Path) -> None:
    words = [*AQUILA, "restore", str(sealed), "--data", str(tmp_path / "new")]
    answer = subprocess.run(
        words, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60, env=NO_PHRASE, check=False
    )
    assert answer.returncode == 1
    for way in ("--passphrase-file", "AQUILA_BACKUP_PASSPHRASE", "--no-keys"):
        assert way in answer.stderr
    assert not (tmp_path / "new").exists()


def test_a_restore_takes_the_passphrase_of_a_file(sealed: Path, tmp_path: Path) -> None:
    phrase = str(sealed.with_suffix(".phrase"))
    answer = run_aquila("restore", str(sealed), "--data", str(tmp_path / "new"), "--passphrase-file", phrase)
    assert answer.returncode == 0, answer.stderr
    assert (tmp_path / "new" / "secrets" / "ca.pem").exists()


def test_a_restore_at_a_terminal_asks_for_the_passphrase(sealed: Path, tmp_path: Path) -> None:
    status, said = typed(["five words in a file"], "restore", str(sealed), "--data", str(tmp_path / "new"))
    assert status == 0, said
    assert (tmp_path / "new" / "secrets" / "ca.pem").exists()


def test_a_restore_can_leave_the_keys_out(sealed: Path, tmp_path: Path) -> None:
    answer = run_aquila("restore", str(sealed), "--data", str(tmp_path / "new"), "--no-keys")
    assert answer.returncode == 0, answer.stderr
    assert not (tmp_path / "new" / "secrets" / "ca.pem").exists()


def test_a_short_passphrase_is_refused(node: ServedNode, tmp_path: Path) -> None:
    (tmp_path / "phrase").write_text("seven77")
    words = ("backup", str(tmp_path / "b"), "--data", str(node.data), "--passphrase-file", str(tmp_path / "phrase"))
    assert "at least 8" in refusal(*words)
    assert not (tmp_path / "b").exists()


@pytest.mark.parametrize("word", ["backup", "restore"])
def test_the_ways_to_give_a_passphrase_stand_in_the_help(word: str) -> None:
    said = re.sub(r"\x1b\[[0-9;]*m", "", run_aquila(word, "--help").stdout)
    for way in ("--passphrase-file", "AQUILA_BACKUP_PASSPHRASE", "--no-keys"):
        assert way in said


# -- where a device looks for the node --------------------------------------------------------------------------------


@pytest.mark.parametrize("word", ["add", "invite"])
def test_a_package_that_points_at_this_machine_only_is_warned_of(node: ServedNode, tmp_path: Path, word: str) -> None:
    words = ("device", word, fresh("LOOP"), "--data", str(node.data), "--out", str(tmp_path / "files"))
    said = run_aquila(*words).stderr
    assert f"127.0.0.1, port {node.ports['tak_tls']}" in said
    assert "warning: 127.0.0.1 is this machine only" in said
    assert "--host" in said
    assert "--public-name" in said


@pytest.mark.parametrize("word", ["add", "invite"])
def test_a_package_says_where_it_points(node: ServedNode, tmp_path: Path, word: str) -> None:
    words = ("device", word, fresh("FAR"), "--data", str(node.data), "--out", str(tmp_path / "files"))
    said = run_aquila(*words, "--host", "192.0.2.7").stderr
    assert "192.0.2.7, port" in said
    assert "warning" not in said


def test_a_node_on_every_address_without_a_name_is_warned_of(serve: Serve) -> None:
    assert "--public-name" in serve("all", "--host", "0.0.0.0").log.read_text()
    assert "--public-name" not in serve("named", "--host", "0.0.0.0", "--public-name", "192.0.2.7").log.read_text()


# -- what is refused, in words ----------------------------------------------------------------------------------------


def test_erasing_somebody_who_was_never_named_is_refused(serve: Serve) -> None:
    node = serve()
    assert "person:kaya" in refusal("erase", "Kaya", "--reason", "asked for", "--data", str(node.data))
    node.stop()
    keys = SubjectKeys(node.data / "secrets" / "subjects.db")
    keys.seal(("person:ann",), b"{}", bytes(16))
    keys.close()
    words = ("erase", "person:ann", "--reason", "asked for", "--data", str(node.data))
    assert "the key is gone" in run_aquila(*words).stderr
    assert "gone already" in run_aquila(*words).stderr


@pytest.mark.parametrize(
    "words",
    [
        ("token", "t"),
        ("login",),
        ("user", "add", "ann"),
        ("device", "add", "P1"),
        ("device", "list"),
        ("export",),
        ("backup", "b", "--no-keys"),
        ("erase", "person:x", "--reason", "r"),
    ],
    ids=" ".join,
)
def test_a_slip_in_the_name_of_the_folder_makes_no_node(tmp_path: Path, words: tuple[str, ...]) -> None:
    folder = tmp_path / "no-such"
    command = [*AQUILA, *words, "--data", str(folder)]
    answer = subprocess.run(command, cwd=tmp_path, input="", capture_output=True, text=True, timeout=60, check=False)
    assert answer.returncode == 1
    assert f"{folder} holds no node: start one with `aquila serve" in answer.stderr
    assert list(tmp_path.iterdir()) == []


def test_refusals_come_in_their_own_words_and_leave_the_log_quiet(serve: Serve) -> None:
    node = serve()
    data = ("--data", str(node.data))
    node.device("ONE")
    out = ("--out", str(node.data.parent / "other"))
    assert "there is a device ONE: revoke it first" in refusal("device", "add", "ONE", *out, *data)
    assert "there is no device TWO" in refusal("device", "revoke", "TWO", *data)
    assert "a/b" in refusal("device", "add", "a/b", *out, *data)
    assert "one of" in refusal("device", "invite", "TWO", "--clearance", "NONESUCH", *data)
    assert "Traceback" not in node.log.read_text()


def test_what_is_allowed_is_said_in_words(node: ServedNode, tmp_path: Path) -> None:
    data = ("--data", str(node.data))
    assert "three capital letters" in refusal("device", "add", "P9", "--nation", "it", "--out", str(tmp_path), *data)
    assert "viewer, operator or admin" in refusal("token", "t", "--role", "boss", *data)
    assert "EXERCISE:NAME" in refusal("serve", "--data", str(tmp_path / "n"), "--context", "exercise:x", *FREE_PORTS)


def test_a_password_for_a_user_who_is_there_is_said_to_be_a_new_one(node: ServedNode) -> None:
    name = fresh("ann")
    words = ("user", "add", name, "--data", str(node.data))
    (first, was_new), (second, was_there) = (typed(["long enough 1"] * 2, *words) for _ in range(2))
    assert (first, second) == (0, 0), was_new + was_there
    assert "was there already" not in was_new
    assert "was there already: password and role were changed" in was_there
    status, said = typed(["short"] * 2, *words)
    assert status == 1
    assert "10 to 200 characters" in said


def test_people_are_listed_and_removed(node: ServedNode) -> None:
    name = fresh("bea")
    data = ("--data", str(node.data))
    assert typed(["long enough 1"] * 2, "user", "add", name, "--role", "viewer", *data)[0] == 0
    (row,) = [line for line in node.command("user", "list").splitlines() if name in line]
    assert "viewer" in row
    assert "COMMON" in row
    assert f"{name} may log in no more" in run_aquila("user", "remove", name, *data).stderr
    assert name not in node.command("user", "list")
    assert f"there is no user {name}" in refusal("user", "remove", name, *data)


def test_words_that_look_like_pictures_or_colours_stay_words(node: ServedNode, tmp_path: Path) -> None:
    group = fresh(":fire:[red]")
    node.device(fresh("EMOJI"), "--group", group, "--nation", "ITA")
    assert ":fire:[red]" in "".join(node.command("device", "list").split())
    file = tmp_path / ":X:[bold].geojson"
    assert ":X:[bold].geojson" in refusal("import", str(file), "--data", str(node.data))


def test_an_export_overwrites_nothing_unless_it_is_told_to(node: ServedNode, tmp_path: Path) -> None:
    file = tmp_path / "journal.jsonl"
    file.write_text("mine")
    assert "--force" in refusal("export", "--to", str(file), "--data", str(node.data))
    assert file.read_text() == "mine"
    node.command("export", "--to", str(file), "--force")
    assert file.read_text() != "mine"


def test_doctor_says_of_a_folder_without_certificates_to_start_the_node(tmp_path: Path) -> None:
    points = tmp_path / "points.geojson"
    points.write_text('{"type": "FeatureCollection", "features": []}')
    data = ("--data", str(tmp_path / "data"))
    assert run_aquila("import", str(points), *data).returncode == 0
    assert "start the node once" in run_aquila("doctor", *data).stdout


# -- what README and dev.py promise -----------------------------------------------------------------------------------


def test_the_plain_client_of_the_readme_is_seen(node: ServedNode) -> None:
    blocks = (ROOT / "README.md").read_text(encoding="utf-8").split("```")
    script = textwrap.dedent(next(block for block in blocks if "sendall" in block)).replace(
        "8087", str(node.ports["tak"])
    )
    subprocess.run(["sh", "-c", script.replace("python3", sys.executable)], check=True, timeout=60)
    wait_until(lambda: "HELLO" in [row["name"] for row in node.api.entities()], "the node shows HELLO")


def test_dev_test_help_starts_no_test() -> None:
    words = [sys.executable, str(ROOT / "dev.py"), "test", "--help"]
    answer = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True)
    assert "dev.py test" in answer.stdout
    assert "passed," not in answer.stdout.splitlines()[-1]
