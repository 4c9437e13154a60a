"""One real simulator for all tests of this folder; each test finds it empty, with its clock standing still."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis

from simulator.testing import Running, running

CONTRACT = Path(__file__).parent.parent / "contract" / "heygen-openapi.yaml"
SECOND = "second-key"


class Contract:
    """Checks answers against the project's copy of the OpenAPI file."""

    def __init__(self) -> None:
        self.checked: Counter[tuple[str, str, int]] = Counter()
        self.schema = schemathesis.openapi.from_path(CONTRACT)
        self.templates = sorted(
            (
                (template.count("{"), re.compile(re.sub(r"\{\w+\}", "[^/]+", template) + "$"), template)
                for template in self.schema
            ),
            key=lambda item: item[0],
        )

    def check(self, response: requests.Response) -> None:
        path = response.request.path_url.partition("?")[0]
        template = next((name for _, pattern, name in self.templates if pattern.match(path)), None)
        if template is None or response.status_code == 405:
            return
        # A check takes milliseconds, and tests that watch a session read it hundreds of times.
        case = (response.request.method or "", template, response.status_code)
        self.checked[case] += 1
        if self.checked[case] <= 20 or self.checked[case] % 10 == 0:
            self.schema[template][response.request.method].validate_response(response)


class Api:
    """The API as one account sees it; every answer is held against the contract."""

    def __init__(self, simulator: Running, contract: Contract, key: str) -> None:
        self.simulator = simulator
        self.contract = contract
        self.session = requests.Session()
        self.session.trust_env = False
        self.session.headers["x-api-key"] = key
        self.validate = True

    def call(self, method: str, path: str, **arguments: Any) -> requests.Response:
        arguments.setdefault("timeout", 30)
        response = self.session.request(method, f"{self.simulator.url}/v3{path}", **arguments)
        if self.validate:
            self.contract.check(response)
        return response

    def get(self, path: str, **arguments: Any) -> Any:
        """`data` of a successful read."""
        response = self.call("GET", path, **arguments)
        assert response.status_code == 200, response.text
        return response.json()["data"]

    def post(self, path: str, body: Any = None, *, status: int = 200, **arguments: Any) -> Any:
        """The answer to a POST: its `data`, or its `error`."""
        response = self.call("POST", path, json={} if body is None else body, **arguments)
        assert response.status_code == status, response.text
        document = response.json()
        return document["data"] if status < 400 else document["error"]

    def create(self, prompt: str = "A short film about tea", **body: Any) -> str:
        return str(self.post("/video-agents", {"prompt": prompt, "mode": "chat", **body})["session_id"])

    def read(self, session_id: str) -> Any:
        return self.get(f"/video-agents/{session_id}")

    def say(self, session_id: str, message: str) -> Any:
        return self.post(f"/video-agents/{session_id}", {"message": message})

    def advance(self, seconds: float) -> None:
        self.simulator.control.advance(seconds)

    def to_storyboard(self, prompt: str = "A short film about tea", **body: Any) -> str:
        """A session that waits for a verdict on its storyboard."""
        session_id = self.create(prompt, **body)
        self.advance(60)
        self.say(session_id, "The first one")
        self.advance(60)
        assert self.read(session_id)["status"] == "reviewing"
        return session_id

    def to_video(self, prompt: str = "A short film about tea") -> tuple[str, str]:
        """A session that has its video."""
        session_id = self.to_storyboard(prompt)
        self.say(session_id, "Looks good, go ahead")
        self.advance(120)
        return session_id, self.read(session_id)["video_id"]


@pytest.fixture(scope="session")
def contract() -> Contract:
    return Contract()


@pytest.fixture(scope="session")
def shared_simulator() -> Iterator[Running]:
    with running(speed=1.0, keys=("simulated-heygen-key", SECOND)) as found:
        yield found


@pytest.fixture
def simulator(shared_simulator: Running) -> Running:
    shared_simulator.control.reset()
    shared_simulator.control.freeze()
    return shared_simulator


@pytest.fixture
def api(simulator: Running, contract: Contract) -> Iterator[Api]:
    found = Api(simulator, contract, simulator.key)
    yield found
    found.session.close()


@pytest.fixture
def other(simulator: Running, contract: Contract) -> Iterator[Api]:
    """The same API for another account."""
    found = Api(simulator, contract, SECOND)
    yield found
    found.session.close()
