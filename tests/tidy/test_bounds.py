"""The table of bounds in ARCHITECTURE.md says what the code says."""

import re
from pathlib import Path

import pytest

from aquila.app import (
    backups,
    fused_keeper,
    fused_radar,
    fused_reports,
    fusion,
    listening,
    lost_links,
    postman,
    refused_links,
    web_server,
)
from aquila.app import looking_back as looking_back_edge
from aquila.codecs.cot import event, xml
from aquila.codecs.cot.xml import skeleton
from aquila.config import Settings
from aquila.core import contract, fanout, looking_back, moves, papers
from aquila.core import node as core_node
from aquila.features import handover
from aquila.features.alerts import commands as alerts_commands
from aquila.features.alerts import rules as alerts_rules
from aquila.features.coverage import queries as coverage_queries
from aquila.features.coverage import shadow as coverage_shadow
from aquila.features.coverage import watcher as coverage_watcher
from aquila.features.devices import enrolment, invitations, refusals
from aquila.features.devices import view as devices_view
from aquila.features.devices.profiles import FILES_MAX as PROFILE_FILES_MAX
from aquila.features.devices.profiles import PROFILE_BYTES_MAX
from aquila.features.feeds import feed, twins
from aquila.features.log import parse, search
from aquila.features.log.line import LINE_MAX
from aquila.features.mail import view as mail_view
from aquila.features.missions import creating, edits
from aquila.features.missions import view as missions_view
from aquila.features.orbat import file_unit, importing, sheet_in
from aquila.features.packages import iconsets, members
from aquila.features.patterns import activity as patterns_activity
from aquila.features.patterns import finding as patterns_finding
from aquila.features.patterns import view as patterns_view
from aquila.features.questions import commands as questions_commands
from aquila.features.questions import looking_back as questions_looking_back
from aquila.features.reports import commands as reports_commands
from aquila.features.roles import commands as roles_commands
from aquila.features.tak import injectors
from aquila.features.video import view as video_view
from aquila.fusion import correlate, looks, pattern_pairs, timeline
from aquila.fusion import patterns as fusion_patterns
from aquila.links import directory, websocket
from aquila.links.directory import ldap, oidc
from aquila.links.feeds import cap, mqtt_packets
from aquila.stores import terrain
from aquila.stores.sqlite import shapes, tiles
from aquila.stores.sqlite.words import TEXTS_MAX
from aquila.stores.sqlite.writer import Limits as WriterLimits
from aquila.web_api import contract as web_contract
from aquila.web_api import guesses, routes, stream, uploads

