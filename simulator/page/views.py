"""The HTML of the page. Every value that came from outside passes `text`."""

from __future__ import annotations

import json
from collections.abc import Iterable
from datetime import UTC, datetime
from html import escape
from typing import TYPE_CHECKING, Any
from urllib.parse import quote

from simulator.faults import KINDS
from simulator.world import SessionRecord

if TYPE_CHECKING:
    from simulator.app import Simulator

SHOWN = 40
TONES = {
    "thinking": "busy",
    "processing": "busy",
    "generating": "busy",
    "pending": "busy",
    "streaming": "live",
    "waiting_for_input": "wait",
    "reviewing": "wait",
    "completed": "good",
    "failed": "bad",
    "error": "bad",
}
DIALECTS = {"both": "both dialects", "current": "the current dialect", "sessions": "the old dialect"}
# What the switches of the whole simulator are called: those that a person would turn by hand.
RULES = {
    "realtime_enabled": "Avatar Realtime is open to the accounts",
    "hls_cors": "Live playlists may be read by other pages",
    "webhook_without_url": "Webhooks leave out the video's link",
    "callback_signed": "Callbacks are signed, too",
    "unauthorized_style": "Answer to a wrong key",
    "signature": "Signature of webhooks",
    "webhook_type_key": "Type key of webhooks",
    "webhook_copies": "Copies of each webhook",
    "link_seconds": "Life of links (s)",
    "idle_seconds": "Idle limit of streams (s)",
    "retry_after": "Retry-After of ceilings (s)",
}
ACCOUNT_RULES = {
    "billing_type": "Billing",
    "balance": "Balance",
    "max_sessions": "Sessions at once",
    "max_streams": "Streams at once",
    "requests_per_second": "Requests per second (0: any)",
}
SPEEDS = (("1", "1\u00d7"), ("10", "10\u00d7"), ("60", "60\u00d7"))
JUMPS = (("60", "+1 min"), ("600", "+10 min"), ("3600", "+1 h"), ("86400", "+1 day"))


def text(value: object) -> str:
    return escape(str(value), quote=True)


def time_of(stamp: float) -> str:
    moment = datetime.fromtimestamp(stamp, UTC)
    return f'<time datetime="{moment.isoformat(timespec="seconds")}">{moment:%d %b, %H:%M:%S}</time>'


def pill(status: str) -> str:
    return f'<span class="pill {TONES.get(status, "odd")}">{text(status)}</span>'


def button(action: str, label: str, *, tone: str = "", back: str = "", **values: str) -> str:
    """A form that is nothing but a button."""
    hidden = "".join(
        f'<input type="hidden" name="{text(name)}" value="{text(value)}">'
        for name, value in ({**values, "back": back} if back else values).items()
    )
    return f'<form method="post" action="/_page/{action}">{hidden}<button class="{tone}">{text(label)}</button></form>'


def table(headings: Iterable[str], rows: list[list[str]], empty: str) -> str:
    if not rows:
        return f'<p class="empty">{text(empty)}</p>'
    head = "".join(f"<th scope=col>{text(heading)}</th>" for heading in headings)
    names = list(headings)
    body = "".join(
        "<tr>"
        + "".join(f'<td data-label="{text(name)}">{cell}</td>' for name, cell in zip(names, row, strict=True))
        + "</tr>"
        for row in rows
    )
    return f'<div class="scroll"><table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'


def section(identifier: str, title: str, body: str, *, live: bool = True) -> str:
    mark = " data-live" if live else ""
    return (
        f'<section id="{identifier}" aria-labelledby="{identifier}-title"{mark}>'
        f'<h2 id="{identifier}-title">{text(title)}</h2>{body}</section>'
    )


def document(title: str, body: str) -> str:
    return (
        '<!DOCTYPE html><html lang="en"><head><meta charset="utf-8"><title>'
        f'{text(title)}</title><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<meta name="color-scheme" content="light dark"><link rel="icon" href="/_page/static/icon.svg">'
        '<link rel="stylesheet" href="/_page/static/console.css"><script src="/_page/static/console.js" defer></script>'
        f"</head><body>{body}</body></html>"
    )


