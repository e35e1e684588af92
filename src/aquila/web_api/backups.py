"""A backup as a download. It holds what is under every marking, so only the owner of the node takes it away."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from litestar import Request, Response
from litestar.response import Stream

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import is_owner
from aquila.core.model import Act
from aquila.features.upkeep import Backups
from aquila.web_api.auth import need_role
from aquila.web_api.errors import WebError, refused, unavailable
from aquila.web_api.replies import disposition
from aquila.web_api.routes import Routes

CHUNK_BYTES = 1 << 20


class BackupFiles:
    """Hands backups out.

    Args:
        routes: say who asks, and of which node.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    async def take(self, request: Request[Any, Any, Any]) -> Response[Any]:
        """The file, after the act that says who took it. Raises WebError 401, 403, 404."""
        principal = need_role(await self._routes.asker(request), "admin").principal
        if not is_owner(principal):
            reason = "a backup holds everything under every marking: only who owns the node takes it away"
            raise WebError(403, "role", reason, do="log in by the link that `aquila login` prints on the node")
        port = self._routes.port
        try:
            shelf: Backups = port.part("backups")
            place = await asyncio.to_thread(shelf.place, request.path_params["name"])
        except (KeyError, UsageError) as wrong:
            raise unavailable(UsageError(str(wrong))) from wrong
        act = Act(action="backup.take", target=place.name, happened_at_ms=port.clock_ms())
        written = await port.write(principal, act, "web")
        if isinstance(written, Refused):
            raise refused(written)
        size = await asyncio.to_thread(lambda: place.stat().st_size)
        headers = {
            "Cache-Control": "no-store",
            "Content-Disposition": disposition(place.name),
            "Content-Length": str(size),
        }
        return Stream(_chunks(place), media_type="application/octet-stream", headers=headers)


async def _chunks(place: Path) -> AsyncIterator[bytes]:
    file = await asyncio.to_thread(place.open, "rb")
    try:
        while chunk := await asyncio.to_thread(file.read, CHUNK_BYTES):
            yield chunk
    finally:
        file.close()
