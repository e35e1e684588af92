"""The command line: `aquila serve` starts a node, every other command talks to the node that holds --data.

With no node running a command takes the data folder itself. Answers go to standard output, progress and errors to the
terminal's other channel, so that `TOKEN=$(aquila token me --data DIR)` works.
"""

import asyncio
import base64
import io
import ipaddress
import os
import re
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from aquila.app.asking import ask
from aquila.app.feed_commands import feed_app
from aquila.app.fuse import fuse
from aquila.app.interpreter import collect_later
from aquila.config import EVERY_ADDRESS, load_settings
from aquila.core.errors import AquilaError, UsageError
from aquila.core.model import CONTEXT_PATTERN
from aquila.stores.sqlite.backup import read_manifest, restore_backup

app = typer.Typer(
    name="aquila",
    help="An open C4I node: one command, one picture, one journal.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
device_app = typer.Typer(
    help="Phones, tablets and vehicles: give them certificates, take them back.", no_args_is_help=True
)
user_app = typer.Typer(help="People who work at desks.", no_args_is_help=True)
app.add_typer(device_app, name="device")
app.add_typer(user_app, name="user")
app.add_typer(feed_app, name="feed")
app.command()(fuse)

# A callsign may hold what looks like a picture or a colour; it is shown as it is.
screen = Console(stderr=True, emoji=False)
# A pipe has no edge to wrap at: what `grep` looks for stays on one line.
out = Console(emoji=False, width=None if sys.stdout.isatty() or "COLUMNS" in os.environ else 2000)

Data = Annotated[Path, typer.Option("--data", help="The node's data folder.", envvar="AQUILA_DATA")]
DEFAULT_DATA = Path("aquila-data")
PASSPHRASE_VARIABLE = "AQUILA_BACKUP_PASSPHRASE"  # noqa: S105  # the name of a variable, no secret
PassphraseFile = Annotated[
    Path | None,
    typer.Option(
        "--passphrase-file",
        help="File whose first line is the passphrase; else AQUILA_BACKUP_PASSPHRASE, else it is asked for.",
    ),
]


def tell(sentence: str) -> None:
    """A message for people, as it is: no markup, no line of it broken."""
    screen.print(sentence, markup=False, highlight=False, soft_wrap=True)


def warn(sentence: str) -> None:
    """A message that something will not work as it stands, and what to do."""
    screen.print("[yellow]warning:[/]", escape(sentence), highlight=False, soft_wrap=True)


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Data folder; made when absent.")] = None,
    demo: Annotated[str | None, typer.Option(help="snow-leopard, harbour, snow-leopard+harbour or none.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML); keys in docs/guide/settings.md.")] = None,
    host: Annotated[
        str | None, typer.Option(help="Open the TLS ports on this address, not on localhost; 0.0.0.0 = on all.")
    ] = None,
    plain_host: Annotated[str | None, typer.Option(help="Open the PLAIN ports beyond this machine (warned).")] = None,
    public_name: Annotated[
        list[str] | None, typer.Option(help="Name or address that others reach this node by; repeatable.")
    ] = None,
    context: Annotated[
        str | None,
        typer.Option(
            help="REAL, EXERCISE:NAME or SIMULATION:NAME; not given: what the data folder is of, a new one REAL."
        ),
    ] = None,
    node_name: Annotated[str | None, typer.Option(help="Name of the node for people.")] = None,
    http_port: Annotated[int | None, typer.Option(help="Page and API, this machine only; 0 = any free one.")] = None,
    tak_port: Annotated[int | None, typer.Option(help="TAK over TCP, this machine only.")] = None,
    tak_tls_port: Annotated[int | None, typer.Option(help="TAK over TLS with device certificates.")] = None,
    api_tls_port: Annotated[int | None, typer.Option(help="API over TLS with device certificates.")] = None,
    enrol_port: Annotated[int | None, typer.Option(help="Page and API over TLS for other desks.")] = None,
    recording: Annotated[bool | None, typer.Option(help="Keep a recording of everything heard.")] = None,
) -> None:
    """Start a node: picture, journal, TAK ports and page. Prints one link that logs the browser in."""
    flags: dict[str, Any] = {
        "data": None if data is None else str(data),
        "demo": demo,
        "host": host,
        "plain_host": plain_host,
        "public_names": tuple(public_name) if public_name else None,
        "context": context,
        "node_name": node_name,
        "http_port": http_port,
        "tak_port": tak_port,
        "tak_tls_port": tak_tls_port,
        "api_tls_port": api_tls_port,
        "enrol_port": enrol_port,
        "recording": recording,
    }
    if context is not None and not re.fullmatch(CONTEXT_PATTERN, context):
        raise UsageError(
            f"--context {context}: allowed are REAL, EXERCISE:NAME and SIMULATION:NAME, in capital letters, digits,"
            " blanks, - and _, the name up to 40 signs; for instance EXERCISE:SNOW LEOPARD"
        )
    settings = load_settings(flags, os.environ, config)
    if settings.host in EVERY_ADDRESS and not settings.public_names:
        warn(
            f"--host {settings.host} is every address of this machine: say with --public-name ADDRESS which one devices"
            " use, or their packages point at 127.0.0.1"
        )
    collect_later()
    from aquila.app.serve import serve as serve_node  # the whole node: no other command waits for it

    asyncio.run(serve_node(settings, screen))


