"""Serve: every part of a node, started in order and stopped in reverse."""

import asyncio
import contextlib
import logging
import signal
import socket
import threading
from collections.abc import AsyncIterator, Iterable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

from rich.console import Console

import aquila
from aquila.app.backups import BackupShelf
from aquila.app.clockwork import Clockwork, real_clockwork
from aquila.app.control import Controls, DeviceAddress, serve_controls
from aquila.app.demo import play_demo_staff
from aquila.app.device_links import DeviceLinks
from aquila.app.doctor import self_test
from aquila.app.engine import Engine, open_engine
from aquila.app.feeds import FeedBoard
from aquila.app.fusion import FusionEdge
from aquila.app.harbour_demo import HARBOUR, play_harbour_demo
from aquila.app.interpreter import collect_hourly, suit_interpreter
from aquila.app.logins import foreign_logins
from aquila.app.looking_back import LookingBack
from aquila.app.lost_before import lost_before
from aquila.app.mission_edge import MissionEdge, may_speak, speak
from aquila.app.parts import load_codecs, load_features
from aquila.app.people import ensure_operator, mesh_principal, plain_principal, recogniser
from aquila.app.port import FREE_BYTES_MIN, LinkBoard, Port
from aquila.app.postman import Postman
from aquila.app.refused import DoorKeeper, refusals
from aquila.app.relay import Encoder, Relay
from aquila.app.renewals import Renewals
from aquila.app.tak import TakEdge
from aquila.app.tak_socket import TAK_SOCKET_PATH, TakSocket
from aquila.app.turns import deliver_to
from aquila.app.web_server import Door, Doors
from aquila.codecs.cot import TakSession
from aquila.codecs.cot.mesh import datagrams, read_datagram
from aquila.config import EVERY_ADDRESS, LOOPBACK, Settings
from aquila.core.contacts import Contacts
from aquila.core.contract import UploadLimits
from aquila.core.errors import Refused, UsageError
from aquila.core.fanout import Fanout
from aquila.core.model import Audience, Context, Label, Principal
from aquila.core.policy import Decision, Policy, release
from aquila.features import access
from aquila.features.access.view import OPERATOR
from aquila.features.intel.subject import Keeping
from aquila.features.packages.work import PackageWork
from aquila.features.picture.history import latest_events
from aquila.links.hub import Hub
from aquila.links.limits import Limits, raise_file_limit
from aquila.links.mesh import Group, MeshLink
from aquila.links.pki import Authority
from aquila.links.pki.tokens import TokenSigner, new_key
from aquila.links.stream import StreamListener
from aquila.links.tls import TlsGate
from aquila.simulator import Control, PlayClock, Scenario, ScenarioError, play, shipped
from aquila.stores.sqlite.files import FileStore
from aquila.web_api import Web, make_app
from aquila.web_api.settings import LOCAL_HOSTS, FirstView, WebSettings

log = logging.getLogger(__name__)
ADDRESSES_MAX = 8
"""Addresses of this machine that are offered for an invitation."""

SIGNING_KEY = "key/tokens"
AUTHORITY_S = 0.5
PORT_NAMES = ("http", "tak", "tak_tls", "api_tls", "enrol")
PLAIN_PORTS = ("http", "tak")
"""Those without TLS: they are open at an address of their own."""
DEMO_CONTEXT = "EXERCISE:DEMO"
STATIC = Path(aquila.__file__).parent / "static"
TIAN_SHAN = FirstView(77.5, 42.9, 8.0)
LAKE = FirstView(77.3, 42.42, 10.0)


class Running:
    """A node with all its doors open, as `running` gives it."""

    def __init__(
        self, engine: Engine, hub: Hub, web: Web, listeners: dict[str, StreamListener], ports: dict[str, int]
    ) -> None:
        self.engine = engine
        self.hub = hub
        self.web = web
        self.listeners = listeners
        self.ports = ports

    def login_link(self) -> str:
        """A link that logs a browser in as the operator: once, within ten minutes."""
        return f"http://localhost:{self.ports['http']}/login?key={self.web.gate.issue_key(OPERATOR)}"


