"""Control: commands talk to the node that holds a data folder over DATA/control.sock, for its owner only.

With no node running a command opens the folder itself and runs the very same words. A word is a query or command of a
feature (`devices.add_device`) or one of the few that concern the whole node (`backup`, `erase`, `export` ...).
"""

import asyncio
import base64
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import msgspec

from aquila.app.backups import BackupShelf, check_passphrase
from aquila.app.clockwork import real_clockwork
from aquila.app.control_socket import ASK_TIMEOUT_S, LENGTH, socket_name
from aquila.app.engine import Engine, open_engine
from aquila.app.feeds import FeedBoard
from aquila.app.importing import import_file
from aquila.app.parts import load_features
from aquila.app.people import ensure_operator
from aquila.app.port import Port
from aquila.app.turns import deliver_to
from aquila.codecs.geojson import codec as geojson
from aquila.codecs.kml import codec as kml
from aquila.codecs.kml import document as kml_document
from aquila.config import Settings
from aquila.core.codec import Codec, Outgoing
from aquila.core.errors import AquilaError, Refused, UsageError
from aquila.core.feature import Command, Feature, Query
from aquila.core.model import Act, Entry, Principal, Report
from aquila.core.policy import Policy
from aquila.features.log import AskEntries
from aquila.links.pki import Authority
from aquila.stores.sqlite.backup import write_backup
from aquila.web_api.errors import WebError
from aquila.web_api.port import Asked
from aquila.web_api.routes import answer_query

log = logging.getLogger(__name__)

ASK_BYTES_MAX = 64 << 20

PICTURE_CODECS = {codec.name: codec for codec in (geojson, kml)}
"""By which the picture can be exported."""

ALLOWED = {
    "nation": "three capital letters (ISO 3166), for instance ITA",
    "password": "10 to 200 characters",
    "role": "viewer, operator or admin",
    "name": "1 to 64 characters, letters, digits, dot, dash and underscore, for instance PATROL1",
    "callsign": "1 to 100 characters",
    "clearance": "a classification of the policy, for instance RESTRICTED",
    "host": "a name or an address, for instance 192.0.2.7",
    "groups_in": "1 to 100 groups, each 1 to 100 characters without a comma, for instance COMMON",
}
"""What people may give for a field, where a pattern would say little to them."""

Words = dict[str, Callable[[dict[str, Any]], Awaitable[Any]]]


class DeviceAddress(msgspec.Struct, frozen=True):
    """Where devices reach this node: its name, and the number of each port. See features.devices.Address."""

    host: str
    http: int = 0
    tak: int = 0
    tak_tls: int = 0
    api_tls: int = 0
    enrol: int = 0
    others: tuple[str, ...] = ()


