"""What the node says in lines for people: every sentence once, with gaps for what it is about.

A group is a type of papers ("tasks.task"), or a vocabulary that gaps of other sentences name. `{unit}` is a gap for any
text; `{step:step}` takes only what is a phrase of that group; `{what?alerts.text}` takes such a phrase or any text,
`{fields*field}` several of these, with commas between them.
The first phrase that fits is the one: the narrower stands first.
"""

from collections.abc import Mapping
from typing import Final

from aquila.core.printed_words import PRINTED
from aquila.core.refusal_words import REFUSED

POSTS: Final = (
    *("watch_officer", "duty_officer", "chief_of_operations", "commander", "company_commander", "patrol_leader"),
    *("intelligence_officer", "logistics_officer", "medical_officer", "liaison_officer", "exercise_control"),
    "system_administrator",
)
STEPS: Final[Mapping[str, tuple[str, ...]]] = {
    "create": ("create", "drafted"),
    "edit": ("edit", "changed"),
    "issue": ("issue", "issued"),
    "reassign": ("reassign", "given to another unit"),
    "deliver": ("deliver", "delivered"),
    "read": ("read",),
    "ack_found": ("ack_found",),
    "acknowledge": ("acknowledge", "acknowledged", "ack"),
    "wilco": ("wilco", "will comply"),
    "cannot_comply": ("cannot_comply", "cannot comply"),
    "execute": ("execute", "under way"),
    "done_ok": ("done_ok", "done"),
    "done_not_ok": ("done_not_ok", "not done"),
    "supersede": ("supersede", "superseded"),
    "cancel": ("cancel", "cancelled"),
    "approve": ("approve", "approved"),
    "reopen": ("reopen",),
    "triage": ("triage",),
    "decide": ("decide",),
    "act": ("act",),
    "amend": ("amend",),
    "tell": ("tell",),
    "told": ("told",),
    "link": ("link",),
    "close": ("close",),
    "ask_again": ("ask_again",),
    "accept": ("accept",),
    "task": ("task",),
    "answer": ("answer",),
    "answer_partly": ("answer_partly",),
    "refuse": ("refuse",),
    "file": ("file",),
    "return": ("return",),
    "pause": ("pause",),
    "resume": ("resume",),
    "remove": ("remove",),
    "hold": ("hold",),
    "release": ("release",),
    "fire": ("fire",),
    "skip": ("skip",),
    "drop": ("drop",),
    "claim": ("claim",),
    "support": ("support",),
    "deny": ("deny",),
    "withdraw": ("withdraw",),
    "merge": ("merge",),
    "split": ("split",),
    "launch": ("launch",),
    "pickup": ("pickup",),
    "mark": ("mark",),
}
"""Words of steps, as papers name them and as sentences say them."""
_STEP: Final = tuple((name, said) for name, words in STEPS.items() for said in words)
_POST: Final = tuple((post, said) for post in POSTS for said in (post, post.replace("_", " ")))