async def serve(settings: Settings, screen: Console) -> None:
    """Run a node until it is told to stop (SIGINT, SIGTERM). Prints the one link."""
    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        loop.add_signal_handler(number, stop.set)
    _warn_of_plain_hosts(settings, screen)
    async with running(settings, real_clockwork()) as node:
        _greet(node, settings, screen)
        await stop.wait()
        screen.print("stopping: writing what waits")


@asynccontextmanager
async def running(settings: Settings, clockwork: Clockwork) -> AsyncIterator[Running]:
    """Start every part of a node; all of it is stopped again on the way out.

    Raises UsageError with a sentence: folder held or broken, port in use, unknown scenario.
    """
    scenario, has_harbour = _scenario(settings)
    raise_file_limit()
    context = DEMO_CONTEXT if settings.demo != "none" else settings.context
    features = load_features(settings.features)
    loop = asyncio.get_running_loop()
    async with AsyncExitStack() as stack:
        engine = open_engine(
            settings.folder(),
            name=settings.node_name,
            context=context,
            policy=Policy(),
            features=features,
            clockwork=clockwork,
            deliver=deliver_to(loop),
        )
        stack.callback(engine.close)
        if settings.recording:
            engine.record_to(engine.folder.path / "recordings" / f"{clockwork.clock_ms()}.rec")
        operator = await ensure_operator(engine, settings)
        authority = open_authority(engine, settings)
        contacts = Contacts()
        hub = make_hub(engine, contacts, settings)
        edge = TakEdge(engine, hub, contacts, settings.connections_per_device)
        edge.recall(lost_before(engine))
        desks = (operator.name, settings.node_name)
        relay = Relay(engine, hub, edge.links, edge.is_hidden, desks)
        postman = Postman(engine, hub, desks, round(settings.mail_hours * 3_600_000))
        relay.on_nobody = postman.nobody_there
        relay.on_named = postman.somebody_there
        edge.on_introduced.append(postman.arrived)
        edge.on_undelivered.append(postman.undelivered)
        noter = refusals(engine)
        ports: dict[str, int] = {}
        keeper = DoorKeeper(noter, edge.refused, clockwork.clock_ms, ports)
        gate = TlsGate(authority, on_failed=keeper.failures("tak_tls", "api_tls"))
        open_gate = TlsGate(authority, asks_certificate=False, on_failed=keeper.failures("enrol"))
        listeners = open_listeners(engine, hub, edge, gate, settings)
        for listener in listeners.values():
            listener.recognise = keeper.noted(listener.recognise)
            listener.on_turned_away = partial(keeper.turned_away, listener.name)
        hub.start()
        stack.callback(hub.stop)
        plain_host, tls_host = settings.plain_host or LOOPBACK, settings.host or LOOPBACK
        doors = Doors(
            {
                "http": Door(plain_host, settings.http_port, None),
                "api_tls": Door(tls_host, settings.api_tls_port, gate.context),
                "enrol": Door(tls_host, settings.enrol_port, open_gate.context),
            }
        )
        ports |= doors.ports
        ports["tak"] = listeners["tcp"].start(plain_host, settings.tak_port)
        ports["tak_tls"] = listeners["tls"].start(tls_host, settings.tak_tls_port)
        for listener in listeners.values():
            stack.callback(listener.stop)
        if settings.mesh:
            mesh = open_mesh(engine, hub, edge, settings)
            mesh.start()
            stack.callback(mesh.stop)
        feeds = FeedBoard(engine)
        fusion = FusionEdge(engine, feeds)
        streams = DeviceLinks(engine, edge, hub, listeners)
        shelf = BackupShelf(engine.folder, engine.secrets)
        parts = {
            "features": features,
            "feeds": feeds,
            "fusion": fusion,
            "links": LinkBoard(edge, engine.node.context),
            "authority": authority,
            "address": DeviceAddress(settings.public_host(), others=other_addresses(settings), **ports),
            "files": FileStore(engine.folder.files_path, reserve_bytes=2 * FREE_BYTES_MIN),
            "upload_limits": upload_limits(settings),
            "tokens": token_signer(engine),
            "refusals": keeper,
            "streams": streams,
            "passwords": access,
            "events": latest_events.answer,
            "packages": PackageWork(),
            "erase": engine.erase_subject,
            "keeping": Keeping(settings.person_days, settings.person_days_extended),
            "speak": partial(speak, engine),
            "may_speak": partial(may_speak, engine),
            "backups": shelf,
            "self_test": partial(self_test, engine.folder.path, shelf.finding, clockwork.clock_ms),
        }
        port = Port(engine, hub, parts, listeners)
        relay.on_mission.append(MissionEdge(engine, hub, port, edge.links).take)
        foreign = foreign_logins(engine, port, settings)
        web = web_settings(settings, _first_view(scenario, has_harbour))
        app = make_app(port, features, web, recogniser(engine), foreign)
        tak_socket = TakSocket(engine, hub, edge, app.state.web.callers, link_limits(settings), keeper.turned_away)
        app.state.web.sockets[TAK_SOCKET_PATH] = tak_socket
        await stack.enter_async_context(doors.serve(app, settings.link_unfinished_s))
        node = Running(engine, hub, app.state.web, listeners, ports)
        await stack.enter_async_context(_background(follow_authority(authority, (gate, open_gate))))
        renewals = Renewals(engine, authority, lambda: serials_of(listeners.values()))
        await stack.enter_async_context(_background(renewals.follow()))
        await stack.enter_async_context(_background(streams.follow()))
        look_backs = [look_back for feature in features for look_back in feature.look_backs]
        await stack.enter_async_context(_background(LookingBack(engine, port.journal, look_backs).follow()))
        controls = Controls(engine, port, features, operator, node.login_link)
        await stack.enter_async_context(serve_controls(engine.folder.control_path, controls))
        await stack.enter_async_context(_background(engine.run_ticks()))
        await stack.enter_async_context(fusion.running())
        await stack.enter_async_context(feeds.running())
        if scenario is not None:
            control = Control(PlayClock(clockwork.clock_ms(), scenario.start_s))
            playing = play(scenario, LOOPBACK, ports["tak"], clockwork.clock_ms, control=control)
            await stack.enter_async_context(_background(playing))
            url = f"http://{LOOPBACK if plain_host in EVERY_ADDRESS else plain_host}:{ports['http']}"
            at_work = play_demo_staff(scenario, port, operator, url, clockwork.clock_ms, control)
            await stack.enter_async_context(_background(at_work))
        if has_harbour:
            sea = play_harbour_demo(fusion, port, operator, ports["tak"], clockwork.clock_ms)
            await stack.enter_async_context(_background(sea))
        suit_interpreter()
        await stack.enter_async_context(_background(collect_hourly()))
        hosts = {name: plain_host if name in PLAIN_PORTS else tls_host for name in PORT_NAMES}
        engine.folder.write_ports({name: ports[name] for name in PORT_NAMES}, hosts)
        yield node


