"""The command line: `aquila serve` starts a node, every other command talks to the node that holds --data.

With no node running a command takes the data folder itself. Answers go to standard output, progress and errors to the
terminal's other channel, so that `TOKEN=$(aquila token me --data DIR)` works.
"""

import asyncio
import base64
import io
import os
import sys
import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from aquila.app.control import ask
from aquila.app.doctor import examine
from aquila.app.serve import serve as serve_node
from aquila.config import load_settings
from aquila.core.errors import AquilaError
from aquila.stores.sqlite.backup import restore_backup

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

screen = Console(stderr=True)
out = Console()

Data = Annotated[Path, typer.Option("--data", help="The node's data folder.", envvar="AQUILA_DATA")]
DEFAULT_DATA = Path("aquila-data")


@app.command()
def serve(
    data: Annotated[Path | None, typer.Option(help="Data folder; made when absent.")] = None,
    demo: Annotated[str | None, typer.Option(help="Scenario to play (snow-leopard), or none.")] = None,
    config: Annotated[Path | None, typer.Option(help="Settings file (TOML); keys in docs/guide/settings.md.")] = None,
    host: Annotated[str | None, typer.Option(help="Open the TLS ports on this address too.")] = None,
    plain_host: Annotated[str | None, typer.Option(help="Open the PLAIN ports beyond this machine (warned).")] = None,
    public_name: Annotated[
        list[str] | None, typer.Option(help="Name or address that others reach this node by; repeatable.")
    ] = None,
    context: Annotated[str | None, typer.Option(help="REAL, EXERCISE:NAME or SIMULATION:NAME.")] = None,
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
    settings = load_settings(flags, os.environ, config)
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
    """Add a person with a password (asked for, never an argument)."""
    password = typer.prompt("Password", hide_input=True, confirmation_prompt=True, err=True)
    ask(data, "access.make_user", {"name": name, "password": password, "role": role})
    screen.print(f"user {name} may log in as {role}")


@device_app.command("add")
def device_add(
    name: Annotated[str, typer.Argument(help="Certificate name, for instance PATROL1.")],
    data: Data = DEFAULT_DATA,
    out_folder: Annotated[Path, typer.Option("--out", help="Folder for the device's files.")] = Path("device-files"),
    nation: Annotated[str, typer.Option(help="Three letters, for instance ITA.")] = "ITA",
    group: Annotated[list[str] | None, typer.Option(help="Group it reads and writes; repeatable.")] = None,
    host: Annotated[str | None, typer.Option(help="Address the device reaches this node by.")] = None,
) -> None:
    """Make certificate, key, trust store and data packages for a device."""
    request: dict[str, Any] = {"name": name, "nation": nation, "groups_in": group or ["COMMON"]}
    if host is not None:
        request["host"] = host
    answer = ask(data, "devices.add_device", request)
    out_folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(answer["package"]))) as package:
        for member in package.infolist():
            path = out_folder / Path(member.filename).name
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, (member.external_attr >> 16) & 0o777)
            with os.fdopen(handle, "wb") as stream:
                stream.write(package.read(member))
            screen.print(f"wrote {path}")
    screen.print(f"password of the .p12 files: {answer['password']}")


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
    request |= {
        key: value
        for key, value in {"callsign": callsign, "clearance": clearance, "host": host}.items()
        if value is not None
    }
    answer = ask(data, "devices.invite_device", request)
    for word in ("url", "itak", "registration", "token"):
        typer.echo(f"{word}: {answer[word]}")
    if out_folder is not None:
        out_folder.mkdir(parents=True, exist_ok=True)
        for kind in ("atak", "itak"):
            path = out_folder / f"{answer['name']}-enrol-{kind}.zip"
            path.write_bytes(base64.b64decode(answer[f"package_{kind}"]))
            screen.print(f"wrote {path}")
    screen.print(f"good once, for {minutes} minutes, under the name {answer['name']}")


@device_app.command("list")
def device_list(data: Data = DEFAULT_DATA) -> None:
    """List devices with nation, groups and state."""
    table = Table("name", "nation", "reads", "writes", "valid until", "serial")
    for row in ask(data, "devices.devices", {}):
        until = datetime.fromtimestamp(row["not_after_ms"] / 1000, UTC).date().isoformat()
        reads, writes = ", ".join(row["groups_out"]), ", ".join(row["groups_in"])
        table.add_row(row["name"], row.get("nation") or "", reads, writes, until, row["serial"])
    out.print(table)


