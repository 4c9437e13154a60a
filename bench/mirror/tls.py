"""CPU of a poll over TLS. The example makes a connection, and reads all certificates, for every one."""

from __future__ import annotations

import os

import certifi
from django.conf import settings

from bench.clocks import Spent, median, spread
from bench.figures import Figure
from bench.mirror import rows
from bench.part import Run
from bench.peers import example_loop
from bench.remote import certificates, remote


def measure(run: Run) -> list[Figure]:
    certificate, bundle = certificates(settings.DATA_DIR)
    # Our pool asks certifi, requests asks the environment; both read the same list.
    certifi.where = lambda: str(bundle)
    os.environ["REQUESTS_CA_BUNDLE"] = str(bundle)
    ours: list[Spent] = []
    example: list[Spent] = []
    seconds = run.either(2, 2.5)
    with remote(certificate=certificate, bundle=bundle) as other:
        sessions = rows.sessions(rows.workspace(other), 320)
        with rows.engine(threads=32, **rows.NO_LIMIT), rows.always_due():
            rows.first_poll()
            other.set(changed=0.003)
            for _ in run.rounds:
                run.mark()
                ours.append(rows.drained(seconds))
                example.append(example_loop(rows.urls(other, sessions), threads=32, seconds=seconds))
    ratios = [mine.cpu_each / its.cpu_each for mine, its in zip(ours, example, strict=True)]
    return [
        Figure(
            name="CPU of a poll over TLS, against HeyGen's example loop, µs",
            ours=spread([each.cpu_each for each in ours], "{:.0f}"),
            peer=spread([each.cpu_each for each in example], "{:.0f}"),
            ratio=f"1/{1 / median(ratios):.0f}",
            goal="<= 1/20",
            reached=median(ratios) <= 1 / 20,
            note="0.3 % of the polls find something new. The certificate is self-made, the list of authorities certifi's.",
            raw={"ours": [each.cpu_each for each in ours], "peer": [each.cpu_each for each in example]},
        )
    ]
