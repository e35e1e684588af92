"""What the doctor finds, each from its real cause where a test can bring that about, and what it tells people to do."""

import json
import os
import re
import resource
import shutil
import socket
import sqlite3
import subprocess
import time
from collections import namedtuple
from collections.abc import Callable, Iterator
from pathlib import Path

import msgspec
import pytest

from aquila.app import doctor
from aquila.app.clockwork import Clockwork, real_clockwork
from aquila.app.doctor import FILES_WANTED, examine
from aquila.app.engine import open_engine
from aquila.app.finding import DIAGNOSED, SAYINGS, Finding
from aquila.config import Settings
from aquila.core.model import LOG_ROOM, REAL, Note
from aquila.core.policy import Policy
from aquila.links.pki import Authority, Issued, describe_authority
from aquila.testing.served import AQUILA, Serve, ServedNode, run_aquila, wait_until
from aquila.testing.tak_client import fresh

DAY_MS = 86_400_000
NOW_MS = int(time.time() * 1000)
TEXTS = Path(__file__).parents[2] / "web" / "src" / "upkeep" / "texts" / "en.json"


def found(findings: list[Finding], what: str) -> list[Finding]:
    return [finding for finding in findings if finding.what == what]


def the(findings: list[Finding], what: str) -> Finding:
    (one,) = found(findings, what)
    return one


def advises(finding: Finding, grade: str, *words: str) -> None:
    """The grade, and every word in a sentence of one line."""
    assert finding.grade == grade, finding
    assert finding.sentence.isprintable()
    for word in words:
        assert word in finding.sentence, finding


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder that a node has used, with an authority that is 400 days old and a new server certificate."""
    folder = tmp_path / "data"
    make_journal(folder, real_clockwork())
    Authority.create(folder / "secrets", "AQUILA", NOW_MS - 400 * DAY_MS).ensure_server((), NOW_MS)
    return folder


def make_journal(folder: Path, clockwork: Clockwork) -> None:
    """What a node leaves that ran once by this clock and wrote one line."""
    engine = open_engine(
        folder,
        name="AQUILA",
        context=REAL,
        policy=Policy(),
        features=(),
        clockwork=clockwork,
        deliver=lambda call: call(),
    )
    try:
        body = Note(room=LOG_ROOM, text="a line", happened_at_ms=clockwork.clock_ms())
        engine.say(body)
    finally:
        engine.close()


@pytest.fixture(autouse=True)
def _no_default_ports(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else runs on this machine has no say here."""
    take_ports(monkeypatch)


def take_ports(monkeypatch: pytest.MonkeyPatch, **ports: int) -> None:
    """Let the node's default ports be these; 0 = nothing answers there."""
    none = {"http_port": 0, "tak_port": 0, "tak_tls_port": 0, "api_tls_port": 0, "enrol_port": 0}
    monkeypatch.setattr(doctor, "Settings", lambda: Settings(**(none | ports)))


# -- machine ----------------------------------------------------------------------------------------------------------


def test_a_sound_folder_has_nothing_bad_and_the_status_says_so(data: Path) -> None:
    assert {finding.grade for finding in examine(data)} <= {"good", "warn"}
    answer = run_aquila("doctor", "--data", str(data))
    assert (answer.returncode, answer.stderr) == (0, "")
    assert "bad" not in answer.stdout.split()


def test_a_folder_that_is_not_there_is_made_by_serve(tmp_path: Path) -> None:
    advises(the(examine(tmp_path / "none"), "data folder"), "bad", str(tmp_path / "none"), "aquila serve --data")
    answer = run_aquila("doctor", "--data", str(tmp_path / "none"))
    assert answer.returncode == 1
    assert "Traceback" not in answer.stderr


