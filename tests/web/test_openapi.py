"""The routes do what their OpenAPI description says, for any request generated from it."""

import pytest
import schemathesis
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from tests.builders.requests import CONFIG

CHECKS = [not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance]
MANY = settings(
    max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck), database=None
)


def operations(client):
    """Return the described operations, by path and method."""
    schema = schemathesis.openapi.from_wsgi("/openapi.json", client.application)
    return {(op.path, op.method): op for op in (found.ok() for found in schema.get_all_operations())}


def test_every_route_is_described_and_none_else(client):
    served = {
        (rule.rule, method.lower())
        for rule in client.application.url_map.iter_rules()
        for method in rule.methods - {"HEAD", "OPTIONS"}
        if rule.endpoint != "static"
    }

    described = client.get("/openapi.json").json["paths"]
    assert {(path, method) for path, methods in described.items() for method in methods} == served


@pytest.mark.parametrize(
    ("path", "method"),
    [
        ("/health", "get"), ("/health/ready", "get"), ("/versions", "get"), ("/metrics", "get"), ("/", "get"),
        ("/setup", "post"), ("/predict", "post"), ("/webhook", "post"),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", [GenerationMode.POSITIVE, GenerationMode.NEGATIVE])
def test_every_answer_is_one_that_is_described(client, gate, suggesting, path, method, mode):
    """Generate valid and invalid requests; half of them with a valid label config."""
    if mode is GenerationMode.NEGATIVE and method == "get":
        mode = GenerationMode.POSITIVE  # without a body, every request is valid
    gate.opened.set()
    suggesting.worker._pipeline.result()
    operation = operations(client)[path, method]

    @MANY
    @given(operation.as_strategy(generation_mode=mode), st.booleans())
    def ask(case, with_config):
        if with_config and isinstance(case.body, dict):
            case.body |= {"label_config": CONFIG, "schema": CONFIG}
        answer = case.call()
        case.validate_response(answer, checks=CHECKS)

    ask()