def home(simulator: Simulator, drills: dict[str, tuple[str, str]]) -> str:
    world = simulator.world
    parts = [
        section("clock", "Clock", clock(simulator)),
        section("faults", "Faults that are on", faults(simulator)),
        section("drills", "Drills", switches(drills), live=False),
        section("accounts", "Accounts", accounts(simulator)),
        section("rules", "Rules", rules(simulator), live=False),
        section("sessions", f"Sessions ({len(world.sessions)})", sessions(simulator)),
        section("streams", f"Live streams ({len(simulator.streams.all)})", streams(simulator)),
        section("ledger", "Accepted and billed", ledger(simulator)),
        section("calls", "Calls received", calls(simulator)),
        section("deliveries", "Webhook deliveries", deliveries(simulator)),
    ]
    header = (
        '<header><div><p class="kicker">Nothing here costs money</p><h1>Simulated HeyGen</h1>'
        f"<p>Speaks {DIALECTS[simulator.config.dialects]} at <code>{text(simulator.config.public_url)}</code>, seed "
        f"{world.seed}.</p></div><details class=sure><summary>Forget everything</summary><p>Sessions, streams, bills, "
        f"faults and rules are gone at once.</p>{button('reset', 'Yes, forget all of it', tone='danger')}</details></header>"
    )
    return document("Simulated HeyGen", f"{header}<main>{''.join(parts)}</main>")


def clock(simulator: Simulator) -> str:
    now = simulator.world.clock
    state = "frozen" if now.frozen else f"running at {now.speed:g}\u00d7"
    speeds = "".join(
        button("clock", label, speed=value, tone="on" if float(value) == now.speed else "")
        for value, label in SPEEDS
    )
    jumps = "".join(button("clock", label, advance=value) for value, label in JUMPS)
    freeze = button("clock", "Thaw" if now.frozen else "Freeze", frozen="no" if now.frozen else "yes")
    return f'<p class="big">{time_of(now.stamp())} UTC, {state}</p><div class="row">{speeds}{freeze}{jumps}</div>'


def switches(drills: dict[str, tuple[str, str]]) -> str:
    ready = "".join(
        f'<li><form method="post" action="/_page/fault"><input type="hidden" name="drill" value="{text(name)}">'
        f"<button><strong>{text(title)}</strong><span>{text(what)}</span></button></form></li>"
        for name, (title, what) in drills.items()
    )
    kinds = "".join(f"<option>{text(kind)}</option>" for kind in KINDS)
    own = (
        '<details><summary>A fault of your own</summary><form class="grid" method="post" action="/_page/fault">'
        f'<label>Kind<select name="kind">{kinds}</select></label>'
        '<label>Path<input name="path" value="*" autocomplete="off"></label>'
        '<label>Method<input name="method" value="*" autocomplete="off"></label>'
        '<label>How often (empty: until cleared)<input name="count" inputmode="numeric" value="1"></label>'
        '<label>Status<input name="status" inputmode="numeric" placeholder="500"></label>'
        '<label>Retry-After<input name="retry_after" autocomplete="off" placeholder="20 or date+20"></label>'
        '<label class="check"><input type="checkbox" name="after" value="yes"> only after the work was done</label>'
        "<button>Switch on</button></form></details>"
    )
    return f'<ul class="drills">{ready}</ul>{own}'


def faults(simulator: Simulator) -> str:
    rows = [
        [
            f"<strong>{text(fault.kind)}</strong>{' after the work' if fault.after else ''}",
            f"<code>{text(fault.method)} {text(fault.path)}</code>",
            text(fault.status) if fault.kind in ("status", "empty", "text", "html") else "",
            "until cleared" if fault.count is None else f"{fault.count} left",
            text(fault.struck),
            button("clear", "Switch off", number=str(fault.number)),
        ]
        for fault in simulator.faults.active
    ]
    listed = table(("Kind", "Calls", "Status", "For", "Struck", ""), rows, "None: a good day.")
    return listed + (button("clear", "Clear all", tone="danger") if rows else "")


def accounts(simulator: Simulator) -> str:
    rows = []
    for account in simulator.world.accounts.values():
        settings = account.settings
        works = button(
            "account",
            "Break key" if settings.key_works else "Mend key",
            key=account.key,
            key_works="no" if settings.key_works else "yes",
        )
        empty = settings.balance is not None and settings.balance - simulator.world.spent[account.id] <= 0
        money = button(
            "account",
            "Fill up" if empty else "Empty balance",
            key=account.key,
            balance="250" if empty else "0",
        )
        rows.append(
            [
                f"<code>{text(account.key)}</code>",
                text(account.email),
                text(settings.billing_type),
                f"${simulator.world.spent[account.id]:.2f} of {'unknown' if settings.balance is None else f'${settings.balance:.2f}'}",
                f"{account.working} of {settings.max_sessions}",
                f"{account.streaming} of {settings.max_streams}",
                f'<div class="row">{works}{money}</div>',
            ]
        )
    return table(("Key", "Owner", "Billing", "Spent", "Working", "Streaming", ""), rows, "No accounts.")