def _scenario(settings: Settings) -> tuple[Scenario | None, bool]:
    """The exercise of a demo, and whether the harbour is played; `snow-leopard+harbour` is both."""
    parts = [] if settings.demo == "none" else settings.demo.split("+")
    exercises = [part for part in parts if part != HARBOUR]
    if len(exercises) > 1:
        raise UsageError(f"--demo {settings.demo}: one exercise at a time, with +{HARBOUR} or without")
    try:
        return (shipped(exercises[0]) if exercises else None), HARBOUR in parts
    except ScenarioError as wrong:
        raise UsageError(f"--demo {settings.demo}: {wrong}, {HARBOUR}, or none") from wrong


def _first_view(scenario: Scenario | None, has_harbour: bool) -> FirstView | None:
    if scenario is None and has_harbour:
        return LAKE
    return None if scenario is None else TIAN_SHAN


def open_authority(engine: Engine, settings: Settings) -> Authority:
    """The node's certificate authority, made at the first start, with a server certificate for its names."""
    folder, now_ms = engine.folder.secrets_path, engine.clockwork.clock_ms()
    if Authority.exists(folder):
        authority = Authority.open(folder)
    else:
        authority = Authority.create(folder, settings.node_name, now_ms)
    names = {"localhost", LOOPBACK, "::1", socket.gethostname(), *settings.public_names}
    if settings.host is not None and settings.host not in EVERY_ADDRESS:
        names.add(settings.host)
    authority.ensure_server(names, now_ms)
    # Commands revoke in threads.
    authority.lists_lock = threading.Lock()
    return authority


