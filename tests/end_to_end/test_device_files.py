"""What `aquila device add` writes is all that a client needs: opened, compared, and used to connect."""

import io
import ssl
import stat
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.serialization import pkcs12

from aquila.testing.served import ServedNode, run_aquila
from aquila.testing.tak_client import TakClient, fresh

PEM = serialization.Encoding.PEM


class Added:
    """A device as the command made it: its folder, and the password that was said."""

    def __init__(self, node: ServedNode, folder: Path) -> None:
        self.name = fresh("PHONE")
        self.folder = folder
        words = ("device", "add", self.name, "--group", "COMMON", "--out", str(folder), "--data", str(node.data))
        answer: subprocess.CompletedProcess[str] = run_aquila(*words)
        assert answer.returncode == 0, answer.stderr
        self.password = answer.stderr.partition("password of the .p12 files: ")[2].strip()

    def read(self, name: str) -> bytes:
        return (self.folder / name).read_bytes()

    def package(self, kind: str) -> Path:
        return self.folder / f"{self.name}-{kind}.zip"


@pytest.fixture(scope="module")
def added(node: ServedNode, tmp_path_factory: pytest.TempPathFactory) -> Added:
    return Added(node, tmp_path_factory.mktemp("phone") / "files")


def test_whatever_holds_a_key_or_a_password_is_for_the_owner_only(added: Added) -> None:
    readable = {path.name for path in added.folder.iterdir() if stat.S_IMODE(path.stat().st_mode) & 0o077}
    assert readable == {"ca.pem", f"{added.name}.pem"}


def test_the_key_store_holds_key_chain_and_name_and_they_let_a_client_in(
    node: ServedNode, added: Added, tmp_path: Path
) -> None:
    store = pkcs12.load_pkcs12(added.read(f"{added.name}.p12"), added.password.encode())
    assert store.key is not None
    assert store.cert is not None
    leaf, *issuers = x509.load_pem_x509_certificates(added.read(f"{added.name}.pem"))
    assert store.cert.certificate == leaf
    assert store.cert.friendly_name == added.name.encode()
    assert {held.certificate for held in store.additional_certs} == set(issuers)
    key = store.key.private_bytes(PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    assert key == added.read(f"{added.name}.key")
    # Nothing but what came out of the two stores is used from here on; T2: the trust store alone must do.
    trust = pkcs12.load_pkcs12(added.read("truststore.p12"), added.password.encode())
    (tmp_path / "in.pem").write_bytes(store.cert.certificate.public_bytes(PEM) + key)
    context = ssl.create_default_context(
        cadata=b"".join(held.certificate.public_bytes(PEM) for held in trust.additional_certs).decode()
    )
    context.load_cert_chain(tmp_path / "in.pem")
    with (
        TakClient(node.ports["tak_tls"], added.name, tls=context) as client,
        node.client(fresh("WITNESS")) as witness,
    ):
        client.report()
        witness.hear_uid(client.uid)


@pytest.mark.parametrize("form", ["p12", "pem"])
def test_pytak_connects_with_the_files_of_a_device(
    node: ServedNode, added: Added, run_pytak: Callable[..., None], form: str
) -> None:
    settings = [f"PYTAK_TLS_CLIENT_CAFILE={added.folder / 'ca.pem'}"]
    settings += [f"PYTAK_TLS_CLIENT_CERT={added.folder / f'{added.name}.{form}'}"]
    if form == "p12":
        settings += [f"PYTAK_TLS_CLIENT_PASSWORD={added.password}"]
    else:
        settings += [f"PYTAK_TLS_CLIENT_KEY={added.folder / f'{added.name}.key'}"]
    run_pytak(f"tls://127.0.0.1:{node.ports['tak_tls']}", *settings)


@pytest.mark.parametrize("kind", ["atak", "itak"])
def test_pytak_connects_with_nothing_but_the_data_package(
    added: Added, run_pytak: Callable[..., None], kind: str
) -> None:
    run_pytak(str(added.package(kind)))


def test_the_atak_package_names_this_node_and_opens_what_lies_inside(node: ServedNode, added: Added) -> None:
    with zipfile.ZipFile(io.BytesIO(added.package("atak").read_bytes())) as archive:
        assert archive.testzip() is None
        manifest = ET.fromstring(archive.read("MANIFEST/manifest.xml"))
        listed = {found.get("zipEntry", "") for found in manifest.iter("Content")}
        assert listed == set(archive.namelist()) - {"MANIFEST/manifest.xml"}
        (preferences,) = (name for name in listed if name.endswith(".pref"))
        said = {entry.get("key"): entry.text or "" for entry in ET.fromstring(archive.read(preferences)).iter("entry")}
        stores = {
            place: pkcs12.load_pkcs12(
                # ATAK moves certs/NAME of a package to cert/NAME, and that is where the preferences point.
                archive.read("certs/" + said[place].removeprefix("cert/")),
                said[password].encode(),
            )
            for place, password in (("caLocation0", "caPassword0"), ("certificateLocation0", "clientPassword0"))
        }
    assert said["connectString0"] == f"127.0.0.1:{node.ports['tak_tls']}:ssl"
    assert (said["count"], said["enabled0"]) == ("1", "true")
    assert stores["certificateLocation0"].key is not None
    chain = x509.load_pem_x509_certificates(added.read("ca.pem"))
    assert [held.certificate for held in stores["caLocation0"].additional_certs] == chain
    assert chain[-1].subject == chain[-1].issuer
