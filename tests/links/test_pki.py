"""Certificates, key stores, packages and sentences of `aquila.links.pki`, without a socket."""

import base64
import datetime
import io
import shutil
import stat
import subprocess
import time
import unicodedata
import xml.etree.ElementTree as ElementTree
import zipfile
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import pkcs12
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from hypothesis import given
from hypothesis import strategies as st

from aquila.core.errors import Refused, UsageError
from aquila.links import pki
from aquila.links.pki import Authority, Issued
from aquila.links.pki.certificates import bare_base64, fingerprint_of
from aquila.links.pki.credentials import enrolment_store, invitation_packages
from aquila.links.pki.packages import Connection

NOW_MS = int(time.time() * 1000)
DAY_MS = 86_400_000
PASSWORD = "correct7horse"
OPENSSL = shutil.which("openssl")


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    return Authority.create(tmp_path_factory.mktemp("node") / "secrets", "AQUILA", NOW_MS)


def load(issued: Issued) -> x509.Certificate:
    return x509.load_pem_x509_certificate(issued.certificate_pem)


def request_for(
    name: str, key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey | ed25519.Ed25519PrivateKey
) -> x509.CertificateSigningRequest:
    parts = [(NameOID.COMMON_NAME, name), (NameOID.ORGANIZATION_NAME, "TAK"), (NameOID.ORGANIZATIONAL_UNIT_NAME, "U")]
    subject = x509.Name([x509.NameAttribute(kind, value) for kind, value in parts])
    digest = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    return x509.CertificateSigningRequestBuilder().subject_name(subject).sign(key, digest)


# -- the authority -----------------------------------------------------------------------------------------------


def test_secrets_are_for_the_owner_only(authority: Authority) -> None:
    authority.ensure_server((), NOW_MS)
    assert stat.S_IMODE(authority.folder.stat().st_mode) == 0o700
    files = sorted(authority.folder.iterdir())
    assert [file.name for file in files] == [
        "ca-crl.pem",
        "ca-intermediate.pem",
        "ca-root.pem",
        "ca.pem",
        "server.pem",
    ]
    assert {stat.S_IMODE(file.stat().st_mode) for file in files} == {0o600}


