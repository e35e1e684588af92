"""Renewals: certificates that were replaced go onto the revocation list, so that the handshake itself refuses them.

The view Devices is the truth: a certificate is replaced when the one after it was first used (`device.switch`). A phone
that lost the answer to its renewal still has only the old one; it stays good for GRACE_DAYS, and longer while it is in
use at that moment. Then an act of the node takes it back, so that a renewal never leaves two keys good for ever.
"""

import asyncio
import logging
from collections.abc import Callable, Sequence

from aquila.app.engine import Engine
from aquila.core.model import Act, Entry
from aquila.core.view import view_of
from aquila.features.devices import DEVICE_SWITCHED, Devices, target_of
from aquila.features.devices.view import CERTIFICATE_REVOKED
from aquila.links.pki import Authority

log = logging.getLogger(__name__)

GRACE_DAYS = 30
GRACE_MS = GRACE_DAYS * 86_400_000
LOOK_S = 3_600.0
REASON = "superseded"


class Renewals:
    """Keeps the revocation list in step with the view.

    Args:
        engine: whose acts are heard. authority: whose list it is.
        in_use: serials of the certificates that links show at this moment.
    """

    def __init__(self, engine: Engine, authority: Authority, in_use: Callable[[], frozenset[str]]) -> None:
        self._engine = engine
        self._authority = authority
        self._in_use = in_use
        self._wake = asyncio.Event()
        engine.on_entries.append(self._hear)

    def _hear(self, entries: Sequence[Entry]) -> None:
        if any(isinstance(entry.body, Act) and entry.body.action == DEVICE_SWITCHED for entry in entries):
            self._wake.set()

    async def follow(self) -> None:
        """At the start, after each first use of a new certificate, and every hour; until cancelled."""
        while True:
            self._wake.clear()
            await self.look()
            try:
                async with asyncio.timeout(LOOK_S):
                    await self._wake.wait()
            except TimeoutError:
                log.debug("renewals: an hour has passed")

    async def look(self) -> None:
        """Put what is replaced onto the list; take back what had its time."""
        node = self._engine.node
        now_ms = node.clock_ms()
        devices = view_of(node.views, "devices", Devices)
        certificates = [each for each in devices.certificates(node.identity.node) if each.not_after_ms > now_ms]
        known = self._authority.revoked
        replaced = [each.serial for each in certificates if each.state == "replaced" and each.serial not in known]
        late = devices.renewed_before(node.identity.node, now_ms - GRACE_MS)
        late = [each for each in late if each.serial not in self._in_use()]
        wanted = [*replaced, *(each.serial for each in late)]
        if wanted:
            await asyncio.to_thread(self._authority.revoke_all, wanted, now_ms, REASON)
        for each in late:
            detail = {"serial": each.serial, "reason": REASON}
            act = Act(action=CERTIFICATE_REVOKED, target=target_of(each.device), happened_at_ms=now_ms, detail=detail)
            self._engine.say(act)