def field(name: str, label: str, value: Any, choices: tuple[Any, ...] | None) -> str:
    """A form field for a setting, by its type: a check box, a list of its choices, or a number."""
    if isinstance(value, bool):
        checked = " checked" if value else ""
        return f'<label class="check"><input type="checkbox" name="{name}" value="yes"{checked}> {text(label)}</label>'
    if choices:
        options = "".join(
            f'<option value="{text(each or "")}"{" selected" if each == value else ""}>{text(each or "none")}</option>'
            for each in choices
        )
        return f'<label>{text(label)}<select name="{name}">{options}</select></label>'
    shown = "" if value is None else f"{value:g}"
    return f'<label>{text(label)}<input name="{name}" inputmode="decimal" autocomplete="off" value="{shown}"></label>'


def rules(simulator: Simulator) -> str:
    """The settings of the whole simulator, and those of each account."""
    own = simulator.world.settings
    fields = {
        name: field(name, label, getattr(own, name), own.CHOICES.get(name)) for name, label in RULES.items()
    }
    boxes = [name for name in fields if isinstance(getattr(own, name), bool)]
    ticked = "".join(fields.pop(name) for name in boxes)
    forms = [
        f'<form method="post" action="/_page/settings"><div class="checks">{ticked}</div>'
        f'<div class="grid">{"".join(fields.values())}<button>Save</button></div></form>'
    ]
    for account in simulator.world.accounts.values():
        values = account.settings
        account_fields = "".join(
            field(name, label, getattr(values, name), values.CHOICES.get(name))
            for name, label in ACCOUNT_RULES.items()
        )
        forms.append(
            f"<details><summary>Account <code>{text(account.key)}</code></summary>"
            f'<form class="grid" method="post" action="/_page/account">{account_fields}'
            f'<input type="hidden" name="key" value="{text(account.key)}"><button>Save</button></form></details>'
        )
    return "".join(forms)


def trouble(message: str) -> str:
    """What a switch could not do."""
    body = section("trouble", "That was not understood", f'<p>{text(message)}</p><p><a href="/">Back</a></p>')
    return document("Not understood", f"<main>{body}</main>")


def sessions(simulator: Simulator) -> str:
    world = simulator.world
    rows = []
    for record in list(world.sessions.values())[: -SHOWN - 1 : -1]:
        machine = record.machine
        rows.append(
            [
                f'<a href="/sessions/{quote(record.id)}">{text(machine.title or record.body["prompt"][:60])}</a>',
                pill(machine.status) + (" gone" if machine.gone else ""),
                f'<progress max="100" value="{machine.progress(world.now())}">{machine.progress(world.now())}</progress>',
                text(len(machine.messages)),
                text("old" if record.old_dialect else record.body.get("mode", "generate")),
                text(record.scenario.name),
                time_of(world.clock.stamp_at(record.created)),
            ]
        )
    return table(
        ("Session", "Status", "Progress", "Messages", "Mode", "Scenario", "Created"),
        rows,
        "Nobody has asked for a video yet.",
    )


def streams(simulator: Simulator) -> str:
    now = simulator.world.now()
    rows = [
        [
            f"<code>{text(stream.id[:8])}</code>",
            text(stream.kind),
            pill(stream.status(now)),
            text(stream.end_reason(now) or ""),
            text(stream.speech.text[-80:]),
            button("end", "End", stream_id=stream.id)
            if stream.status(now) in ("pending", "streaming")
            else "",
        ]
        for stream in list(simulator.streams.all.values())[: -SHOWN - 1 : -1]
    ]
    return table(("Stream", "Type", "Status", "End", "Text", ""), rows, "No live avatar so far.")


