"""An OpenID provider in a process of its own: `python oidc_provider.py SETTINGS`; Authlib's server side does the work.

SETTINGS is JSON and is read for every request: `client`, `secret`, `persons` (name -> claims), `fault`: what is to be
wrong with the id tokens. It lets in whoever posts a name to the authorization endpoint. It prints its port.
"""

import base64
import hmac
import json
import os
import sys
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from authlib.oauth2 import AuthorizationServer, OAuth2Request
from authlib.oauth2.rfc6749.errors import OAuth2Error
from authlib.oauth2.rfc6749.grants import AuthorizationCodeGrant
from authlib.oauth2.rfc6749.requests import BasicOAuth2Payload
from authlib.oauth2.rfc6750 import BearerTokenGenerator
from authlib.oauth2.rfc7636 import CodeChallenge
from authlib.oidc.core import UserInfo
from authlib.oidc.core.grants import OpenIDCode
from joserfc import jwk, jws, jwt

KEY = jwk.RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"})
CURVE = jwk.ECKey.generate_key("P-256", {"kid": "two", "use": "sig", "alg": "ES256"})
STRANGER = jwk.RSAKey.generate_key(2048, {"kid": "one"})


class Asked(OAuth2Request):
    def __init__(self, method: str, uri: str, headers: dict[str, str], form: dict[str, str]) -> None:
        super().__init__(method, uri, headers=headers)
        self._args, self._form = dict(parse_qsl(urlsplit(uri).query)), form
        self.payload = BasicOAuth2Payload({**self._args, **form})

    @property
    def args(self) -> dict[str, str]:
        return self._args

    @property
    def form(self) -> dict[str, str]:
        return self._form


class Client:
    def __init__(self, name: str, secret: str) -> None:
        self.name, self.secret = name, secret
        self.id_token_signed_response_alg = "RS256"

    def get_client_id(self) -> str:
        return self.name

    def get_default_redirect_uri(self) -> None:
        return None

    def get_allowed_scope(self, scope: str) -> str:
        return scope

    def check_redirect_uri(self, uri: str) -> bool:
        return urlsplit(uri).path == "/login/oidc/callback"

    def check_client_secret(self, secret: str) -> bool:
        return secret == self.secret

    def check_endpoint_auth_method(self, method: str, endpoint: str) -> bool:
        return method == ("client_secret_basic" if self.secret else "none")

    def check_response_type(self, kind: str) -> bool:
        return kind == "code"

    def check_grant_type(self, kind: str) -> bool:
        return kind == "authorization_code"


class Code(SimpleNamespace):
    def get_redirect_uri(self) -> str:
        return str(self.redirect_uri)

    def get_scope(self) -> str:
        return str(self.scope)

    def get_nonce(self) -> str:
        return str(self.nonce)

    def get_auth_time(self) -> int:
        return int(time.time())

    def get_acr(self) -> None:
        return None

    def get_amr(self) -> None:
        return None


class Grant(AuthorizationCodeGrant):
    TOKEN_ENDPOINT_AUTH_METHODS = ("client_secret_basic", "none")
    codes: dict[str, Code] = {}  # noqa: RUF012  # of this process

    def save_authorization_code(self, code: str, request: Asked) -> None:
        said = request.payload.data
        self.codes[code] = Code(**{**said, "person": request.user})

    def query_authorization_code(self, code: str, client: Client) -> Code | None:
        return self.codes.get(code)

    def delete_authorization_code(self, code: Code) -> None:
        self.codes.clear()

    def authenticate_user(self, code: Code) -> Any:
        return code.person


class Tokens(OpenIDCode):
    def __init__(self, provider: "Provider") -> None:
        super().__init__(require_nonce=True)
        self.provider = provider

    def exists_nonce(self, nonce: str, request: Asked) -> bool:
        return False

    def resolve_client_private_key(self, client: Client) -> Any:
        return KEY

    def get_encode_header(self, client: Client) -> dict[str, str]:
        return {"alg": "RS256", "kid": "one"}

    def get_client_claims(self, client: Client) -> dict[str, Any]:
        return {"iss": self.provider.issuer, "aud": [client.name], "exp": int(time.time()) + 300}

    def generate_user_info(self, user: dict[str, Any], scope: str) -> UserInfo:
        return UserInfo(**user)

    def process_token(self, grant: Any, response: Any) -> Any:
        token = super().process_token(grant, response)
        if (fault := self.provider.settings["fault"]) is not None:
            token["id_token"] = spoiled(token["id_token"], fault)
        return token