def test_the_chain_has_what_strict_verification_wants(authority: Authority) -> None:
    for found, length in ((authority.root, 1), (authority.intermediate, 0)):
        basic = found.extensions.get_extension_for_class(x509.BasicConstraints)
        assert (basic.critical, basic.value.ca, basic.value.path_length) == (True, True, length)
        usage = found.extensions.get_extension_for_class(x509.KeyUsage).value
        assert (usage.key_cert_sign, usage.crl_sign, usage.digital_signature) == (True, True, False)
        own = found.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert own == x509.SubjectKeyIdentifier.from_public_key(found.public_key())
        above = found.extensions.get_extension_for_class(x509.AuthorityKeyIdentifier).value
        root_id = authority.root.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
        assert above.key_identifier == root_id.digest
    years = [(found.not_valid_after_utc - found.not_valid_before_utc).days // 365 for found in authority.chain]
    assert years == [5, 10]
    assert isinstance(authority.root.signature_hash_algorithm, hashes.SHA256)
    assert x509.load_pem_x509_certificates(authority.chain_pem) == [authority.intermediate, authority.root]
    assert authority.chain_path.read_bytes() == authority.chain_pem


def test_an_authority_opens_as_it_was_made(authority: Authority) -> None:
    again = Authority.open(authority.folder)
    assert again.chain == authority.chain
    assert again.issue_device("P1", NOW_MS).name == "P1"


def test_a_second_authority_in_one_folder_is_refused(authority: Authority) -> None:
    with pytest.raises(UsageError, match="holds an authority already"):
        Authority.create(authority.folder, "AQUILA", NOW_MS)


def test_a_creation_that_was_cut_off_begins_anew(tmp_path: Path) -> None:
    first = Authority.create(tmp_path, "AQUILA", NOW_MS)
    (tmp_path / "ca-root.pem").unlink()
    assert not Authority.exists(tmp_path)
    second = Authority.create(tmp_path, "AQUILA", NOW_MS)
    assert second.intermediate != first.intermediate
    assert Authority.open(tmp_path).chain == second.chain


@pytest.mark.parametrize("name", ["ca-root.pem", "ca-intermediate.pem", "ca-crl.pem"])
def test_a_damaged_or_missing_file_is_named(tmp_path: Path, name: str) -> None:
    Authority.create(tmp_path, "AQUILA", NOW_MS)
    (tmp_path / name).write_bytes(b"-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    with pytest.raises(UsageError, match=f"{name} is damaged"):
        Authority.open(tmp_path)
    (tmp_path / name).unlink()
    with pytest.raises(UsageError, match=f"{name} cannot be read"):
        Authority.open(tmp_path)


def test_a_key_that_is_not_the_certificates_is_damage(tmp_path: Path) -> None:
    ours, other = (Authority.create(tmp_path / name, "AQUILA", NOW_MS) for name in "ab")
    path = ours.folder / "ca-intermediate.pem"
    key = (other.folder / "ca-intermediate.pem").read_bytes().partition(b"-----BEGIN PRIVATE KEY-----")
    path.write_bytes(path.read_bytes().partition(key[1])[0] + key[1] + key[2])
    with pytest.raises(UsageError, match="its key is not the certificate's"):
        Authority.open(ours.folder)


def test_two_authorities_of_one_name_have_names_of_their_own(tmp_path: Path) -> None:
    subjects = {Authority.create(tmp_path / name, "AQUILA", NOW_MS).root.subject for name in "ab"}
    assert len(subjects) == 2


def test_a_clock_outside_the_authoritys_life_is_said(authority: Authority) -> None:
    for days in (-30, 6 * 365):
        with pytest.raises(UsageError, match=r"the clock says .* set the clock right"):
            authority.issue_device("P1", NOW_MS + days * DAY_MS)


def test_serials_are_long_and_differ(authority: Authority) -> None:
    serials = [authority.issue_device("P1", NOW_MS).serial for _ in range(20)]
    assert len(set(serials)) == 20
    assert {len(serial) for serial in serials} == {32}


# -- devices -----------------------------------------------------------------------------------------------------


def test_a_device_certificate_is_for_clients_and_for_its_name(authority: Authority) -> None:
    issued = authority.issue_device("PATROL1", NOW_MS, days=30)
    leaf = load(issued)
    assert leaf.subject.rfc4514_string() == "CN=PATROL1"
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.CLIENT_AUTH]
    assert not leaf.extensions.get_extension_for_class(x509.BasicConstraints).value.ca
    leaf.verify_directly_issued_by(authority.intermediate)
    assert issued.not_after_ms == (NOW_MS + 30 * DAY_MS) // 1000 * 1000
    assert f"{leaf.serial_number:032X}" == issued.serial
    # A phone whose clock is some hours behind still finds it valid.
    assert leaf.not_valid_before_utc.timestamp() * 1000 < NOW_MS - 23 * 3_600_000


def test_no_device_outlives_the_authority(authority: Authority) -> None:
    issued = authority.issue_device("P1", NOW_MS + 4 * 365 * DAY_MS, days=5 * 365)
    assert load(issued).not_valid_after_utc == authority.intermediate.not_valid_after_utc


@pytest.mark.parametrize("days", [0, -1, 1826])
def test_days_have_bounds(authority: Authority, days: int) -> None:
    with pytest.raises(UsageError, match="allowed are 1 to 1825"):
        authority.issue_device("P1", NOW_MS, days=days)


# -- names -------------------------------------------------------------------------------------------------------

GOOD_NAMES = [
    "PATROL1",
    "a",
    "\u041a\u0410\u0417-1",
    "Role 2 (hospital)",
    "Zoë",
    "x" * 64,
    "A+B@C#1_2.3",
    "नमस्ते",
    "山岳隊",
]
HOSTILE_NAMES = [
    "",
    " ",
    ".",
    "..",
    "../etc/passwd",
    "a/b",
    "a\\b",
    "a\0b",
    "a\nb",
    "a\x1b[31m",
    "-rf",
    "~root",
    "a:b",
    'a"b',
    "a'b",
    "a<b>",
    "a&b",
    "a;b",
    "$(x)",
    "a*",
    "a?",
    "[a]",
    "a|b",
    "a%00",
    "x" * 65,
    "Ж" * 33,
    "a ",
    "a.",
    "\u202eabc",
    "a\u202e.p12",
    "a\u200bb",
    "a\u2028b",
    "a\u3164",
    "a\ufe0f",
    "\ud800",
    "a\udfff",
    "ca",
    "CA",
    "truststore",
    "TrustStore",
    "a=b,CN=admin",
    "\u0301a",
]


@pytest.mark.parametrize("name", GOOD_NAMES)
def test_callsigns_of_any_script_may_be_names(authority: Authority, name: str) -> None:
    assert load(authority.issue_device(name, NOW_MS)).subject.get_attributes_for_oid(NameOID.COMMON_NAME)[
        0
    ].value == unicodedata.normalize("NFC", name)


@pytest.mark.parametrize("name", HOSTILE_NAMES, ids=ascii)
def test_hostile_names_are_refused_with_what_is_allowed(authority: Authority, name: str) -> None:
    with pytest.raises(UsageError, match="allowed are 1 to 64 bytes") as caught:
        authority.issue_device(name, NOW_MS)
    assert str(caught.value).isprintable()


@given(st.text(alphabet=st.characters(), max_size=70))
def test_a_name_is_refused_or_safe_as_a_file_and_its_own_canonical_form(name: str) -> None:
    try:
        found = pki.device_name(name)
    except UsageError:
        return
    assert pki.device_name(found) == found
    assert 1 <= len(found.encode()) <= 64
    assert Path(f"{found}.p12").name == f"{found}.p12"
    assert found.isprintable()
    assert not set(found) & set("/\\:*?\"'<>|&;$`\0=,[]")
    assert x509.NameAttribute(NameOID.COMMON_NAME, found).value == found


# -- the server --------------------------------------------------------------------------------------------------


def test_the_server_is_good_for_loopback_and_public_names(authority: Authority) -> None:
    issued = authority.issue_server(["Node.Example.ORG", "192.0.2.7", "[2001:db8::1]", "fe80::1%eth0"], NOW_MS)
    leaf = load(issued)
    names = leaf.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    assert names.get_values_for_type(x509.DNSName) == ["localhost", "node.example.org"]
    addresses = [str(address) for address in names.get_values_for_type(x509.IPAddress)]
    assert addresses == ["127.0.0.1", "::1", "192.0.2.7", "2001:db8::1", "fe80::1"]
    usage = leaf.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH]
    assert issued.name == "node.example.org"


