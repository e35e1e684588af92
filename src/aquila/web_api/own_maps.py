"""Own maps: tiles out of map files that people brought to this node, as kept packages (MBTiles, GeoPackage).

Whoever may fetch the file may see its tiles; the same query decides. PMTiles need no route: the page reads ranges of
the file itself.
"""

from typing import Any

import msgspec
from litestar import Response

from aquila.core.errors import UsageError
from aquila.features.packages.queries import AskContent, content
from aquila.stores.sqlite.shapes import ShapeFile, read_shapes
from aquila.stores.sqlite.tiles import read_facts, read_tile
from aquila.web_api.auth import need_role
from aquila.web_api.errors import WebError
from aquila.web_api.port import Asked
from aquila.web_api.routes import AnyRequest, Routes, answer_query

FIRST = "tiles"
"""First part of the paths."""
DIGEST_LETTERS = frozenset("0123456789abcdef")
KEEP_S = 86_400
"""A file is known by its digest, so its tiles never change; a browser may keep them for a day."""


class OwnMaps:
    """Answers from kept files.

    Args:
        routes: of the same web: who asks, and the threads in which files are read.
    """

    def __init__(self, routes: Routes) -> None:
        self._routes = routes

    async def facts(self, request: AnyRequest) -> Response[bytes]:
        """What a file of tiles says of itself. 422 when it cannot be shown."""
        body = await self._read(request, lambda path: msgspec.json.encode(read_facts(path)))
        return Response(body, status_code=200, media_type="application/json", headers={"Cache-Control": "no-store"})

    async def shapes(self, request: AnyRequest) -> Response[bytes]:
        """The vector layers of a GeoPackage as GeoJSON; `X-Left-Out` counts what is not in it."""
        found: ShapeFile = await self._read(request, read_shapes)
        headers = {"Cache-Control": f"private, max-age={KEEP_S}, immutable", "X-Left-Out": str(found.left_out)}
        return Response(found.content, status_code=200, media_type="application/geo+json", headers=headers)

    async def tile(self, request: AnyRequest) -> Response[bytes]:
        """One tile; 204 where there is none."""
        names = ("zoom", "x", "y")
        said = [str(request.path_params[name]) for name in names]
        if not all(part.isdecimal() and len(part) < 9 for part in said):
            raise WebError(400, "syntax", f"{'/'.join(said)[:60]} is no tile: zoom, column, row")
        zoom, x, y = map(int, said)
        tile = await self._read(request, lambda path: read_tile(path, zoom, x, y))
        headers = {"Cache-Control": f"private, max-age={KEEP_S}, immutable"}
        if tile is None:
            return Response(b"", status_code=204, headers=headers)
        return Response(tile.content, status_code=200, media_type=tile.kind, headers=headers)

    async def _read(self, request: AnyRequest, work: Any) -> Any:  # what the work gives
        asker = need_role(await self._routes.asker(request), "viewer")
        digest = str(request.path_params["sha256"])
        if len(digest) != 64 or not set(digest) <= DIGEST_LETTERS:
            raise WebError(400, "syntax", f"{digest[:80]!r} is no file digest: 64 digits 0-9a-f")
        asked = Asked(self._routes.port, asker.principal, "web")

        def read() -> Any:
            # Raises 404 for a file that is not here, or not for this asker.
            answer_query(content, AskContent(hash=digest), asked)
            try:
                return work(asked.part("files").path_of(digest))
            except UsageError as wrong:
                raise WebError(422, "format", str(wrong), do="bring a file of another format") from wrong

        return await self._routes.pool.run(asker.principal.id, read)
