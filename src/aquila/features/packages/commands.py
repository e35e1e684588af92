"""What can be done to packages: add, change, withdraw. Nobody changes one that he may not see."""

from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Annotated, Any, Literal, Protocol

import msgspec

from aquila.core.codec import Marking
from aquila.core.contract import UploadLimits
from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Command, Desk
from aquila.core.ids import statement_id
from aquila.core.model import Act, Label, Principal, Verdict
from aquila.core.owners import SPOOFED, is_of_another
from aquila.core.policy import label_for
from aquila.features.packages.archive import check_archive
from aquila.features.packages.facts import Facts, Tool, check_keywords, check_name, kind_of, written
from aquila.features.packages.queries import STAFF, is_needed, may_change, packages_of
from aquila.features.packages.view import PACKAGE_ADD, PACKAGE_CHANGE, PACKAGE_WITHDRAW, Package

NO_PACKAGE = Refused("absent", "there is no such package, or you may not see it")
LIVE_MAX = 10_000
OWN_MAX = 5_000
"""Of one sender, so that nobody shuts the door for all others."""
MIB = 1 << 20
Group = Annotated[str, msgspec.Meta(min_length=1, max_length=100)]
Groups = Annotated[tuple[Group, ...], msgspec.Meta(max_length=100)]
Uid = Annotated[str, msgspec.Meta(max_length=200)]


class Files(Protocol):
    """The part `files` of a node."""

    async def run(self, work: Callable[[], Any]) -> Any:
        """Work on files beside the loop, giving way to everything else."""
        ...

    def path_of(self, sha256: str) -> Path:
        """Where it lies."""
        ...

    def find(self, sha256: str) -> Any:
        """A kept file; None = not here."""
        ...

    def remove(self, sha256: str, unless: Callable[[], bool] | None = None) -> bool:
        """Drop a file that no request holds and `unless` does not want."""
        ...


class AddPackage(msgspec.Struct, frozen=True, kw_only=True):
    """A file that has come.

    Attributes:
        sha256, size_bytes: of its bytes, as they were counted here. expected: digest that the sender named.
        groups: where it is to be seen; empty = where the asker writes.
        is_zip: it is looked through before it is taken.
    """

    sha256: str
    size_bytes: int
    name: str
    mime: str
    keywords: tuple[str, ...] = ()
    tool: Tool = "public"
    creator_uid: str = ""
    groups: tuple[str, ...] = ()
    expected: str | None = None
    is_zip: bool = False


class PackageAdded(msgspec.Struct, frozen=True, kw_only=True):
    """The package that now is."""

    uid: str
    facts: Facts


class Changes(msgspec.Struct, frozen=True, kw_only=True):
    """What is to be changed of a package, by uid, or of all with one digest; None = left as it is.

    Attributes:
        expires_at_ms: 0 = never. label: how it is to be marked.
    """

    hash: str | None = None
    uid: str | None = None
    name: str | None = None
    mime: str | None = None
    keywords: tuple[str, ...] | None = None
    tool: Tool | None = None
    expires_at_ms: int | None = None
    label: Callable[[Principal, Desk], Label | Refused] | None = None


class PackagesChanged(msgspec.Struct, frozen=True, kw_only=True):
    """Uids of the packages that were meant, and how many of them were changed."""

    uids: tuple[str, ...]
    changed_count: int


class RenamePackage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A new name, and new keywords if any are given."""

    uid: Uid
    name: Annotated[str, msgspec.Meta(min_length=1, max_length=255)]
    keywords: Annotated[tuple[str, ...], msgspec.Meta(max_length=64)] | None = None


class LabelPackage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a package is to be marked; None = as the asker's own statements are."""

    uid: Uid
    groups: Groups = ()
    classification: Annotated[str, msgspec.Meta(max_length=40)] | None = None
    caveats: Groups = ()
    releasable_to: Groups = ()


