"""How a session goes wrong, or right: named scenarios, words in the prompt, and files.

A scenario is a set of options over the usual story. They come from, later ones winning: a scenario of the file whose
`when` is found in the prompt, `[scenario: NAME]` in the prompt, and single options such as `[messages: 120]` or
`[undated]`. A file may also script whole legs step by step; see README.md.
"""

from __future__ import annotations

import dataclasses
import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any


class ScenarioError(ValueError):
    """A scenario, option or step that cannot be understood; the text says which."""


@dataclass(frozen=True, slots=True)
class Scenario:
    """Options over the usual story. Seconds are story seconds."""

    name: str = "usual"
    pace: float = 1.0
    questions: int = 1
    storyboard: bool = True
    fail: str = ""
    fail_after: float = 6.0
    fail_message: str = ""
    stuck: str = ""
    progress_zero: bool = False
    unknown_status: str = ""
    messages: int = 0
    rate: float = 1.0
    same_second: bool = False
    undated: bool = False
    identical: bool = False
    growing: bool = False
    late_resources: bool = False
    empty: bool = False
    odd_resources: bool = True
    missing_reads: int = 0
    gone_after: float = 0.0
    keep_ids: bool = False
    video_delay: float = 6.0
    video_fails: bool = False
    video_never: bool = False
    stop_ignored: bool = False
    stop_as: str = "failed"
    no_title: bool = False
    render_seconds: float = 24.0
    pending: float = 5.0
    stream_error: str = ""
    legs: Mapping[str, tuple[Mapping[str, Any], ...]] = field(default_factory=dict)


OPTIONS = {
    option.name: option for option in dataclasses.fields(Scenario) if option.name not in ("name", "legs")
}
DEFAULTS: dict[str, Any] = {name: option.default for name, option in OPTIONS.items()}
USUAL = Scenario()
LEGS = ("start", "answer", "change", "approve", "follow_up")

NAMED: dict[str, dict[str, Any]] = {
    "usual": {},
    "no-question": {"questions": 0},
    "straight": {"questions": 0, "storyboard": False},
    "many-rounds": {"questions": 3},
    "fail-early": {"fail": "thinking"},
    "fail-message": {
        "fail": "thinking",
        "fail_message": "I could not reach the narration service. Please try again.",
    },
    "fail-waiting": {"fail": "waiting", "fail_after": 20.0},
    "fail-render": {
        "fail": "rendering",
        "fail_message": "The render stopped at scene 3: a font could not be loaded.",
    },
    "fail-video": {"video_fails": True},
    "stuck-thinking": {"stuck": "thinking"},
    "stuck-rendering": {"stuck": "rendering"},
    "stuck-video": {"video_never": True},
    "progress-zero": {"progress_zero": True},
    "unknown-status": {"unknown_status": "pondering"},
    "chatty": {"messages": 120},
    "burst": {"messages": 60, "rate": 1000.0, "same_second": True},
    "same-second": {"messages": 8, "same_second": True},
    "undated": {"undated": True, "messages": 4},
    "identical": {"identical": True, "messages": 6},
    "growing": {"growing": True},
    "late-resources": {"late_resources": True},
    "empty-content": {"empty": True},
    "missing-resources": {"missing_reads": 3},
    "gone": {"gone_after": 20.0},
    "keep-ids": {"keep_ids": True},
    "stop-ignored": {"stop_ignored": True},
    "slow": {"pace": 4.0},
    "quick": {"pace": 0.25},
    "stream-error": {"stream_error": "The avatar could not be started."},
}

WORD = re.compile(r"\[\s*([a-z][a-z0-9 _-]*?)\s*(?::\s*([^\]]*?))?\s*\]", re.IGNORECASE)


def option_value(name: str, value: Any) -> Any:
    """`value` (JSON, or text from a prompt) as the option wants it."""
    kind: type[Any] = type(DEFAULTS[name])
    try:
        if kind is bool:
            if isinstance(value, bool):
                return value
            return {
                "": True,
                "yes": True,
                "true": True,
                "on": True,
                "no": False,
                "false": False,
                "off": False,
            }[str(value).lower()]
        converted = kind(value)
    except (KeyError, TypeError, ValueError) as error:
        raise ScenarioError(f"{name}: {value!r} is no {kind.__name__}") from error
    if kind in (int, float) and not 0 <= converted <= 100_000:
        raise ScenarioError(f"{name}: {value!r} is out of range")
    return converted


def options_of(values: Mapping[str, Any]) -> dict[str, Any]:
    """Checked options, dashes or underscores in their names."""
    found = {}
    for key, value in values.items():
        name = key.replace("-", "_").replace(" ", "_").lower()
        if name not in OPTIONS:
            raise ScenarioError(f"{key!r} is no option; known are: {', '.join(sorted(OPTIONS))}")
        found[name] = option_value(name, value)
    return found


@dataclass(frozen=True, slots=True)
class Rule:
    """A scenario of a file: for prompts that contain `when` (case-insensitive; empty = only by name)."""

    name: str
    when: str
    options: Mapping[str, Any]
    legs: Mapping[str, tuple[Mapping[str, Any], ...]]


