"""Enrolment: by script, exactly as ATAK (tak.md 7.1) and node-tak (7.3) do it, up to the first position."""

import base64
import io
import json
import re
import ssl
import sys
import time
import warnings
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import NameOID

from aquila.client import NodeError
from aquila.stores.sqlite.secrets import SecretStore
from aquila.testing.served import Serve, ServedNode, wait_until
from aquila.testing.tak_client import TakClient, device_context, fresh, position

from .conftest import door

CONFIG = "/Marti/api/tls/config"
SIGN = "/Marti/api/tls/signClient/v2"
PASSWORD = "long enough for all"


class Phone:
    """A key, and what is asked and got with it.

    Attributes:
        name: CN of its requests. files: folder with its certificate, once it has one.
    """

    def __init__(self, name: str, folder: Path, *, bits: int = 2048) -> None:
        self.name = name
        self.files = folder / f"{name[:20]}-{fresh('key')}"
        self.files.mkdir()
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=bits)

    def csr(self, entries: dict[str, str] | None = None, name: str | None = None) -> bytes:
        """PKCS 10, DER: CN first, then the name entries of tls/config."""
        kinds = {"O": NameOID.ORGANIZATION_NAME, "OU": NameOID.ORGANIZATIONAL_UNIT_NAME}
        parts = [(NameOID.COMMON_NAME, self.name if name is None else name)]
        parts += [(kinds[each], value) for each, value in (entries or {}).items()]
        with warnings.catch_warnings():
            # Names that are too long are what some tests are about.
            warnings.simplefilter("ignore")
            subject = x509.Name([x509.NameAttribute(kind, value, _validate=False) for kind, value in parts])
        asked = x509.CertificateSigningRequestBuilder().subject_name(subject).sign(self.key, hashes.SHA256())
        return asked.public_bytes(serialization.Encoding.DER)

    def atak_body(self, entries: dict[str, str] | None = None, name: str | None = None) -> bytes:
        """As ATAK sends it: base64 without banners, in lines."""
        return base64.encodebytes(self.csr(entries, name))

    def keep(self, certificate: str, authorities: list[str]) -> "Phone":
        """Write down what was got (base64 bodies); gives itself."""
        pems = [f"-----BEGIN CERTIFICATE-----\n{each}\n-----END CERTIFICATE-----\n" for each in authorities]
        leaf = f"-----BEGIN CERTIFICATE-----\n{certificate}\n-----END CERTIFICATE-----\n"
        (self.files / "ca.pem").write_text("".join(pems))
        (self.files / "own.pem").write_text(leaf)
        self.leaf = x509.load_pem_x509_certificate(leaf.encode())
        key = self.key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        (self.files / "own.key").write_bytes(key)
        return self

    @property
    def tls(self) -> ssl.SSLContext:
        """Trusts only what the enrolment brought, and shows the certificate."""
        context = ssl.create_default_context(cafile=str(self.files / "ca.pem"))
        context.load_cert_chain(self.files / "own.pem", self.files / "own.key")
        return context

    def connect(self, node: ServedNode) -> TakClient:
        """The stream."""
        return TakClient(node.ports["tak_tls"], self.name, tls=self.tls)


@pytest.fixture(scope="module")
def trusting(node: ServedNode, tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    """TLS that trusts the node and shows nothing, as a phone has it from the invitation's package."""
    made = invite(node, fresh("TRUST"))
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(made["package_atak"]))) as package:
        store = package.read("certs/truststore.p12")
    found = pkcs12.load_pkcs12(store, made["password"].encode())
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    pems = [each.certificate.public_bytes(serialization.Encoding.PEM).decode() for each in found.additional_certs]
    assert len(pems) == 2, "the whole chain: ATAK looks at the server's leaf without our intermediate (T2)"
    context.load_verify_locations(cadata="".join(pems))
    return context


@pytest.fixture(scope="module")
def enrol(node: ServedNode, trusting: ssl.SSLContext) -> Iterator[httpx.Client]:
    """Port 8446."""
    with door(node, "enrol", trusting) as client:
        yield client


