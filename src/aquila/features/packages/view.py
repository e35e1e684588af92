"""Packages: a view of the acts package.add, package.change and package.withdraw: the newest by stamp counts.

An act says all about a package, so each is enough by itself. One file (its digest) may be several packages: from other
senders, or for other groups.
"""

import msgspec

from aquila.core.model import Act, Arrival, Context, Entry, Label, Stamp
from aquila.features.packages.facts import Facts, read

PACKAGE_ADD, PACKAGE_CHANGE, PACKAGE_WITHDRAW = "package.add", "package.change", "package.withdraw"
PACKAGES_MAX = 20_000
"""Newest packages that are known, those that were withdrawn among them."""
SLACK = 1_000
"""Trimmed in batches; the snapshot holds exactly the maximum."""


class Package(msgspec.Struct, frozen=True, array_like=True):
    """What was said last about one package; facts None = it was withdrawn, or is not to be read."""

    stamp: Stamp
    uid: str
    label: Label
    context: Context
    facts: Facts | None


Key = tuple[Context, str]
_encoder = msgspec.msgpack.Encoder(order="deterministic")
_decoder = msgspec.msgpack.Decoder(list[Package])


class Packages:
    """The view. Reading may come from any thread: every look is at a copy."""

    name = "packages"
    version = 1
    hears_positions = False

    def __init__(self) -> None:
        self._packages: dict[Key, Package] = {}
        self._by_digest: dict[str, dict[Key, None]] = {}

    def fold(self, arrival: Arrival) -> None:
        """See View."""
        if not isinstance(arrival, Entry) or not isinstance(arrival.body, Act):
            return
        act, envelope = arrival.body, arrival.envelope
        if act.action not in (PACKAGE_ADD, PACKAGE_CHANGE, PACKAGE_WITHDRAW):
            return
        known = self._packages.get((envelope.context, act.target))
        if known is not None and envelope.stamp <= known.stamp:
            return
        facts = None if act.action == PACKAGE_WITHDRAW else read(act.detail)
        self._put(Package(envelope.stamp, act.target, envelope.label, envelope.context, facts))
        if len(self._packages) > PACKAGES_MAX + SLACK:
            self._trim()

    def _put(self, package: Package) -> None:
        key = (package.context, package.uid)
        self._forget(key)
        self._packages[key] = package
        if package.facts is not None:
            self._by_digest.setdefault(package.facts.sha256, {})[key] = None

    def _forget(self, key: Key) -> None:
        gone = self._packages.pop(key, None)
        if gone is None or gone.facts is None:
            return
        keys = self._by_digest[gone.facts.sha256]
        del keys[key]
        if not keys:
            del self._by_digest[gone.facts.sha256]

    def _trim(self) -> None:
        surplus = len(self._packages) - PACKAGES_MAX
        if surplus > 0:
            for key in sorted(self._packages, key=lambda key: self._packages[key].stamp)[:surplus]:
                self._forget(key)

    def snapshot(self) -> bytes:
        """See View."""
        self._trim()
        return _encoder.encode([self._packages[key] for key in sorted(self._packages)])

    def restore(self, data: bytes) -> None:
        """See View."""
        self._packages, self._by_digest = {}, {}
        for package in _decoder.decode(data):
            self._put(package)

    def said(self, context: Context, uid: str) -> Package | None:
        """What was said last about this uid, also that it was withdrawn; None = nothing."""
        return self._packages.get((context, uid))

    def package(self, context: Context, uid: str, now_ms: int) -> Package | None:
        """The one of this uid; None = unknown, withdrawn or expired."""
        found = self._packages.get((context, uid))
        return found if found is not None and is_there(found, now_ms) else None

    def packages(self, now_ms: int) -> list[Package]:
        """All that are there, the newest first."""
        there = [package for package in list(self._packages.values()) if is_there(package, now_ms)]
        return sorted(there, key=lambda package: (package.stamp, package.uid), reverse=True)

    def of_digest(self, sha256: str, now_ms: int) -> list[Package]:
        """All with these bytes that are there, the newest first."""
        found = (self._packages.get(key) for key in list(self._by_digest.get(sha256, ())))
        there = [package for package in found if package is not None and is_there(package, now_ms)]
        return sorted(there, key=lambda package: (package.stamp, package.uid), reverse=True)

    def expired(self, now_ms: int) -> set[str]:
        """Digests of which every package has expired."""
        known = [package.facts for package in list(self._packages.values()) if package.facts is not None]
        late = {facts.sha256 for facts in known if facts.expires_at_ms is not None and facts.expires_at_ms <= now_ms}
        return {sha256 for sha256 in late if not self.of_digest(sha256, now_ms)}

    def needs_file(self, sha256: str, now_ms: int) -> bool:
        """See core.contract.NeedsFiles."""
        return bool(self.of_digest(sha256, now_ms))


def is_there(package: Package, now_ms: int) -> bool:
    """Neither withdrawn nor expired."""
    facts = package.facts
    return facts is not None and (facts.expires_at_ms is None or facts.expires_at_ms > now_ms)
