"""Refused: who was not let in stands in the journal, with the reason in plain words, as the node says it."""

import ssl
from collections.abc import Callable, Mapping, Sequence

from aquila.app.engine import Engine
from aquila.core.errors import Refused
from aquila.core.model import Principal
from aquila.features.devices.refusals import Refusals
from aquila.links.pki import explain_handshake, handshake_word
from aquila.links.stream import Recognise
from aquila.web_api.callers import UNKNOWN


def refusals(engine: Engine) -> Refusals:
    """Writes into the journal who was not let in, as the node."""

    def count(word: str) -> None:
        engine.counts[word] += 1

    return Refusals(engine.say, count, engine.clockwork.clock_ms)


def failures(names: Sequence[str], ports: Mapping[str, int], noter: Refusals) -> Callable[[ssl.SSLError, str], None]:
    """Writes into the journal why a handshake failed, when somebody has to mend it.

    names: of the doors that it may have been. ports: by name; read when it happens, for the setting may have been 0.
    """

    def tell(error: ssl.SSLError, address: str) -> None:
        word = handshake_word(error)
        if word is not None:
            numbers = " or ".join(str(ports[name]) for name in names if name in ports)
            noter.note(UNKNOWN, word, f"TLS on {numbers}: {explain_handshake(error)}", address)

    return tell


def noted(recognise: Recognise, noter: Refusals) -> Recognise:
    """The same; whose certificate is of nobody in force stands in the journal."""

    def recognised(certificate: bytes | None, address: str) -> Principal | Refused:
        found = recognise(certificate, address)
        if isinstance(found, Refused):
            noter.note(UNKNOWN, found.reason, found.detail, address)
        return found

    return recognised