class WithdrawPackage(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which package, by uid, or all with one digest."""

    uid: Uid = ""
    hash: Annotated[str, msgspec.Meta(max_length=64)] = ""


# -- add --------------------------------------------------------------------------------------------------------------


async def add_package(principal: Principal, ask: AddPackage, desk: Desk) -> PackageAdded | Refused:
    """Judge the file, then write that it is there. The same again from the same sender changes nothing."""
    fault = SPOOFED if is_of_another(ask.creator_uid, principal, desk.views) else _fault(principal, ask)
    if fault is not None:
        return fault
    label = _label(principal, ask.groups, Marking(), desk)
    if isinstance(label, Refused):
        return label
    files: Files = desk.part("files")
    if ask.is_zip:
        try:
            await files.run(lambda: check_archive(files.path_of(ask.sha256)))
        except ValueError as wrong:
            return Refused("request", str(wrong))
    await _drop_expired(files, desk)
    # The last look before the entry: what others sent meanwhile counts.
    refused = over_quota(principal, ask.sha256, ask.size_bytes, desk)
    if refused is not None:
        return refused
    uid = statement_id("package", principal.id, 0, "\0".join((ask.sha256, *label.groups)).encode())
    facts = Facts(
        sha256=ask.sha256,
        name=ask.name,
        size_bytes=ask.size_bytes,
        mime=ask.mime,
        keywords=ask.keywords,
        tool=ask.tool,
        creator_uid=ask.creator_uid,
        submitter=principal.id,
        submitter_name=principal.name,
        added_at_ms=desk.now_ms(),
    )
    return await _written(uid, facts, label, desk)


async def _written(uid: str, facts: Facts, label: Label, desk: Desk) -> PackageAdded | Refused:
    view = packages_of(desk)
    there = view.package(desk.context, uid, desk.now_ms())
    if there is not None and there.facts is not None:
        same = msgspec.structs.replace(facts, added_at_ms=there.facts.added_at_ms, tool=there.facts.tool)
        if same == msgspec.structs.replace(there.facts, expires_at_ms=None):
            return PackageAdded(uid=uid, facts=there.facts)
    before = view.said(desk.context, uid)
    # Two requests at once say the same: they count once.
    seed = b"" if before is None else msgspec.json.encode(before.stamp)
    detail = written(facts)
    seed += msgspec.json.encode({**detail, "added_at_ms": ""}, order="sorted")
    act = Act(action=PACKAGE_ADD, target=uid, happened_at_ms=desk.now_ms(), detail=detail)
    entry = await desk.write(act, id=statement_id("package.add", uid, 0, seed), label=label)
    return entry if isinstance(entry, Refused) else PackageAdded(uid=uid, facts=facts)


def _fault(principal: Principal, ask: AddPackage) -> Refused | None:
    if principal.kind == "person" and STAFF.isdisjoint(principal.roles):
        return Refused("role", "sending files needs the role operator")
    if ask.expected is not None and ask.expected != ask.sha256:
        return Refused("request", f"the file has SHA-256 {ask.sha256}, not the {ask.expected} that was named")
    return Refused("request", "the file is empty") if ask.size_bytes == 0 else None


def over_quota(principal: Principal, sha256: str, size_bytes: int, desk: Desk, count: int = 1) -> Refused | None:
    """Why these bytes, or so many files, are too much now, of the sender's or of the node's; None = there is room."""
    limits: UploadLimits = desk.part("upload_limits")
    known = packages_of(desk).packages(desk.now_ms())
    if len(known) + count > LIVE_MAX:
        return Refused("full", f"this node holds {len(known)} packages: withdraw some")
    mine = sum(package.facts is not None and package.facts.submitter == principal.id for package in known)
    if mine + count > OWN_MAX:
        return Refused("full", f"{mine} of the {OWN_MAX} packages of one sender are yours: withdraw some")
    sizes: dict[str, int] = {}
    own: dict[str, int] = {}
    for package in known:
        if package.facts is not None:
            sizes[package.facts.sha256] = package.facts.size_bytes
            if package.facts.submitter == principal.id:
                own[package.facts.sha256] = package.facts.size_bytes
    if sha256 not in own and sum(own.values()) + size_bytes > limits.quota_bytes:
        return Refused(
            "full", f"{sum(own.values()) // MIB} of your {limits.quota_bytes // MIB} MiB are used: withdraw a file"
        )
    if sha256 not in sizes and sum(sizes.values()) + size_bytes > limits.total_bytes:
        return Refused("full", f"the {limits.total_bytes // MIB} MiB for files of this node are used: withdraw some")
    return None


async def _drop_expired(files: Files, desk: Desk) -> None:
    """Expired packages vanish by time; their bytes go when the next file comes."""
    now_ms = desk.now_ms()

    def drop() -> None:
        for sha256 in packages_of(desk).expired(now_ms):
            if files.find(sha256) is not None:
                files.remove(sha256, partial(is_needed, sha256, desk.views, now_ms))

    await files.run(drop)


def _label(principal: Principal, groups: tuple[str, ...], marking: Marking, desk: Desk) -> Label | Refused:
    return label_for(desk.policy, principal, marking, set(groups))


# -- change -----------------------------------------------------------------------------------------------------------


async def change_packages(principal: Principal, ask: Changes, desk: Desk) -> PackagesChanged | Refused:
    """Change what the asker may change of these; refused when it may change none."""
    found = _found(principal, ask.hash, ask.uid, desk)
    if isinstance(found, Refused):
        return found
    changed = 0
    for package, facts in found:
        label = package.label if ask.label is None else ask.label(principal, desk)
        if isinstance(label, Refused):
            return label
        new = _changed(facts, ask)
        if (new, label) == (facts, package.label):
            continue
        act = Act(action=PACKAGE_CHANGE, target=package.uid, happened_at_ms=desk.now_ms(), detail=written(new))
        entry = await desk.write(act, label=label)
        if isinstance(entry, Refused):
            return entry
        changed += 1
    return PackagesChanged(uids=tuple(package.uid for package, _ in found), changed_count=changed)


def _changed(facts: Facts, ask: Changes) -> Facts:
    expires_at_ms = facts.expires_at_ms if ask.expires_at_ms is None else (ask.expires_at_ms or None)
    return msgspec.structs.replace(
        facts,
        name=facts.name if ask.name is None else ask.name,
        mime=facts.mime if ask.mime is None else ask.mime,
        keywords=facts.keywords if ask.keywords is None else ask.keywords,
        tool=facts.tool if ask.tool is None else ask.tool,
        expires_at_ms=expires_at_ms,
    )


def _found(
    principal: Principal, sha256: str | None, uid: str | None, desk: Desk
) -> list[tuple[Package, Facts]] | Refused:
    """Those that the asker may change; Refused when there are none: absent when it sees none either."""
    view, now_ms = packages_of(desk), desk.now_ms()
    if sha256:
        there = view.of_digest(sha256, now_ms)
    else:
        one = view.package(desk.context, uid or "", now_ms)
        there = [] if one is None else [one]
    seen = [each for each in there if desk.release(each.label, each.context).verdict is Verdict.FULL]
    if not seen:
        return NO_PACKAGE
    mine = [(each, each.facts) for each in seen if each.facts is not None and may_change(principal, each)]
    if not mine:
        return Refused("role", "only who sent it, or an operator who may write to all its groups, may change it")
    return mine


async def rename_package(principal: Principal, ask: RenamePackage, desk: Desk) -> PackagesChanged | Refused:
    """Call it otherwise."""
    try:
        words = None if ask.keywords is None else check_keywords(ask.keywords)
        name = check_name(ask.name)
    except ValueError as wrong:
        return Refused("name", str(wrong))
    return await change_packages(principal, Changes(uid=ask.uid, name=name, keywords=words), desk)


async def label_package(principal: Principal, ask: LabelPackage, desk: Desk) -> PackagesChanged | Refused:
    """Mark it anew, never above the asker's ceiling and only for groups that it may write into."""
    marking = Marking(ask.classification, ask.caveats, ask.releasable_to)

    def label(principal: Principal, desk: Desk) -> Label | Refused:
        label = _label(principal, ask.groups, marking, desk)
        if isinstance(label, Label) and desk.release(label, desk.context).verdict is not Verdict.FULL:
            return Refused("label", "you yourself could not see it any more: mark it so that you can")
        return label

    return await change_packages(principal, Changes(uid=ask.uid, label=label), desk)


# -- withdraw ---------------------------------------------------------------------------------------------------------


async def withdraw_package(principal: Principal, ask: WithdrawPackage, desk: Desk) -> PackagesChanged | Refused:
    """Write that it is gone, under its own marking. The bytes go with the last that needs them."""
    found = _found(principal, ask.hash, ask.uid, desk)
    if isinstance(found, Refused):
        return found
    for package, _ in found:
        act = Act(action=PACKAGE_WITHDRAW, target=package.uid, happened_at_ms=desk.now_ms())
        entry = await desk.write(act, label=package.label)
        if isinstance(entry, Refused):
            return entry
    for sha256 in {facts.sha256 for _, facts in found}:
        await drop_bytes(sha256, desk)
    return PackagesChanged(uids=tuple(package.uid for package, _ in found), changed_count=len(found))


async def drop_bytes(sha256: str, desk: Desk) -> None:
    """Drop a file that nothing needs."""
    try:
        files: Files = desk.part("files")
    except UsageError:
        return
    await files.run(lambda: files.remove(sha256, lambda: is_needed(sha256, desk.views, desk.now_ms())))


def _row(
    name: str,
    method: Literal["POST", "DELETE"],
    path: str,
    request: type[Any],
    act: Any,
    summary: str,
    answer: type[Any],
) -> Command:
    return Command(
        name=name,
        method=method,
        path=path,
        request=request,
        answer=answer,
        role="operator",
        act=act,
        summary=summary,
    )


_CHANGED = PackagesChanged
add_row = _row("add_package", "POST", "/packages", AddPackage, add_package, "Add a file that has come", PackageAdded)
change_row = _row("change_packages", "POST", "/packages", Changes, change_packages, "Change packages", _CHANGED)
rename_row = _row(
    "rename_package", "POST", "/packages/{uid}/name", RenamePackage, rename_package, "Rename a package", _CHANGED
)
label_row = _row(
    "label_package", "POST", "/packages/{uid}/label", LabelPackage, label_package, "Mark a package anew", _CHANGED
)
withdraw_row = _row(
    "withdraw_package",
    "DELETE",
    "/packages/{uid}",
    WithdrawPackage,
    withdraw_package,
    "Withdraw a package; its bytes are removed when nothing else needs them",
    _CHANGED,
)

__all__ = [
    "AddPackage",
    "Changes",
    "PackageAdded",
    "PackagesChanged",
    "WithdrawPackage",
    "add_row",
    "change_row",
    "kind_of",
    "label_row",
    "rename_row",
    "withdraw_row",
]