@app.command()
def token(
    name: Annotated[str, typer.Argument(help="Who uses it; stands in the journal.")],
    data: Data = DEFAULT_DATA,
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "operator",
    days: Annotated[int, typer.Option(help="Days until it expires.", min=1, max=3650)] = 30,
) -> None:
    """Print a bearer token, alone on its line. It is shown this once only."""
    answer = ask(data, "access.make_token", {"name": name, "role": role, "days": days})
    typer.echo(answer["token"])


@app.command()
def login(data: Data = DEFAULT_DATA) -> None:
    """Print a link that logs a browser in, once, within ten minutes."""
    typer.echo(ask(data, "login", {})["link"])


@user_app.command("add")
def user_add(
    name: Annotated[str, typer.Argument(help="Name to log in with.")],
    data: Data = DEFAULT_DATA,
    role: Annotated[str, typer.Option(help="viewer, operator or admin.")] = "operator",
) -> None:
    """Add a person with a password (asked for, never an argument). For one who is there: a new password and role."""
    was_there = any(row["name"] == name for row in ask(data, "access.users", {"limit": 10_000}))
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    ask(data, "access.make_user", {"name": name, "password": password, "role": role})
    if was_there:
        tell(f"user {name} was there already: password and role were changed; may log in as {role}")
    else:
        tell(f"user {name} may log in as {role}")


@user_app.command("list")
def user_list(data: Data = DEFAULT_DATA) -> None:
    """List the people who may log in with a password: role, and which groups they read and write."""
    table = Table("name", "role", "reads", "writes")
    for row in ask(data, "access.users", {"limit": 10_000}):
        words = (row["name"], row["role"], ", ".join(row["groups_out"]), ", ".join(row["groups_in"]))
        table.add_row(*(Text(word) for word in words))
    out.print(table)


@user_app.command("remove")
def user_remove(name: str, data: Data = DEFAULT_DATA) -> None:
    """Take a person's password back; whatever it had opened is closed at once."""
    ask(data, "access.drop_user", {"name": name})
    tell(f"user {name} may log in no more")


@device_app.command("add")
def device_add(
    name: Annotated[str, typer.Argument(help="Certificate name, for instance PATROL1.")],
    data: Data = DEFAULT_DATA,
    out_folder: Annotated[
        Path | None, typer.Option("--out", help="Folder for the device's files; else device-files/NAME.")
    ] = None,
    nation: Annotated[str, typer.Option(help="Three letters, for instance ITA.")] = "ITA",
    group: Annotated[list[str] | None, typer.Option(help="Group it reads and writes; repeatable.")] = None,
    callsign: Annotated[str | None, typer.Option(help="Name for people; else the certificate name.")] = None,
    clearance: Annotated[str | None, typer.Option(help="Highest classification it may read.")] = None,
    host: Annotated[str | None, typer.Option(help="Address the device reaches this node by.")] = None,
) -> None:
    """Make certificate, key, trust store and data packages for a device."""
    request: dict[str, Any] = {"name": name, "nation": nation, "groups_in": group or ["COMMON"]}
    request |= _said(callsign=callsign, clearance=clearance, host=host)
    answer = ask(data, "devices.add_device", request)
    # A folder of its own: the trust store of every device has the same name and another password.
    folder = out_folder or Path("device-files") / name
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["package"]))) as package:
        for member in package.infolist():
            path = folder / Path(member.filename).name
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, (member.external_attr >> 16) & 0o777)
            with os.fdopen(handle, "wb") as stream:
                stream.write(package.read(member))
            tell(f"wrote {path}")
    _tell_address(data, host, "revoke it and add it again")
    tell(f"password of the .p12 files: {answer['password']}")


