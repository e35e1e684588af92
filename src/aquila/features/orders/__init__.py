"""Orders: five paragraphs, issued to addressees, with what each of them has answered; changed by fragmentary orders."""

from aquila.core.feature import Feature
from aquila.features.orders.commands import COMMANDS
from aquila.features.orders.queries import QUERIES
from aquila.features.orders.rules import effect_rule, extract_rule, overlay_rule, receipt_rule, reply_rule, silence_rule
from aquila.features.orders.view import orders_view

feature = Feature(
    name="orders",
    views=(orders_view,),
    rules=(extract_rule, overlay_rule, receipt_rule, reply_rule, silence_rule, effect_rule),
    queries=QUERIES,
    commands=COMMANDS,
)

__all__ = ["feature"]