class Controls:
    """The words of one open node, said by its owner: with the rights of the operator.

    Args:
        engine, port: the node. features: whose queries and commands are words.
        operator: who says it. login_link: makes a one-time link; None = no page is served.
    """

    def __init__(
        self,
        engine: Engine,
        port: Port,
        features: Sequence[Feature],
        operator: Principal,
        login_link: Callable[[], str] | None,
    ) -> None:
        self._engine = engine
        self._port = port
        self._operator = operator
        self._login_link = login_link
        self._rows: dict[str, Query | Command] = {}
        for feature in features:
            self._rows |= {f"{feature.name}.{query.name}": query for query in feature.queries}
            self._rows |= {f"{feature.name}.{command.name}": command for command in feature.commands}
        self._words: Words = {
            "login": self._login,
            "address": self._address,
            "backup": self._backup,
            "erase": self._erase,
            "export": self._export,
            "import": self._import,
        }

    async def run(self, word: str, request: dict[str, Any]) -> Any:
        """What a word answers. Raises AquilaError with a sentence."""
        try:
            return await self._run(word, request)
        except WebError as wrong:
            raise UsageError("; ".join(filter(None, (wrong.body.reason, wrong.body.allowed, wrong.body.do)))) from wrong

    async def _run(self, word: str, request: dict[str, Any]) -> Any:
        own = self._words.get(word)
        if own is not None:
            return await own(request)
        row = self._rows.get(word)
        if row is None:
            known = ", ".join(sorted([*self._words, *self._rows]))
            raise UsageError(f"{word} is no word of this node: {known}")
        try:
            ask = msgspec.convert(request, row.request, strict=False)
        except msgspec.ValidationError as wrong:
            raise UsageError(_in_words(word, wrong)) from wrong
        asked = Asked(self._port, self._operator, "control")
        if isinstance(row, Query):
            return json.loads(await asyncio.to_thread(answer_query, row, ask, asked))
        answer = await row.act(self._operator, ask, asked)
        if isinstance(answer, Refused):
            raise UsageError(answer.detail or answer.reason)
        return msgspec.to_builtins(answer)

    async def _login(self, _: dict[str, Any]) -> dict[str, str]:
        if self._login_link is None:
            raise UsageError("no node runs on this folder: start one with `aquila serve --data DIR`")
        return {"link": self._login_link()}

    async def _address(self, _: dict[str, Any]) -> dict[str, Any]:
        address: DeviceAddress = self._port.part("address")
        return {"host": address.host, "tak_tls": address.tak_tls, "enrol": address.enrol}

    async def _backup(self, request: dict[str, Any]) -> dict[str, Any]:
        engine, out = self._engine, Path(request["to"])
        phrase = str(request.get("passphrase") or "")
        check_passphrase(phrase)
        manifest = await asyncio.to_thread(
            lambda: write_backup(
                engine.folder,
                out,
                now_ms=engine.clockwork.clock_ms(),
                secrets=engine.secrets,
                passphrase=phrase or None,
            )
        )
        await self._act("backup", out.name, {"arrival": str(manifest.arrival)})
        return {"entries": manifest.arrival, "bytes": sum(part.size_bytes for part in manifest.parts)}

    async def _erase(self, request: dict[str, Any]) -> dict[str, str]:
        subject, reason = str(request["subject"]), str(request["reason"]).strip()
        if not reason:
            raise UsageError("an erasure needs a --reason: it stands in the journal")
        if not await asyncio.to_thread(self._engine.subject_keys.knows, subject):
            raise UsageError(
                f"{subject}: there never was a key for this id here. An id is written as in the statement that names"
                " the person, capitals count, for instance person:kaya"
            )
        erased = await self._engine.erase_subject(subject)
        await self._act("erase", subject, {"reason": reason})
        return {"result": "the key is gone" if erased else "the key was gone already"}

    async def _export(self, request: dict[str, Any]) -> dict[str, Any]:
        format = request.get("format", "journal")
        asked = Asked(self._port, self._operator, "control")
        if format == "journal":
            lines = await asyncio.to_thread(self._journal_lines, asked)
        elif format in PICTURE_CODECS:
            lines = self._picture_lines(asked, PICTURE_CODECS[format])
        else:
            raise UsageError(f"format {format}: journal, {' or '.join(PICTURE_CODECS)}")
        await self._act("export", str(format), {"rows": str(len(lines))})
        if format == "geojson":
            return {"text": '{"type":"FeatureCollection","features":[' + ",".join(lines) + "]}\n", "count": len(lines)}
        if format == "kml":
            return {"text": b"".join(kml_document("Aquila", lines)).decode(), "count": len(lines)}
        return {"text": "".join(f"{line}\n" for line in lines), "count": len(lines)}

    def _journal_lines(self, asked: Asked) -> list[str]:
        query = self._rows["log.entries"]
        assert isinstance(query, Query)
        lines: list[str] = []
        since = ""
        while True:
            ask = AskEntries(since=since, limit=1000)
            rows = json.loads(answer_query(query, ask, asked))
            if not rows:
                return lines
            lines.extend(json.dumps(row, ensure_ascii=False) for row in rows)
            since = rows[-1]["cursor"]

    def _picture_lines(self, asked: Asked, codec: Codec) -> list[str]:
        query = self._rows["picture.entities"]
        assert isinstance(query, Query)
        assert codec.encode is not None
        lines: list[str] = []
        policy = self._port.policy
        picture = self._port.views["picture"]
        for entity in picture.entities():  # type: ignore[attr-defined]  # the picture's own reading side
            sight = picture.sight(entity, asked.release, policy)  # type: ignore[attr-defined]
            if sight is not None and isinstance(sight.report, Report):
                out = Outgoing(body=sight.report, label=sight.label, now_ms=self._port.clock_ms())
                lines.append(codec.encode(out).decode())
        return lines

    async def _import(self, request: dict[str, Any]) -> dict[str, Any]:
        data = base64.b64decode(request["base64"])
        answer = await import_file(self._engine, self._operator, str(request["name"]), data)
        return {"written": answer.written, "refused": answer.refused, "reasons": list(answer.reasons)}

    async def _act(self, action: str, target: str, detail: dict[str, str]) -> Entry:
        act = Act(action=action, target=target, happened_at_ms=self._port.clock_ms(), detail=detail)
        written = await self._port.write(self._operator, act, "control")
        if isinstance(written, Refused):
            raise UsageError(f"{action} was done, but the journal refused to note it: {written.detail}")
        return written