@pytest.mark.parametrize(
    "name", ["", "a b", "*.example.org", "-a", "a..b", "1.2.3", "x" * 64, "münchen.de", "a/b", "a:1"]
)
def test_what_is_neither_host_nor_address_is_refused(authority: Authority, name: str) -> None:
    with pytest.raises(UsageError, match="neither a host name nor an address"):
        authority.issue_server([name], NOW_MS)


def test_the_server_certificate_is_made_anew_only_when_it_must(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)
    assert authority.ensure_server(["a.example"], NOW_MS)
    assert not authority.ensure_server(["A.example", "localhost"], NOW_MS)
    assert not Authority.open(tmp_path).ensure_server(["a.example"], NOW_MS + 366 * DAY_MS)
    assert authority.ensure_server(["a.example"], NOW_MS + 368 * DAY_MS)
    assert authority.ensure_server(["b.example"], NOW_MS + 368 * DAY_MS)
    assert authority.ensure_server(["b.example"], NOW_MS), "the clock went back before it was made"


def test_the_server_certificate_of_another_authority_is_replaced(tmp_path: Path) -> None:
    ours, other = (Authority.create(tmp_path / name, "AQUILA", NOW_MS) for name in "ab")
    other.ensure_server((), NOW_MS)
    shutil.copy(other.server_path, ours.server_path)
    assert ours.ensure_server((), NOW_MS)


