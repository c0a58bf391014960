"""The description holds: whatever is asked, no answer is a surprise (schemathesis over the whole OpenAPI document)."""

from collections.abc import Sequence
from typing import Any

import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from schemathesis.checks import not_a_server_error
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.api.world import API, Someone, Web

CHECKS = (
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
)
EXAMPLES = 12
"""Of each operation."""

LEFT_OUT = {
    f"GET {API}/stream",  # endless: tests/api/test_stream.py
    f"DELETE {API}/session",  # would end the session that asks
    f"POST {API}/session",  # guesses would lock out whoever asks next
}


def fitting(web: Web) -> dict[str, list[str]]:
    """Ids that there are, so that not every answer is a 404."""
    world = web.world
    violations = [str(id_) for both in world.violations.values() for id_ in both]
    return {
        "violation_id": violations, "report_id": [str(id_) for id_ in world.reports.values()],
        "subscription_id": [str(world.subscriptions["centre"])], "delivery_id": [str(world.deliveries["centre"])],
        "sha256": list(world.files.values()),
        "version": ["1"], "table": ["vehicles", "fences"],
    }  # fmt: skip


def examine(operation: Any, someone: Someone, ids: dict[str, list[str]]) -> set[int]:
    """Ask an operation many things; returns the statuses it answered with."""
    statuses: set[int] = set()

    @settings(
        max_examples=EXAMPLES, database=None, deadline=None, derandomize=True, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy(), known=st.booleans(), choice=st.integers(0, 5))
    def one(case: Any, known: bool, choice: int) -> None:
        for name in case.path_parameters or {}:
            if known and name in ids:
                case.path_parameters[name] = ids[name][choice % len(ids[name])]
        for given_up in (case.headers, case.cookies):  # who asks is said below
            for name in list(given_up or {}):
                if name.lower() in ("authorization", "cookie", "warnloop"):
                    del given_up[name]
        answer = case.call(base_url=str(someone.client.base_url), headers=someone.headers)
        statuses.add(answer.status_code)
        case.validate_response(answer, checks=CHECKS)

    one()
    return statuses


def test_the_description_holds(web: Web) -> None:
    schema = schemathesis.openapi.from_url(f"{web.client.base_url}/openapi.json")
    schema.validate()
    asked: dict[str, set[int]] = {}
    wrong: dict[str, Sequence[BaseException]] = {}
    operations = [result.ok() for result in schema.get_all_operations() if isinstance(result, Ok)]
    for operation in sorted(operations, key=lambda one: one.method == "delete"):  # what is ended is asked about before
        label = f"{operation.method.upper()} {operation.path}"
        if label not in LEFT_OUT:
            try:
                asked[label] = examine(operation, web.people["centre"], fitting(web))
            except* Exception as group:  # noqa: BLE001 - all of them are told at the end
                wrong[label] = group.exceptions
    assert not wrong
    assert len(asked) == 43
    assert {label for label, statuses in asked.items() if not statuses & {200, 201, 204}} <= {
        f"POST {API}/violations/{{violation_id}}/moves", f"POST {API}/attachments", f"DELETE {API}/keys/{{key_id}}",
        f"POST {API}/registry/imports", f"POST {API}/parameters",
        f"POST {API}/accounts", f"POST {API}/accounts/{{account_id}}/disable", f"POST {API}/subscriptions",
        f"POST {API}/accounts/{{account_id}}/enable", f"PUT {API}/accounts/{{account_id}}/password",
    }, "reached by ids that there are"  # fmt: skip
    assert 500 not in set().union(*asked.values())