@device_app.command("invite")
def device_invite(
    name: Annotated[str, typer.Argument(help="Certificate name, for instance PATROL1.")],
    data: Data = DEFAULT_DATA,
    nation: Annotated[str, typer.Option(help="Three letters, for instance ITA.")] = "ITA",
    group: Annotated[list[str] | None, typer.Option(help="Group it reads and writes; repeatable.")] = None,
    callsign: Annotated[str | None, typer.Option(help="Name for people; else the certificate name.")] = None,
    clearance: Annotated[str | None, typer.Option(help="Highest classification it may read.")] = None,
    host: Annotated[str | None, typer.Option(help="Address the device reaches this node by.")] = None,
    minutes: Annotated[int, typer.Option(help="So long the token is good.", min=1, max=43_200)] = 60,
    out_folder: Annotated[Path | None, typer.Option("--out", help="Folder for data packages.")] = None,
) -> None:
    """Print what a device enrols with by itself: a one-time token as link, iTAK line and registration form."""
    request: dict[str, Any] = {"name": name, "nation": nation, "minutes": minutes, "groups_in": group or ["COMMON"]}
    request |= _said(callsign=callsign, clearance=clearance, host=host)
    answer = ask(data, "devices.invite_device", request)
    for word in ("url", "itak", "registration", "token"):
        typer.echo(f"{word}: {answer[word]}")
    if out_folder is not None:
        out_folder.mkdir(parents=True, exist_ok=True)
        for kind in ("atak", "itak"):
            path = out_folder / f"{answer['name']}-enrol-{kind}.zip"
            path.write_bytes(base64.b64decode(answer[f"package_{kind}"]))
            tell(f"wrote {path}")
    _tell_address(data, host, "invite it again")
    tell(f"good once, for {minutes} minutes, under the name {answer['name']}")


def _said(**fields: str | None) -> dict[str, str]:
    """Only what was given."""
    return {name: value for name, value in fields.items() if value is not None}


def _tell_address(data: Path, host: str | None, again: str) -> None:
    """Say where a device will look for this node, and warn when it would look into itself."""
    address = ask(data, "address", {})
    goal = host or address["host"]
    tell(f"the device will look for this node at {goal}, port {address['tak_tls']}")
    if _is_loopback(goal):
        warn(
            f"{goal} is this machine only, no other device reaches it: start the node with --host ADDRESS (with"
            f" --host 0.0.0.0 also --public-name ADDRESS), then {again}, or do so now with --host ADDRESS"
        )


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host.lower() == "localhost"


@device_app.command("list")
def device_list(data: Data = DEFAULT_DATA) -> None:
    """List devices: active, expired, revoked, or pending: invited and not here yet."""
    table = Table("name", "state", "nation", "reads", "writes", "valid until", "serial")
    invited = ask(data, "devices.invitations", {"state": "pending", "limit": 10_000})
    rows = ask(data, "devices.devices", {"revoked": True, "limit": 50_000})
    for row in [*rows, *({**each, "not_after_ms": each["ends_ms"], "serial": ""} for each in invited)]:
        until = datetime.fromtimestamp(row["not_after_ms"] / 1000, UTC)
        ends = f"{until:%Y-%m-%d %H:%MZ}" if row["state"] == "pending" else until.date().isoformat()
        reads, writes = ", ".join(row["groups_out"]), ", ".join(row["groups_in"])
        words = (row["name"], row["state"], row.get("nation") or "", reads, writes, ends, row["serial"])
        table.add_row(*(Text(word) for word in words))
    out.print(table)


@device_app.command("revoke")
def device_revoke(name: str, data: Data = DEFAULT_DATA) -> None:
    """Take a device's certificate back; its links are closed at once."""
    ask(data, "devices.drop_device", {"name": name})
    tell(f"device {name} is revoked")


@app.command("export")
def export_(
    data: Data = DEFAULT_DATA,
    format: Annotated[str, typer.Option(help="journal (JSON lines), geojson or kml (the picture).")] = "journal",
    to: Annotated[Path | None, typer.Option(help="File; - or nothing = standard output.")] = None,
    force: Annotated[bool, typer.Option("--force", help="Overwrite the file when it is there.")] = False,
) -> None:
    """Write the journal or the picture out, as far as the operator may have it. The export itself is journalled."""
    file = None if to is None or str(to) == "-" else to
    if file is not None and file.exists() and not force:
        raise UsageError(f"{file} exists: name another file, or overwrite it with --force")
    answer = ask(data, "export", {"format": format})
    if file is None:
        typer.echo(answer["text"], nl=False)
        return
    try:
        file.write_text(answer["text"], encoding="utf-8")
    except OSError as wrong:
        raise UsageError(f"{file} cannot be written ({wrong.strerror}): name another file") from wrong
    tell(f"wrote {answer['count']} rows to {file}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="GeoJSON of points, or CoT events (XML).")], data: Data = DEFAULT_DATA
) -> None:
    """Write every point or event of a file into the journal, as said by the operator."""
    if not file.is_file():
        raise AquilaError(f"{file} is not a file: name a GeoJSON or CoT file.")
    answer = ask(data, "import", {"name": file.name, "base64": base64.b64encode(file.read_bytes()).decode()})
    tell(f"{answer['written']} written, {answer['refused']} refused")
    for sentence in answer["reasons"]:
        tell(f"  {sentence}")


