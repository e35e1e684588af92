"""TAK: what the official server's contract asks of the server as a whole, and of nobody's statements; injectors."""

from typing import Any

from aquila.codecs.cot.marti import as_text, enveloped
from aquila.core.contract import Call, Reply
from aquila.core.feature import Endpoint, Feature
from aquila.features.tak import injectors, rest
from aquila.features.tak.injectors import Injectors

API_VERSION = "3"


def _version(_: Any, call: Call) -> Reply:
    # ATAK looks for the words "TAK Server" in it.
    return as_text(f"TAK Server {call.server}")


def _config(_: Any, call: Call) -> Reply:
    host = call.base.partition("://")[2].rpartition(":")[0]
    return enveloped("ServerConfig", {"version": call.server, "api": API_VERSION, "hostname": host}, call)


feature = Feature(
    name="tak",
    views=(Injectors,),
    endpoints=(
        Endpoint(method="GET", path="/Marti/api/version", render=_version, source="tak.md 6.2"),
        Endpoint(method="GET", path="/Marti/api/version/config", render=_config, source="tak.md 6.2"),
        *rest.endpoints,
        *injectors.endpoints,
    ),
)

__all__ = ["Injectors", "feature"]