@device_app.command("revoke")
def device_revoke(name: str, data: Data = DEFAULT_DATA) -> None:
    """Take a device's certificate back; its links are closed at once."""
    ask(data, "devices.drop_device", {"name": name})
    screen.print(f"device {name} is revoked")


@app.command("export")
def export_(
    data: Data = DEFAULT_DATA,
    format: Annotated[str, typer.Option(help="journal (JSON lines), geojson or kml (the picture).")] = "journal",
    to: Annotated[Path | None, typer.Option(help="File; - or nothing = standard output.")] = None,
) -> None:
    """Write the journal or the picture out, as far as the operator may have it. The export itself is journalled."""
    answer = ask(data, "export", {"format": format})
    if to is None or str(to) == "-":
        typer.echo(answer["text"], nl=False)
    else:
        to.write_text(answer["text"], encoding="utf-8")
        screen.print(f"wrote {answer['count']} rows to {to}")


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(help="GeoJSON of points, or CoT events (XML).")], data: Data = DEFAULT_DATA
) -> None:
    """Write every point or event of a file into the journal, as said by the operator."""
    if not file.is_file():
        raise AquilaError(f"{file} is not a file: name a GeoJSON or CoT file.")
    answer = ask(data, "import", {"name": file.name, "base64": base64.b64encode(file.read_bytes()).decode()})
    screen.print(f"{answer['written']} written, {answer['refused']} refused")
    for sentence in answer["reasons"]:
        screen.print(f"  {sentence}")


@app.command()
def replay(recording: Annotated[Path, typer.Argument(help="A recording (*.rec) of a node.")]) -> None:
    """Fold a recording into fresh views and print the hash of the whole node."""
    from aquila.app.replay import replay_file

    answer = replay_file(recording)
    typer.echo(answer.state_hash)
    screen.print(f"{answer.entries} entries, {answer.samples} positions, {answer.ticks} ticks")


@app.command()
def backup(
    to: Annotated[Path, typer.Argument(help="File to write.")],
    data: Data = DEFAULT_DATA,
    keys: Annotated[bool, typer.Option(help="Include keys and secrets, encrypted with a passphrase.")] = True,
) -> None:
    """Write one consistent file while the node runs."""
    phrase = os.environ.get("AQUILA_BACKUP_PASSPHRASE", "")
    if keys and not phrase:
        phrase = typer.prompt("Passphrase for the keys", hide_input=True, confirmation_prompt=True, err=True)
    answer = ask(data, "backup", {"to": str(to.absolute()), "passphrase": phrase if keys else ""})
    screen.print(f"wrote {to}: {answer['entries']} entries, {answer['bytes']} bytes")


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(help="A file written by `aquila backup`.")],
    data: Annotated[Path, typer.Option("--data", help="A new folder.")],
) -> None:
    """Make a new data folder from a backup; the node begins a new epoch in it."""
    phrase = os.environ.get("AQUILA_BACKUP_PASSPHRASE") or None
    answer = restore_backup(file, data, passphrase=phrase)
    screen.print(f"restored {answer.arrival} entries into {data}; its node begins a new epoch")


@app.command()
def erase(
    subject: Annotated[str, typer.Argument(help="Id of the person.")],
    reason: Annotated[str, typer.Option(help="Why; stands in the journal.")],
    data: Data = DEFAULT_DATA,
) -> None:
    """Drop a person's key: every body that names the person can never be read again. The chain still verifies."""
    answer = ask(data, "erase", {"subject": subject, "reason": reason})
    screen.print(f"{subject}: {answer['result']}")


@app.command()
def doctor(
    data: Data = DEFAULT_DATA,
    certificate: Annotated[Path | None, typer.Option(help="A device certificate to examine.")] = None,
    connect: Annotated[str | None, typer.Option(help="HOST:PORT to try a handshake with.")] = None,
    key: Annotated[Path | None, typer.Option(help="Key of the certificate, for --connect.")] = None,
) -> None:
    """Say why a handshake, port, clock, disk, file limit or certificate fails, and what to do."""
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
