"""Work: what other features have done with packages: the part `packages` of a node."""

import mimetypes
from collections.abc import Iterable
from functools import partial
from typing import Any

from aquila.core.errors import Refused, UsageError
from aquila.core.feature import Desk
from aquila.core.model import Principal
from aquila.features.packages.commands import (
    AddPackage,
    PackageAdded,
    WithdrawPackage,
    add_package,
    drop_bytes,
    over_quota,
    withdraw_package,
)
from aquila.features.packages.facts import PACKAGE_KEYWORD, UNKNOWN_KIND, check_name, check_uid, claims_zip, kind_of
from aquila.features.packages.members import Member, Unpacked, look_into, pieces_of


class PackageWork:
    """The part. Each call does what its asker may do, and nothing else."""

    async def look_into(self, sha256: str, desk: Desk) -> Unpacked | Refused:
        """What is in a data package that lies in the part `files`; Refused when it is not fit to be opened."""
        files: Any = desk.part("files")
        try:
            found: Unpacked = await files.run(partial(look_into, files.path_of(sha256)))
            for member in found.files:
                check_name(member.name)
        except ValueError as wrong:
            return Refused("request", str(wrong))
        return found

    async def unpack(
        self,
        principal: Principal,
        sha256: str,
        found: Unpacked,
        groups: Iterable[str],
        creator_uid: str,
        desk: Desk,
    ) -> tuple[str, ...] | Refused:
        """Keep every file of a data package as a file of its own, in these groups; gives their digests.

        The same again changes nothing. Nothing is kept when all of it together is too much.
        """
        files: Any = desk.part("files")
        path = files.path_of(sha256)
        try:
            check_uid(creator_uid)
        except ValueError as wrong:
            return Refused("request", str(wrong))
        size_bytes = sum(member.size_bytes for member in found.files)
        full = over_quota(principal, "", size_bytes, desk, len(found.files))
        if full is not None:
            return full
        digests: list[str] = []
        for member in found.files:
            try:
                kept = await files.run(lambda member=member: files.put(pieces_of(path, member), held=True))
            except UsageError as wrong:
                return Refused("full", str(wrong))
            added: PackageAdded | Refused | None = None
            try:
                added = await add_package(principal, _package(member, kept, tuple(groups), creator_uid), desk)
            finally:
                # Held until its entry stands: somebody may withdraw the last package with these bytes meanwhile.
                wanted = isinstance(added, PackageAdded)
                await files.run(partial(files.let_go, kept.sha256, wanted=wanted))
            if isinstance(added, Refused):
                return added
            digests.append(kept.sha256)
        return tuple(dict.fromkeys(digests))

    async def keep(
        self, principal: Principal, sha256: str, name: str, groups: Iterable[str], creator_uid: str, desk: Desk
    ) -> PackageAdded | Refused:
        """Take a data package that lies in the part `files` already, known to those who are told its digest."""
        files: Any = desk.part("files")
        ask = AddPackage(
            sha256=sha256,
            size_bytes=files.find(sha256).size_bytes,
            name=name,
            mime="application/zip",
            keywords=(PACKAGE_KEYWORD,),
            tool="private",
            creator_uid=creator_uid,
            groups=tuple(groups),
        )
        added = await add_package(principal, ask, desk)
        if isinstance(added, Refused):
            await drop_bytes(sha256, desk)
        return added

    async def withdraw(self, principal: Principal, sha256: str, desk: Desk) -> None:
        """Withdraw what the asker may withdraw of the packages with these bytes."""
        await withdraw_package(principal, WithdrawPackage(hash=sha256), desk)


def _package(member: Member, kept: Any, groups: tuple[str, ...], creator_uid: str) -> AddPackage:
    mime = kind_of(mimetypes.guess_type(member.name, strict=False)[0] or UNKNOWN_KIND)
    return AddPackage(
        sha256=kept.sha256,
        size_bytes=kept.size_bytes,
        name=member.name,
        mime=mime,
        creator_uid=creator_uid,
        groups=groups,
        is_zip=claims_zip(member.name, mime),
    )