def test_a_folder_of_something_else_is_named(tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("hello")
    advises(the(examine(tmp_path), "data folder"), "bad", "journal.db", "no data folder")


@pytest.mark.skipif(os.geteuid() == 0, reason="no mode of a folder stops root")
def test_a_folder_that_may_not_be_written_is_said(data: Path) -> None:
    data.chmod(0o500)
    try:
        advises(the(examine(data), "data folder"), "bad", "owner or mount")
    finally:
        data.chmod(0o700)


def test_a_port_in_use_is_named_with_the_flag_that_chooses_another(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        take_ports(monkeypatch, tak_tls_port=port)
        findings = examine(data)
    advises(the(findings, "port tak_tls"), "warn", str(port), "another program", "--tak-tls-port")
    assert [finding.what for finding in findings if finding.what.startswith("port")] == ["port tak_tls"]


def test_a_clock_before_this_program_existed_is_wrong(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    clockwork = msgspec.structs.replace(real_clockwork(), clock_ms=lambda: 1_500_000_000_000)
    monkeypatch.setattr(doctor, "real_clockwork", lambda: clockwork)
    findings = examine(data)
    assert [finding.grade for finding in found(findings, "clock")] == ["bad", "warn"]
    advises(found(findings, "clock")[0], "bad", "set it")
    # Every certificate looks unborn then, and the reason that is given is the clock, too.
    advises(the(findings, "server certificate"), "bad", "clock of this machine", "set it")


def test_a_clock_that_went_back_is_seen_by_the_journal(tmp_path: Path) -> None:
    ahead = real_clockwork()
    clockwork = msgspec.structs.replace(ahead, clock_ms=lambda: ahead.clock_ms() + 7_200_000)
    make_journal(tmp_path / "data", clockwork)
    good, back = found(examine(tmp_path / "data"), "clock")
    assert good.grade == "good"
    advises(back, "warn", "s ahead", "went back", "set it")


@pytest.mark.parametrize(
    ("free", "grade", "word"),
    [(2 << 30, "good", "free"), (500 << 20, "warn", "free some space"), (10 << 20, "bad", "refused")],
)
def test_a_disk_that_is_nearly_full_is_said(
    data: Path, monkeypatch: pytest.MonkeyPatch, free: int, grade: str, word: str
) -> None:
    usage = namedtuple("usage", "total used free")  # as shutil gives it
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(1 << 40, (1 << 40) - free, free))
    advises(the(examine(data), "disk"), grade, str(free >> 20), word)


def test_a_file_limit_that_is_too_low_is_said_with_its_command(data: Path) -> None:
    command = ["sh", "-c", 'ulimit -n 256 && exec "$@"', "sh", *AQUILA, "doctor", "--data", str(data)]
    answer = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert "may open 256 files" in answer.stdout
    assert f"`ulimit -Hn` to {FILES_WANTED}" in answer.stdout
    assert answer.returncode == 0


def test_a_file_limit_that_is_high_enough_is_good(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for hard in (FILES_WANTED, resource.RLIM_INFINITY):
        monkeypatch.setattr(resource, "getrlimit", lambda _, hard=hard: (256, hard))
        assert the(examine(data), "file limit").grade == "good"


# -- journal ----------------------------------------------------------------------------------------------------------


def test_a_damaged_database_is_to_be_restored(data: Path) -> None:
    path = data / "journal.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:4096] + b"\xff" * (len(whole) - 4096))
    advises(the(examine(data), "journal"), "bad", str(path), "restore a backup")


def test_a_line_that_was_changed_breaks_the_chain(data: Path) -> None:
    advises(the(examine(data), "journal"), "good", "the chain is whole")
    connection = sqlite3.connect(data / "journal.db")
    connection.execute("UPDATE entry SET body = x'00' WHERE body IS NOT NULL")
    connection.commit()
    connection.close()
    advises(the(examine(data), "journal"), "bad", "do not fit the chain", "restore a backup")


# -- certificates -----------------------------------------------------------------------------------------------------


def write(issued: Issued, folder: Path) -> tuple[Path, Path]:
    """Certificate and key as files."""
    assert issued.key_pem is not None
    certificate, key = folder / "client.pem", folder / "client.key"
    certificate.write_bytes(issued.certificate_pem)
    key.write_bytes(issued.key_pem)
    return certificate, key


def stranger(_: Authority, folder: Path) -> Issued:
    return Authority.create(folder / "other", "OTHER", NOW_MS).issue_device("P1", NOW_MS)


def expired(authority: Authority, _: Path) -> Issued:
    return authority.issue_device("P1", NOW_MS - 399 * DAY_MS)


def revoked(authority: Authority, _: Path) -> Issued:
    issued = authority.issue_device("P1", NOW_MS)
    authority.revoke(issued.serial, NOW_MS)
    return issued


def unborn(authority: Authority, _: Path) -> Issued:
    return authority.issue_device("P1", NOW_MS + 3 * DAY_MS)


def ending(authority: Authority, _: Path) -> Issued:
    return authority.issue_device("P1", NOW_MS, days=10)


def good(authority: Authority, _: Path) -> Issued:
    return authority.issue_device("P1", NOW_MS)


Make = Callable[[Authority, Path], Issued]
CERTIFICATES = [
    (good, "good", ("is good until",)),
    (ending, "warn", ("ends in 9 days", "aquila device add")),
    (expired, "bad", ("ended at", "aquila device add", "set the clock")),
    (unborn, "bad", ("is valid from", "clock", "set it")),
    (revoked, "bad", ("is revoked", "aquila device add")),
    (stranger, "bad", ("another node", "aquila device add")),
]


@pytest.mark.parametrize(("make", "grade", "words"), CERTIFICATES, ids=[row[0].__name__ for row in CERTIFICATES])
def test_what_is_wrong_with_a_devices_certificate_is_said(
    data: Path, tmp_path: Path, make: Make, grade: str, words: tuple[str, ...]
) -> None:
    certificate, _ = write(make(Authority.open(data / "secrets"), tmp_path), tmp_path)
    advises(the(examine(data, certificate=certificate), "certificate"), grade, *words)


def test_the_status_is_bad_when_a_certificate_is(data: Path, tmp_path: Path) -> None:
    certificate, _ = write(revoked(Authority.open(data / "secrets"), tmp_path), tmp_path)
    answer = run_aquila("doctor", "--data", str(data), "--certificate", str(certificate))
    assert answer.returncode == 1
    assert "is revoked" in answer.stdout
    assert answer.stderr == ""


def test_a_certificate_file_that_is_none_or_not_there_is_named(data: Path, tmp_path: Path) -> None:
    absent = tmp_path / "absent.pem"
    advises(the(examine(data, certificate=absent), "certificate"), "bad", str(absent), "name a readable file")
    absent.write_text("hello")
    advises(the(examine(data, certificate=absent), "certificate"), "bad", "no certificate in PEM", "device add")


@pytest.mark.parametrize(("age_days", "grade", "words"), [(380, "warn", "ends in"), (399, "bad", "ended at")])
def test_a_server_certificate_that_ends_is_made_anew_by_a_restart(
    tmp_path: Path, age_days: int, grade: str, words: str
) -> None:
    folder = tmp_path / "data"
    make_journal(folder, real_clockwork())
    born_ms = NOW_MS - age_days * DAY_MS
    Authority.create(folder / "secrets", "AQUILA", born_ms).ensure_server((), born_ms)
    finding = the(examine(folder), "server certificate")
    advises(finding, grade, words, "start it again")
    assert "device add" not in finding.sentence
    # And so it is.
    assert Authority.open(folder / "secrets").ensure_server((), NOW_MS)
    assert the(examine(folder), "server certificate").grade == "good"


def test_an_authority_that_nears_its_end_is_said_in_time(tmp_path: Path) -> None:
    chain = Authority.create(tmp_path / "secrets", "AQUILA", NOW_MS).chain_pem
    for days, grade, word in (
        (0, "good", "until"),
        (1_500, "warn", "new data folder"),
        (1_900, "bad", "new data folder"),
    ):
        diagnosis = describe_authority(chain, NOW_MS + days * DAY_MS)
        assert diagnosis.grade == grade
        assert word in diagnosis.sentence


@pytest.mark.parametrize("name", ["ca.pem", "ca-crl.pem", "ca-root.pem"])
def test_a_damaged_file_of_the_authority_is_named_and_ends_nothing(data: Path, tmp_path: Path, name: str) -> None:
    certificate, _ = write(good(Authority.open(data / "secrets"), tmp_path), tmp_path)
    (data / "secrets" / name).write_text("rust")
    finding = the(examine(data, certificate=certificate), "certificate")
    advises(finding, "bad", name, "restore it from a backup")


def test_secrets_that_cannot_be_read_are_named(data: Path) -> None:
    (data / "secrets" / "ca.pem").unlink()
    advises(the(examine(data), "authority"), "bad", "ca.pem", "run as the node's user")


# -- handshakes -------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def old_node(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ServedNode]:
    """A node whose authority is 400 days old, so that certificates of it may have expired."""
    folder = tmp_path_factory.mktemp("old") / "data"
    make_journal(folder, real_clockwork())
    Authority.create(folder / "secrets", "AQUILA", NOW_MS - 400 * DAY_MS)
    served = ServedNode(folder)
    try:
        yield served.start()
    finally:
        served.stop()


def handshake(node: ServedNode, files: tuple[Path, Path] | None, port: str = "tak_tls") -> Finding:
    certificate, key = files or (None, None)
    address = f"localhost:{node.ports[port]}"
    return the(examine(node.data, certificate=certificate, connect=address, key=key), "handshake")


def test_a_device_that_is_let_in_is_good(old_node: ServedNode) -> None:
    name = fresh("DOCTOR")
    files = old_node.device(name, "--group", "COMMON")
    advises(
        handshake(old_node, (files / f"{name}.pem", files / f"{name}.key")), "good", "lets this client in", "TLSv1.3"
    )


def test_who_shows_no_certificate_is_told_so(old_node: ServedNode) -> None:
    advises(handshake(old_node, None), "bad", "none was shown", ".pem and .key")


REFUSALS = [
    (stranger, ("different nodes or data folders", "import both anew")),
    (expired, ("expired", "compare the clocks", "aquila device add")),
    (unborn, ("not valid yet", "compare the clocks")),
    (good, ("knows no such device", "aquila device list")),  # of this authority, but never added to the node
]


@pytest.mark.parametrize(("make", "words"), REFUSALS, ids=["stranger", "expired", "unborn", "unknown"])
def test_why_a_handshake_fails_is_said(
    old_node: ServedNode, tmp_path: Path, make: Make, words: tuple[str, ...]
) -> None:
    files = write(make(Authority.open(old_node.data / "secrets"), tmp_path), tmp_path)
    advises(handshake(old_node, files), "bad", *words)


def test_a_revoked_device_is_told_so_by_the_handshake(old_node: ServedNode) -> None:
    name = fresh("DOCTOR")
    files = old_node.device(name, "--group", "COMMON")
    old_node.command("device", "revoke", name)
    shown = files / f"{name}.pem", files / f"{name}.key"
    # Until the ports have loaded the list anew, the node hangs up without that word.
    wait_until(lambda: "is revoked" in handshake(old_node, shown).sentence, "the ports know the revocation")
    advises(handshake(old_node, shown), "bad", "is revoked", "aquila device add")
    findings = examine(old_node.data, certificate=shown[0])
    advises(the(findings, "certificate"), "bad", "is revoked")
    assert {finding.grade for finding in findings if finding.what.startswith("port ")} == {"good"}


def test_a_certificate_without_its_key_cannot_be_tried(old_node: ServedNode, tmp_path: Path) -> None:
    certificate, _ = write(good(Authority.open(old_node.data / "secrets"), tmp_path), tmp_path)
    address = f"127.0.0.1:{old_node.ports['tak_tls']}"
    found = the(examine(old_node.data, certificate=certificate, connect=address), "handshake")
    advises(found, "bad", certificate.name, "give --key FILE")


def test_ports_are_knocked_at_where_they_are_open(serve: Serve) -> None:
    node = serve("elsewhere", "--host", "127.0.0.2")
    found = {each.what: each for each in examine(node.data) if each.what.startswith("port ")}
    assert {each.grade for each in found.values()} == {"good"}
    assert "on 127.0.0.2" in found["port tak_tls"].sentence
    assert "on 127.0.0.1" in found["port http"].sentence


def test_a_key_of_another_certificate_is_said(old_node: ServedNode, tmp_path: Path) -> None:
    authority = Authority.open(old_node.data / "secrets")
    certificate, _ = write(good(authority, tmp_path), tmp_path)
    (tmp_path / "other").mkdir()
    _, key = write(good(authority, tmp_path), tmp_path / "other")
    advises(handshake(old_node, (certificate, key)), "bad", "the .pem and the .key of one device")


def test_a_port_without_tls_or_without_a_listener_is_said(old_node: ServedNode) -> None:
    advises(handshake(old_node, None, "tak"), "bad", "does not speak TLS", "8089")
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        address = f"127.0.0.1:{unused.getsockname()[1]}"
        advises(the(examine(old_node.data, connect=address), "handshake"), "bad", "nothing listens", "check the port")


def test_an_https_port_that_waits_for_the_client_is_good(old_node: ServedNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(doctor, "CONNECT_S", 1.0)
    advises(handshake(old_node, None, "enrol"), "good", "waits for it to speak")


@pytest.mark.parametrize("connect", ["8089", ":8089", "localhost:", "localhost:99999", "localhost:tak", "a..b:8089"])
def test_what_is_no_address_is_said(data: Path, connect: str) -> None:
    assert the(examine(data, connect=connect), "handshake").grade == "bad"
    advises(the(examine(data, connect=connect), "handshake"), "bad", connect)


def test_the_page_has_a_text_for_every_code_and_says_the_same_in_english() -> None:
    page = json.loads(TEXTS.read_text(encoding="utf-8"))["upkeep"]["finding"]
    judged = {f"{kind}_{reason}" for kind, reasons in DIAGNOSED.items() for reason in reasons}
    assert set(page) == {*SAYINGS, *judged}
    assert {code: page[code] for code in SAYINGS} == SAYINGS


def test_whatever_a_running_node_finds_about_itself_can_be_said_in_every_language(old_node: ServedNode) -> None:
    page = json.loads(TEXTS.read_text(encoding="utf-8"))["upkeep"]
    findings = examine(old_node.data)
    assert {"clock", "journal", "port http", "authority", "server certificate"} <= {each.what for each in findings}
    for each in findings:
        assert page["finding"][each.code].format_map(each.values)
        assert each.what.startswith("port ") or each.what.replace(" ", "_") in page["what"]


def test_a_finding_is_one_line_whatever_it_quotes(data: Path) -> None:
    """Neither a narrow screen nor brackets, which the terminal library reads as markup, change it."""
    answer = run_aquila("doctor", "--data", str(data), "--connect", "[/bold]:tak")
    assert answer.returncode == 1
    assert answer.stdout.splitlines()[-1].startswith(" bad handshake: [/bold]:tak: HOST:PORT is needed")
    assert all(re.match(r"(good|warn| bad) [\w ]+: ", line) for line in answer.stdout.splitlines())


def test_the_status_of_a_failed_handshake_is_bad(old_node: ServedNode) -> None:
    answer = run_aquila("doctor", "--data", str(old_node.data), "--connect", f"localhost:{old_node.ports['tak_tls']}")
    assert answer.returncode == 1
    assert "none was shown" in answer.stdout