def test_a_damaged_server_certificate_is_replaced(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)
    authority.server_path.write_bytes(b"torn")
    assert authority.ensure_server((), NOW_MS)
    assert not authority.ensure_server((), NOW_MS)


def test_near_its_end_the_authority_makes_no_server_certificate_per_start(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)
    late_ms = NOW_MS + (1826 - 10) * DAY_MS
    assert authority.ensure_server((), late_ms)
    assert not authority.ensure_server((), late_ms + DAY_MS)


def test_a_bare_server_leaf_is_verified_by_the_trust_store_alone(authority: Authority) -> None:
    leaf = load(authority.issue_server((), NOW_MS))
    at = datetime.datetime.fromtimestamp(NOW_MS / 1000, datetime.UTC)
    trusted = x509.verification.Store(x509.load_pem_x509_certificates(authority.chain_pem))
    builder = x509.verification.PolicyBuilder().store(trusted).time(at)
    assert builder.build_server_verifier(x509.DNSName("localhost")).verify(leaf, [])


# -- revocation --------------------------------------------------------------------------------------------------


def test_a_revocation_is_on_disk_and_is_found_by_any_form_of_the_serial(tmp_path: Path) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)
    gone, other, stays = (authority.issue_device("P1", NOW_MS).serial for _ in range(3))
    assert authority.revoke(gone, NOW_MS, "keyCompromise")
    assert authority.revoke(int(other, 16), NOW_MS)
    assert not authority.revoke(gone.lower(), NOW_MS + 1000), "it is revoked once"
    for reader in (authority, Authority.open(tmp_path)):
        assert reader.is_revoked(gone)
        assert reader.is_revoked(int(gone, 16))
        assert reader.is_revoked(":".join(gone[i : i + 2] for i in range(0, len(gone), 2)))
        assert not reader.is_revoked(stays)
        assert set(reader.revoked) == {gone, other}
        assert reader.revoked[gone] // 1000 == NOW_MS // 1000
    lists = authority.crl_path.read_bytes()
    assert lists.count(b"BEGIN X509 CRL") == 2, "intermediate and root"
    first = x509.load_pem_x509_crl(lists)
    assert first.is_signature_valid(authority.intermediate.public_key())  # type: ignore[arg-type]
    assert first.extensions.get_extension_for_class(x509.CRLNumber).value.crl_number == 3
    row = first.get_revoked_certificate_by_serial_number(int(gone, 16))
    assert row is not None
    assert row.extensions.get_extension_for_class(x509.CRLReason).value.reason is x509.ReasonFlags.key_compromise
    root_list = x509.load_pem_x509_crl(lists.partition(b"-----END X509 CRL-----\n")[2])
    assert root_list.is_signature_valid(authority.root.public_key())  # type: ignore[arg-type]
    assert len(root_list) == 0


@pytest.mark.parametrize("serial", ["", "xyz", "0", "-1", "F" * 41, "../..", 0, -5, 1 << 200])
def test_what_is_no_serial_is_refused(authority: Authority, serial: str | int) -> None:
    with pytest.raises(UsageError, match="hexadecimal"):
        authority.revoke(serial, NOW_MS)


def test_reasons_are_those_of_the_standard(authority: Authority) -> None:
    with pytest.raises(UsageError, match=r"allowed are .*keyCompromise"):
        authority.revoke("AB", NOW_MS, "lost in the snow")