@app.command()
def replay(recording: Annotated[Path, typer.Argument(help="A recording (*.rec) of a node.")]) -> None:
    """Fold a recording into fresh views and print the hash of the whole node."""
    from aquila.app.replay import replay_file

    answer = replay_file(recording)
    typer.echo(answer.state_hash)
    tell(f"{answer.entries} entries, {answer.samples} positions, {answer.ticks} ticks")


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="File to write.")],
    data: Data = DEFAULT_DATA,
    keys: Annotated[bool, typer.Option(help="Include keys and secrets, encrypted with a passphrase.")] = True,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Write one consistent file while the node runs.

    The passphrase for the keys (8 characters or more) comes from --passphrase-file, from the environment variable
    AQUILA_BACKUP_PASSPHRASE, or is asked for; --no-keys needs none.
    """
    phrase = _passphrase(passphrase_file, f"{to} is to hold keys", is_new=True) if keys else ""
    answer = ask(data, "backup", {"to": str(to.absolute()), "passphrase": phrase})
    tell(f"wrote {to}: {answer['entries']} entries, {answer['bytes']} bytes")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by `aquila backup`.")],
    data: Annotated[Path, typer.Option("--data", help="A new folder.")],
    no_keys: Annotated[bool, typer.Option("--no-keys", help="Leave keys and secrets out; the node makes new.")] = False,
    passphrase_file: PassphraseFile = None,
) -> None:
    """Make a new data folder from a backup; the node begins a new epoch in it.

    The passphrase of a backup with keys comes from --passphrase-file, from the environment variable
    AQUILA_BACKUP_PASSPHRASE, or is asked for; --no-keys needs none: the devices then need new certificates.
    """
    if not file.is_file():
        raise UsageError(f"{file} is not there: name the file that `aquila backup` or Node care wrote (DATA/backups)")
    holds_keys = read_manifest(file).sealing is not None
    phrase = _passphrase(passphrase_file, f"{file} holds keys", is_new=False) if holds_keys and not no_keys else None
    answer = restore_backup(file, data, passphrase=phrase, without_keys=no_keys)
    tell(f"restored {answer.arrival} entries into {data}; its node begins a new epoch")


def _passphrase(file: Path | None, why: str, *, is_new: bool) -> str:
    """The passphrase: of the file, of the environment, or asked for. Raises UsageError when there is none."""
    if file is not None:
        try:
            lines = file.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as wrong:
            raise UsageError(f"--passphrase-file {file} cannot be read ({wrong}): name a readable text file") from wrong
        if not lines or not lines[0]:
            raise UsageError(f"--passphrase-file {file}: its first line is empty, the passphrase must stand there")
        return lines[0]
    phrase = os.environ.get(PASSPHRASE_VARIABLE, "")
    if phrase:
        return phrase
    if not sys.stdin.isatty():
        raise UsageError(
            f"{why}, and nobody is there to be asked for the passphrase: give --passphrase-file FILE, or set"
            f" {PASSPHRASE_VARIABLE}, or leave the keys out with --no-keys"
        )
    return str(typer.prompt("Passphrase for the keys", hide_input=True, confirmation_prompt=is_new, err=True))


@app.command()
def erase(
    subject: Annotated[str, typer.Argument(help="Id of the person as statements give it, for instance person:kaya.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the journal.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Drop a person's key: every body that names the person can never be read again. The chain still verifies.

    Example: aquila erase person:kaya --reason "asked for on 3 May" --data DIR
    """
    answer = ask(data, "erase", {"subject": subject, "reason": reason})
    tell(f"{subject}: {answer['result']}")


@app.command()
def doctor(
    data: Data = DEFAULT_DATA,
    certificate: Annotated[Path | None, typer.Option(help="A device certificate to examine.")] = None,
    connect: Annotated[str | None, typer.Option(help="HOST:PORT to try a handshake with.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the certificate, for --connect.")] = None,
) -> None:
    """Say why a handshake, port, clock, disk, file limit or certificate fails, and what to do."""
    from aquila.app.doctor import examine

    findings = examine(data, certificate=certificate, connect=connect, key=key)
    for finding in findings:
        colour = {"good": "green", "warn": "yellow", "bad": "red"}[finding.grade]
        line = f"[{colour}]{finding.grade:>4}[/] {escape(f'{finding.what}: {finding.sentence}')}"
        out.print(line, highlight=False, soft_wrap=True)
    if any(finding.grade == "bad" for finding in findings):
        raise typer.Exit(1)


def main() -> None:
    """Entry point: our own errors become one sentence and exit status 1."""
    try:
        app()
    except AquilaError as wrong:
        # One sentence is one line, however narrow the terminal; what it quotes is no markup of ours.
        screen.print("[red]aquila:[/]", escape(str(wrong)), highlight=False, soft_wrap=True)
        sys.exit(1)


if __name__ == "__main__":
    main()
