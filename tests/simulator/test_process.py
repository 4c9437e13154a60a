"""The process: it starts with one line, survives kill -9 with all its state, and ends at once."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import requests

from simulator.testing import ROOT, end, launch, running, wait_until_ready

from .conftest import Api, Contract


def test_state_survives_kill_9(contract: Contract) -> None:
    with running(speed=1) as simulator:
        api = Api(simulator, contract, simulator.key)
        simulator.control.freeze()
        simulator.control.settings(signature="plain")
        simulator.control.account(balance=77)
        session_id, video_id = api.to_video()
        waiting = api.create("Another one")
        endpoint = api.post("/webhooks/endpoints", {"url": "https://127.0.0.1:9/hook"})
        look = api.get("/avatars/looks?ownership=public&limit=1")[0]["id"]
        voice = api.get("/voices?limit=1")[0]["voice_id"]
        body = {"type": "text_stream", "avatar_id": look, "voice_id": voice, "text": "Hello."}
        stream_id = api.post("/avatar-realtime", body, status=201)["stream_id"]
        api.advance(7)
        api.post(f"/avatar-realtime/{stream_id}/text", {"delta": " More."}, status=202)
        api.advance(5)

        def state() -> list[object]:
            video = api.get(f"/videos/{video_id}")
            return [
                api.read(session_id),
                api.read(waiting),
                {name: value for name, value in video.items() if not name.endswith("_url")},
                api.get(f"/avatar-realtime/{stream_id}"),
                api.get("/webhooks/endpoints")[0]["endpoint_id"] == endpoint["endpoint_id"],
                [item["session_id"] for item in api.get("/video-agents")],
                api.get("/webhooks/events"),
                api.get("/users/me"),
                simulator.control.ledger(),
                simulator.control.settings(),
                simulator.control.account()["working"],
                simulator.control.account()["streaming"],
            ]

        before = state()
        simulator.kill()
        simulator.restart()
        assert state() == before

        api.post(f"/avatar-realtime/{stream_id}/text", {"delta": "", "final": True}, status=202)
        api.advance(60)
        assert api.read(waiting)["status"] == "waiting_for_input"
        assert api.get(f"/avatar-realtime/{stream_id}")["end_reason"] == "final_marker"
        assert api.create("After the restart") not in {session_id, waiting}
        api.session.close()


def test_it_ends_at_once_with_open_event_streams(contract: Contract) -> None:
    with running(speed=1) as simulator:
        api = Api(simulator, contract, simulator.key)
        look = api.get("/avatars/looks?ownership=public&limit=1")[0]["id"]
        voice = api.get("/voices?limit=1")[0]["voice_id"]
        body = {"type": "text_stream", "avatar_id": look, "voice_id": voice, "text": "Hello."}
        stream_id = api.post("/avatar-realtime", body, status=201)["stream_id"]
        url = f"{simulator.url}/v3/avatar-realtime/{stream_id}/words"
        with api.session.get(url, stream=True, timeout=10) as response:
            assert response.status_code == 200
            begun = time.monotonic()
            simulator.process.send_signal(signal.SIGTERM)
            assert simulator.process.wait(5) is not None
            assert time.monotonic() - begun < 1.5
        api.session.close()


def test_it_ends_with_its_standard_input() -> None:
    with running(speed=1) as simulator:
        assert simulator.process.stdin is not None
        simulator.process.stdin.close()
        assert simulator.process.wait(5) == 0


def test_without_the_flag_standard_input_means_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--data-dir", str(tmp_path)]
    process = launch(command)
    try:
        url = wait_until_ready(process)
        assert process.stdin is not None
        process.stdin.close()
        assert requests.get(f"{url}/healthz", timeout=10).text == "ok\n"
        assert process.poll() is None
    finally:
        end(process)


def test_keys_of_the_environment(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "simulator", "--port", "0", "--data-dir", str(tmp_path), "--key", "one"]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env={**os.environ, "SIMULATOR_KEYS": "two, three"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        url = wait_until_ready(process)
        found = [
            requests.get(f"{url}/v3/users/me", headers={"x-api-key": key}, timeout=10).status_code
            for key in ("one", "two", "three", "simulated-heygen-key")
        ]
    finally:
        end(process)
    assert found == [200, 200, 200, 401]


def test_links_begin_with_the_public_url(tmp_path: Path) -> None:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "simulator", "--port", str(port), "--data-dir", str(tmp_path)]
    process = launch([*command, "--public-url", "https://media.example.com/"])
    try:
        assert wait_until_ready(process) == "https://media.example.com"
        looks = requests.get(
            f"http://127.0.0.1:{port}/v3/avatars/looks",
            headers={"x-api-key": "simulated-heygen-key"},
            timeout=10,
        ).json()["data"]
        assert looks[0]["preview_image_url"].startswith("https://media.example.com/media/looks/")
    finally:
        end(process)


def test_a_taken_port_gives_one_clear_line(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = str(taken.getsockname()[1])
        done = subprocess.run(
            [sys.executable, "-m", "simulator", "--port", port, "--data-dir", str(tmp_path)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
    assert done.returncode == 1
    assert done.stderr.splitlines() == [f"cannot listen on 127.0.0.1 port {port}: Address already in use"]