def test_a_revocation_that_cannot_be_written_is_not_believed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    authority = Authority.create(tmp_path, "AQUILA", NOW_MS)

    def full(_handle: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(UsageError, match=r"ca-crl.pem cannot be written .No space left"):
        authority.revoke("AB", NOW_MS)
    monkeypatch.undo()
    assert not authority.is_revoked("AB")
    assert authority.revoke("AB", NOW_MS)


# -- enrolment ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("form", ["pem", "der", "base64", "base64 lines"])
def test_a_request_is_signed_in_every_form_that_clients_send(authority: Authority, form: str) -> None:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    request = request_for("patrol1", key)
    der = request.public_bytes(serialization.Encoding.DER)
    sent = {
        "pem": request.public_bytes(serialization.Encoding.PEM),
        "der": der,
        "base64": base64.b64encode(der),
        "base64 lines": base64.encodebytes(der),
    }[form]
    issued = authority.sign_request(sent, "PATROL1", NOW_MS)
    assert isinstance(issued, Issued)
    assert issued.key_pem is None
    leaf = load(issued)
    assert leaf.public_key() == key.public_key()
    assert leaf.subject.rfc4514_string() == "CN=PATROL1", "the name is the authenticated one, other parts are dropped"
    assert leaf.extensions.get_extension_for_class(x509.KeyUsage).value.key_encipherment


def test_bad_requests_are_refused_with_a_reason(authority: Authority) -> None:
    key = ec.generate_private_key(ec.SECP256R1())
    good = request_for("P1", key).public_bytes(serialization.Encoding.DER)
    forged = good[:-1] + bytes([good[-1] ^ 1])
    small = request_for("P1", rsa.generate_private_key(public_exponent=65537, key_size=1024))
    cases = {
        b"": "syntax",
        b"hello": "syntax",
        b"\x30\x82": "syntax",
        b"-----BEGIN CERTIFICATE REQUEST-----": "syntax",
        b"A" * 20_000: "oversize",
        forged: "signature",
        request_for("P2", key).public_bytes(serialization.Encoding.DER): "name",
        small.public_bytes(serialization.Encoding.DER): "key",
        request_for("P1", ec.generate_private_key(ec.SECP256K1())).public_bytes(serialization.Encoding.DER): "key",
        request_for("P1", ed25519.Ed25519PrivateKey.generate()).public_bytes(serialization.Encoding.DER): "key",
    }
    for request, reason in cases.items():
        answer = authority.sign_request(request, "P1", NOW_MS)
        assert isinstance(answer, Refused), (reason, request[:40])
        assert answer.reason == reason, answer
    assert isinstance(authority.sign_request(good, "P1", NOW_MS), Issued)


@given(st.binary(max_size=300))
def test_no_bytes_crash_the_reading_of_a_request(noise: bytes) -> None:
    from aquila.links.pki.requests import read_request

    assert isinstance(read_request(noise, "P1"), Refused)


# -- key stores and packages -------------------------------------------------------------------------------------


def test_a_device_gets_its_files_with_their_modes(authority: Authority, tmp_path: Path) -> None:
    out = tmp_path / "out"
    issued = authority.issue_device("Zoë 1", NOW_MS)
    paths = pki.write_device(out, authority, issued, host="node.example", port=8089, password=PASSWORD)
    assert {path.name: stat.S_IMODE(path.stat().st_mode) for path in paths} == {
        "Zoë 1.p12": 0o600,
        "Zoë 1.pem": 0o644,
        "Zoë 1.key": 0o600,
        "ca.pem": 0o644,
        "truststore.p12": 0o600,
        "Zoë 1-atak.zip": 0o600,
        "Zoë 1-itak.zip": 0o600,
    }
    assert sorted(path.name for path in out.iterdir()) == sorted(path.name for path in paths)
    assert stat.S_IMODE(out.stat().st_mode) == 0o700
    assert (out / "ca.pem").read_bytes() == authority.chain_pem
    assert x509.load_pem_x509_certificates((out / "Zoë 1.pem").read_bytes()) == [load(issued), *authority.chain]


def test_key_stores_hold_the_whole_chain(authority: Authority) -> None:
    issued = authority.issue_device("P1", NOW_MS)
    files = contents(authority, issued)
    store = pkcs12.load_pkcs12(files["P1.p12"], PASSWORD.encode())
    assert store.cert is not None
    assert store.cert.certificate == load(issued)
    assert store.cert.friendly_name == b"P1"
    assert store.key is not None
    assert {held.certificate for held in store.additional_certs} == set(authority.chain)
    trust = pkcs12.load_pkcs12(files["truststore.p12"], PASSWORD.encode())
    assert (trust.key, trust.cert) == (None, None)
    assert [held.certificate for held in trust.additional_certs] == list(authority.chain)
    with pytest.raises(ValueError, match=r"[Ii]nvalid password"):
        pkcs12.load_pkcs12(files["P1.p12"], b"atakatak")


@pytest.mark.skipif(OPENSSL is None, reason="openssl is not installed")
def test_key_stores_are_of_the_old_form_that_android_opens(authority: Authority, tmp_path: Path) -> None:
    assert OPENSSL is not None
    files = contents(authority, authority.issue_device("P1", NOW_MS))
    for name, keys in (("P1.p12", 1), ("truststore.p12", 0)):
        (tmp_path / name).write_bytes(files[name])
        command = [OPENSSL, "pkcs12", "-legacy", "-in", name, "-passin", f"pass:{PASSWORD}", "-nodes", "-info"]
        shown = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True, timeout=30)
        assert "MAC: sha1, Iteration 2048" in shown.stderr
        assert "pbeWithSHA1And3-KeyTripleDES-CBC" in shown.stderr
        assert "PBES2" not in shown.stderr
        assert shown.stdout.count("BEGIN PRIVATE KEY") == keys
        assert shown.stdout.count("BEGIN CERTIFICATE") == 2 + keys