MIB = 1 << 20
SETTINGS = Settings()
IN_CODE: dict[str, list[str]] = {
    "posts of one node": [f"{roles_commands.TURNS_MAX} turns"],
    "a file of the order of battle": [
        f"{file_unit.CONTENT_MAX} characters",
        f"{file_unit.ROWS_MAX} units",
        f"{file_unit.DEPTH_MAX} levels",
        f"{importing.TIMES_MAX} times",
        f"{sheet_in.UNPACKED_MAX // MIB} MiB",
        f"{sheet_in.PARTS_MAX} parts",
        f"{sheet_in.CELL_MAX} characters a cell",
    ],
    "link in, statements": [f"{WriterLimits().waiting_max} drafts"],
    "link in, positions": [f"{fanout.LATEST_MAX} states", f"{fanout.LATEST_BYTES_MAX // MIB} MiB"],
    "link in, one event": [
        f"{xml.EVENT_BYTES_MAX} bytes",
        f"depth {xml.DEPTH_MAX}",
        f"{xml.ELEMENTS_MAX} elements",
        f"{xml.ATTRIBUTES_MAX} attributes",
        f"{xml.ATTRIBUTE_BYTES_MAX} bytes an attribute",
    ],
    "skeletons of events": [
        f"{skeleton.SKELETONS_MAX}",
        f"{skeleton.SKELETON_BYTES_MAX} bytes",
        f"{skeleton.KNOWN_MAX} of one stream",
    ],
    "link out, positions": [],
    "link out, statements": [
        f"{fanout.WAITING_BYTES_MAX // MIB} MiB",
        f"{fanout.WAITING_MS_MAX // 60_000} min",
    ],
    "feeds": [f"{feed.FEEDS_MAX}"],
    "feed in": [f"{feed.RATE_CAP_PER_S:.0f} readings a second", f"{cap.WAITING_MAX} entities wait"],
    "one message of a broker": [f"{mqtt_packets.MESSAGE_BYTES_MAX // MIB} MiB"],
    "identities watched of one feed": [f"{twins.WATCHED_MAX}", f"{twins.TWINS_SHOWN} findings shown"],
    "reasons of one feed's errors": [f"{listening.REASONS_MAX}"],
    "late scans": [f"{timeline.DEPTH} snapshots"],
    "fusion in": [
        f"{fusion.WAITING_MAX} reports and plots wait",
        f"{fused_reports.ENTITIES_MAX} entities",
        f"{fused_radar.SENSORS_MAX} radars",
    ],
    "numbers of fused tracks": [f"{correlate.NUMBERS_SPARE} beyond"],
    "moments and readings by which fusion is judged": [
        f"{fused_keeper.MOMENTS_KEPT} moments",
        f"{fused_keeper.READINGS_KEPT} readings of each of {fused_keeper.FEEDS_KEPT} feeds",
    ],
    "steps of one thing": [f"{papers.STEPS_MAX}"],
    "lines of a signed handover": [f"{handover.LINES_MAX}"],
    "backups on the shelf": [f"{backups.SHELF_MAX} backups"],
    "forms of one node": [f"{reports_commands.FORMS_MAX}"],
    "watches": [f"{alerts_commands.WATCHES_MAX} watches", f"{alerts_commands.WATCHES_OF_ONE} of one person"],
    "alerts settled together": [
        f"{alerts_commands.SETTLED_MAX} in one act",
        f"{alerts_rules.CLOSED_MAX} closed in one tick with their watch",
    ],
    "open questions": [f"{questions_commands.OPEN_MAX}", f"{questions_commands.OPEN_OF_ONE} of one person"],
    "a question that looks back": [
        f"{looking_back.ENTRIES_MAX} entries",
        f"{looking_back_edge.LOOK_S:.0f} s",
        f"{questions_looking_back.FOUND_MAX} finds",
    ],
    "movers watched for patterns": [
        f"{pattern_pairs.MOVERS_MAX} movers",
        f"{fusion_patterns.PAIRS_MAX} pairs",
        f"{patterns_view.OPEN_MAX} findings",
        f"{patterns_finding.ROUTES_MAX} routes",
        f"{patterns_finding.AREAS_MAX} areas of {patterns_finding.CORNERS_MAX} corners",
    ],
    "one answer of density or rhythm": [
        f"{patterns_activity.FIXES_MAX} positions",
        f"{patterns_activity.SECONDS_MAX} seconds",
        f"{patterns_activity.DAYS_MAX} days",
        f"{patterns_activity.CORNERS_MAX} corners",
    ],
    "looks, for coverage": [
        f"{looks.LOOKS_MAX} cells and quarters of an hour",
        f"{looks.QUARTERS_MAX} quarters",
        f"{looks.SLOTS_MAX} markings and kinds",
        f"{coverage_watcher.FOOTPRINT_CELLS_MAX} cells of one footprint",
    ],
    "shadows of terrain": [
        f"{coverage_shadow.SHADOWS_KEPT} answers",
        f"{terrain.TILES_KEPT} tiles",
        f"{coverage_queries.RADARS_MAX} radars",
    ],
    "newest places, for rules": [f"{moves.MOVERS_MAX} entities"],
    "TAK WebSocket out": [f"{websocket.WAITING_BYTES} bytes"],
    "mail": [
        f"{postman.WAITING_MAX} for one name",
        f"{postman.AUTHOR_MAX} from one author",
        f"{postman.ADDRESSEES_MAX} for one statement",
        f"{mail_view.MAIL_MAX} rows",
    ],
    "missions": [
        f"{creating.MISSIONS_OF_ONE} of one creator",
        f"{creating.MISSIONS_MAX} in all",
        f"{missions_view.CHANGES_MAX} changes and {edits.MISSION_CELLS_MAX} contents of a kind in one",
        f"{edits.MISSION_BYTES_MAX // MIB} MiB in one",
        f"{edits.CREATOR_BYTES_MAX // MIB} MiB of one creator",
        f"{edits.ALL_BYTES_MAX // MIB} MiB in all",
    ],
    "videos": [f"{video_view.VIDEOS_OF_ONE} of one sender", f"{video_view.VIDEOS_MAX} in all"],
    "icon sets": [
        f"{iconsets.OF_ONE_MAX} of one sender",
        f"{iconsets.ALL_MAX} in all",
        f"{iconsets.ICONSET_MAX_BYTES // MIB} MiB each",
        f"{iconsets.ICON_MAX_BYTES} bytes a picture",
    ],
    "own maps": [
        f"a tile of {tiles.TILE_MAX_BYTES // MIB} MiB",
        f"{tiles.STEPS_MAX} steps of a query",
        f"{shapes.SHAPES_MAX} shapes",
        f"{shapes.CORNERS_MAX} corners",
    ],
    "injectors": [
        f"{injectors.OF_UID_MAX} of one uid",
        f"{injectors.ALL_MAX} in all",
        f"{injectors.XML_MAX} characters each",
    ],
    "data package into a mission": [f"{members.EVENTS_MAX} events of {members.EVENT_BYTES_MAX} bytes"],
    "addressees of one statement": [f"{event.ADDRESSEES_MAX}"],
    "names of one device": [f"{core_node.UIDS_MAX} uids"],
    "markings of one principal": [f"{core_node.MARKINGS_MAX} labels"],
    "queries of one asker": [f"{routes.QUERIES_OF_ONE} at work", f"{routes.AT_WORK_OF_ONE} of them in threads"],
    "screens": [f"{stream.SCREENS_MAX}", f"{stream.SCREENS_OF_ONE} of one asker"],
    "invitations": [f"{invitations.INVITATIONS_MAX}"],
    "browser out": [f"{stream.BACKLOG_BYTES // MIB} MiB"],
    "handshakes": [f"{SETTINGS.handshakes_at_once} at once"],
    "links": [
        f"{SETTINGS.connections}",
        f"{SETTINGS.connections_per_address} per address",
        f"{SETTINGS.connections_per_device} of one device",
    ],
    "lost links on the board": [f"{lost_links.LOST_MAX}, {lost_links.LOST_MS // 3_600_000} h"],
    "refused links on the board": [f"{refused_links.REFUSED_MAX}, {refused_links.REFUSED_MS // 3_600_000} h"],
    "HTTPS connections": [f"{web_server.OF_ONE_MAX} of one certificate"],
    "request body": [f"{routes.BODY_MAX_BYTES} bytes"],
    "journal search": [f"{TEXTS_MAX} texts", f"{search.HITS_MAX} hits"],
    "typed line": [
        f"{LINE_MAX} characters",
        f"{parse.NAMES_MAX} names",
        f"last {parse.ENTITIES_MAX} entities",
    ],
    "refusals in the journal": [f"{refusals.PER_MINUTE_MAX} a minute"],
    "guesses of a password": [
        f"{guesses.TRIES_PER_MIN} a minute of one caller at one target",
        f"{guesses.CALLER_TRIES_PER_MIN} of one caller",
        f"{guesses.GUESSES_KNOWN} known",
    ],
    "certificates of one device": [
        f"{enrolment.PER_HOUR_MAX} an hour",
        f"{devices_view.CERTIFICATES_MAX} known",
    ],
    "profile": [f"{PROFILE_BYTES_MAX // MIB} MiB", f"{PROFILE_FILES_MAX} files"],
    "login elsewhere": [
        f"{directory.ANSWER_BYTES_MAX} bytes an answer",
        f"{ldap.LOGINS_AT_ONCE} at once",
        f"{oidc.BEGUN_MAX} begun",
    ],
    "upload": [
        f"{contract.UPLOAD_MAX_BYTES // MIB} MiB",
        f"{uploads.FILES_MAX} files",
        f"{uploads.FIELDS_MAX} fields",
        f"{uploads.FIELD_MAX_BYTES} bytes",
        f"{web_contract.UPLOADS_AT_ONCE} at once",
        f"{web_contract.UPLOADS_OF_ONE} of one sender",
    ],
}