def make_hub(engine: Engine, contacts: Contacts, settings: Settings) -> Hub:
    """The hub, judging by the policy that is in force at each moment."""

    def judge(label: Label, context: Context, audience: Audience) -> Decision:
        return release(engine.node.policy, label, context, audience)

    return Hub(
        Fanout(judge, Encoder(engine, load_codecs()), contacts),
        clock_ms=engine.clockwork.clock_ms,
        max_tick_ms=settings.tick_ms,
        duty=1.0 if settings.tick_adaptive else None,
    )


def open_listeners(
    engine: Engine, hub: Hub, edge: TakEdge, gate: TlsGate, settings: Settings
) -> dict[str, StreamListener]:
    """The two TAK doors, not listening yet."""
    node = engine.node

    def session(_: Principal) -> TakSession:
        return TakSession(f"aquila-{aquila.__version__}", node.identity.node, engine.clockwork.new_id)

    plain, limits = plain_principal(settings, node.context), link_limits(settings)
    known = recogniser(engine)

    def recognise(certificate: bytes | None, address: str) -> Principal | Refused:
        found = known(certificate, address)
        return found if isinstance(found, Refused) else edge.no_place(found) or found

    tcp = StreamListener(
        "tcp",
        hub,
        edge,
        session=session,
        recognise=lambda certificate, address: plain,
        clock_ms=engine.clockwork.clock_ms,
        limits=limits,
    )
    tls = StreamListener(
        "tls",
        hub,
        edge,
        session=session,
        recognise=recognise,
        clock_ms=engine.clockwork.clock_ms,
        context=gate.context,
        limits=limits,
    )
    return {"tcp": tcp, "tls": tls}


def link_limits(settings: Settings) -> Limits:
    """The bounds of every link that holds a conversation."""
    return Limits(
        connections=settings.connections,
        per_address=settings.connections_per_address,
        handshakes=settings.handshakes_at_once,
        handshake_s=settings.handshake_s,
        unfinished_s=settings.link_unfinished_s,
        idle_s=settings.link_idle_s,
        rate_per_s=settings.rate_per_s,
        burst=settings.rate_per_s * 5,
    )


def open_mesh(engine: Engine, hub: Hub, edge: TakEdge, settings: Settings) -> MeshLink:
    """The mesh, not joined yet."""
    node = engine.node
    return MeshLink(
        hub,
        edge,
        principal=mesh_principal(settings, node.policy, node.context),
        groups={"situation": _group(settings.mesh_group), "chat": _group(settings.mesh_chat_group)},
        read=read_datagram,
        write=datagrams,
        interface=settings.mesh_interface,
        hops=settings.mesh_hops,
    )


def _group(text: str) -> Group:
    host, _, port = text.rpartition(":")
    return Group(host, int(port))


