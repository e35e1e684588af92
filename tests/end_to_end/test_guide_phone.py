"""The guide "Connect your phone", followed to the letter: from an empty folder to a position on the map."""

import base64
import re
import shlex
import ssl
import subprocess
import sys
import time
import xml.etree.ElementTree as ET
import zipfile
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from aquila.testing.served import Serve, ServedNode, run_aquila, wait_until
from aquila.testing.tak_client import fresh, position

GUIDE = Path(__file__).parents[2] / "docs" / "guide" / "connect_your_phone.md"
PEER = Path(__file__).parent / "pytak_peer.py"
PUBLIC = "localhost"


def told(beginning: str, **words: str) -> list[str]:
    """The command of the guide that begins so, with its words in capitals put in, without the program's name."""
    (line,) = set(re.findall(rf"{beginning}[^`\n]*", GUIDE.read_text(encoding="utf-8")))
    return [words.get(word, word) for word in shlex.split(line)][1:]


class Phone:
    """What a phone knows: the package that it imports and the code that it scans.

    Args:
        package: NAME-enrol-atak.zip. link: what the code says. ports: of the node of this test, by name; a real phone
            takes 8446 and 8089 for granted.
    """

    def __init__(self, package: Path, link: str, ports: dict[str, int]) -> None:
        asked = parse_qs(urlsplit(link).query)
        self.host, self.name, self.token = (asked[key][0] for key in ("host", "username", "token"))
        self.ports = ports
        with zipfile.ZipFile(package) as archive:
            manifest = ET.fromstring(archive.read("MANIFEST/manifest.xml"))
            entries = [each.get("zipEntry") or "" for each in manifest.iter("Content")]
            preferences = ET.fromstring(archive.read(next(each for each in entries if each.endswith(".pref"))))
            self.settings = {each.get("key"): each.text or "" for each in preferences.iter("entry")}
            store = archive.read(next(each for each in entries if each.endswith(".p12")))
        found = pkcs12.load_pkcs12(store, self.settings["caPassword0"].encode())
        self.trusted = "".join(
            each.certificate.public_bytes(serialization.Encoding.PEM).decode() for each in found.additional_certs
        )

    def enrol(self, folder: Path) -> dict[str, str]:
        """Key, request, certificate; gives what pytak wants to be told."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, self.name)])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, hashes.SHA256())
        url = f"https://{self.host}:{self.ports['enrol']}"
        tls = ssl.create_default_context(cadata=self.trusted)
        with httpx.Client(base_url=url, verify=tls, auth=(self.name, self.token), timeout=30) as line:
            assert line.get("/Marti/api/tls/config").status_code == 200
            answer = line.post(
                f"/Marti/api/tls/signClient/v2?clientUid=ANDROID-{self.name}&version=5.5.1.8",
                content=base64.encodebytes(asked.public_bytes(serialization.Encoding.DER)),
                headers={"Accept": "application/xml", "Content-Type": "application/octet-stream"},
            )
            assert answer.status_code == 200, answer.text
            assert line.get(f"/Marti/api/tls/profile/enrollment?clientUid=ANDROID-{self.name}").status_code in (
                200,
                204,
            )
        root = ET.fromstring(answer.content)
        signed, authorities = pem(root.findtext("signedCert") or ""), "".join(pem(each.text or "") for each in root[1:])
        private = key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        for name, content in (("own.pem", signed), ("ca.pem", authorities), ("own.key", private.decode())):
            (folder / name).write_text(content)
        return {
            "PYTAK_TLS_CLIENT_CERT": str(folder / "own.pem"),
            "PYTAK_TLS_CLIENT_KEY": str(folder / "own.key"),
            "PYTAK_TLS_CLIENT_CAFILE": str(folder / "ca.pem"),
        }


def pem(body: str) -> str:
    """A certificate as ATAK writes it down."""
    return f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n"


def started(serve: Serve, folder: Path) -> ServedNode:
    """The node of the guide's first command, on loopback."""
    words = told("aquila serve", DIR=str(folder), ADDRESS="127.0.0.1")
    assert words[:3] == ["serve", "--data", str(folder)]
    assert "--public-name ADDRESS" in GUIDE.read_text(encoding="utf-8")
    return serve(folder.name, *words[3:], "--public-name", PUBLIC)


def test_the_guide_leads_from_nothing_to_a_position_on_the_map(serve: Serve, tmp_path: Path) -> None:
    node = started(serve, tmp_path / "data")
    out = tmp_path / "FOLDER"
    invite = told("aquila device invite", DIR=str(node.data), FOLDER=str(out))
    answer = run_aquila(*invite)
    assert answer.returncode == 0, answer.stderr
    said = dict(line.split(": ", 1) for line in answer.stdout.splitlines() if ": " in line)
    waiting = node.command("doctor")
    assert "PATROL1 has not come yet" in " ".join(waiting.split())

    began = time.monotonic()
    package = out / "PATROL1-enrol-atak.zip"
    assert package.name in GUIDE.read_text(encoding="utf-8")
    phone = Phone(package, said["url"], node.ports)
    assert phone.settings["connectString0"] == f"{PUBLIC}:{node.ports['tak_tls']}:ssl"
    assert said["itak"].split(",")[1:] == [PUBLIC, str(node.ports["tak_tls"]), "ssl"]
    assert said["token"] == phone.token
    settings = phone.enrol(tmp_path)

    text = fresh("GUIDE")
    (tmp_path / "said.xml").write_bytes(position(f"ANDROID-{text}", text))
    other = node.enrolled("WATCHER")
    with node.device_client("WATCHER", other) as watcher:
        peer = subprocess.Popen(
            [
                *(sys.executable, str(PEER), f"tls://{phone.host}:{node.ports['tak_tls']}", str(tmp_path / "said.xml")),
                *("HEARD-IT", *(f"{key}={value}" for key, value in settings.items())),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        try:
            wait_until(lambda: [row for row in node.api.entities() if row["name"] == text], "it is on the map")
            sys.stdout.write(f"package and code to first position: {time.monotonic() - began:.2f} s\n")
            (row,) = [row for row in node.api.devices() if row["name"] == "PATROL1"]
            assert row["connected"] is True
            assert row["connected_since_ms"] is not None
            watcher.hear_uid(f"ANDROID-{text}")
            watcher.say(position("ANDROID-WATCHER", "HEARD-IT"))
            _, errors = peer.communicate(timeout=30)
            assert peer.returncode == 0, errors.decode()
        finally:
            if peer.poll() is None:
                peer.kill()
                peer.wait()
    # The words of the guide's table, each brought about.
    again = httpx.get(
        f"https://{PUBLIC}:{node.ports['enrol']}/Marti/api/tls/config",
        auth=("OTHER", phone.token),
        verify=ssl.create_default_context(cadata=phone.trusted),
    )
    assert again.status_code == 401
    trial = told(
        "aquila doctor --data DIR --connect",
        **{
            "DIR": str(node.data),
            "ADDRESS:8089": f"{PUBLIC}:{node.ports['tak_tls']}",
            "NAME.pem": settings["PYTAK_TLS_CLIENT_CERT"],
            "NAME.key": settings["PYTAK_TLS_CLIENT_KEY"],
        },
    )
    tried = run_aquila(*trial)
    assert "lets this client in" in " ".join(tried.stdout.split()), tried.stdout
    node.api.drop_device("PATROL1")
    wait_until(
        lambda: "revoked" in run_aquila(*trial).stdout, "the doctor says that the certificate is revoked", wait_s=30.0
    )
