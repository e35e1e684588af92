"""Certificate requests of devices that keep their key to themselves (PKCS 10)."""

import binascii
from base64 import b64decode

from cryptography import x509
from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import NameOID

from aquila.core.errors import Refused
from aquila.links.pki.certificates import PublicKey

REQUEST_BYTES_MAX = 16_384
RSA_BITS = range(2048, 8192 + 1)
CURVES = ("secp256r1", "secp384r1", "secp521r1")
_PEM_BEGIN = b"-----BEGIN"
_DER_SEQUENCE = 0x30


def read_request(request: bytes, name: str) -> PublicKey | Refused:
    """The key that a request asks a certificate for, if it is made out to `name` and signed with that key.

    Args:
        request: PEM, DER, or base64 without banners.
        name: the common name it must carry, in any case.
    """
    if len(request) > REQUEST_BYTES_MAX:
        return Refused("oversize", f"request of {len(request)} bytes: at most {REQUEST_BYTES_MAX} are allowed")
    try:
        asked = _load(request)
        # Both are read lazily by the library: the key may be of a kind that it does not know.
        signed, key = asked.is_signature_valid, asked.public_key()
        names = [str(part.value) for part in asked.subject.get_attributes_for_oid(NameOID.COMMON_NAME)]
    except (ValueError, TypeError, binascii.Error, UnsupportedAlgorithm, InvalidSignature) as error:
        return Refused("syntax", f"no certificate request (PKCS 10) in PEM, DER or base64: {error}")
    if not signed:
        return Refused("signature", "the request is not signed with the key that it holds")
    if [found.casefold() for found in names] != [name.casefold()]:
        return Refused("name", f"the request is for {ascii(names)[:200]}; it must be for one name, {name!r}")
    return _judge_key(key)


def _load(request: bytes) -> x509.CertificateSigningRequest:
    if request.lstrip().startswith(_PEM_BEGIN):
        return x509.load_pem_x509_csr(request)
    if request[:1] and request[0] == _DER_SEQUENCE:
        return x509.load_der_x509_csr(request)
    return x509.load_der_x509_csr(b64decode(b"".join(request.split()), validate=True))


def _judge_key(key: object) -> PublicKey | Refused:
    if isinstance(key, rsa.RSAPublicKey):
        if key.key_size in RSA_BITS:
            return key
        return Refused("key", f"RSA key of {key.key_size} bits: allowed are 2048 to 8192")
    if isinstance(key, ec.EllipticCurvePublicKey):
        if key.curve.name in CURVES:
            return key
        return Refused("key", f"curve {key.curve.name}: allowed are {', '.join(CURVES)}")
    return Refused("key", "allowed are RSA keys and keys on the curves P-256, P-384 and P-521")