def serials_of(listeners: Iterable[StreamListener]) -> frozenset[str]:
    """Serials of the certificates that links show at this moment."""
    return frozenset(
        link.serial for listener in listeners for link in listener.links.values() if link.serial is not None
    )


async def follow_authority(authority: Authority, gates: Sequence[TlsGate]) -> None:
    """Judge handshakes by the newest revocation list: it is written a moment after the act that revokes."""
    count = len(authority.revoked)
    while True:
        await asyncio.sleep(AUTHORITY_S)
        if len(authority.revoked) != count:
            count = len(authority.revoked)
            for gate in gates:
                gate.reload()


def token_signer(engine: Engine) -> TokenSigner:
    """Signs this node's tokens with a key made at the first start."""
    kept = engine.secrets.get(SIGNING_KEY)
    if kept is None:
        kept = new_key()
        engine.secrets.put(SIGNING_KEY, kept)
    return TokenSigner(kept, engine.node.identity.node)


def upload_limits(settings: Settings) -> UploadLimits:
    """How much may be sent to this node."""
    return UploadLimits(
        file_bytes=settings.upload_max_mib << 20,
        quota_bytes=settings.upload_quota_mib << 20,
        total_bytes=settings.upload_total_mib << 20,
    )


def other_addresses(settings: Settings) -> tuple[str, ...]:
    """Where else devices may reach this node: its names, and the machine's own addresses when it listens on all.

    None when the doors with TLS are open to this machine only: no address would help.
    """
    if settings.host is None or settings.host == LOOPBACK:
        return ()
    own = [settings.host]
    if settings.host in EVERY_ADDRESS:
        try:
            own = [str(each[4][0]) for each in socket.getaddrinfo(socket.gethostname(), None, type=socket.SOCK_STREAM)]
        except OSError as unknown:
            log.info("the addresses of this machine are not known: %s", unknown)
            own = []
    others = dict.fromkeys([*settings.public_names, *own])
    return tuple(each for each in others if not each.startswith(("127.", "::1", "fe80:")))[:ADDRESSES_MAX]


def web_settings(settings: Settings, first_view: FirstView | None) -> WebSettings:
    """What the web needs to know beyond the node."""
    hosts = {*LOCAL_HOSTS, socket.gethostname(), *settings.public_names}
    hosts |= {host for host in (settings.host, settings.plain_host) if host is not None}
    return WebSettings(
        hosts=tuple(sorted(hosts)),
        static_folder=STATIC,
        first_view=first_view,
        server=f"Aquila {aquila.__version__}",
    )


@asynccontextmanager
async def _background(work: Any) -> AsyncIterator[None]:
    """Run something beside everything else; its fault is logged, its end awaited."""
    task = asyncio.create_task(work)
    task.add_done_callback(_log_fault)
    try:
        yield
    finally:
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task


def _log_fault(task: "asyncio.Task[None]") -> None:
    if not task.cancelled() and (fault := task.exception()) is not None:
        log.error("background work ended", exc_info=fault)


def _warn_of_plain_hosts(settings: Settings, screen: Console) -> None:
    if settings.plain_host is not None:
        screen.print(
            f"[yellow]warning:[/] --plain-host {settings.plain_host} opens the ports without encryption and without"
            " names beyond this machine; anybody there reads and writes. Use --host (TLS) where you can."
        )


def _greet(node: Running, settings: Settings, screen: Console) -> None:
    ports = node.ports
    screen.print(f"[bold]Aquila[/] {aquila.__version__}  {node.engine.node.context}  data in {node.engine.folder.path}")
    screen.print(f"  TAK   tcp {ports['tak']} (this machine)   tls {ports['tak_tls']} (device certificates)")
    screen.print(f"  HTTPS {ports['enrol']} for other desks, {ports['api_tls']} with device certificates")
    screen.print("\nOpen this link, once, within ten minutes:")
    screen.print(node.login_link(), style="bold cyan", soft_wrap=True, highlight=False)
