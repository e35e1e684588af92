"""Directories: who a person is, as an LDAP server or an OpenID provider of the organisation says it."""

import msgspec

ANSWER_BYTES_MAX = 1 << 20
"""Of one conversation: more than this is no answer to what was asked."""


class Person(msgspec.Struct, frozen=True, kw_only=True):
    """A person who has proved who he is.

    Attributes:
        by: ldap or oidc.
        name: as he is called there.
        subject: what stays the same there when the name is given to somebody else; empty = the name itself.
        groups: as they are called there.
    """

    by: str
    name: str
    subject: str = ""
    groups: tuple[str, ...] = ()


class DirectoryError(Exception):
    """A directory gives no usable answer. The sentence is for the log of the node: it may name accounts and hosts."""


class NotProven(Exception):  # noqa: N818  # no error of the node: what a peer showed proves nothing
    """What was shown does not prove who somebody is. The sentence may be shown to whoever tries."""
