"""Holds every request that the client sends against our copy of the OpenAPI file.

HeyGen refuses what it does not know: a field, a query parameter or a header value that the contract lacks is
a bug of ours even when the simulator lets it pass.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

import pytest
import yaml
from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from heygen import transport
from heygen.transport import Request

CONTRACT = Path(__file__).with_name("heygen-openapi.yaml")


class AgainstContract(AssertionError):
    """The client sent something that the contract does not know."""


class ContractRecorder:
    """Put into `heygen.transport.recorders`: a bad request raises before it is sent.

    `problems` keeps all of them, because a worker's thread may have caught the error; `operations` is what ran.
    """

    def __init__(self) -> None:
        self.operations: set[tuple[str, str]] = set()
        self.problems: list[str] = []

    def sent(self, request: Request) -> None:
        try:
            if request.template:
                check(request)
                self.operations.add((request.method, request.template))
            else:
                check_foreign(request)
        except AgainstContract as problem:
            self.problems.append(str(problem))
            raise


@pytest.fixture(autouse=True, scope="session")
def client_requests_fit_the_contract() -> Iterator[ContractRecorder]:
    """Every request that the client sends in this process, whatever the test."""
    found = ContractRecorder()
    transport.recorders.append(found)
    yield found
    transport.recorders.remove(found)
    assert found.problems == []


@functools.cache
def contract() -> Mapping[str, Any]:
    loaded: Mapping[str, Any] = yaml.load(CONTRACT.read_text(), Loader=yaml.CSafeLoader)
    return loaded


def operations() -> set[tuple[str, str]]:
    """(method, path template) of everything in the contract."""
    methods = {"get", "post", "put", "patch", "delete"}
    return {
        (method.upper(), template)
        for template, item in contract()["paths"].items()
        for method in item
        if method in methods
    }


def check(request: Request) -> None:
    """Raise AgainstContract when `request` is not one of the contract's, or not as it should be."""
    item = contract()["paths"].get(request.template)
    if item is None or request.method.lower() not in item:
        raise AgainstContract(f"{request.method} {request.template} is not in the contract")
    operation = item[request.method.lower()]
    _check_path(request)
    parameters = [_resolved(one) for one in (*item.get("parameters", ()), *operation.get("parameters", ()))]
    _check_query(request, [one for one in parameters if one["in"] == "query"])
    _check_headers(request, [one for one in parameters if one["in"] == "header"])
    _check_body(request, _resolved(operation["requestBody"]) if "requestBody" in operation else None)


def check_foreign(request: Request) -> None:
    """A request to another host: it must not carry the key."""
    if request.key is not None or any(
        name.lower() in {"x-api-key", "authorization"} for name in request.headers
    ):
        raise AgainstContract(f"{request.method} to another host carries the key")


def _check_path(request: Request) -> None:
    path = urlsplit(request.url).path.split("/v3/", 1)[-1].split("/")
    template = request.template.removeprefix("/v3/").split("/")
    fits = len(path) == len(template) and all(
        (unquote(part) != "" if name.startswith("{") else part == name)
        for part, name in zip(path, template, strict=True)
    )
    if not fits:
        raise AgainstContract(f"{request.url} is not {request.template}")


def _check_query(request: Request, declared: list[Mapping[str, Any]]) -> None:
    by_name = {one["name"]: one for one in declared}
    sent = parse_qsl(urlsplit(request.url).query, keep_blank_values=True)
    names = [name for name, _ in sent]
    if len(names) != len(set(names)):
        raise AgainstContract(f"{request.template}: a query parameter is sent twice: {names}")
    for name, value in sent:
        # A cursor that the server itself gave is returned, whether the operation declares it or not.
        if name == "token" and name not in by_name:
            continue
        if name not in by_name:
            raise AgainstContract(f"{request.template} has no query parameter {name!r}")
        schema = by_name[name]["schema"]
        typed: Any = int(value) if schema.get("type") == "integer" else value
        if value == "" and not by_name[name].get("allowEmptyValue"):
            raise AgainstContract(f"{request.template}: {name} is sent empty")
        _validate(typed, schema, f"{request.template}?{name}")
    missing = [one["name"] for one in declared if one.get("required") and one["name"] not in names]
    if missing:
        raise AgainstContract(f"{request.template} lacks {missing}")


def _check_headers(request: Request, declared: list[Mapping[str, Any]]) -> None:
    if request.key is None:
        raise AgainstContract(f"{request.template} is sent without the key")
    by_name = {one["name"].lower(): one for one in declared}
    for name, value in request.headers.items():
        if name.lower() in {"content-type", "content-length", "accept"}:
            continue
        if name.lower() not in by_name:
            raise AgainstContract(f"{request.template} has no header {name!r}")
        _validate(value, by_name[name.lower()]["schema"], f"{request.template} {name}")


def _check_body(request: Request, declared: Mapping[str, Any] | None) -> None:
    if request.body is None:
        if declared is not None and declared.get("required"):
            raise AgainstContract(f"{request.method} {request.template} needs a body")
        return
    if declared is None:
        raise AgainstContract(f"{request.method} {request.template} takes no body")
    kind = request.headers.get("Content-Type", "").partition(";")[0]
    if kind not in declared["content"]:
        raise AgainstContract(f"{request.template} takes no {kind!r}")
    if isinstance(request.body, bytes):
        body = json.loads(request.body)
        _validate(body, declared["content"][kind]["schema"], f"{request.method} {request.template}")


def _resolved(node: Mapping[str, Any]) -> Mapping[str, Any]:
    reference = node.get("$ref")
    if reference is None:
        return node
    found: Any = contract()
    for part in reference.removeprefix("#/").split("/"):
        found = found[part]
    resolved: Mapping[str, Any] = found
    return resolved


@functools.cache
def _registry() -> Registry[Any]:
    return Registry().with_resource(
        "urn:contract", Resource.from_contents(contract(), default_specification=DRAFT202012)
    )


def _validate(value: Any, schema: Mapping[str, Any], where: str) -> None:
    anchored = json.loads(json.dumps(schema).replace('"#/', '"urn:contract#/'))
    problems = list(Draft202012Validator(anchored, registry=_registry()).iter_errors(value))
    if problems:
        raise AgainstContract(f"{where}: {problems[0].message[:300]} at {problems[0].json_path}")