@asynccontextmanager
async def serve_controls(path: Path, controls: Controls) -> AsyncIterator[None]:
    """Answer on a Unix socket that only the owner of the folder can open."""

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(ASK_TIMEOUT_S):
                length = LENGTH.unpack(await reader.readexactly(LENGTH.size))[0]
                if length > ASK_BYTES_MAX:
                    return
                ask = json.loads(await reader.readexactly(length))
                frame = json.dumps(await _answered(controls, ask)).encode()
                writer.write(LENGTH.pack(len(frame)) + frame)
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError, TimeoutError, ValueError):
            log.info("a command went away before its answer")
        finally:
            writer.close()

    path.unlink(missing_ok=True)  # noqa: ASYNC240  # a leftover of a killed node, once at start
    old = os.umask(0o177)
    try:
        with socket_name(path) as name:
            server = await asyncio.start_unix_server(answer, path=name)
    finally:
        os.umask(old)
    try:
        yield
    finally:
        server.close()
        path.unlink(missing_ok=True)  # noqa: ASYNC240  # once, at the end


def _in_words(word: str, wrong: msgspec.ValidationError) -> str:
    """What is wrong with a request, without the patterns that machines compare with."""
    found = re.search(r"`\$\.(\w+)", str(wrong))
    field = found[1] if found else ""
    if field not in ALLOWED:
        return f"{word}: {wrong}"
    return f"{field.replace('_', ' ')}: allowed is {ALLOWED[field]}"


async def _answered(controls: Controls, ask: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"answer": await controls.run(str(ask["word"]), ask["request"])}
    except AquilaError as wrong:
        return {"error": str(wrong)}
    except Exception:  # boundary: a fault in one command must not end the node
        log.exception("command failed word=%s", ask.get("word"))
        return {"error": "an internal fault; see the node's log"}


async def ask_folder(data: Path, word: str, request: dict[str, Any]) -> Any:
    """Open the folder without opening any door, and run the word."""
    settings = Settings(data=str(data))
    features = load_features()
    engine = open_engine(
        data,
        name=settings.node_name,
        context=None,
        policy=Policy(),
        features=features,
        clockwork=real_clockwork(),
        deliver=deliver_to(asyncio.get_running_loop()),
    )
    try:
        operator = await ensure_operator(engine, settings)
        parts: dict[str, Any] = {
            "address": DeviceAddress(
                settings.public_host(),
                tak_tls=settings.tak_tls_port,
                api_tls=settings.api_tls_port,
                enrol=settings.enrol_port,
            )
        }
        parts["authority"] = _authority(engine, settings)
        parts["feeds"] = FeedBoard(engine)
        parts["backups"] = BackupShelf(engine.folder, engine.secrets)
        parts["features"] = features
        controls = Controls(engine, Port(engine, None, parts), features, operator, None)
        return await controls.run(word, request)
    finally:
        engine.close()


def _authority(engine: Engine, settings: Settings) -> Authority:
    folder = engine.folder.secrets_path
    if Authority.exists(folder):
        return Authority.open(folder)
    return Authority.create(folder, settings.node_name, engine.clockwork.clock_ms())


__all__ = ["Controls", "DeviceAddress", "ask_folder", "serve_controls"]
