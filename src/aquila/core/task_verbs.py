"""Task verbs: the closed list of what an order may ask for. Everything else is refused, with its code and the reason.

Codes are those of C2SIM's TaskActionCode (SISO-STD-020-2020), the meanings in this project's words. Weapons, targets
and fires are out of scope; MARK is refused because its definition means marking for them.
"""

from aquila.core.errors import Refused

GUARDED = "as a protective or observation task only"
"""Note to the verbs of `GUARDED_VERBS`. It stands beside the verb wherever a task is handed on, never in its name."""
VERBS: dict[str, str] = {
    "MoveToLocation": "move to a place",
    "Observe": "observe",
    "ReportPosition": "report the own position",
    "HoldInPlace": "stay in place",
    "OrientToLocation": "face a place",
    "MOVE": "move",
    "ASSMBL": "assemble",
    "TRANS": "transport",
    "ESCRT": "accompany and protect a convoy",
    "WITHDR": "move away and break contact",
    "OCCUPY": "move onto ground without opposition and hold it",
    "REST": "rest",
    "REORG": "reorganise",
    "PATROL": "patrol",
    "OBSRV": "keep in view",
    "RECCE": "reconnoitre",
    "SURVEL": "watch by electronic means",
    "LOCATE": "locate",
    "SERCH": "search",
    "VERIFY": "verify",
    "WITNES": "observe officially, to give evidence",
    "MAP": "draw a map",
    "GUARD": "guard",
    "SECURE": "secure",
    "PRVSCY": "provide security services",
    "MEDEVC": "evacuate casualties",
    "EVACT": "clear people or materiel from a place",
    "RESCUE": "rescue",
    "SAR": "search and rescue",
    "RECOVR": "recover what was lost or cannot move",
    "PRVHLT": "provide health care",
    "PRVSHL": "provide shelter",
    "REPAIR": "repair",
    "REFUEL": "refuel",
    "RESUPL": "resupply",
    "PRVTRS": "tranship cargo",
    "PRVINF": "provide infrastructure",
    "CONSTR": "build",
    "SETUP": "set up a facility",
    "CLROBS": "clear an obstacle",
    "PLAN": "plan",
    "PREPR": "prepare",
    "TRAIN": "train",
    "COOPER": "cooperate",
    "COMREL": "relay radio traffic by aircraft",
}
GUARDED_VERBS = frozenset({"GUARD", "SECURE", "PATROL"})
"""Verbs whose foreign definition goes further than ours: exported with a remark that says how they are meant."""


def refuse_verb(code: str) -> Refused | None:
    """None = the verb is in scope; else a sentence that says why not and what to do."""
    if code in VERBS:
        return None
    if code == "MARK":
        return Refused("scope", "verb MARK is out of scope, it means marking for others' action: use LOCATE or OBSRV")
    return Refused("scope", f"verb {code[:60]} is not in the list of task verbs: take one of {', '.join(VERBS)}")


def purpose_said(text: str) -> str:
    """A purpose as it follows "in order to": many write that, or "to", themselves."""
    lower = text.lower()
    return next((text[len(each) :] for each in ("in order to ", "to ") if lower.startswith(each)), text)