def invite(node: ServedNode, name: str, **fields: Any) -> dict[str, Any]:
    """An invitation by the API."""
    made: dict[str, Any] = node.api.invite_device(name=name, **fields)
    return made


def entries_of(answer: httpx.Response) -> dict[str, str]:
    """The name entries of tls/config, read as ATAK reads them: by local names."""
    root = ET.fromstring(answer.content)
    assert root.tag.rpartition("}")[2] == "certificateConfig"
    (entries,) = [child for child in root if child.tag.rpartition("}")[2] == "nameEntries"]
    return {entry.attrib["name"]: entry.attrib["value"] for entry in entries}


def sign_as_atak(client: httpx.Client, phone: Phone, auth: tuple[str, str], body: bytes | None = None) -> Any:
    """Step 2 of ATAK's enrolment."""
    return client.post(
        f"{SIGN}?clientUid=ANDROID-{phone.name[:20]}&version=5.5.1.8",
        content=phone.atak_body() if body is None else body,
        headers={"Accept": "application/xml", "Content-Type": "application/octet-stream"},
        auth=auth,
    )


def take(phone: Phone, answer: httpx.Response) -> Phone:
    """Read the answer as ATAK does: one signedCert, every other child an authority, no text between elements."""
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/xml"
    assert not re.search(r">\s+<", answer.text.partition("?>")[2]), "white space ends ATAK's core (T4)"
    root = ET.fromstring(answer.content)
    assert root.tag == "enrollment"
    signed = [child.text or "" for child in root if child.tag == "signedCert"]
    assert len(signed) == 1
    return phone.keep(signed[0], [child.text or "" for child in root if child.tag != "signedCert"])


def said(node: ServedNode, action: str, name: str) -> list[dict[str, str]]:
    """Details of acts in the journal about a device."""
    rows = node.api.entries(kind="act", newest=True, limit=200)
    acts = [row["body"] for row in rows]
    return [act["detail"] for act in acts if act["action"] == action and act["target"] == f"device:{name}"]