class Scenarios:
    """The named scenarios plus those of files and of the control API."""

    def __init__(self, rules: Iterable[Rule] = ()) -> None:
        self.rules = list(rules)

    @property
    def names(self) -> list[str]:
        return [*NAMED, *(rule.name for rule in self.rules)]

    def load(self, document: Any) -> list[Rule]:
        """Add the scenarios of a decoded file, replacing those of the same name."""
        listed = document.get("scenarios") if isinstance(document, dict) else document
        if not isinstance(listed, list):
            raise ScenarioError('a scenario file is {"scenarios": [...]}')
        rules = [rule_from(item) for item in listed]
        replaced = {rule.name for rule in rules}
        self.rules = [rule for rule in self.rules if rule.name not in replaced] + rules
        return rules

    def load_file(self, path: Path) -> list[Rule]:
        try:
            return self.load(json.loads(path.read_text("utf-8")))
        except json.JSONDecodeError as error:
            raise ScenarioError(f"{path} is not JSON: {error}") from error

    def choose(self, prompt: str) -> Scenario:
        """The scenario of a prompt. Words in brackets that are no option are left alone."""
        chosen: dict[str, Any] = {}
        legs: dict[str, tuple[Mapping[str, Any], ...]] = {}
        name = "usual"
        for rule in self.rules:
            if rule.when and rule.when.lower() in prompt.lower():
                name = rule.name
                chosen.update(rule.options)
                legs.update(rule.legs)
        for match in WORD.finditer(prompt):
            word, value = match.group(1).lower(), match.group(2) or ""
            if word == "scenario":
                wanted = value.strip().lower()
                for rule in self.rules:
                    if rule.name.lower() == wanted:
                        name = rule.name
                        chosen.update(rule.options)
                        legs.update(rule.legs)
                if wanted in NAMED:
                    name = wanted
                    chosen.update(NAMED[wanted])
            else:
                option = word.replace("-", "_").replace(" ", "_")
                if option in OPTIONS:
                    try:
                        chosen[option] = option_value(option, value)
                    except ScenarioError:
                        continue
        if not chosen and not legs:
            return USUAL if name == "usual" else Scenario(name=name)
        return Scenario(name=name, legs=legs, **chosen)


def without_words(prompt: str) -> str:
    """The prompt as the agent's writing may quote it: no scenario words, one line."""

    def keep(match: re.Match[str]) -> str:
        word = match.group(1).lower().replace("-", "_").replace(" ", "_")
        return "" if word == "scenario" or word in OPTIONS else match.group(0)

    return " ".join(WORD.sub(keep, prompt).split())


def rule_from(item: Any) -> Rule:
    if not isinstance(item, dict) or not isinstance(item.get("name"), str) or not item["name"]:
        raise ScenarioError("a scenario is an object with a name")
    unknown = set(item) - {"name", "when", "options", "legs"}
    if unknown:
        raise ScenarioError(f"{item['name']}: unknown keys {', '.join(sorted(unknown))}")
    legs = item.get("legs", {})
    if not isinstance(legs, dict) or set(legs) - set(LEGS):
        raise ScenarioError(f"{item['name']}: legs are {', '.join(LEGS)}")
    return Rule(
        name=item["name"],
        when=str(item.get("when", "")),
        options=options_of(item.get("options", {})),
        legs={leg: tuple(checked_step(step) for step in steps) for leg, steps in legs.items()},
    )


STEP_KEYS = frozenset(
    {
        "after",
        "say",
        "role",
        "type",
        "resources",
        "undated",
        "append",
        "attach",
        "late",
        "status",
        "progress",
        "climb",
        "title",
        "storyboard",
        "render",
        "ask",
        "choices",
        "fail",
        "waits",
        "gone",
    }
)


def checked_step(step: Any) -> Mapping[str, Any]:
    if not isinstance(step, dict):
        raise ScenarioError(f"a step is an object, not {step!r}")
    unknown = set(step) - STEP_KEYS
    if unknown:
        raise ScenarioError(f"a step knows {', '.join(sorted(STEP_KEYS))}; not {', '.join(sorted(unknown))}")
    return step


def as_document(scenario: Scenario) -> dict[str, Any]:
    """For the store: only what differs from the usual story."""
    usual = Scenario()
    changed = {
        name: getattr(scenario, name) for name in OPTIONS if getattr(scenario, name) != getattr(usual, name)
    }
    document: dict[str, Any] = {"name": scenario.name, "options": changed}
    if scenario.legs:
        document["legs"] = {leg: list(steps) for leg, steps in scenario.legs.items()}
    return document


def from_document(document: Mapping[str, Any]) -> Scenario:
    if document == {"name": "usual", "options": {}}:
        return USUAL
    legs = {leg: tuple(steps) for leg, steps in document.get("legs", {}).items()}
    return Scenario(name=document["name"], legs=legs, **document["options"])
