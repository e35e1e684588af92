"""Demo: the staff of a scenario at work, each person with a token of its own, over the same HTTP as everybody."""

import asyncio
from collections.abc import Callable
from typing import Any

from aquila.app.port import Port
from aquila.client import Node, NodeError
from aquila.core.errors import Refused, UsageError
from aquila.core.model import Principal
from aquila.features.access import NewToken, make_token
from aquila.simulator import ActError, Control, Scenario, follow_control, play_staff
from aquila.simulator.control import PERSON as CONTROL
from aquila.web_api.port import Asked

TOKEN_DAYS = 30.0


async def play_demo_staff(
    scenario: Scenario, port: Port, operator: Principal, url: str, clock_ms: Callable[[], int], control: Control
) -> None:
    """Play the staff of a scenario against this node until cancelled; ends at once when it has none.

    Raises UsageError when the journal refuses a token.
    """
    people: dict[str, Node] = {}
    for person in scenario.staff.persons:
        asked = Asked(port, operator, "demo")
        groups = person.groups or None
        token = NewToken(name=person.name, role=person.role, days=TOKEN_DAYS, groups_in=groups, groups_out=groups)
        made = await make_token(operator, token, asked)
        if isinstance(made, Refused):
            raise UsageError(f"the demo's {person.name} gets no token: {made.detail or made.reason}")
        people[person.name] = Node(url, made.token)

    async def ask(person: str, method: str, path: str, body: Any) -> Any:
        try:
            return await asyncio.to_thread(people[person].call, method, f"/api/v1{path}", None, body)
        except NodeError as wrong:
            raise ActError(str(wrong)) from wrong

    async with asyncio.TaskGroup() as group:
        if CONTROL in people:
            group.create_task(follow_control(control, CONTROL, ask, clock_ms, asyncio.sleep))
        await play_staff(
            scenario.staff,
            scenario.period_s,
            scenario.start_s,
            ask,
            clock_ms,
            asyncio.sleep,
            clock=control.clock,
        )