PHRASES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "step": _STEP,
    "post": _POST,
    "tasks.task": (
        ("drafted", "task {task?tasks.title} for {unit} drafted"),
        ("changed", "task {task?tasks.title}: {fields*field} changed"),
        ("by_order", "task {task?tasks.title}: {step:step}, as its order says"),
        ("by_device", "task {task?tasks.title}: {step:step}, says its addressee's device"),
        ("by_device_because", "task {task?tasks.title}: {step:step} because {reason}, says its addressee's device"),
        ("answered", "{unit} has answered its FRAGO: {step:step}"),
        ("given", "task {task?tasks.title} for {unit}: {step:step}"),
        ("step", "task {task?tasks.title}, {unit}: {step:step}"),
        ("judged", "{task?tasks.title}: {found:tasks.found}, {reason?tasks.why}"),
    ),
    "tasks.title": (("verb", "{id} {verb:verb}"),),
    "tasks.found": (
        ("enter", "enter"),
        ("leave", "leave"),
        ("on_time", "on time"),
        ("late", "late"),
        ("violated", "violated"),
    ),
    "tasks.why": (
        ("unknown", "not in {area} by {time}: its position is not known"),
        ("seen", "not in {area} by {time}: last seen at {seen}, {grid}"),
        ("absent", "not in {area} by {time}: last seen at {seen}"),
        ("short", "not {minutes} min in {area} by {time}"),
        ("silent", "no report since {time}, due {due}"),
        ("inside", "inside {area} at {time}"),
        ("reached", "in {area} at {time}"),
        ("left", "left {area} at {time}"),
        ("stayed", "{minutes} min in {area} since {time}"),
        ("apart", "{apart} m from {entity}, {within} m allowed"),
    ),
    "tasks.need": (
        ("reason", "{what?tasks.need}: {reason:tasks.why}"),
        ("of", "{unit}: {task:tasks.title}"),
    ),
    "orders.order": (
        ("drafted", "{order} drafted"),
        ("changed", "{order}: {fields*field} changed"),
        ("silent_above", "{addressee} has not answered {order}: {post?post} must be told"),
        ("silent", "{addressee} has not answered {order}"),
        ("holds", "{order} holds from now on"),
        ("doubt", "{addressee}: an answer is not believed, {why}"),
        ("on_phone", "{addressee}: {step:step} on its phone"),
        ("by_chat", "{addressee}: {step:step} by chat"),
        ("by_chat_because", "{addressee}: {step:step} by chat because {reason}"),
        ("because", "{addressee}: {step:step} because {reason}"),
        ("step", "{what}: {step:step}"),
    ),
    "incidents.line": (
        ("climb", "{post?post} has not acknowledged: {above?post} must be told"),
        ("took_in", "took in: {what}"),
        ("merged", "merged"),
        ("step", "{step:step}: {what}"),
    ),
    "questions.question": (
        ("hit", "an entry fits a question"),
        ("looked", "looked back over {entries} entries: {found} fit"),
        ("found", "looking back found {found} entries that fit"),
        ("climb", "a hit was not acknowledged: {post?post} must look"),
        ("step", "{step:step}: {what}"),
    ),
    "questions.title": (("report", "{form:form} of {unit}"),),
    "questions.need": (
        ("found", "{what}: {found} found looking back"),
        ("hit", "{question}: {what?questions.title}"),
    ),
    "questions.rfi": (("step", "{step:step}: {what}"),),
    "reports.report": (
        ("superseded", "superseded"),
        ("step", "{step:step}: {form?form} of {unit}"),
        ("of", "{form?form} of {unit}"),
    ),
    "reports.form": (("added", "form {title?form}"),),
    "alerts.alert": (
        ("raised", "alert: {what?alerts.text}"),
        ("over", "alert is over: {what?alerts.text}"),
        ("acknowledged", "alert acknowledged: {what?alerts.text}"),
        ("closed", "alert closed: {what?alerts.text}"),
        ("unwatched", "alert closed with its watch: {what?alerts.text}"),
    ),
    "alerts.text": (
        ("enter", "{name} is in an area that is watched"),
        ("leave", "{name} has left an area that is watched"),
        ("dwell", "{name} stays in an area that is watched"),
        ("silence_hours", "{name} has not reported for {hours} h"),
        ("silence_long", "{name} has not reported for {hours} h {minutes} min"),
        ("silence", "{name} has not reported for {minutes} min"),
        ("silent_hours", "{name} had not reported for {hours} h"),
        ("silent_long", "{name} had not reported for {hours} h {minutes} min"),
        ("silent", "{name} had not reported for {minutes} min"),
        ("emergency", "{name}: emergency {type?emergency}"),
    ),
    "emergency": (
        ("help", "911 Alert"),
        ("cancel", "Cancel Alert"),
        ("bell", "Ring The Bell"),
        ("contact", "In Contact"),
        ("fence", "Geo-fence Breached"),
        ("custom", "Custom"),
    ),
    "alerts.watch": (
        ("made", "watch {watch}: create"),
        ("step", "watch {watch}: {step:step}"),
    ),
    "patterns.finding": (
        ("found", "pattern: {what?patterns.text}"),
        ("over", "pattern is over: {what?patterns.text}"),
        ("useful", "pattern is useful: {what?patterns.text}"),
        ("noise", "pattern is noise: {what?patterns.text}"),
    ),
    "patterns.text": (
        ("stop", "{a} has stopped"),
        ("loiter", "{a} loiters"),
        ("meeting", "{a} and {b} meet"),
        ("co_travel", "{a} and {b} go together"),
        ("gap", "{a} has gone silent"),
        ("jump", "{a} has jumped: nothing moves so fast"),
        ("too_fast", "{a} is too fast for its kind"),
        ("two_places", "{a} is in two places: two use one identity"),
        ("kind_change", "{a} has become another kind"),
        ("deviation", "{a} has left its route"),
    ),
    "patterns.thresholds": (("set", "thresholds of patterns set"),),
    "orbat.unit": (
        ("imported", "unit {unit} made from a file"),
        ("made", "unit {unit} made"),
        ("changed_by_file", "unit {unit}: {fields*field} changed by a file"),
        ("changed", "unit {unit}: {fields*field} changed"),
        ("removed", "unit {unit} removed"),
    ),
    "orbat.note": (
        ("lost", "not in this format: {names*field}"),
        ("holding_others", "only the relation that holds at the time is written; units that have others: {n}"),
        ("holding", "only the relation that holds at the time is written"),
        ("tacom", "TACOM is written as TACON, which is the nearest that MSDL has"),
        ("theatre", "theatre and command are written as REGION"),
        ("letters", "symbols are written with the letters of 2525C, which say less than digits"),
        ("one_sheet", "only the sheet {sheet} is read, not {others}"),
        ("other_sides", "left out, of other sides than {side}: {n}"),
        ("places", "places, formations and equipment of the scenario are not taken: units report where they are"),
    ),
    "orbat.change": (
        ("under", "under: {old?orbat.top} → {new?orbat.top}"),
        ("field", "{name:field}: {old} → {new}"),
    ),
    "orbat.top": (("top", "top"),),
    "orbat.problem": (
        ("parent_away", "its parent {unit} is not here"),
        ("loop", "it stands under itself: move one of the loop elsewhere"),
    ),
    "tasks.caveat": (("caveat", "national caveat of {who}: {text}"),),
    "order.lost": (
        ("addressees", "addressees after the first: {names}"),
        ("paragraphs", "paragraphs that C2SIM orders do not have: {names*field}"),
        ("tasks", "text, purpose and success criteria of tasks"),
    ),
    "handover.shift": (
        ("offered", "handover offered by {who}"),
        ("taken", "handover taken"),
        ("withdrawn", "handover withdrawn"),
    ),
    "handover.line": (
        ("task", "task {task?tasks.title} for {unit}"),
        ("asset", "evacuation asset {name}"),
        ("facility", "medical facility {name}"),
        ("request", "request for evacuation {name}"),
        ("feed", "feed {name}: {format} from {url}"),
    ),
    "node.need": (
        ("feed_why", "{feed} is {condition:node.feed}: {why?feeds.why}"),
        ("feed", "{feed} is {condition:node.feed}"),
        ("refused_times", "{target} was refused: {why?refused} ({times} times within an hour)"),
        ("refused", "{target} was refused: {why?refused}"),
        ("ended", "the certificate of {device} has ended: renew or invite it anew"),
        ("ends", "the certificate of {device} ends soon: renew or invite it anew"),
        ("stopped", "the journal's writer is stopped: start the node again"),
        ("disk", "the disk of {path} has {free} MiB free: make at least 64 MiB free"),
    ),
    "node.feed": (
        *(("starting", "starting"), ("up", "up"), ("silent", "silent"), ("lost", "lost"), ("stopped", "stopped")),
        *(("paused", "paused"), ("ended", "ended")),
    ),
    "exercise.run": (
        ("paused_because", "Exercise paused: {reason}"),
        ("paused", "Exercise paused"),
        ("resumed_because", "Exercise goes on: {reason}"),
        ("resumed", "Exercise goes on"),
        ("pace_because", "Exercise at pace {pace}: {reason}"),
        ("pace", "Exercise at pace {pace}"),
    ),
    "exercise.inject": (
        ("step", "inject {step:step}: {title}"),
        ("planned", "inject: {title}"),
    ),
    "feeds.feed": (
        ("added", "feed {feed} added: {format} from {url}"),
        ("ended", "feed {feed}: the file has ended"),
        ("changed", "feed {feed}: {fields*field} changed"),
        ("paused", "feed {feed} paused"),
        ("resumed", "feed {feed} resumed"),
        ("removed", "feed {feed} removed"),
    ),
    "intel.subject": (
        ("made", "{kind:intel.kind}: {name}"),
        ("step", "{step:step}: {name}"),
    ),
    "intel.kind": (
        ("group", "group"),
        ("place", "place"),
        ("vehicle", "vehicle"),
        ("event", "event"),
        ("person", "person"),
    ),
    "intel.grade": (("graded", "graded {grade}: {what}"),),
    "intel.collect": (
        ("step", "{step:step}: {what?intel.collect}"),
        ("planned", "{source} looks for: {indicator}"),
    ),
    "tracks.pair": (
        ("same_named", "{one?tracks.member} and {other?tracks.member} are one track"),
        ("apart_named", "{one?tracks.member} and {other?tracks.member} are two tracks"),
        ("free_named", "{one?tracks.member} and {other?tracks.member}: as the correlator finds"),
        ("same", "one track"),
        ("apart", "two tracks"),
        ("free", "as the correlator finds"),
    ),
    "tracks.member": (
        ("radar", "radar {name}"),
        ("mmsi", "AIS {name}"),
        ("icao24", "ADS-B {name}"),
        ("cot", "TAK device {name}"),
        ("asterix", "system track {name}"),
    ),
    "roles.turn": (
        ("listed", "{post:post}: {who} on call"),
        ("given", "{post:post}: {who}"),
        ("taken", "{post:post} taken over by {who}"),
        ("relieved", "{who} relieved by {by}"),
        ("left", "{post:post} of {who} left"),
        ("ended", "{post:post} of {who} ended"),
    ),
    "told": (
        ("with", " ({parts*detail})"),
        ("number", "no. {id}"),
        ("program", "the program says: {why}"),
        ("guest", "{via} client at {address}"),
        ("guest_nowhere", "{via} client"),
    ),
    "detail": (
        ("role", "role: {value?role}"),
        ("nation", "nation: {value}"),
        ("clearance", "cleared up to: {value}"),
        ("groups", "groups: {value}"),
        ("groups_in", "writes into: {value}"),
        ("groups_out", "reads: {value}"),
        ("inactive", "switched off: {value}"),
        ("caveats", "caveats: {value}"),
        ("submitter_name", "from: {value}"),
        ("expires_at", "until {value}"),
        ("ends", "until {value}"),
        ("until", "until {value}"),
        ("reason", "reason: {value}"),
        ("sentence", "{value?refused}"),
        ("address", "address: {value}"),
        ("count", "records: {value}"),
        ("callsign", "callsign: {value}"),
    ),
    "role": tuple((role, role) for role in ("viewer", "operator", "admin", "owner")),
    "extract.made": (("released", "Extract released to {nation}: {entities} entities, {papers} papers"),),
    "medevac.request": (
        ("marked_one", "{what}, casualty {number}: {mark:medevac.mark} at {time}"),
        ("marked", "{what}: {mark:medevac.mark} at {time}"),
        ("step", "{what}: {step:step}"),
    ),
    "medevac.mark": (
        *(("injury", "injury"), ("first_aid", "first aid"), ("request", "request"), ("approved", "approval")),
        *(("launch", "departure of the asset"), ("pickup", "pick-up"), ("mtf1", "advanced care")),
        ("surgery", "surgery"),
    ),
    **PRINTED,
    **REFUSED,
}
WRITTEN: Final = frozenset(
    {
        *(("incidents.line", "log"), ("questions.question", "ask"), ("questions.rfi", "ask")),
        *(("medevac.request", "request"), ("medevac.request", "update")),
        *(("medevac.asset", "keep"), ("medevac.facility", "keep")),
    }
)
"""(type, action) of papers whose line is what somebody wrote: it stays in his words."""
SEALED: Final = frozenset({"intel.person"})
"""Types of which nothing is told in the journal."""
DEEDS: Final = frozenset(
    {
        *("device.add", "device.bind", "device.channels", "device.invite", "device.refuse", "device.renew"),
        *("device.revoke", "device.switch", "device.uninvite", "certificate.revoke", "certificate.delete"),
        *("user.add", "user.remove", "user.password", "token.create", "token.revoke", "link.up", "link.down"),
        *("mail.wait", "mail.deliver", "backup", "backup.take", "backup.prove", "backup.remove", "erase", "export"),
        *("person.read", "package.add", "package.change", "package.withdraw", "iconset.add", "iconset.remove"),
        *("injector.add", "injector.remove", "profile.add", "profile.drop", "video.add", "video.change"),
        *("video.remove", "mission.create", "mission.delete", "mission.groups", "mission.add", "mission.remove"),
        *("mission.change", "mission.attach", "mission.copy", "mission.end", "mission.expiration", "mission.invite"),
        *("mission.keywords", "mission.layer", "mission.log", "mission.parent", "mission.password", "mission.role"),
        *("mission.send", "mission.subscribe"),
    }
)
"""Actions of acts."""
NAMED: Final = frozenset({"package.add", "package.change", "iconset.add"})
"""Actions of acts whose target is an id of TAK clients, and whose detail has a name for people."""
DETAILS: Final[Mapping[str, str]] = {
    **{"role": "role", "nation": "", "clearance": "", "caveats": "", "groups": "", "groups_in": "", "groups_out": ""},
    **{"inactive": "", "callsign": "", "submitter_name": "", "expires_at_ms": "", "ends_ms": "", "until_ms": ""},
    **{"reason": "links.why", "sentence": "refused", "address": "", "count": ""},
}
"""What of an act's detail is told to people, in this order, and the group that it may be a phrase of. The rest of it
(ids, digests, whole files) is for the node."""
KINDS_SAID: Final = frozenset({"removal", "foreign", "delivered", "read", "pending", "unreadable", "sealed"})
"""What else an entry may say by itself: keys of the group "entry"."""

__all__ = ["DEEDS", "DETAILS", "KINDS_SAID", "NAMED", "PHRASES", "POSTS", "SEALED", "STEPS", "WRITTEN"]