def contents(authority: Authority, issued: Issued, host: str = "node.example") -> dict[str, bytes]:
    files = pki.device_files(authority, issued, host=host, port=8089, password=PASSWORD)
    return {file.name: file.content for file in files}


@pytest.mark.parametrize(("kind", "folder", "stored"), [("atak", "certs/", "cert/"), ("itak", "", "")])
def test_packages_have_the_layout_of_their_client(authority: Authority, kind: str, folder: str, stored: str) -> None:
    files = contents(authority, authority.issue_device("P1", NOW_MS))
    with zipfile.ZipFile(io.BytesIO(files[f"P1-{kind}.zip"])) as archive:
        assert archive.testzip() is None
        names = archive.namelist()
        manifest = ElementTree.fromstring(archive.read("MANIFEST/manifest.xml"))
        preferences = ElementTree.fromstring(archive.read(f"{folder}config.pref"))
        assert archive.read(f"{folder}P1.p12") == files["P1.p12"]
        assert archive.read(f"{folder}truststore.p12") == files["truststore.p12"]
    assert names == ["MANIFEST/manifest.xml", f"{folder}config.pref", f"{folder}P1.p12", f"{folder}truststore.p12"]
    assert (manifest.tag, manifest.get("version")) == ("MissionPackageManifest", "2")
    parameters = {found.get("name"): found.get("value") for found in manifest.iter("Parameter")}
    assert set(parameters) == {"uid", "name", "onReceiveDelete"}
    assert [found.get("zipEntry") for found in manifest.iter("Content")] == names[1:]
    assert {found.get("ignore") for found in manifest.iter("Content")} == {"false"}
    streams = preferences.find("preference[@name='cot_streams']")
    assert streams is not None
    entries = {entry.get("key"): entry.text for entry in streams}
    assert {key: value for key, value in entries.items() if (key and key[-1].isdigit()) or key == "count"} == {
        "count": "1",
        "description0": authority.intermediate.subject.rfc4514_string().removeprefix("CN=").removesuffix(" CA"),
        "enabled0": "true",
        "connectString0": "node.example:8089:ssl",
        "useAuth0": "false",
        "caLocation0": f"{stored}truststore.p12",
        "caPassword0": PASSWORD,
        "certificateLocation0": f"{stored}P1.p12",
        "clientPassword0": PASSWORD,
    }
    defaults = {entry.get("key"): entry.text for entry in preferences.iter("entry")}
    assert defaults["certificateLocation"] == f"{stored}P1.p12"
    assert (preferences.find("preference[@name='com.atakmap.app_preferences']") is not None) == (kind == "itak")