def table(root: Path) -> dict[str, tuple[str, str]]:
    """Queue -> bound, rule at the bound."""
    text = (root / "ARCHITECTURE.md").read_text(encoding="utf-8")
    _, _, part = text.partition("\n## Bounds\n")
    rows = re.findall(r"^\| (.+?) \| (.+?) \| (.+?) \|$", part.partition("\n## ")[0], re.MULTILINE)
    return {queue: (bound, rule) for queue, bound, rule in rows if queue != "queue"}


def test_every_queue_of_the_table_has_a_rule_at_its_bound(root: Path) -> None:
    rows = table(root)
    assert rows.keys() == IN_CODE.keys(), "the table and this test name the same queues"
    assert all(rule.strip() for _, rule in rows.values())


@pytest.mark.parametrize("queue", IN_CODE)
def test_the_bound_of_a_queue_is_the_one_in_the_code(root: Path, queue: str) -> None:
    rest, _ = table(root)[queue]
    # The longest first: "60000 bytes" is also the beginning of a longer phrase.
    for words in sorted(IN_CODE[queue], key=len, reverse=True):
        assert words in rest, f"{queue}: the code says {words}"
        rest = rest.replace(words, "", 1)
    assert not re.search(r"\d", rest), f"{queue}: no code stands behind {rest!r}"
