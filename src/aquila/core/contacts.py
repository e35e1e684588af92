"""Contacts: who can be addressed, and by which link. TAK names people by callsign, devices by uid."""

from collections import OrderedDict

from aquila.core.model import Address

LinkId = int
"""Names one connection for as long as the node runs; never used twice, unlike a descriptor."""

NAMES_PER_LINK = 256
"""A gateway speaks for many devices over one link; beyond this the ones heard longest ago are let go."""


class Contacts:
    """Directory from callsign and uid to links, brought up to date by every report a device sends of itself."""

    def __init__(self) -> None:
        self._links: dict[Address, dict[LinkId, None]] = {}
        self._said: dict[LinkId, OrderedDict[str, str | None]] = {}

    def hear(self, link: LinkId, uid: str, callsign: str | None) -> tuple[Address, ...]:
        """Note that `uid` speaks over this link and is called `callsign` now (None = not said).

        Gives the names that are new on this link.
        """
        said = self._said.setdefault(link, OrderedDict())
        if uid in said:
            said.move_to_end(uid)
            if said[uid] == callsign or callsign is None:
                return ()
            self._drop_callsign(link, said[uid], uid)
            fresh: tuple[Address, ...] = ()
        else:
            fresh = (Address("uid", uid),)
        if callsign is not None:
            fresh += (Address("callsign", callsign),)
        said[uid] = callsign
        for address in fresh:
            self._add(address, link)
        if len(said) > NAMES_PER_LINK:
            oldest, name = said.popitem(last=False)
            self._remove(Address("uid", oldest), link)
            self._drop_callsign(link, name, oldest)
        return fresh

    def names(self, link: LinkId) -> tuple[Address, ...]:
        """Everything that this link answers to."""
        said = self._said.get(link, OrderedDict())
        callsigns = (Address("callsign", name) for name in said.values() if name is not None)
        return (*(Address("uid", uid) for uid in said), *callsigns)

    def leave(self, link: LinkId) -> tuple[str, ...]:
        """Forget a link; gives the uids that nobody can reach any more."""
        said = self._said.pop(link, OrderedDict())
        for uid, callsign in said.items():
            self._remove(Address("uid", uid), link)
            if callsign is not None:
                self._remove(Address("callsign", callsign), link)
        return tuple(uid for uid in said if Address("uid", uid) not in self._links)

    def links(self, address: Address) -> tuple[LinkId, ...]:
        """The links over which this callsign or uid can be reached at this moment; none for other schemes."""
        return tuple(self._links.get(address, ()))

    def uids(self, link: LinkId) -> tuple[str, ...]:
        """The devices that speak over this link, the one heard last at the end."""
        return tuple(self._said.get(link, ()))

    def _add(self, address: Address, link: LinkId) -> None:
        self._links.setdefault(address, {})[link] = None

    def _remove(self, address: Address, link: LinkId) -> None:
        links = self._links.get(address)
        if links is not None:
            links.pop(link, None)
            if not links:
                del self._links[address]

    def _drop_callsign(self, link: LinkId, callsign: str | None, uid: str) -> None:
        """Take a callsign off a link unless another device of the same link goes by it too."""
        others = self._said.get(link, OrderedDict())
        if callsign is not None and all(name != callsign for other, name in others.items() if other != uid):
            self._remove(Address("callsign", callsign), link)