@pytest.mark.parametrize(("kind", "folder", "stored"), [("atak", "certs/", "cert/"), ("itak", "", "")])
def test_an_invitation_brings_trust_and_address_but_no_key(
    authority: Authority, kind: str, folder: str, stored: str
) -> None:
    packages = invitation_packages(authority, name="P1", host="node.example", port=8089, uid="u1")
    with zipfile.ZipFile(io.BytesIO(getattr(packages, kind))) as archive:
        assert archive.namelist() == ["MANIFEST/manifest.xml", f"{folder}config.pref", f"{folder}truststore.p12"]
        preferences = ElementTree.fromstring(archive.read(f"{folder}config.pref"))
        store = pkcs12.load_pkcs12(archive.read(f"{folder}truststore.p12"), packages.password.encode())
    assert store.key is None
    assert {found.certificate for found in store.additional_certs} == set(authority.chain)
    entries = {entry.get("key"): (entry.get("class"), entry.text) for entry in preferences.iter("entry")}
    assert entries["connectString0"][1] == "node.example:8089:ssl"
    assert entries["caLocation0"][1] == f"{stored}truststore.p12"
    assert entries["caPassword0"][1] == packages.password
    for key in ("enrollForCertificateWithTrust0", "useAuth0"):
        assert entries[key] == ("class java.lang.Boolean", "true")
    assert not any("ertificateLocation" in str(key) or "clientPassword" in str(key) for key in entries)


@pytest.mark.parametrize(("host", "port"), [("::1", 8089), ("not a host", 8089), ("node.example", 0)])
def test_an_address_that_may_not_stand_in_an_invitation_is_refused(authority: Authority, host: str, port: int) -> None:
    with pytest.raises(UsageError):
        invitation_packages(authority, name="P1", host=host, port=port, uid="u1")


def test_the_older_form_of_enrolment_is_a_store_without_a_key(authority: Authority) -> None:
    issued = authority.issue_device("P1", NOW_MS)
    found = pkcs12.load_pkcs12(enrolment_store(authority, issued.certificate_pem, "atakatak"), b"atakatak")
    assert found.key is None
    assert {each.friendly_name: each.certificate for each in found.additional_certs} == {
        b"signedCert": load(issued),
        b"ca0": authority.intermediate,
        b"ca1": authority.root,
    }


def test_a_certificate_is_named_by_its_fingerprint_and_written_without_banners(authority: Authority) -> None:
    issued = authority.issue_device("P1", NOW_MS)
    assert fingerprint_of(issued.certificate_pem) == load(issued).fingerprint(hashes.SHA256()).hex(":").upper()
    body = bare_base64(issued.certificate_pem)
    assert "\n" not in body
    assert x509.load_der_x509_certificate(base64.b64decode(body)) == load(issued)
    with pytest.raises(ValueError, match="PEM"):
        bare_base64(b"no certificate")


def test_packages_are_the_same_bytes_for_the_same_contents() -> None:
    connection = Connection(
        name="P1", host="node.example", port=8089, password='a<&>"b', description="A & B", uid="aquila-1"
    )
    for make in (pki.atak_package, pki.itak_package):
        first = make(connection, b"key", b"trust")
        assert make(connection, b"key", b"trust") == first
        with zipfile.ZipFile(io.BytesIO(first)) as archive:
            assert {entry.date_time for entry in archive.infolist()} == {(1980, 1, 1, 0, 0, 0)}
            assert {entry.compress_type for entry in archive.infolist()} == {zipfile.ZIP_STORED}
            name = next(found for found in archive.namelist() if found.endswith("config.pref"))
            entries = {entry.get("key"): entry.text for entry in ElementTree.fromstring(archive.read(name)).iter()}
        assert entries["clientPassword0"] == 'a<&>"b'
        assert entries["description0"] == "A & B"