def ledger(simulator: Simulator) -> str:
    world = simulator.world
    total = sum(world.spent.values())
    rows = [
        [
            time_of(entry["at"]),
            f"<code>{text(entry['kind'])}</code>",
            f"<code>{text(entry['id'][:20])}</code>",
            text(json.dumps(entry["body"], ensure_ascii=False)[:110]),
        ]
        for entry in world.ledger[: -SHOWN - 1 : -1]
    ]
    charges = [
        [
            text(charge["kind"]),
            f"<code>{text(charge['id'][:20])}</code>",
            f"{charge['seconds']} s",
            f"${charge['usd']:.4f}",
        ]
        for charge in world.charges[: -SHOWN - 1 : -1]
    ]
    return (
        f'<p class="big">${total:.2f} would have been billed, in {len(world.charges)} charges '
        f"for {len(world.ledger)} accepted calls.</p>"
        + table(("When", "Call", "Id", "Body"), rows, "No paid call so far.")
        + "<h3>Charges</h3>"
        + table(("What", "Id", "Length", "Price"), charges, "Nothing billed so far.")
    )


def calls(simulator: Simulator) -> str:
    counted: dict[tuple[str, str], int] = {}
    for (_, method, template), count in simulator.calls.counts.items():
        counted[method, template] = counted.get((method, template), 0) + count
    rows = [
        [text(method), f"<code>{text(template)}</code>", text(count)]
        for (method, template), count in sorted(counted.items(), key=lambda item: -item[1])[:SHOWN]
    ]
    return table(("Method", "Path", "Count"), rows, "Silence.")


def deliveries(simulator: Simulator) -> str:
    rows = [
        [
            f"<code>{text(name.split('/')[0])}</code>",
            text(item["url"]),
            text(item["state"]),
            text(", ".join(str(answer) for answer in item["answers"][-5:])),
        ]
        for name, item in list(simulator.webhooks.deliveries.items())[: -SHOWN - 1 : -1]
    ]
    return table(("Event", "To", "State", "Answers"), rows, "Nobody wants to be told.")


def session(simulator: Simulator, record: SessionRecord) -> str:
    """One session with all its messages, also those beyond the window of 40."""
    world, machine = simulator.world, record.machine
    back = f"/sessions/{record.id}"
    messages = "".join(
        f'<li class="{"user" if message.role == "user" else "model"}"><p class="meta">{text(message.role)} · '
        f"{text(message.type)} · {time_of(message.created_at) if message.created_at else 'no time'}</p>"
        f"<pre>{text(message.content) or '(empty)'}</pre>{pictures(simulator, record, message.resource_ids)}</li>"
        for message in machine.messages
    )
    facts = "".join(
        f"<div><dt>{text(name)}</dt><dd>{value}</dd></div>"
        for name, value in (
            ("Status", pill(machine.status)),
            ("Progress", text(machine.progress(world.now()))),
            ("Video", f"<code>{text(machine.video_id)}</code>" if machine.video_id else "none yet"),
            ("Scenario", text(record.scenario.name)),
            ("Account", f"<code>{text(record.account.key)}</code>"),
            ("Id", f"<code>{text(record.id)}</code>"),
        )
    )
    say = (
        '<form class="grid" method="post" action="/_page/speak">'
        f'<input type="hidden" name="session_id" value="{text(record.id)}"><input type="hidden" name="back" value="{text(back)}">'
        '<label>Let the agent say<input name="text" autocomplete="off"></label><button>Say it</button></form>'
        + button("speak", "Let it fail", tone="danger", session_id=record.id, fail="yes", back=back)
    )
    title = machine.title or "A session"
    header = f'<header><div><p class="kicker"><a href="/">Simulated HeyGen</a></p><h1>{text(title)}</h1></div></header>'
    parts = section("facts", "State", f"<dl>{facts}</dl>") + section("speak", "Take part", say, live=False)
    parts += section("log", f"Messages ({len(machine.messages)})", f'<ol class="log">{messages}</ol>')
    return document(title, f"{header}<main>{parts}</main>")


def pictures(simulator: Simulator, record: SessionRecord, ids: tuple[str, ...] | None) -> str:
    """Thumbnails of what a message carries; what has none is named."""
    if not ids:
        return ""
    items = []
    for identifier in ids:
        resource = record.machine.resources[identifier]
        if resource.material.frame is not None:
            link = simulator.world.links.signed(f"/media/sessions/{record.id}/{identifier}.thumbnail.jpg")
            address = link[len(simulator.world.links.public_url) :]
            items.append(
                f'<img loading="lazy" src="{text(address)}" alt="{text(resource.material.frame.title)}">'
            )
        else:
            items.append(f'<span class="pill odd">{text(resource.material.kind)}</span>')
    return f'<div class="pictures">{"".join(items)}</div>'