def spoiled(token: str, fault: str) -> str:
    """The same token with one thing wrong, or one thing else that is right."""
    claims = jwt.decode(token, KEY).claims
    now_s = int(time.time())
    claims |= {
        "nonce": {"nonce": "another"},
        "expired": {"exp": now_s - 3600, "iat": now_s - 7200},
        "too early": {"iat": now_s + 3600, "exp": now_s + 7200},
        "audience": {"aud": "somebody-else"},
        "party": {"azp": "somebody-else"},
        "issuer": {"iss": "https://other.example"},
    }.get(fault, {})
    if fault == "alg none":
        return jws.serialize_compact({"alg": "none"}, json.dumps(claims), KEY, algorithms=["none"])
    if fault == "public key as secret":
        # Written out: no library makes such a token any more.
        parts = [json.dumps({"alg": "HS256", "kid": "one"}).encode(), json.dumps(claims).encode()]
        signed = b".".join(_base64url(part) for part in parts)
        digest = hmac.digest(KEY.as_pem(private=False), signed, "sha256")
        return (signed + b"." + _base64url(digest)).decode()
    if fault == "forged":
        return jwt.encode({"alg": "RS256", "kid": "one"}, claims, STRANGER)
    if fault == "unknown key":
        return jwt.encode({"alg": "RS256", "kid": "three"}, claims, STRANGER)
    if fault == "PS256":
        plain = {name: value for name, value in KEY.as_dict(private=True).items() if name not in {"alg", "use"}}
        return jwt.encode({"alg": "PS256", "kid": "one"}, claims, jwk.RSAKey.import_key(plain), algorithms=["PS256"])
    if fault == "no fault: ES256":
        return jwt.encode({"alg": "ES256", "kid": "two"}, claims, CURVE)
    return jwt.encode({"alg": "RS256", "kid": "one"}, claims, KEY)


def _base64url(data: bytes) -> bytes:
    return base64.urlsafe_b64encode(data).rstrip(b"=")


class Provider(AuthorizationServer):
    def __init__(self, path: Path) -> None:
        super().__init__()
        self.path, self.issuer = path, ""
        self.register_token_generator("default", BearerTokenGenerator(lambda *_, **__: os.urandom(16).hex()))
        self.register_grant(Grant, [CodeChallenge(required=True), Tokens(self)])

    @property
    def settings(self) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.path.read_text())
        return found

    def query_client(self, name: str) -> Client | None:
        known = self.settings
        return Client(name, known["secret"]) if name == known["client"] else None

    def save_token(self, token: Any, request: Any) -> None:
        """Nobody asks for it again."""

    def send_signal(self, name: str, *more: Any, **words: Any) -> None:
        """Nobody listens."""

    def create_oauth2_request(self, request: Asked) -> Asked:
        return request

    def handle_response(self, status: int, body: Any, headers: list[tuple[str, str]]) -> Any:
        return status, body, headers


class Page(BaseHTTPRequestHandler):
    provider: Provider

    def do_GET(self) -> None:
        issuer, path = self.provider.issuer, urlsplit(self.path).path
        if path == "/.well-known/openid-configuration":
            self.answer(200, {
                "issuer": self.provider.settings.get("calls_itself", issuer),
                "authorization_endpoint": f"{issuer}/authorize",
                "token_endpoint": f"{issuer}/token",
                "jwks_uri": f"{issuer}/moved" if self.provider.settings["fault"] == "moved" else f"{issuer}/keys",
            })  # fmt: skip
        elif path == "/keys":
            self.answer(200, {"keys": [key.as_dict(private=False) for key in (KEY, CURVE)]})
        elif path == "/moved":
            self.answer(302, "", [("Location", f"{issuer}/keys")])
        else:
            self.answer(404, {})

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length", 0))
        form = dict(parse_qsl(self.rfile.read(size).decode()))
        asked = Asked("POST", self.provider.issuer + self.path, dict(self.headers), form)
        if urlsplit(self.path).path == "/token":
            self.answer(*self.provider.create_token_response(asked))
            return
        person = self.provider.settings["persons"].get(form.get("person", ""))
        asked.user = person
        try:
            grant = self.provider.get_consent_grant(asked, person)
        except OAuth2Error as wrong:
            self.answer(400, {"error": wrong.error, "error_description": wrong.description})
        else:
            self.answer(*self.provider.create_authorization_response(asked, person, grant))

    def answer(self, status: int, body: Any, headers: Any = ()) -> None:
        data = json.dumps(body).encode() if body else b""
        self.send_response(status)
        for name, value in [*headers, ("Content-Length", str(len(data)))]:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *words: Any) -> None:
        """Nothing."""


def main(settings: str) -> None:
    os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    Page.provider = Provider(Path(settings))
    Page.provider.issuer = f"http://127.0.0.1:{server.server_port}"
    sys.stdout.write(f"{server.server_port}\n")
    sys.stdout.flush()
    server.serve_forever()


if __name__ == "__main__":
    main(sys.argv[1])
