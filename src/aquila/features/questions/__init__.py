"""Questions: the board of what the commander wants to know, tested by every entry; requests for information."""

from aquila.core.feature import Feature
from aquila.features.questions.commands import COMMANDS
from aquila.features.questions.looking_back import look_back
from aquila.features.questions.queries import QUERIES
from aquila.features.questions.question import questions_view
from aquila.features.questions.rules import climb_rule, hit_rule

feature = Feature(
    name="questions",
    views=(questions_view,),
    rules=(hit_rule, climb_rule),
    look_backs=(look_back,),
    queries=QUERIES,
    commands=COMMANDS,
)

__all__ = ["feature"]
