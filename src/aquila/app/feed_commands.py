"""The commands `aquila feed ...`: add a source of sensor data, see how it does, pause, resume, change, remove it."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated, Any

import typer

from aquila.app.asking import ask
from aquila.core.errors import UsageError

feed_app = typer.Typer(help="Sources of sensor data: AIS, ADS-B, radar, recordings ...", no_args_is_help=True)
Data = Annotated[Path, typer.Option("--data", help="The node's data folder.", envvar="AQUILA_DATA")]
DEFAULT_DATA = Path("aquila-data")
Name = Annotated[str, typer.Argument(help="Name of the feed, as `aquila feed list` shows it.")]
Storage = Annotated[str | None, typer.Option(help="journal, track or latest: what is kept of it.")]
RateCap = Annotated[float | None, typer.Option(help="Readings a second that go on; beyond, newest per entity.")]
PasswordFile = Annotated[
    Path | None,
    typer.Option(help="File whose only line is the password of the name in a mqtt:// address; - reads it from stdin."),
]
Setting = Annotated[list[str] | None, typer.Option("--set", help="Setting of the format: KEY=VALUE; repeatable.")]


@feed_app.command("add")
def feed_add(
    format: Annotated[str, typer.Argument(help="ais, adsb-beast, sbs, asterix ... (docs/formats/sensors.md).")],
    url: Annotated[
        str,
        typer.Argument(
            help="udp://ADDRESS:PORT, tcp://HOST:PORT, file:///PATH?speed=N, serial:///DEV?baud=N, "
            "mqtt://NAME@HOST/TOPIC, mqtts://NAME@HOST/TOPIC?ca=/PATH.pem."
        ),
    ],
    data: Data = DEFAULT_DATA,
    name: Annotated[str | None, typer.Option(help="For people; else made of the format.")] = None,
    storage: Storage = None,
    rate_cap: RateCap = None,
    classification: Annotated[str | None, typer.Option(help="Of what it says; else the policy's default.")] = None,
    group: Annotated[list[str] | None, typer.Option(help="Group that may read it; repeatable.")] = None,
    setting: Setting = None,
    password_file: PasswordFile = None,
) -> None:
    """Add a feed to a node; it starts at once.

    Examples: aquila feed add ais udp://127.0.0.1:10110 --data DIR

    aquila feed add meshtastic-mqtt "mqtt://guard@127.0.0.1/msh/EU_868/2/e/#" --password-file FILE --data DIR
    """
    fields: dict[str, Any] = {"name": name, "storage": storage, "rate_cap_per_s": rate_cap}
    fields["classification"] = classification
    request: dict[str, Any] = {"format": format, "url": url, "groups": group or [], "options": _options(setting)}
    fields["password"] = _password(password_file)
    request |= {key: value for key, value in fields.items() if value is not None}
    answer = ask(data, "feeds.add_feed", request)
    typer.echo(f"feed {answer['name']} added")


@feed_app.command("list")
def feed_list(data: Data = DEFAULT_DATA) -> None:
    """Show all feeds: state, rate, errors, last sample, findings."""
    rows = ask(data, "feeds.feeds", {})
    for row in rows:
        typer.echo("\n".join(_lines(row)))
    if not rows:
        typer.echo("no feeds: add one with `aquila feed add FORMAT URL`")


@feed_app.command("change")
def feed_change(
    name: Name,
    data: Data = DEFAULT_DATA,
    url: Annotated[str | None, typer.Option(help="Where it comes from.")] = None,
    storage: Storage = None,
    rate_cap: RateCap = None,
    setting: Setting = None,
    password_file: PasswordFile = None,
) -> None:
    """Change a feed; it starts anew if it runs."""
    fields: dict[str, Any] = {"url": url, "storage": storage, "rate_cap_per_s": rate_cap}
    fields["password"] = _password(password_file)
    fields["options"] = _options(setting) if setting else None
    request = {key: value for key, value in fields.items() if value is not None}
    ask(data, "feeds.change_feed", {"id": _id_of(data, name), **request})
    typer.echo(f"feed {name} changed")


@feed_app.command("pause")
def feed_pause(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Stop a feed for the time being."""
    ask(data, "feeds.pause_feed", {"id": _id_of(data, name)})
    typer.echo(f"feed {name} paused")


@feed_app.command("resume")
def feed_resume(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Start a feed again: a lost one at once, a file from its beginning."""
    ask(data, "feeds.resume_feed", {"id": _id_of(data, name)})
    typer.echo(f"feed {name} resumed")


@feed_app.command("remove")
def feed_remove(name: Name, data: Data = DEFAULT_DATA) -> None:
    """Remove a feed; what it has said stays."""
    ask(data, "feeds.remove_feed", {"id": _id_of(data, name)})
    typer.echo(f"feed {name} removed")


def _id_of(data: Path, name: str) -> str:
    names = {row["name"]: str(row["id"]) for row in ask(data, "feeds.feeds", {})}
    if name not in names:
        raise UsageError(f"there is no feed {name}: there are {', '.join(names) or 'none'}")
    return names[name]


def _password(file: Path | None) -> str | None:
    """What stands in the file; None = none is named. An empty file means: no password any more."""
    if file is None:
        return None
    try:
        return (sys.stdin.read() if str(file) == "-" else file.read_text(encoding="utf-8")).rstrip("\r\n")
    except (OSError, UnicodeDecodeError) as wrong:
        raise UsageError(f"--password-file {file}: {wrong}. Give a file with the password as its only line.") from wrong


def _options(settings: list[str] | None) -> dict[str, Any]:
    """KEY=VALUE words as settings; a value that reads as JSON (5, true, {...}) is that, else text."""
    options: dict[str, Any] = {}
    for word in settings or ():
        key, equals, value = word.partition("=")
        if not equals or not key:
            raise UsageError(f"--set {word}: KEY=VALUE is needed, for instance --set latitude=45.4")
        try:
            options[key] = json.loads(value)
        except ValueError:
            options[key] = value
    return options


def _lines(row: dict[str, Any]) -> list[str]:
    live, label = row["live"], row["label"]
    state = row["state"] if row["state"] != "running" else live["condition"]
    why = f" ({live['why']})" if live["why"] else ""
    marking = f"{label['classification']}, groups {', '.join(label['groups'])}"
    lines = [
        f"{row['name']}: {row['format']} from {row['url']}",
        f"  {state}{why}, {live['rate_per_s']:.1f}/s, last: {_last(live)}, errors: {_errors(live)}",
        f"  kept: {row['storage']}, at most {row['rate_cap_per_s']:g}/s, {marking}",
    ]
    lines += [
        f"  finding: {twin['alias']} {twin['name']} is at two places {twin['apart_m'] / 1000:.0f} km apart"
        for twin in live["twins"]
    ]
    return lines


def _errors(live: dict[str, Any]) -> str:
    counts = {**live["errors"], **live["refused"]}
    counts |= {word: live[word] for word in ("superseded", "dropped") if live[word]}
    return ", ".join(f"{count} {reason}" for reason, count in sorted(counts.items())) or "none"


def _last(live: dict[str, Any]) -> str:
    last = live["last_sample"]
    if last is None:
        return "nothing yet"
    return f"{last['what']} {datetime.fromtimestamp(last['at_ms'] / 1000, UTC):%H:%M:%SZ}"
