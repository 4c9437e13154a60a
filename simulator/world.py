"""Everything the simulator knows, and the only place that changes it.

State is what the store holds (creations and inputs) played through the pure machines. `run_due` applies whatever the
clock says should have happened; it costs nothing when nothing is due, so every request calls it first.
"""

from __future__ import annotations

import dataclasses
import heapq
import itertools
import math
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

from . import scenarios as scenario_files
from .accounts import Account
from .agent import Machine, Material, Said, Step, Video
from .catalogue import Catalogue, metadata_of
from .clock import Bend, Clock
from .config import Config
from .errors import ApiError, conflict, insufficient_credit, invalid, not_found, too_many
from .identifiers import digest, pick
from .links import Links
from .media.palettes import EVERYDAY
from .scenarios import Scenario, Scenarios
from .settings import AccountSettings, Settings
from .store import Store
from .story import Brief, Story


class SessionRecord:
    """One Video Agent session: what it was created with, and its machine."""

    __slots__ = (
        "account",
        "body",
        "counted",
        "created",
        "endings",
        "filmed",
        "finished",
        "id",
        "inputs",
        "machine",
        "number",
        "old_dialect",
        "quiet",
        "reads",
        "scenario",
        "view",
        "wake",
        "wake_up",
    )

    def __init__(
        self,
        identifier: str,
        number: int,
        account: Account,
        *,
        old_dialect: bool,
        created: float,
        body: Mapping[str, Any],
        scenario: Scenario,
        machine: Machine,
        quiet: bool = False,
    ) -> None:
        self.id = identifier
        self.number = number
        self.account = account
        self.old_dialect = old_dialect
        self.created = created
        self.body = body
        self.scenario = scenario
        self.machine = machine
        # A load for measurements: it moves only when it is read, counts for no ceiling, and tells nobody.
        self.quiet = quiet
        self.inputs = 0
        self.counted = False
        self.wake = math.inf
        self.wake_up: Callable[[float], None] = lambda now: None
        self.finished: frozenset[str] = frozenset()
        self.filmed = 0
        self.endings: frozenset[str] = frozenset()
        self.reads: dict[str, int] = {}
        self.view: tuple[int, float, bytes] | None = None

    @property
    def chat(self) -> bool:
        return self.old_dialect or self.body.get("mode") == "chat"


@dataclass(frozen=True, slots=True)
class Happening:
    """Something that webhooks tell: a session (video is None) or a video has ended. `reference` is unique to it."""

    record: SessionRecord
    reference: str
    status: str
    video: Video | None


