"""The contract attacked: whatever is asked, the node never fails and keeps to what its OpenAPI says."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from aquila.stores.sqlite.files import FileStore
from aquila.web_api import WebSettings, make_app

CHECKS = [not_a_server_error, response_schema_conformance, status_code_conformance, content_type_conformance]


@pytest.fixture
def contract(port: Any, authority: Any, tmp_path: Path) -> Any:
    """The OpenAPI of a node with a little of everything in it."""
    port.parts["authority"], port.parts["address"] = (
        authority,
        SimpleNamespace(host="node.local", tak_tls=8089, api_tls=8443, enrol=8446, others=("10.1.2.3",)),
    )
    port.parts["files"] = FileStore(tmp_path / "files")
    port.place("A", 42.5, 77.5)
    app = make_app(port, port.features, WebSettings(hosts=("testserver", "localhost")))
    found = schemathesis.openapi.from_asgi("/api/v1/openapi.json", app)
    return found


@pytest.mark.parametrize("mode", list(GenerationMode))
def test_nothing_that_is_asked_makes_the_node_fail(contract: Any, port: Any, mode: Any) -> None:
    headers = port.token("attacker", "admin")
    count = 0
    for found in contract.get_all_operations():

        @settings(max_examples=20, suppress_health_check=list(HealthCheck))
        @given(case=found.ok().as_strategy(generation_mode=mode))
        def attack(case: Any) -> None:
            case.validate_response(case.call(headers=headers), checks=CHECKS)

        attack()
        count += 1
    assert count > 20
