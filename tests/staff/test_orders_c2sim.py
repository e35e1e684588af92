"""Orders as C2SIM and as documents: valid by the schema, read back, and refused when out of scope."""

import base64
import io
from pathlib import Path

import docx
import pytest
from lxml import etree

from aquila.core.errors import Refused
from aquila.core.paper_work import Place
from aquila.core.task_verbs import VERBS
from aquila.core.tongue import Tongue
from aquila.features import orders
from aquila.features.orders.c2sim import NAMESPACE, from_c2sim, to_c2sim
from aquila.features.orders.files import file_of
from aquila.features.orders.order import Order, OrderTask

SCHEMA = Path(orders.__file__).parent / "vectors" / "C2SIM_SMX_LOX.xsd"
AT_MS = 1_795_000_000_000
UNIT = "0190a000-0000-4000-8000-000000000001"


def order_with(*verbs: str) -> Order:
    tasks = tuple(
        OrderTask(id=f"T{n}", unit=UNIT, verb=verb, start_ms=AT_MS, end_ms=AT_MS + 60_000, place=Place(45.1, 7.2))
        for n, verb in enumerate(verbs, 1)
    )
    return Order(kind="OPORD", title='Cedar <script> "#x"', number="12", tasks=tasks, distribution=(UNIT,))


@pytest.fixture(scope="module")
def schema() -> etree.XMLSchema:
    return etree.XMLSchema(etree.parse(str(SCHEMA)))


def codes() -> list[str]:
    path = "//{*}simpleType[@name='TaskActionCodeType']//{*}enumeration"
    return [str(each.get("value")) for each in etree.parse(str(SCHEMA)).getroot().iterfind("." + path)]


def test_every_verb_is_written_valid_and_read_back(schema: etree.XMLSchema) -> None:
    order = order_with(*VERBS)
    content, losses = to_c2sim("o1", order, AT_MS)
    schema.assertValid(etree.fromstring(content))
    assert b"RuleOfEngagement" not in content
    assert losses == ()
    read = from_c2sim(content)
    assert isinstance(read, Order)
    assert [(t.verb, t.unit, t.start_ms, t.end_ms, t.place) for t in read.tasks] == [
        (t.verb, t.unit, t.start_ms, t.end_ms, t.place) for t in order.tasks
    ]


def test_of_all_codes_of_the_schema_those_of_the_list_are_taken() -> None:
    content, _ = to_c2sim("o1", order_with("OBSRV"), AT_MS)
    taken = []
    for code in codes():
        read = from_c2sim(content.replace(b">OBSRV<", f">{code}<".encode()))
        if isinstance(read, Order):
            taken.append(code)
        else:
            assert code in read.detail
    assert len(codes()) == 453
    assert set(taken) == set(VERBS)


@pytest.mark.parametrize(
    ("change", "word"),
    [
        ((b">TaskSuccess<", b">BURN<"), "desired effect"),
        ((b"</ManeuverWarfareTask>", b"<RuleOfEngagement/></ManeuverWarfareTask>"), "rules of engagement"),
        ((b"</Message>", b""), "no XML"),
        ((b"OrderBody>", b"PlanBody>"), "no OrderBody"),
        ((b">45.1<", b">north<"), "cannot be read"),
    ],
)
def test_what_is_out_of_scope_or_broken_is_refused(change: tuple[bytes, bytes], word: str) -> None:
    content, _ = to_c2sim("o1", order_with("OBSRV"), AT_MS)
    read = from_c2sim(content.replace(*change))
    assert isinstance(read, Refused)
    assert word in read.detail


def test_the_documents_hold_the_text_as_it_was_written() -> None:
    order = order_with("GUARD")
    files = {
        name: base64.b64decode(file_of("o1", order, name, AT_MS, Tongue("en")).base64)
        for name in ("text", "pdf", "docx")
    }
    assert files["pdf"].startswith(b"%PDF")
    said = [each.text for each in docx.Document(io.BytesIO(files["docx"])).paragraphs]
    assert 'OPORD 12 Cedar <script> "#x"' in said
    assert "protective or observation" in files["text"].decode()


def test_the_namespace_is_that_of_the_schema() -> None:
    assert etree.parse(str(SCHEMA)).getroot().get("targetNamespace") == NAMESPACE
