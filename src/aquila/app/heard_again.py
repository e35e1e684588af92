"""Drawings that a phone says again: each says how it was changed, so that the journal does not tell of a new one."""

from msgspec.structs import replace

from aquila.core.codec import Decoded
from aquila.core.model import Principal, Report, Verdict, audience_of
from aquila.core.node import Node
from aquila.core.policy import release
from aquila.core.view import view_of
from aquila.features.picture.changes import CHANGE, SAME, change_heard
from aquila.features.picture.view import Picture

DRAWN = ("drawing", "marker")


def with_change(decoded: Decoded, principal: Principal, node: Node) -> Decoded:
    """The same, saying how a known drawing was changed, beside what its sender may see of it; else as it came.

    Of what is not to be seen nothing is told: to its sender it is new.
    """
    body = decoded.body
    if not isinstance(body, Report) or body.own or body.emergency is not None or body.category not in DRAWN:
        return decoded
    audience = audience_of(principal)
    sight = view_of(node.views, "picture", Picture).sight(
        body.entity, lambda label, context: release(node.policy, label, context, audience), node.policy
    )
    if sight is None or sight.verdict is not Verdict.FULL:
        return decoded
    change = change_heard(sight.report, body) or SAME
    return replace(decoded, body=replace(body, fields={**body.fields, CHANGE: change}))
