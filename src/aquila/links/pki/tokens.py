"""Tokens that say something by themselves: short JSON Web Tokens (RFC 7519), signed with a key of this node.

TAK clients read them in odd ways (node-tak decodes the whole token as one base64 string): the header must be a
multiple of three bytes long, and neither header nor claims may hold an object. `{"alg":"ES256","typ":"JWT"}` is 27.
"""

from collections.abc import Mapping
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

ALGORITHM = "ES256"
Claims = Mapping[str, str | int]


def new_key() -> str:
    """A new private key, PEM."""
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()


class TokenSigner:
    """Signs and reads tokens of one node.

    Args:
        key_pem: its private key. node: its id, in every token.
    """

    def __init__(self, key_pem: str, node: str) -> None:
        key = serialization.load_pem_private_key(key_pem.encode(), None)
        assert isinstance(key, ec.EllipticCurvePrivateKey)
        self._key = key
        self._public = key.public_key()
        self._node = node

    def sign(self, audience: str, subject: str, now_ms: int, life_ms: int, claims: Claims | None = None) -> str:
        """A token. audience: what it is good for, one word, so that no token is taken for another kind."""
        now_s = now_ms // 1000
        said: dict[str, Any] = {
            **(claims or {}),
            "sub": subject,
            "aud": audience,
            "iss": self._node,
            "nbf": now_s,
            "iat": now_s,
            "exp": now_s + max(1, life_ms // 1000),
        }
        return jwt.encode(said, self._key, ALGORITHM)

    def read(self, token: str, audience: str, now_ms: int) -> dict[str, Any] | None:
        """What a token of ours says; None = not ours, of another kind, too old or too early."""
        try:
            said: dict[str, Any] = jwt.decode(
                token,
                self._public,
                algorithms=[ALGORITHM],
                audience=audience,
                issuer=self._node,
                # The clock is the node's, not the machine's: both are checked below.
                options={
                    "require": ["exp", "nbf", "sub"],
                    "verify_exp": False,
                    "verify_nbf": False,
                    "verify_iat": False,
                },
            )
        except jwt.InvalidTokenError:
            return None
        now_s = now_ms // 1000
        return said if int(said["nbf"]) <= now_s < int(said["exp"]) else None
