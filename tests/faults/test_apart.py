"""Two workspaces beside each other: nothing leaks, and what would leak would be seen."""

from __future__ import annotations

import pytest
import requests

from polling.models import PollState
from tests.factories import MembershipFactory
from tests.faults import apart
from tests.faults.followers import Follower
from tests.faults.wired import Wired
from tests.processes import wait_until

pytestmark = [pytest.mark.faults, pytest.mark.usually("sqlite")]


def test_nothing_of_one_workspace_reaches_another_unseen(wired: Wired, neighbour: Wired):
    ours, theirs = wired.create("A film about bees"), neighbour.create("A film about owls")
    wired.until(ours, "message_count > 0")
    neighbour.until(theirs, "message_count > 0")

    apart.check(wired, neighbour)
    page = Follower(wired.dailies, wired.person, ours.pk)
    stranger = Follower(wired.dailies, neighbour.person, ours.pk)
    wait_until(lambda: page.shown and (stranger.refusals or stranger.streams), what="both have asked")
    page.stop()
    stranger.stop()
    assert (page.streams, stranger.streams) == (1, 0)

    # A row that went astray.
    row = PollState.objects.filter(kind="session", object_id=theirs.pk)
    row.update(workspace=wired.workspace)
    with pytest.raises(AssertionError, match="written elsewhere"):
        apart.rows_belong(neighbour)
    row.update(workspace=neighbour.workspace)
    apart.rows_belong(neighbour)

    # A line that names two.
    with (wired.dailies.folder / "worker.log").open("a") as log:
        log.write(f"{ours.pk} failed beside {theirs.pk}\n")
    with pytest.raises(AssertionError, match="failed beside"):
        apart.logs_name_one(wired)

    # Somebody who sees both.
    MembershipFactory(user=wired.person, workspace=neighbour.workspace)
    with pytest.raises(AssertionError, match="another's"):
        apart.pages_show_own(wired)

    # A call with the wrong key.
    url = f"{wired.simulator.url}/v3/video-agents/{theirs.remote_id}"
    assert requests.get(url, headers=wired.simulator.headers(wired.key), timeout=5).status_code == 404
    with pytest.raises(AssertionError, match="another's key"):
        apart.calls_used_own_keys(wired, neighbour)
