"""What the doctor says of the devices of a running node: each case is brought about, none is made up."""

import datetime
import re
import ssl
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aquila.app.doctor_devices import devices_of_node
from aquila.app.finding import Finding
from aquila.features.devices.invitations import PREFIX
from aquila.links.pki import Authority
from aquila.stores.sqlite.secrets import SecretStore
from aquila.testing.served import ServedNode, run_aquila, wait_until
from aquila.testing.tak_client import TakClient, device_context, fresh

DAY_MS = 86_400_000


def now_ms() -> int:
    return int(datetime.datetime.now(datetime.UTC).timestamp() * 1000)


def sentences(node: ServedNode, what: str, word: str, at_ms: int = 0, names: tuple[str, ...] = ()) -> list[Finding]:
    """Findings of a kind with this word in their sentence."""
    found = devices_of_node(node.data, at_ms or now_ms(), names)
    return [each for each in found if each.what == what and word in each.sentence]


def hello(node: ServedNode, tls: ssl.SSLContext, door: str = "tak_tls") -> None:
    """Try to come in; it may fail on either side."""
    try:
        with TakClient(node.ports[door], "NOBODY", tls=tls) as client:
            client.read(5)
    except (ssl.SSLError, OSError):
        return


def test_invitations_are_pending_then_used_or_over(node: ServedNode) -> None:
    name, late = fresh("COMING"), fresh("LATE")
    node.api.invite_device(name=name, minutes=60)
    (pending,) = sentences(node, "invitation", name)
    assert pending.grade == "good"
    assert "not come yet" in pending.sentence
    assert f"port {node.ports['enrol']} " in pending.sentence
    node.api.invite_device(name=late, minutes=1)
    shelf = SecretStore(node.data / "secrets" / "secrets.db")
    for key, kept in shelf.named(PREFIX).items():
        if kept["name"] == late:
            shelf.put(key, {**kept, "ends_ms": now_ms() - 1})
        elif kept["name"] == name:
            shelf.put(key, {**kept, "request": "0" * 64, "used_ms": now_ms()})
    shelf.close()
    (over,) = sentences(node, "invitation", late)
    assert over.grade == "warn"
    assert "invite anew" in over.sentence
    (used,) = sentences(node, "invitation", name)
    assert "used" in used.sentence


def test_a_certificate_near_its_end_is_said_and_one_that_is_over_is_bad(node: ServedNode) -> None:
    name = fresh("ENDING")
    node.enrolled(name)
    assert not sentences(node, "device", name)
    (near,) = sentences(node, "device", name, now_ms() + 340 * DAY_MS)
    assert near.grade == "warn"
    assert "was not renewed" in near.sentence
    (over,) = sentences(node, "device", name, now_ms() + 366 * DAY_MS)
    assert over.grade == "bad"


def test_a_public_name_that_the_server_certificate_lacks_is_bad(node: ServedNode) -> None:
    (lacks,) = sentences(node, "public name", "tak.example.org", names=("localhost", "tak.example.org"))
    assert lacks.grade == "bad"
    assert "--public-name tak.example.org" in lacks.sentence


def foreign(folder: Path, ca: Path) -> ssl.SSLContext:
    """The certificate of another node's authority."""
    other = Authority.create(folder / "other", "OTHER", now_ms())
    issued = other.issue_device("NOBODY", now_ms())
    assert issued.key_pem is not None
    (folder / "n.pem").write_bytes(issued.certificate_pem + other.chain_pem)
    (folder / "n.key").write_bytes(issued.key_pem)
    context = ssl.create_default_context(cafile=str(ca))
    context.load_cert_chain(folder / "n.pem", folder / "n.key")
    return context


def expired(folder: Path, secrets: Path) -> ssl.SSLContext:
    """A certificate of this node's own authority that is over."""
    pair = (secrets / "ca-intermediate.pem").read_bytes()
    issuer, issuer_key = x509.load_pem_x509_certificate(pair), serialization.load_pem_private_key(pair, None)
    assert isinstance(issuer_key, ec.EllipticCurvePrivateKey)
    key, now = ec.generate_private_key(ec.SECP256R1()), datetime.datetime.now(datetime.UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "OLD")]))
        .issuer_name(issuer.subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=3))
        .not_valid_after(now - datetime.timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
        .add_extension(
            x509.AuthorityKeyIdentifier.from_issuer_public_key(issuer_key.public_key()),
            critical=False,
        )
        .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
        .sign(issuer_key, hashes.SHA256())
    )
    (folder / "o.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    (folder / "o.key").write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    context = ssl.create_default_context(cafile=str(secrets / "ca.pem"))
    context.load_cert_chain(folder / "o.pem", folder / "o.key")
    return context


def untrusting() -> ssl.SSLContext:
    """A phone that has not imported the package: it trusts other authorities only."""
    return ssl.create_default_context()


@pytest.mark.parametrize(
    ("case", "door", "words"),
    [
        ("foreign", "tak_tls", "not trusted here"),
        ("expired", "tak_tls", "expired"),
        ("untrusting", "enrol", "does not trust"),
        ("untrusting", "tak_tls", "does not trust"),
    ],
)
def test_the_reason_of_a_refused_handshake_is_said_in_plain_words(
    node: ServedNode, tmp_path: Path, case: str, door: str, words: str
) -> None:
    secrets = node.data / "secrets"
    context = {
        "foreign": lambda: foreign(tmp_path, secrets / "ca.pem"),
        "expired": lambda: expired(tmp_path, secrets),
        "untrusting": untrusting,
    }[case]()
    hello(node, context, door)
    wait_until(lambda: sentences(node, "refused", words), f"the doctor knows of {case}")
    (found, *_) = sentences(node, "refused", words)
    assert found.grade == "warn"
    # The node chose its ports itself; one reason is journalled once a minute, so an earlier door may stand there.
    (port,) = re.findall(r"TLS on (\d+)", found.sentence)
    assert int(port) in node.ports.values()


def test_whose_device_was_revoked_is_said(node: ServedNode) -> None:
    name = fresh("GONE")
    files = node.enrolled(name)
    node.api.drop_device(name)
    hello(node, device_context(files, name))
    wait_until(
        lambda: sentences(node, "refused", "revoked") or sentences(node, "refused", name), "the doctor knows of it"
    )
    answer = run_aquila("doctor", "--data", str(node.data))
    assert "refused" in answer.stdout
    assert answer.returncode == 0, answer.stdout