class World:
    """One simulator. Not thread-safe: everything runs on the event loop."""

    def __init__(self, config: Config) -> None:
        self.config = config
        config.data_dir.mkdir(parents=True, exist_ok=True)
        self.store = Store(config.data_dir / "simulator.sqlite3")
        self.settings = Settings(allow_http_webhooks=config.allow_http_webhooks)
        self.scenarios = Scenarios()
        self._load_settings()
        self.seed = config.seed
        self.clock = self._load_clock()
        self.links = Links(config.public_url, self.seed, self.clock)
        self.links.seconds = self.settings.link_seconds
        self.accounts: dict[str, Account] = {}
        self.catalogues: dict[str, Catalogue] = {}
        self.accounts_by_id: dict[str, Account] = {}
        for key in config.keys:
            self.add_account(key)
        self.spent: defaultdict[str, float] = defaultdict(float)
        self.charges: list[dict[str, Any]] = []
        self.sessions: dict[str, SessionRecord] = {}
        self.sessions_of: defaultdict[str, list[SessionRecord]] = defaultdict(list)
        self.deleted_videos: set[str] = set()
        self.video_owner: dict[str, tuple[SessionRecord, Video]] = {}
        self.ledger: list[dict[str, Any]] = []
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self.happenings: list[Happening] = []
        self._order = itertools.count()
        self._numbers: defaultdict[str, int] = defaultdict(int)
        self._load()

    # ---- accounts

    def add_account(self, key: str) -> Account:
        settings = AccountSettings()
        saved = self.store.get("account", digest(self.config.seed, "account", key, size=8))
        if saved:
            settings.change(saved)
        account = Account(key, self.config.seed, len(self.accounts), settings)
        self.accounts[key] = account
        self.accounts_by_id[account.id] = account
        self.catalogues[account.id] = Catalogue(account.id)
        return account

    def change_account(self, account: Account, values: dict[str, Any]) -> None:
        account.settings.change(values)
        self.store.put("account", account.id, dataclasses.asdict(account.settings))

    def catalogue(self, account: Account) -> Catalogue:
        return self.catalogues[account.id]

    def require_credit(self, account: Account) -> None:
        if not account.has_credit(self.spent[account.id]):
            raise insufficient_credit()

    def charge(self, account: Account, kind: str, reference: str, seconds: float, price: float) -> None:
        amount = round(seconds * price, 4)
        self.spent[account.id] += amount
        self.charges.append(
            {
                "account": account.key,
                "kind": kind,
                "id": reference,
                "seconds": round(seconds, 1),
                "usd": amount,
            }
        )

    # ---- time and settings

    def now(self) -> float:
        return self.clock.story()

    def change_settings(self, values: dict[str, Any]) -> None:
        self.settings.change(values)
        self.links.seconds = self.settings.link_seconds
        self.store.put("settings", "all", dataclasses.asdict(self.settings))

    def add_scenarios(self, document: Any) -> list[str]:
        """Scenarios in the form of a scenario file; they stay until a reset."""
        added = [rule.name for rule in self.scenarios.load(document)]
        self.store.put("scenarios", str(self.next_number("scenarios")), document)
        return added

    def save_clock(self) -> None:
        bends = [[bend.stamp, bend.story, bend.speed] for bend in self.clock.bends]
        self.store.put(
            "clock", "clock", {"bends": bends, "offset": self.clock.offset, "speed": self.clock.speed}
        )

    def run_due(self, most: int = 400) -> None:
        """Let happen what should have happened by now; at most so much at once that nobody waits long.

        A session that is read is brought up to date by `session`, whatever is left here.
        """
        agenda = self._agenda
        if not agenda:
            return
        now = self.clock.story()
        while agenda and agenda[0][0] <= now and most:
            heapq.heappop(agenda)[2](now)
            most -= 1

    def catch_up(self) -> None:
        """Everything that should have happened, however much it is."""
        while self._agenda and self._agenda[0][0] <= self.clock.story():
            self.run_due()

    def schedule(self, at: float, callback: Callable[[float], None]) -> None:
        """Call `callback(now)` at that story time, or at the first request after it."""
        heapq.heappush(self._agenda, (at, next(self._order), callback))

    def next_due(self) -> float:
        """Story time at which something happens by itself."""
        return self._agenda[0][0] if self._agenda else math.inf

    # ---- sessions

    def create_session(
        self, account: Account, body: Mapping[str, Any], *, old_dialect: bool, free: bool = False
    ) -> SessionRecord:
        """Accept a paid creation; raises ApiError when it is refused.

        `free` asks neither credit nor ceilings and makes a quiet session.
        """
        if not free:
            self.require_credit(account)
            if account.working >= account.settings.max_sessions:
                raise too_many("Too many sessions at once.", self.settings.retry_after)
        number = self.next_number("session")
        raw = digest(self.seed, "session", number)
        identifier = f"sess_{raw[:24]}" if old_dialect else raw
        slim = without_bytes(body)
        scenario = self.scenarios.choose(str(body["prompt"]))
        created = self.now()
        document = {
            "number": number,
            "account": account.id,
            "old": old_dialect,
            "created": created,
            "body": slim,
            "scenario": scenario_files.as_document(scenario),
            "quiet": free,
        }
        entry = self.ledger_entry(account, "create_session", identifier, slim)
        self.store.put_many([("session", identifier, document), ("ledger", str(entry["number"]), entry)])
        record = self._enter(identifier, document, account, scenario)
        self._settle(record, created)
        return record

    def session(self, account: Account, identifier: str, *, old_dialect: bool) -> SessionRecord:
        """The session, or 404: unknown, another account's, another dialect's, or gone."""
        record = self.sessions.get(identifier)
        if record is None or record.account is not account or record.old_dialect != old_dialect:
            raise not_found("Session")
        self.refresh(record)
        if record.machine.gone:
            raise not_found("Session")
        return record

    def refresh(self, record: SessionRecord) -> None:
        """Bring one session up to date."""
        now = self.now()
        if record.machine.due <= now:
            record.machine.advance(now)
            self._settle(record, now)

    def send(self, record: SessionRecord, body: Mapping[str, Any]) -> str:
        """Take a message; returns the run id."""
        machine = record.machine
        if not record.chat:
            raise invalid("Only sessions of mode chat take messages.", "message")
        if machine.status == "failed":
            raise conflict("The session has failed and takes no more messages.")
        if machine.status == "generating":
            raise conflict("The video is being rendered; wait until it is done.")
        self.require_credit(record.account)
        if (
            machine.ended or machine.waits
        ) and record.account.working >= record.account.settings.max_sessions:
            raise too_many("Too many sessions at once.", self.settings.retry_after)
        slim = without_bytes(body)
        run_id = "run_" + digest(record.id, "run", record.inputs, size=12)
        document = {"session": record.id, "at": self.now(), "kind": "message", "body": slim}
        entry = self.ledger_entry(record.account, "send_message", run_id, slim)
        key = f"{record.id}/{record.inputs:06d}"
        self.store.put_many([("input", key, document), ("ledger", str(entry["number"]), entry)])
        self._play(record, document)
        self._settle(record, self.now())
        return run_id

    def stop(self, record: SessionRecord) -> None:
        if record.machine.ended:
            raise conflict("The session has already ended.")
        document = {"session": record.id, "at": self.now(), "kind": "stop"}
        self.store.put("input", f"{record.id}/{record.inputs:06d}", document)
        self._play(record, document)
        self._settle(record, self.now())

    def inject(self, record: SessionRecord, steps: list[dict[str, Any]]) -> None:
        """Scripted steps from the control API, in the form of scenario files."""
        document = {"session": record.id, "at": self.now(), "kind": "steps", "steps": steps}
        self.store.put("input", f"{record.id}/{record.inputs:06d}", document)
        self._play(record, document)
        self._settle(record, self.now())

    def videos(self, account: Account) -> Iterator[tuple[SessionRecord, Video]]:
        """Videos of an account, newest first."""
        owned = [
            (record, video)
            for record in self.sessions_of[account.id]
            for video in record.machine.videos
            if video.video_id not in self.deleted_videos
        ]
        owned.sort(key=lambda pair: (pair[1].queued_at, pair[1].video_id), reverse=True)
        return iter(owned)

    def video(self, account: Account, identifier: str) -> tuple[SessionRecord, Video]:
        found = self.video_owner.get(identifier)
        if found is None or found[0].account is not account or identifier in self.deleted_videos:
            raise ApiError(404, "video_not_found", "Video not found.")
        return found

    def delete_video(self, video: Video) -> None:
        self.store.put("deleted video", video.video_id, {})
        self.deleted_videos.add(video.video_id)

    # ---- inside

    def next_number(self, kind: str) -> int:
        self._numbers[kind] += 1
        self.store.put("number", kind, {"last": self._numbers[kind]})
        return self._numbers[kind]

    def ledger_entry(
        self, account: Account, kind: str, reference: str, body: Mapping[str, Any]
    ) -> dict[str, Any]:
        entry = {
            "number": len(self.ledger) + 1,
            "at": self.clock.stamp(),
            "account": account.key,
            "kind": kind,
            "id": reference,
            "body": body,
        }
        self.ledger.append(entry)
        return entry

    def _enter(
        self, identifier: str, document: Mapping[str, Any], account: Account, scenario: Scenario
    ) -> SessionRecord:
        body = document["body"]
        old_dialect = document["old"]
        catalogue = self.catalogue(account)
        style = catalogue.styles.get(body.get("style_id") or "")
        kit = catalogue.kits.get(body.get("brand_kit_id") or "")
        palette = (
            style.palette if style else "kit:" + ",".join(kit.colors) if kit else pick(EVERYDAY, identifier)
        )
        look = catalogue.look_or_default(body.get("avatar_id"), identifier)
        voice = catalogue.voice_or_default(body.get("voice_id"), identifier)
        chat = (old_dialect and not body.get("auto_proceed")) or body.get("mode") == "chat"
        brief = Brief(
            session_id=identifier,
            prompt=body["prompt"],
            chat=chat or old_dialect,
            old_dialect=old_dialect,
            auto_proceed=bool(body.get("auto_proceed")),
            scenario=scenario,
            palette=palette,
            portrait=body.get("orientation") == "portrait",
            avatar=metadata_of(look),
            voice=metadata_of(voice),
            files=len(body.get("files") or ()),
        )
        machine = Machine(
            identifier,
            document["created"],
            Story(brief),
            self.clock.stamp_at,
            first=body["prompt"],
            uploads=uploaded(body),
            status="processing" if old_dialect else "thinking" if chat else "generating",
        )
        record = SessionRecord(
            identifier,
            document["number"],
            account,
            old_dialect=old_dialect,
            created=document["created"],
            body=body,
            scenario=scenario,
            machine=machine,
            quiet=document.get("quiet", False),
        )
        record.wake_up = partial(self._wake, record)
        self.sessions[identifier] = record
        self.sessions_of[account.id].append(record)
        return record

    def _play(self, record: SessionRecord, document: Mapping[str, Any]) -> None:
        at, machine = document["at"], record.machine
        if document["kind"] == "message":
            body = document["body"]
            said = Said(body["message"], body, bool(body.get("auto_proceed")))
            machine.receive(at, said, uploaded(body))
        elif document["kind"] == "stop":
            machine.stop(at)
        elif document["kind"] == "steps":
            story = machine.director
            steps: list[Step] = []
            for place, item in enumerate(document["steps"]):
                steps += story.from_file(item, f"inject{record.inputs}.{place}", machine.revision)
            machine.inject(at, steps)
        record.inputs += 1

    def _settle(self, record: SessionRecord, now: float) -> None:
        """After any change of a session: ceilings, charges, endings, and when to look again."""
        if record.quiet:
            for video in record.machine.videos:
                self.video_owner.setdefault(video.video_id, (record, video))
            return
        machine, account = record.machine, record.account
        if machine.working != record.counted:
            record.counted = machine.working
            account.working += 1 if record.counted else -1
        if machine.ended:
            ending = f"{record.inputs} {machine.status}"
            if ending not in record.endings:
                record.endings |= {ending}
                self.happenings.append(Happening(record, ending, machine.status, None))
        wake = machine.due
        for video in machine.videos:
            self.video_owner.setdefault(video.video_id, (record, video))
            if video.video_id in record.finished:
                continue
            status = video.status(now)
            if status in ("completed", "failed"):
                record.finished |= {video.video_id}
                self.happenings.append(Happening(record, video.video_id, status, video))
                if status == "completed":
                    price = account.settings.avatar_video_price
                    self.charge(account, "video", video.video_id, video.duration, price)
            else:
                wake = min(wake, video.ready_at, video.failed_at)
        if wake < record.wake:
            record.wake = wake
            self.schedule(wake, record.wake_up)

    def _wake(self, record: SessionRecord, now: float) -> None:
        record.wake = math.inf
        record.machine.advance(now)
        self._settle(record, now)

    def _load_clock(self) -> Clock:
        saved = self.store.get("clock", "clock")
        if saved is None:
            clock = Clock(self.config.speed)
        else:
            clock = Clock(
                self.config.speed, bends=[Bend(*bend) for bend in saved["bends"]], offset=saved["offset"]
            )
        self.clock = clock
        self.save_clock()
        return clock

    def _load_settings(self) -> None:
        saved = self.store.get("settings", "all")
        if saved:
            known = {field.name for field in dataclasses.fields(Settings)}
            self.settings.change({name: value for name, value in saved.items() if name in known})
        if self.config.scenarios is not None:
            self.scenarios.load_file(self.config.scenarios)
        for _, document in self.store.all("scenarios"):
            self.scenarios.load(document)

    def _load(self) -> None:
        for kind, document in self.store.all("number"):
            self._numbers[kind] = document["last"]
        self.ledger = [entry for _, entry in self.store.all("ledger")]
        self.deleted_videos = {identifier for identifier, _ in self.store.all("deleted video")}
        inputs: defaultdict[str, list[dict[str, Any]]] = defaultdict(list)
        for _, document in self.store.all("input"):
            inputs[document["session"]].append(document)
        now = self.now()
        for identifier, document in self.store.all("session"):
            account = self.accounts_by_id.get(document["account"])
            if account is None:
                continue
            record = self._enter(
                identifier, document, account, scenario_files.from_document(document["scenario"])
            )
            for said in inputs.get(identifier, ()):
                self._play(record, said)
            if not record.quiet:
                record.machine.advance(now)
            self._settle(record, now)


def uploaded(body: Mapping[str, Any]) -> list[Material]:
    """The files of a request as resources of the session."""
    found = []
    for item in body.get("files") or ():
        kind = "video" if "video" in str(item.get("media_type", "")) else "image"
        link = item.get("url") if item["type"] == "url" else None
        metadata = {name: value for name, value in item.items() if name in ("asset_id", "media_type")}
        found.append(Material(kind, source="user_uploaded", link=link and "url:" + link, metadata=metadata))
    return found


def without_bytes(body: Mapping[str, Any]) -> dict[str, Any]:
    """The body as it is kept: base64 data is replaced by its length."""
    slim = dict(body)
    if slim.get("files"):
        slim["files"] = [
            {**item, "data": f"({len(item['data'])} characters)"} if "data" in item else item
            for item in slim["files"]
        ]
    return slim
