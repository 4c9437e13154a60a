"""Every operation of the OpenAPI file, fuzzed with right and wrong requests against the running simulator."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis.specs.openapi.checks import positive_data_acceptance

from simulator.testing import Running, running

from .conftest import CONTRACT

SCHEMA = schemathesis.openapi.from_path(CONTRACT)
OPERATIONS = [found.ok() for found in SCHEMA.get_all_operations()]


@pytest.fixture(scope="module")
def target() -> Iterator[Running]:
    with running(speed=50) as simulator:
        simulator.control.account(max_sessions=1_000_000, max_streams=1_000_000, balance=None)
        yield simulator


def test_every_operation_of_the_contract_is_served(target: Running) -> None:
    """Known by its counter: an address that is not served counts as unknown."""
    target.control.clear_calls()
    for operation in OPERATIONS:
        case = operation.Case(
            path_parameters={
                name: "x"
                for name in (
                    "session_id",
                    "resource_id",
                    "stream_id",
                    "video_id",
                    "group_id",
                    "look_id",
                    "voice_id",
                    "asset_id",
                    "endpoint_id",
                )
                if f"{{{name}}}" in operation.path
            }
        )
        case.call(base_url=target.url, headers=target.headers())
    served = {(item["method"], item["path"]) for item in target.control.calls()["counts"]}
    assert served == {(operation.method.upper(), operation.path) for operation in OPERATIONS}


@pytest.mark.contract
@pytest.mark.parametrize("mode", list(schemathesis.GenerationMode), ids=lambda mode: mode.value)
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.label)
def test_fuzz(target: Running, operation: schemathesis.BaseSchema, mode: schemathesis.GenerationMode) -> None:
    @given(case=operation.as_strategy(generation_mode=mode))
    @settings(
        max_examples=20,
        deadline=None,
        derandomize=True,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    def answers_as_the_contract_says(case: schemathesis.Case) -> None:
        # A repeated key repeats the first answer, whatever the body: that is no acceptance of a wrong body.
        (case.headers or {}).pop("Idempotency-Key", None)
        # Ids must exist, which no schema can say: a right request may well answer 400.
        case.call_and_validate(
            base_url=target.url,
            headers=target.headers(),
            timeout=10,
            excluded_checks=[positive_data_acceptance],
        )

    answers_as_the_contract_says()
