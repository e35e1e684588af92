"""Settings of the web: what the composition root decides about hosts, files, banner and first view."""

from pathlib import Path

import msgspec

LOCAL_HOSTS = ("localhost", "127.0.0.1", "[::1]")


class Banner(msgspec.Struct, frozen=True):
    """The line over every screen: classification, and that this is an exercise."""

    classification: str
    text: str
    exercise: bool


class FirstView(msgspec.Struct, frozen=True):
    """Where the map opens."""

    lon_deg: float
    lat_deg: float
    zoom: float


class WebSettings(msgspec.Struct, frozen=True, kw_only=True):
    """What the web needs to know beyond the node.

    Attributes:
        hosts: names and addresses by which browsers may call this node, without port; any port is taken.
        static_folder: the built page; None or absent = a sentence how to build it.
        first_view: None = the page decides.
        server: name and version, for clients that ask.
    """

    hosts: tuple[str, ...] = LOCAL_HOSTS
    static_folder: Path | None = None
    first_view: FirstView | None = None
    server: str = "Aquila"


def banner_of(context: str, classification: str) -> Banner:
    """The banner of a node: the classification always, the name of the exercise behind it."""
    kind, _, name = context.partition(":")
    return Banner(classification, f"{classification} \u2013 {name}" if name else classification, kind != "REAL")