@pytest.mark.parametrize(
    ("host", "port", "password", "wrong"),
    [
        ("2001:db8::1", 8089, PASSWORD, "give a host name or an IPv4 address"),
        ("a b", 8089, PASSWORD, "neither a host name"),
        ("node.example:8089:ssl", 8089, PASSWORD, "neither a host name"),
        ("node.example", 0, PASSWORD, "allowed are 1 to 65535"),
        ("node.example", 8089, "", "allowed are 4 to 64"),
        ("node.example", 8089, "with space", "allowed are 4 to 64"),
        ("node.example", 8089, "pässword", "allowed are 4 to 64"),
    ],
)
def test_what_cannot_stand_in_a_package_is_refused(
    authority: Authority, host: str, port: int, password: str, wrong: str
) -> None:
    issued = authority.issue_device("P1", NOW_MS)
    with pytest.raises(UsageError, match=wrong):
        pki.device_files(authority, issued, host=host, port=port, password=password)


def test_a_certificate_without_its_key_makes_no_key_store(authority: Authority) -> None:
    request = request_for("P1", ec.generate_private_key(ec.SECP256R1()))
    issued = authority.sign_request(request.public_bytes(serialization.Encoding.PEM), "P1", NOW_MS)
    assert isinstance(issued, Issued)
    with pytest.raises(UsageError, match="the key of P1 is on the device"):
        contents(authority, issued)


def test_passwords_are_random_and_easy_to_read_aloud() -> None:
    made = {pki.new_password() for _ in range(100)}
    assert len(made) == 100
    assert all(len(password) == 16 and password.isalnum() and not set(password) & set("lo01") for password in made)
    assert pki.new_password(lambda count: bytes(range(count))) == "abcdefghijkmnpqr"


# -- sentences ---------------------------------------------------------------------------------------------------


def test_a_certificate_is_described_by_the_first_thing_that_is_wrong(tmp_path: Path) -> None:
    long_ago_ms = NOW_MS - 400 * DAY_MS
    authority, other = (Authority.create(tmp_path / name, "AQUILA", long_ago_ms) for name in "ab")
    chain = authority.chain_pem
    revoked = authority.issue_device("P1", NOW_MS)
    authority.revoke(revoked.serial, NOW_MS)
    server = authority.issue_server(["node.example"], NOW_MS)

    def grade(issued: Issued, **more: object) -> tuple[str, str]:
        found = pki.describe(issued.certificate_pem, chain, NOW_MS, **more)  # type: ignore[arg-type]
        assert found.sentence.isprintable()
        return found.grade, found.reason

    assert grade(authority.issue_device("P1", NOW_MS)) == ("good", "good")
    assert grade(authority.issue_device("P1", NOW_MS, days=20)) == ("warn", "expiring")
    assert grade(authority.issue_device("P1", long_ago_ms)) == ("bad", "expired")
    assert grade(authority.issue_device("P1", NOW_MS + 3 * DAY_MS)) == ("bad", "future")
    assert grade(other.issue_device("P1", NOW_MS)) == ("bad", "issuer")
    assert grade(revoked, is_revoked=authority.is_revoked) == ("bad", "revoked")
    assert grade(server) == ("bad", "usage")
    assert grade(server, purpose="server", host="node.example") == ("good", "good")
    assert grade(server, purpose="server", host="127.0.0.1") == ("good", "good")
    assert grade(server, purpose="server", host="other.example") == ("bad", "host")
    assert pki.describe(chain, chain, NOW_MS).reason == "ca"
    assert pki.describe(b"hello", chain, NOW_MS).reason == "syntax"
    future = pki.describe(authority.issue_device("P1", NOW_MS + 3 * DAY_MS).certificate_pem, chain, NOW_MS)
    assert "clock" in future.sentence
