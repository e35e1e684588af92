"""Foreign logins: persons whom a directory (LDAP) or an OpenID provider knows.

They prove there who they are. What they may is a grant of this node like any other: an act makes it at the first login,
from the settings' rules, and another act changes it when rule or groups have changed. No password of theirs is kept.
"""

import asyncio
import logging
from collections.abc import Mapping, Sequence

import msgspec

from aquila.config import PersonRule
from aquila.core.errors import Refused
from aquila.core.model import Principal
from aquila.core.view import view_of
from aquila.features.access import Access, Grant, Name, Secrets, act_of
from aquila.links.directory import DirectoryError, NotProven, Person
from aquila.links.directory.ldap import LdapDirectory, same_dn, squeezed
from aquila.links.directory.oidc import Begun, OidcProvider
from aquila.web_api.errors import WebError, refused
from aquila.web_api.port import NodePort

log = logging.getLogger(__name__)


class Known(msgspec.Struct, frozen=True):
    """As whom a name of this node logs in elsewhere; kept beside the grant, in the secret store."""

    by: str
    subject: str


class ForeignLogins:
    """Lets in whom others know.

    Args:
        port: its part `secrets` keeps which users came this way.
        principal: the node itself: it writes the grants.
        rules: from the first to the last; the first that fits says what a person may.
        ldap: None = no directory is asked. oidc: None = there is no provider.
        oidc_name: what the button of the login page calls the provider.
    """

    def __init__(
        self,
        port: NodePort,
        principal: Principal,
        rules: Sequence[PersonRule],
        *,
        ldap: LdapDirectory | None = None,
        oidc: OidcProvider | None = None,
        oidc_name: str = "",
    ) -> None:
        self._port = port
        self._principal = principal
        self._rules = rules
        self._ldap = ldap
        self._oidc = oidc
        self._one_by_one = asyncio.Lock()
        self.oidc_name = oidc_name if oidc is not None else ""

    async def is_password(self, user: str, password: str) -> bool:
        """Is this the password of somebody in the directory? If so he has his grant afterwards.

        Raises WebError 403 for a person without a rule, 503 when the directory gives no answer.
        """
        if self._ldap is None or not _is_name(user) or await self._is_local(user):
            # The password of a user of this node is nobody else's business.
            return False
        try:
            person = await self._ldap.person(user, password)
        except DirectoryError as down:
            raise _no_answer("directory", down) from down
        if person is None:
            return False
        await self.admit(person)
        return True

    async def begin(self, redirect: str) -> Begun:
        """Begin a login at the provider. Raises WebError 404 without one, 503 when it gives no answer."""
        if self._oidc is None:
            raise WebError(404, "absent", "this node has no OpenID provider")
        try:
            return await self._oidc.begin(redirect)
        except DirectoryError as down:
            raise _no_answer("OpenID provider", down) from down

    async def finish(self, said: Mapping[str, str], browser: str) -> str:
        """The user that has logged in at the provider. Raises WebError 401, 403, 404 or 503 with a sentence."""
        if self._oidc is None:
            raise WebError(404, "absent", "this node has no OpenID provider")
        try:
            person = await self._oidc.finish(said, browser)
        except DirectoryError as down:
            raise _no_answer("OpenID provider", down) from down
        except NotProven as wrong:
            log.warning("login refused: %s (%s)", wrong, wrong.__cause__ or "no more is known")
            raise WebError(401, "login", str(wrong), do="log in again") from wrong
        return await self.admit(person)

    async def admit(self, person: Person) -> str:
        """The name of the user that a person is here, with his grant in force. Raises WebError 403 with a sentence."""
        name = person.name.lower()
        if not _is_name(name):
            raise WebError(
                403,
                "name",
                f"{person.name[:80]!a} cannot be the name of a user here",
                allowed="1 to 64 letters, digits, dots, hyphens and underscores",
                do="ask who runs this node to take the name from another field",
            )
        rule = rule_for(person, self._rules)
        if rule is None:
            log.warning("login refused: no rule fits person=%s by=%s", name, person.by)
            raise WebError(
                403,
                "unmapped",
                f"you are {name}, but none of your groups may log in here",
                do="ask who runs this node to add one of your groups to its settings (people)",
            )
        async with self._one_by_one:
            await self._grant(name, person, rule)
        return name

    async def _grant(self, name: str, person: Person, rule: PersonRule) -> None:
        access, known = self._access, await self._known(name)
        given = access.grant(self._port.node, "user", name)
        self._check(name, person, given, known)
        wanted = grant_by(rule, name)
        if given != wanted:
            act = act_of(wanted, self._port.clock_ms())
            act = msgspec.structs.replace(act, detail={**act.detail, "login": person.by})
            written = await self._port.write(self._principal, act, "node")
            if isinstance(written, Refused):
                raise refused(written)
        if known is None:
            kept = msgspec.to_builtins(Known(person.by, person.subject))
            await asyncio.to_thread(self._secrets.put, _secret(name), kept)

    def _check(self, name: str, person: Person, given: Grant | None, known: Known | None) -> None:
        ask = "ask an administrator of this node"
        if known is None and given is not None:
            raise WebError(403, "taken", f"{name} is a user of this node itself; his password is kept here", do=ask)
        if known is not None and given is None:
            raise WebError(403, "inactive", f"the access of {name} to this node was taken back", do=ask)
        if known is not None and known != Known(person.by, person.subject):
            raise WebError(403, "taken", f"another person, or another way to log in, has the name {name} here", do=ask)

    async def _is_local(self, user: str) -> bool:
        has_grant = self._access.grant(self._port.node, "user", user) is not None
        return has_grant and await self._known(user) is None

    async def _known(self, name: str) -> Known | None:
        kept = await asyncio.to_thread(self._secrets.get, _secret(name))
        return None if kept is None else msgspec.convert(kept, Known)

    @property
    def _secrets(self) -> Secrets:
        found: Secrets = self._port.part("secrets")
        return found

    @property
    def _access(self) -> Access:
        return view_of(self._port.views, "access", Access)


def rule_for(person: Person, rules: Sequence[PersonRule]) -> PersonRule | None:
    """The first rule whose group the person is in; None = no rule fits."""
    plain = {group: squeezed(group) for group in person.groups} if person.by == "ldap" else {}
    for rule in rules:
        if rule.group in person.groups:
            return rule
        wanted = squeezed(rule.group)
        if any(each == wanted and same_dn(group, rule.group) for group, each in plain.items()):
            return rule
    return None


def grant_by(rule: PersonRule, name: str) -> Grant:
    """What a rule gives a person, sorted as the journal gives it back."""
    groups = tuple(sorted(set(rule.groups)))
    return Grant(
        kind="user",
        name=name,
        role=rule.role,
        nation=rule.nation,
        clearance=rule.clearance,
        groups_in=groups,
        groups_out=groups,
    )


def _secret(name: str) -> str:
    return f"foreign/{name}"


def _is_name(text: str) -> bool:
    try:
        msgspec.convert(text, Name)
    except msgspec.ValidationError:
        return False
    return True


def _no_answer(who: str, down: DirectoryError) -> WebError:
    log.warning("login failed: %s", down)
    return WebError(
        503,
        "unavailable",
        f"the {who} gives no answer that can be used; users of this node itself can log in",
        do="try again, or ask who runs this node: its log says more",
    )
