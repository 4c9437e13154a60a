"""Webhooks out: endpoints, events, and one small task that delivers them.

Deliveries are kept in the store, so that a restart goes on with what was not accepted yet.
"""

from __future__ import annotations

import asyncio
import hashlib
import hmac
import json
import math
from datetime import UTC, datetime
from typing import Any

import requests

from .accounts import Account
from .errors import ApiError, conflict, invalid
from .identifiers import digest
from .world import Happening, World

EVENT_TYPES = {
    "avatar_video.success": "A video was rendered",
    "avatar_video.fail": "A video could not be rendered",
    "avatar_video_gif.success": "The GIF of a video was made",
    "avatar_video_gif.fail": "The GIF of a video could not be made",
    "avatar_video_caption.success": "The captions of a video were made",
    "avatar_video_caption.fail": "The captions of a video could not be made",
    "video_translate.success": "A video was translated",
    "video_translate.fail": "A video could not be translated",
    "video_translate.preflight.validation_failed": "A video to be translated was refused",
    "video_translate.preflight.download_failed": "A video to be translated could not be fetched",
    "personalized_video": "A personalised video was made",
    "instant_avatar.success": "An instant avatar was made",
    "instant_avatar.fail": "An instant avatar could not be made",
    "photo_avatar_generation.success": "Photos of an avatar were made",
    "photo_avatar_generation.fail": "Photos of an avatar could not be made",
    "photo_avatar_train.success": "A photo avatar was trained",
    "photo_avatar_train.fail": "A photo avatar could not be trained",
    "photo_avatar_add_motion.success": "A photo avatar can move",
    "photo_avatar_add_motion.fail": "A photo avatar could not be moved",
    "proofread_creation.success": "A proofread was made",
    "proofread_creation.fail": "A proofread could not be made",
    "live_avatar.success": "A live avatar was made",
    "live_avatar.fail": "A live avatar could not be made",
    "video_agent.success": "A Video Agent session produced its video",
    "video_agent.fail": "A Video Agent session failed",
    "hyperframes_video.success": "A hyperframes video was made",
    "hyperframes_video.fail": "A hyperframes video could not be made",
    "ai_clipping.success": "Clips were cut",
    "ai_clipping.fail": "Clips could not be cut",
    "filler_word_removal.success": "Filler words were removed",
    "filler_word_removal.fail": "Filler words could not be removed",
    "podcast.success": "A podcast was made",
    "podcast.fail": "A podcast could not be made",
    "batch.finished": "All videos of a batch have ended",
}
PAUSES = (10, 30, 120, 600, 1800, 3600)
GIVE_UP_SECONDS = 86_400
ANSWER_WITHIN = 10.0


