"""An LDAP server in a process of its own: `python ldap_server.py ENTRIES LOG [CERTIFICATE KEY [first]]`.

Nothing of Aquila is in it: pyasn1-ldap reads and writes the messages. It answers as OpenLDAP does, also where that is
dangerous: a bind without a password succeeds. ENTRIES is read again for every request, so that a test may change it.
With a certificate it takes StartTLS; with `first` it speaks TLS from the first byte. It prints its port.
"""

import json
import socket
import socketserver
import ssl
import sys
from pathlib import Path
from typing import Any

from pyasn1.codec.ber import decoder, encoder
from pyasn1.error import SubstrateUnderrunError
from pyasn1_ldap import rfc4511

SUCCESS, PROTOCOL_ERROR, SIZE_LIMIT, NO_SUCH_OBJECT, WRONG, RIGHTS = 0, 2, 4, 32, 49, 50
START_TLS = "1.3.6.1.4.1.1466.20037"


class Conversation(socketserver.BaseRequestHandler):
    server: "Server"

    def setup(self) -> None:
        self.who = ""
        self.heard = b""
        self.channel: Any = self.request
        if self.server.is_first:
            self.secure()

    def secure(self) -> None:
        assert self.server.tls is not None
        self.channel = self.server.tls.wrap_socket(self.channel, server_side=True)

    def handle(self) -> None:
        while (message := self.message()) is not None:
            number, operation = message["messageID"], message["protocolOp"]
            kind = operation.getName()
            if kind == "unbindRequest":
                return
            work = {"bindRequest": self.bind, "searchRequest": self.search, "extendedReq": self.extended}[kind]
            work(number, operation.getComponent())

    def message(self) -> Any:
        while True:
            try:
                message, self.heard = decoder.decode(self.heard, asn1Spec=rfc4511.LDAPMessage())
            except SubstrateUnderrunError:
                more = self.channel.recv(65536)
                if not more:
                    return None
                self.heard += more
            else:
                return message

    def say(self, number: Any, name: str, operation: Any) -> None:
        message = rfc4511.LDAPMessage()
        message["messageID"] = int(number)
        message["protocolOp"][name] = operation
        self.channel.sendall(encoder.encode(message))

    def result(self, number: Any, name: str, operation: Any, code: int) -> None:
        operation["resultCode"], operation["matchedDN"], operation["diagnosticMessage"] = code, "", ""
        self.say(number, name, operation)

    def bind(self, number: Any, asked: Any) -> None:
        dn, password = str(asked["name"]), bytes(asked["authentication"]["simple"]).decode()
        self.server.note(f"bind {dn}")
        entry = self.server.entries().get(dn.lower())
        is_right = not password or (entry is not None and entry.get("userPassword") == [password])
        self.who = dn if is_right and password else ""
        self.result(number, "bindResponse", rfc4511.BindResponse(), SUCCESS if is_right else WRONG)

    def search(self, number: Any, asked: Any) -> None:
        base, limit = str(asked["baseObject"]).lower(), int(asked["sizeLimit"])
        self.server.note(f"search {base}")
        wanted = {str(each).lower() for each in asked["attributes"]}
        code, sent = SUCCESS if self.who else RIGHTS, 0
        for dn, entry in self.server.entries().items() if self.who else ():
            inside = dn == base or (int(asked["scope"]) == 2 and dn.endswith(base))
            if not inside or not fits(asked["filter"], entry):
                continue
            if limit and sent == limit:
                code = SIZE_LIMIT
                break
            self.say(number, "searchResEntry", described(entry, wanted))
            sent += 1
        self.result(number, "searchResDone", rfc4511.SearchResultDone(), code)

    def extended(self, number: Any, asked: Any) -> None:
        may = str(asked["requestName"]) == START_TLS and self.server.tls is not None and not self.server.is_first
        self.result(number, "extendedResp", rfc4511.ExtendedResponse(), SUCCESS if may else PROTOCOL_ERROR)
        if may:
            self.secure()


class Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True

    def __init__(self, entries: Path, log: Path, tls: ssl.SSLContext | None, is_first: bool) -> None:
        super().__init__(("127.0.0.1", 0), Conversation)
        self.path, self.log, self.tls, self.is_first = entries, log, tls, is_first

    def entries(self) -> dict[str, dict[str, list[str]]]:
        return {dn.lower(): {"dn": [dn], **entry} for dn, entry in json.loads(self.path.read_text()).items()}

    def note(self, line: str) -> None:
        with self.log.open("a") as log:
            log.write(line + "\n")

    def handle_error(self, request: Any, client_address: Any) -> None:
        self.note(f"fault {sys.exc_info()[1]!r}")


def values_of(entry: dict[str, list[str]], attribute: Any) -> list[str]:
    name = str(attribute).lower()
    return next((values for key, values in entry.items() if key.lower() == name), [])


def fits(wanted: Any, entry: dict[str, list[str]]) -> bool:
    """Does an entry match a filter? Values are compared without regard to capitals, as for a name or uid."""
    kind, part = wanted.getName(), wanted.getComponent()
    if kind in {"and", "or"}:
        return (all if kind == "and" else any)(fits(each, entry) for each in part)
    if kind == "not":
        return not fits(part, entry)
    if kind == "present":
        return str(part).lower() == "objectclass" or bool(values_of(entry, part))
    if kind == "equalityMatch":
        said = str(part["assertionValue"]).lower()
        return any(value.lower() == said for value in values_of(entry, part["attributeDesc"]))
    if kind == "substrings":
        pieces = [str(each.getComponent()).lower() for each in part["substrings"]]
        return any(all(piece in value.lower() for piece in pieces) for value in values_of(entry, part["type"]))
    raise ValueError(f"filter {kind}")


def described(entry: dict[str, list[str]], wanted: set[str]) -> Any:
    found = rfc4511.SearchResultEntry()
    found["objectName"] = entry["dn"][0]
    listed = rfc4511.PartialAttributeList()
    for name in (name for name in entry if name.lower() in wanted):
        attribute = rfc4511.PartialAttribute()
        attribute["type"] = name
        attribute["vals"].extend(entry[name])
        listed.append(attribute)
    found["attributes"] = listed
    return found


def main(entries: str, log: str, certificate: str = "", key: str = "", when: str = "") -> None:
    context = None
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
    socket.setdefaulttimeout(20)
    with Server(Path(entries), Path(log), context, when == "first") as server:
        sys.stdout.write(f"{server.server_address[1]}\n")
        sys.stdout.flush()
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
