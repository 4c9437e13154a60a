"""Twenty thousand sessions cost little, and a read of one stays cheap."""

from __future__ import annotations

import http.client
import os
import sys
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from .conftest import Api


def cpu_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text("ascii").rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@pytest.mark.skipif(sys.platform != "linux", reason="reads CPU time from /proc")
def test_five_hundred_reads_a_second_on_one_core(api: Api) -> None:
    ids = api.simulator.control.make_sessions(20_000, prompt="A load", mode="chat")
    api.advance(30)
    connection = http.client.HTTPConnection(str(urlsplit(api.simulator.url).netloc), timeout=10)
    process = api.simulator.process.pid
    before = cpu_seconds(process)
    count = 1000
    for place in range(count):
        connection.request("GET", f"/v3/video-agents/{ids[place * 20]}", headers=api.simulator.headers())
        response = connection.getresponse()
        assert response.status == 200
        response.read()
    spent = cpu_seconds(process) - before
    connection.close()
    assert spent / count < 1 / 500