def iso(stamp: float) -> str:
    return datetime.fromtimestamp(stamp, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


class Webhooks:
    """Endpoints by id, events by id, deliveries by id. All are plain documents, as the store keeps them."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.endpoints: dict[str, dict[str, Any]] = dict(world.store.all("endpoint"))
        self.events: dict[str, dict[str, Any]] = dict(world.store.all("event"))
        self.deliveries: dict[str, dict[str, Any]] = dict(world.store.all("delivery"))
        self._waiting = {name for name, delivery in self.deliveries.items() if delivery["state"] == "waiting"}
        self._busy: set[asyncio.Task[None]] = set()
        self._session = requests.Session()
        self._session.trust_env = False

    # ---- management

    def of(self, account: Account) -> list[dict[str, Any]]:
        return [endpoint for endpoint in self.endpoints.values() if endpoint["account"] == account.id]

    def get(self, account: Account, identifier: str) -> dict[str, Any]:
        endpoint = self.endpoints.get(identifier)
        if endpoint is None or endpoint["account"] != account.id:
            raise ApiError(404, "webhook_not_found", "Webhook endpoint not found.")
        return endpoint

    def check_url(self, account: Account, url: str, *, besides: str = "") -> None:
        secure = url.startswith("https://")
        if not secure and not (url.startswith("http://") and self.world.settings.allow_http_webhooks):
            raise invalid("url must be an https address.", "url")
        if any(other["url"] == url and other["endpoint_id"] != besides for other in self.of(account)):
            raise conflict("There is an endpoint with this url already.")

    async def probe(self, url: str) -> None:
        """Ask the address with OPTIONS, as the older API did."""
        if not self.world.settings.probe_endpoints:
            return
        try:
            response = await asyncio.to_thread(self._session.options, url, timeout=1.0, allow_redirects=False)
        except requests.RequestException as error:
            raise invalid("url did not answer within 1 second.", "url") from error
        if not response.ok:
            raise invalid(f"url answered {response.status_code} to OPTIONS.", "url")

    def register(self, account: Account, body: dict[str, Any]) -> dict[str, Any]:
        number = self.world.next_number("endpoint")
        endpoint = {
            "endpoint_id": "ep_" + digest(self.world.seed, "endpoint", number, size=10),
            "account": account.id,
            "url": body["url"],
            "events": body.get("events"),
            "entity_id": body.get("entity_id"),
            "status": "enabled",
            "created_at": iso(self.world.clock.stamp()),
            "secret": self._secret(number),
        }
        self._keep("endpoint", self.endpoints, endpoint["endpoint_id"], endpoint)
        return endpoint

    def change(self, endpoint: dict[str, Any], body: dict[str, Any]) -> None:
        if body.get("url") is not None:
            endpoint["url"] = body["url"]
        if "events" in body:
            endpoint["events"] = body["events"]
        self._keep("endpoint", self.endpoints, endpoint["endpoint_id"], endpoint)

    def rotate(self, endpoint: dict[str, Any]) -> str:
        endpoint["secret"] = self._secret(self.world.next_number("secret") + 1_000_000)
        self._keep("endpoint", self.endpoints, endpoint["endpoint_id"], endpoint)
        return str(endpoint["secret"])

    def remove(self, endpoint: dict[str, Any]) -> None:
        del self.endpoints[endpoint["endpoint_id"]]
        self.world.store.remove("endpoint", endpoint["endpoint_id"])

    # ---- events

    def collect(self) -> None:
        """Turn what happened in the world into events; each only once, also after a restart."""
        happenings, self.world.happenings = self.world.happenings, []
        for happening in happenings:
            self._tell(happening)

    def emit(
        self,
        account: Account,
        event_type: str,
        event_data: dict[str, Any],
        *,
        event_id: str = "",
        callback: str | None = None,
    ) -> dict[str, Any]:
        """Record an event and plan its deliveries."""
        identifier = event_id or "evt_" + digest(
            self.world.seed, "event", self.world.next_number("event"), size=10
        )
        event = {
            "event_id": identifier,
            "account": account.id,
            "event_type": event_type,
            "event_data": event_data,
            "created_at": iso(self.world.clock.stamp()),
        }
        self._keep("event", self.events, identifier, event)
        settings = self.world.settings
        for endpoint in self.of(account):
            if endpoint["status"] == "enabled" and (
                endpoint["events"] is None or event_type in endpoint["events"]
            ):
                for copy in range(settings.webhook_copies):
                    self._plan(
                        event, endpoint["url"], f"{endpoint['endpoint_id']}.{copy}", endpoint["endpoint_id"]
                    )
        if callback:
            for copy in range(settings.webhook_copies):
                self._plan(event, callback, f"callback.{copy}", None)
        return event

    def _tell(self, happening: Happening) -> None:
        record, video = happening.record, happening.video
        identifier = "evt_" + digest(record.id, happening.reference, happening.status, size=10)
        if identifier in self.events:
            return
        success = happening.status == "completed"
        machine, settings = record.machine, self.world.settings
        data: dict[str, Any] = {"callback_id": record.body.get("callback_id")}
        callback = None
        if video is not None:
            event_type = "avatar_video.success" if success else "avatar_video.fail"
            data["video_id"] = video.video_id
            if success:
                data |= {
                    "url": self.world.links.signed(f"/media/videos/{video.video_id}.mp4"),
                    "gif_download_url": None,
                    "video_page_url": f"https://app.heygen.com/videos/{video.video_id}",
                    "video_share_page_url": None,
                    "folder_id": None,
                }
            else:
                data["msg"] = video.failure[1] if video.failure else None
        else:
            event_type = "video_agent.success" if success else "video_agent.fail"
            data |= {"session_id": record.id, "video_id": machine.video_id}
            if not success:
                errors = [message.content for message in machine.messages if message.type == "error"]
                data["msg"] = errors[-1] if errors else None
            # In the old dialect the address is stored, and nothing is delivered.
            callback = None if record.old_dialect else record.body.get("callback_url")
        if settings.webhook_without_url:
            data.pop("url", None)
        self.emit(record.account, event_type, data, event_id=identifier, callback=callback)

    # ---- delivery

    def step(self) -> None:
        """Send what is due. Called often; must run on the event loop."""
        self.world.run_due()
        self.collect()
        now = self.world.now()
        for identifier in [name for name in self._waiting if self.deliveries[name]["next_at"] <= now]:
            self._waiting.discard(identifier)
            task = asyncio.create_task(self._deliver(identifier, self.deliveries[identifier]))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)

    def _plan(self, event: dict[str, Any], url: str, target: str, endpoint_id: str | None) -> None:
        identifier = f"{event['event_id']}/{target}"
        now = self.world.now()
        delivery = {
            "event_id": event["event_id"],
            "url": url,
            "endpoint_id": endpoint_id,
            "state": "waiting",
            "first_at": now,
            "next_at": now,
            "attempts": 0,
            "answers": [],
        }
        self._keep("delivery", self.deliveries, identifier, delivery)
        self._waiting.add(identifier)

    async def _deliver(self, identifier: str, delivery: dict[str, Any]) -> None:
        event = self.events[delivery["event_id"]]
        body = self.body_of(event)
        headers = self.headers_for(event, delivery, body)
        answer: int | str
        try:
            answer = await asyncio.to_thread(self._post, delivery["url"], body, headers)
        except (requests.RequestException, ValueError) as error:
            # ValueError: an address that only turns out to be none when it is used.
            answer = type(error).__name__
        delivery["attempts"] += 1
        delivery["answers"].append(answer)
        now = self.world.now()
        if isinstance(answer, int) and 200 <= answer < 300:
            delivery["state"] = "delivered"
        else:
            pause = PAUSES[min(delivery["attempts"] - 1, len(PAUSES) - 1)]
            delivery["next_at"] = now + pause
            over = delivery["next_at"] - delivery["first_at"] > GIVE_UP_SECONDS
            delivery["state"] = "given up" if over else "waiting"
            if not over:
                self._waiting.add(identifier)
        self._keep("delivery", self.deliveries, identifier, delivery)

    def _post(self, url: str, body: bytes, headers: dict[str, str]) -> int:
        with self._session.post(
            url, data=body, headers=headers, timeout=ANSWER_WITHIN, allow_redirects=False, stream=True
        ) as response:
            return response.status_code

    def body_of(self, event: dict[str, Any]) -> bytes:
        settings = self.world.settings
        document: dict[str, Any] = {
            settings.webhook_type_key: event["event_type"],
            "event_data": event["event_data"],
        }
        if settings.webhook_ids:
            document |= {"event_id": event["event_id"], "created_at": event["created_at"]}
        return json.dumps(document).encode()

    def headers_for(self, event: dict[str, Any], delivery: dict[str, Any], body: bytes) -> dict[str, str]:
        headers = {"Content-Type": "application/json", "User-Agent": "HeyGen-Webhooks/1.0 (simulated)"}
        endpoint = self.endpoints.get(delivery["endpoint_id"] or "")
        if endpoint is None:
            return headers
        signature = hmac.new(endpoint["secret"].encode(), body, hashlib.sha256).hexdigest()
        style = self.world.settings.signature
        if style == "heygen":
            headers["Heygen-Signature"] = signature
            headers["Heygen-Timestamp"] = str(math.floor(self.world.clock.stamp()))
            headers["Heygen-Event-Id"] = event["event_id"]
        elif style == "plain":
            headers["Signature"] = signature
        elif style == "x-heygen":
            headers["X-HeyGen-Signature"] = signature
        return headers

    def _secret(self, number: int) -> str:
        return "whsec_" + digest(self.world.seed, "secret", number)

    def _keep(
        self, kind: str, documents: dict[str, dict[str, Any]], identifier: str, document: dict[str, Any]
    ) -> None:
        documents[identifier] = document
        self.world.store.put(kind, identifier, document)
