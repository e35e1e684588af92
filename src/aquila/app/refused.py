"""Refused: who was not let in stands in the journal and on the board of links, with the reason in plain words."""

import ssl
from collections.abc import Callable, Mapping

from cryptography import x509

from aquila.app.engine import Engine
from aquila.app.refused_links import RefusedLinks
from aquila.core.document import name_of
from aquila.core.errors import Refused
from aquila.core.model import Principal
from aquila.features.devices.refusals import WORDS_MAX, Refusals, plain
from aquila.links.pki import explain_handshake, handshake_word
from aquila.links.stream import Recognise
from aquila.web_api.callers import UNKNOWN


def refusals(engine: Engine) -> Refusals:
    """Writes into the journal who was not let in, as the node."""

    def count(word: str) -> None:
        engine.counts[word] += 1

    return Refusals(engine.say, count, engine.clockwork.clock_ms)


WEB = "https"
AT_DOOR = frozenset({"login", "certificate", "rate", "used", "taken", "identity", "request"})
"""Reasons of logins and enrolments that failed. Others are of people who came in, and tried what they may not."""


class DoorKeeper:
    """Tells of whoever is refused before it is a link.

    Args:
        noter: writes it into the journal. board: keeps it for the board of links. clock_ms: UTC milliseconds.
        ports: of the doors, by name; read when it happens, for the setting may have been 0.
    """

    def __init__(
        self, noter: Refusals, board: RefusedLinks, clock_ms: Callable[[], int], ports: Mapping[str, int]
    ) -> None:
        self._noter = noter
        self._board = board
        self._clock_ms = clock_ms
        self._ports = ports

    def failures(self, *names: str) -> Callable[[ssl.SSLError, str], None]:
        """Told why a handshake failed at one of these doors; it tells of what somebody has to mend."""

        def tell(error: ssl.SSLError, address: str) -> None:
            word = handshake_word(error)
            if word is not None:
                numbers = ", ".join(str(self._ports[name]) for name in names if name in self._ports)
                sentence = f"TLS on {numbers}: {explain_handshake(error)}"
                self._noter.note(UNKNOWN, word, sentence, address)
                self._board.note("tls", address, sentence, self._clock_ms())

        return tell

    def noted(self, recognise: Recognise) -> Recognise:
        """The same; it tells of whose certificate is of nobody in force, or who has too many links."""

        def recognised(certificate: bytes | None, address: str) -> Principal | Refused:
            found = recognise(certificate, address)
            if isinstance(found, Refused):
                self._noter.note(UNKNOWN, found.reason, found.detail, address)
                self.turned_away("tls", address, found.detail, certificate)
            return found

        return recognised

    def note(self, target: str, reason: str, sentence: str = "", address: str = "") -> None:
        """See Noter: the part `refusals`."""
        self._noter.note(target, reason, sentence, address)
        if reason in AT_DOOR:
            name = "" if target == UNKNOWN else plain(name_of(target), WORDS_MAX)
            self._board.note(WEB, plain(address, WORDS_MAX), sentence, self._clock_ms(), name)

    def let_in(self, address: str) -> None:
        """See Noter."""
        self._board.let_in(address, WEB)

    def turned_away(self, transport: str, address: str, sentence: str, certificate: bytes | None = None) -> None:
        """Have the board of links tell of it. certificate: DER, of a handshake that went well; None = none shown."""
        self._board.note(transport, address, sentence, self._clock_ms(), _name_in(certificate))


def _name_in(certificate: bytes | None) -> str:
    if certificate is None:
        return ""
    names = x509.load_der_x509_certificate(certificate).subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    return plain(str(names[0].value), WORDS_MAX) if names else ""