@pytest.mark.row("GET /Marti/api/tls/config", client="ATAK 5.5")
@pytest.mark.row("POST /Marti/api/tls/signClient/v2", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/api/tls/profile/enrollment", client="ATAK 5.5")
def test_atak_enrols_with_an_invitation_and_says_where_it_is(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("PATROL")
    made = invite(node, name, nation="ITA", groups_in=["COMMON"], callsign="FALCO 7")
    link = urlsplit(made["url"])
    asked = parse_qs(link.query)
    assert (link.scheme, link.netloc, link.path) == ("tak", "com.atakmap.app", "/enroll")
    assert set(asked) == {"host", "username", "token"}
    began = time.monotonic()
    auth = (asked["username"][0], asked["token"][0])
    config = enrol.get(CONFIG, auth=auth)
    assert config.status_code == 200
    entries = entries_of(config)
    assert {"O", "OU"} <= set(entries)
    phone = Phone(name, tmp_path)
    take(phone, sign_as_atak(enrol, phone, auth, phone.atak_body(entries)))
    profile = enrol.get(f"/Marti/api/tls/profile/enrollment?clientUid=ANDROID-{name}", auth=auth)
    assert profile.status_code in (200, 204)
    with phone.connect(node) as client:
        client.say(position(client.uid, "FALCO 7"))
        wait_until(lambda: [row for row in node.api.entities() if row["name"] == "FALCO 7"], "it is on the map")
    sys.stdout.write(f"enrolment to first position: {time.monotonic() - began:.2f} s\n")
    assert phone.leaf.subject.rfc4514_string() == f"CN={name}"
    (added,) = said(node, "device.add", name)
    assert (added["nation"], added["callsign"], added["groups_in"]) == ("ITA", "FALCO 7", "COMMON")
    assert made["token"] not in json.dumps(node.api.entries(kind="act", newest=True, limit=500))


@pytest.mark.row("GET /Marti/api/tls/config", client="node-tak")
@pytest.mark.row("POST /Marti/api/tls/signClient/v2", client="node-tak")
@pytest.mark.row("POST /oauth/token", client="node-tak")
def test_node_tak_enrols_a_person_beside_his_phone(node: ServedNode, enrol: httpx.Client, tmp_path: Path) -> None:
    name = fresh("anna")
    node.api.make_user(name=name, password=PASSWORD, role="operator")
    phone = Phone(name, tmp_path)
    take(phone, sign_as_atak(enrol, phone, (name, PASSWORD)))
    login = enrol.post("/oauth/token", params={"grant_type": "password", "username": name, "password": PASSWORD})
    bearer = {"Authorization": f"Bearer {login.json()['access_token']}"}
    config = enrol.get(CONFIG, headers=bearer)
    assert re.search(r"<ns2:certificateConfig[ >]", config.text), "node-tak looks for the name as it is written"
    desk = Phone(name, tmp_path)
    pem = x509.load_der_x509_csr(desk.csr(entries_of(config))).public_bytes(serialization.Encoding.PEM)
    answer = enrol.post(
        SIGN,
        params={"clientUid": f"{name} (ETL)", "version": "3"},
        content=pem,
        headers={"Accept": "application/json"},
        auth=(name, PASSWORD),
    )
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "application/json"
    body = answer.json()
    assert set(body) == {"signedCert", "ca0", "ca1"}
    desk.keep(body["signedCert"], [body["ca0"]])
    with desk.connect(node) as one, phone.connect(node) as other:
        one.say(position(one.uid, name))
        other.hear_uid(one.uid)
    (row,) = [row for row in node.api.devices() if row["name"] == name]
    assert row["person"] == name
    assert len(row["serials"]) == 2


@pytest.mark.row("POST /Marti/api/tls/signClient", client="older clients")
def test_the_older_form_answers_a_key_store(node: ServedNode, enrol: httpx.Client, tmp_path: Path) -> None:
    name = fresh("OLD")
    made = invite(node, name)
    phone = Phone(name, tmp_path)
    answer = enrol.post("/Marti/api/tls/signClient", content=phone.atak_body(), auth=(name, made["token"]))
    assert answer.status_code == 200
    found = pkcs12.load_pkcs12(answer.content, b"atakatak")
    names = {each.friendly_name: each.certificate for each in found.additional_certs}
    assert set(names) == {b"signedCert", b"ca0", b"ca1"}
    assert names[b"signedCert"].public_key() == phone.key.public_key()


# -- tokens -----------------------------------------------------------------------------------------------------------


def test_a_token_gives_one_certificate_and_the_same_again_for_the_same_request(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("TWICE")
    auth = (name, invite(node, name)["token"])
    phone, thief = Phone(name, tmp_path), Phone(name, tmp_path)
    body = phone.atak_body()
    first, again = sign_as_atak(enrol, phone, auth, body), sign_as_atak(enrol, phone, auth, body)
    assert first.status_code == 200
    assert first.content == again.content
    stolen = sign_as_atak(enrol, thief, auth)
    assert stolen.status_code == 401
    assert "used" in stolen.json()["message"]
    assert enrol.get("/Marti/api/tls/profile/enrollment?clientUid=X", auth=auth).status_code in (200, 204)
    assert len(said(node, "device.add", name)) == 1
    wait_until(lambda: said(node, "device.refuse", name), "the refusal is in the journal")
    assert said(node, "device.refuse", name)[0]["reason"] == "used"


@pytest.mark.parametrize("user", ["another", "", "x" * 10_000, "x" * 50_000])
def test_a_token_is_good_for_its_own_name_only(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path, user: str
) -> None:
    name = fresh("OWN")
    token = invite(node, name)["token"]
    answer = sign_as_atak(enrol, Phone(name, tmp_path), (user, token))
    # A head of such a size may be refused before anybody looks into it.
    assert answer.status_code in ((400, 401) if len(user) > 40_000 else (401,))
    assert token not in answer.text


@pytest.mark.parametrize(
    ("wrong", "status", "reason"),
    [
        ("another name", 403, "identity"),
        ("a long name", 400, "request"),
        ("a weak key", 400, "request"),
        ("garbage", 400, "request"),
        ("nothing", 400, "request"),
        ("a forged signature", 400, "request"),
        ("too much", 400, "request"),
    ],
)
def test_a_bad_request_is_refused_with_its_reason_and_the_token_stays_good(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path, wrong: str, status: int, reason: str
) -> None:
    name = fresh("BAD")
    auth = (name, invite(node, name)["token"])
    phone = Phone(name, tmp_path)
    der = phone.csr()
    bodies = {
        "another name": lambda: phone.atak_body(name="operator"),
        "a long name": lambda: phone.atak_body(name="x" * 50_000),
        "a weak key": lambda: Phone(name, tmp_path, bits=1024).atak_body(),
        "garbage": lambda: b"\x00\xff<not a request>",
        "nothing": lambda: b"",
        "a forged signature": lambda: base64.encodebytes(der[:-1] + bytes([der[-1] ^ 1])),
        "too much": lambda: b"A" * 200_000,
    }
    answer = sign_as_atak(enrol, phone, auth, bodies[wrong]())
    assert answer.status_code == status, answer.text
    assert answer.json()["message"]
    wait_until(lambda: said(node, "device.refuse", name), "the refusal is in the journal")
    assert said(node, "device.refuse", name)[0]["reason"] == reason
    take(phone, sign_as_atak(enrol, phone, auth, base64.b64encode(der)))


def test_a_token_that_is_over_and_a_strange_one_say_the_same(
    node: ServedNode, enrol: httpx.Client, serve: Serve, tmp_path: Path
) -> None:
    name = fresh("LATE")
    late = serve("late")
    token = late.api.invite_device(name=name, minutes=1)["token"]
    late.stop()
    # The store of the node that stands still: its token is over a minute ago.
    shelf = SecretStore(late.data / "secrets" / "secrets.db")
    for key, kept in shelf.named("invitation/").items():
        shelf.put(key, {**kept, "ends_ms": int(time.time() * 1000) - 1})
    shelf.close()
    late.start()
    context = ssl.create_default_context(cafile=str(late.data / "secrets" / "ca.pem"))
    with door(late, "enrol", context) as client:
        over = client.get(CONFIG, auth=(name, token))
        strange = client.get(CONFIG, auth=(name, "notatoken"))
    assert over.status_code == strange.status_code == 401
    assert over.json() == strange.json()


def test_an_invitation_opens_nothing_but_its_enrolment(node: ServedNode, enrol: httpx.Client) -> None:
    name = fresh("ONLY")
    auth = (name, invite(node, name)["token"])
    for path in ("/Marti/api/groups/all", "/Marti/api/clientEndPoints", "/Marti/api/certadmin/cert"):
        assert enrol.get(path, auth=auth).status_code == 403, path
    assert enrol.get(CONFIG).status_code == 401


def test_a_wrong_host_header_is_refused(enrol: httpx.Client, node: ServedNode) -> None:
    name = fresh("HOST")
    answer = enrol.get(CONFIG, auth=(name, invite(node, name)["token"]), headers={"Host": "evil.example"})
    assert answer.status_code == 421


def test_a_name_that_is_there_is_taken(node: ServedNode, enrol: httpx.Client, tmp_path: Path) -> None:
    name = fresh("TAKEN")
    one, other = invite(node, name), invite(node, name)
    phone = Phone(name, tmp_path)
    assert sign_as_atak(enrol, phone, (name, one["token"])).status_code == 401, "the second takes the first back"
    take(phone, sign_as_atak(enrol, phone, (name, other["token"])))
    with pytest.raises(NodeError) as refused:
        invite(node, name)
    assert refused.value.status == 409


def test_a_name_that_was_taken_since_the_invitation_is_taken(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("SINCE")
    token = invite(node, name)["token"]
    node.command("device", "add", name, "--out", str(tmp_path / "files"))
    assert sign_as_atak(enrol, Phone(name, tmp_path), (name, token)).status_code == 409


def test_who_is_no_device_of_his_own_enrols_nothing(node: ServedNode, enrol: httpx.Client, tmp_path: Path) -> None:
    name = fresh("carl")
    node.api.make_user(name=name, password=PASSWORD, role="operator")
    bearer = {"Authorization": f"Bearer {node.token}"}
    answer = enrol.post(SIGN, content=Phone(name, tmp_path).atak_body(), headers=bearer)
    assert answer.status_code == 403
    node.api.add_device(name=name)
    assert sign_as_atak(enrol, Phone(name, tmp_path), (name, PASSWORD)).status_code == 409


# -- renewal and leaving ----------------------------------------------------------------------------------------------


def test_a_device_renews_and_the_old_certificate_ends_when_the_new_one_is_used(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("RENEW")
    old = Phone(name, tmp_path)
    take(old, sign_as_atak(enrol, old, (name, invite(node, name)["token"])))
    new = Phone(name, tmp_path)
    with door(node, "api_tls", old.tls) as client:
        answer = client.post(SIGN, content=new.atak_body(), headers={"Accept": "application/json"})
        assert answer.status_code == 200, answer.text
        body = answer.json()
        assert client.post(SIGN, content=Phone(name, tmp_path).atak_body(name="operator")).status_code == 403
    new.keep(body["signedCert"], [body["ca0"], body["ca1"]])
    assert len(said(node, "device.renew", name)) == 1
    with door(node, "api_tls", old.tls) as client:
        assert client.get("/Marti/api/groups/all").status_code == 200, "the answer may have been lost"
    with old.connect(node) as before, new.connect(node) as client:
        client.report()
        wait_until(lambda: said(node, "device.switch", name), "the first use is in the journal")
        before.wait_closed(10)
    with door(node, "api_tls", old.tls) as client:
        try:
            assert client.get("/Marti/api/groups/all").status_code == 403
        except httpx.TransportError:
            pass  # the revocation list was loaded already

    def on_list() -> bool:
        lists = httpx.get(f"{node.url}ca-crl.pem").content
        revoked = x509.load_pem_x509_crl(lists).get_revoked_certificate_by_serial_number(old.leaf.serial_number)
        return revoked is not None

    wait_until(on_list, "what was replaced is on the revocation list that the node serves")
    (row,) = [row for row in node.api.devices() if row["name"] == name]
    assert row["serials"] == [row["serial"]]


def test_the_device_of_an_administrator_administers_nothing(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("chief")
    node.api.make_user(name=name, password=PASSWORD, role="admin")
    phone = Phone(name, tmp_path)
    take(phone, sign_as_atak(enrol, phone, (name, PASSWORD)))
    with door(node, "api_tls", phone.tls) as client:
        assert client.get("/Marti/api/groups/all").status_code == 200
        # Least privilege: a phone is lost more easily than a password. With the password it goes.
        assert client.get("/Marti/api/certadmin/cert").status_code == 403
    assert enrol.get("/Marti/api/certadmin/cert", auth=(name, PASSWORD)).status_code == 200
    wait_until(lambda: [each for each in said(node, "device.refuse", name) if each["reason"] == "role"], "it is noted")


def test_a_person_who_is_removed_takes_his_device_with_him(
    node: ServedNode, enrol: httpx.Client, tmp_path: Path
) -> None:
    name = fresh("dora")
    node.api.make_user(name=name, password=PASSWORD, role="operator")
    phone = Phone(name, tmp_path)
    take(phone, sign_as_atak(enrol, phone, (name, PASSWORD)))
    with phone.connect(node) as client:
        client.report()
        node.api.drop_user(name)
        client.wait_closed(10)
    assert name not in [row["name"] for row in node.api.devices()]


# -- what the invitation brings, and profiles -------------------------------------------------------------------------


def test_the_packages_bring_address_and_trust_but_no_key(node: ServedNode) -> None:
    name = fresh("PACK")
    made = invite(node, name)
    host, port = "127.0.0.1", node.ports["tak_tls"]
    assert made["itak"].split(",")[1:] == [host, str(port), "ssl"]
    form = json.loads(made["registration"])
    assert form["serverCredentials"]["connectionString"] == f"{host}:{port}:ssl"
    assert (form["userCredentials"]["username"], form["userCredentials"]["password"]) == (name, made["token"])
    assert set(made["qr"].values()) == {made["url"], made["itak"], made["registration"]}
    for kind, folder in (("atak", "certs/"), ("itak", "")):
        with zipfile.ZipFile(io.BytesIO(base64.b64decode(made[f"package_{kind}"]))) as package:
            assert set(package.namelist()) == {
                "MANIFEST/manifest.xml",
                f"{folder}config.pref",
                f"{folder}truststore.p12",
            }
            preferences = ET.fromstring(package.read(f"{folder}config.pref"))
        entries = {entry.get("key"): entry.text for entry in preferences.iter("entry")}
        assert entries["enrollForCertificateWithTrust0"] == entries["useAuth0"] == "true"
        assert entries["connectString0"] == f"{host}:{port}:ssl"
        assert "certificateLocation0" not in entries
        assert made["token"] not in json.dumps(entries)


@pytest.mark.row("GET /Marti/api/device/profile/connection", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/api/device/profile/tool/{tool}", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/api/tls/profile/tool/{tool}/file", client="ATAK 5.5")
@pytest.mark.row("GET /Marti/api/device/profile/tool/{tool}/file", client="ATAK 5.5")
def test_profiles_reach_their_groups_on_their_occasion(serve: Serve) -> None:
    node = serve("profiles")
    name, other = "P1", "P2"
    files, other_files = node.enrolled(name), node.enrolled(other, groups_in=["ELSEWHERE"])
    with door(node, "api_tls", device_context(files, name)) as phone:
        answer = phone.post("/Marti/sync/upload", params={"name": "region.xml"}, content=b"<region/>")
        digest = answer.json()["Hash"]
    preference = {"key": "locationTeam", "value": "Dark Blue & <Red>"}
    node.api.add_profile(name="all", occasions=["connection", "enrolment"], preferences=[preference])
    file = {"path": "maps/region.xml", "sha256": digest}
    node.api.add_profile(name="maps", occasions=["tool"], tool="maps", files=[file])
    with door(node, "api_tls", device_context(files, name)) as phone:
        answer = phone.get("/Marti/api/device/profile/connection?syncSecago=3600&clientUid=A")
        assert answer.status_code == 200
        with zipfile.ZipFile(io.BytesIO(answer.content)) as package:
            manifest = ET.fromstring(package.read("MANIFEST/manifest.xml"))
            (entry,) = [each.get("zipEntry") or "" for each in manifest.iter("Content")]
            assert "Dark Blue &amp; &lt;Red&gt;" in package.read(entry).decode()
        seen = {"If-Modified-Since": answer.headers["last-modified"]}
        assert phone.get("/Marti/api/device/profile/connection", headers=seen).status_code == 304
        tool = phone.get("/Marti/api/device/profile/tool/maps?clientUid=A")
        with zipfile.ZipFile(io.BytesIO(tool.content)) as package:
            assert package.read("maps/region.xml") == b"<region/>"
        assert phone.get("/Marti/api/device/profile/tool/other?clientUid=A").status_code == 204
        for kind in ("device", "tls"):
            one = phone.get(f"/Marti/api/{kind}/profile/tool/maps/file?relativePath=/maps/region.xml&clientUid=A")
            assert one.content == b"<region/>"
        assert phone.get("/Marti/api/device/profile/tool/%2e%2e").status_code == 400
    with door(node, "api_tls", device_context(other_files, other)) as phone:
        assert phone.get("/Marti/api/device/profile/connection?clientUid=A").status_code == 204
    node.api.drop_profile("all")
    with door(node, "api_tls", device_context(files, name)) as phone:
        assert phone.get("/Marti/api/device/profile/connection").status_code == 204


@pytest.mark.parametrize(
    "wrong",
    [
        {"files": [{"path": "../up", "sha256": "0" * 64}]},
        {"files": [{"path": "/etc/passwd", "sha256": "0" * 64}]},
        {"files": [{"path": "MANIFEST/manifest.xml", "sha256": "0" * 64}]},
        {"files": [{"path": "a", "sha256": "0" * 64}]},
        {"occasions": ["tool"]},
        {"groups": ["NOT MINE"]},
        {"preferences": [{"key": '"><x', "value": ""}]},
    ],
)
def test_a_profile_that_may_not_be_is_refused(node: ServedNode, wrong: dict[str, Any]) -> None:
    with pytest.raises(NodeError) as refused:
        node.api.add_profile(**({"name": "bad", "occasions": ["connection"]} | wrong))
    assert refused.value.status in (400, 403, 404, 422)
