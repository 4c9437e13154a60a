"""What the agent says and does: the script behind every session.

`Story` is the director of one session. Each method returns the steps that follow an event; all choices depend only on
the session's id and what was said, so that a replay tells the same story.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from .agent import Frame, Machine, Material, Said, Step
from .identifiers import digest, number, pick
from .scenarios import Scenario, without_words

AFFIRMATIVE = re.compile(
    r"\b(yes|yep|yeah|approved?|approve it|looks? (good|great|fine|perfect)|go ahead|go on|perfect|lgtm|ship it|"
    r"proceed|render( it)?|continue|sounds good|love it|great|fine|ok(ay)?|do it|make it|good to go|all good)\b",
    re.IGNORECASE,
)
CHANGING = re.compile(
    r"\b(but|however|change|instead|replace|different|more|less|remove|add|swap|darker|brighter|shorter|longer|"
    r"don'?t|do not|not|without|rather|except|another|redo|again|fewer|bigger|smaller|warmer|cooler|try)\b",
    re.IGNORECASE,
)
VERBS = re.compile(
    r"^(please\s+)?((can|could|would) you\s+)?(make|create|produce|write|build|generate|record|explain|show|introduce|"
    r"present|announce|describe|promote|i (want|need|would like)|we (want|need)|give)\s+(me\s+|us\s+)?(please\s+)?",
    re.IGNORECASE,
)
KIND = re.compile(
    r"^((a|an|the|our|one|two|three)\s+)?([\w'-]+,?\s+){0,5}?"
    r"(videos?|clip|film|animation|promo|explainer|introduction|intro|trailer|teaser|advert|tutorial|presentation|"
    r"walkthrough|tour)\s+(about|on|for|of|to|introducing|explaining|showing)\s+",
    re.IGNORECASE,
)
SMALL_WORDS = {
    "a",
    "an",
    "the",
    "our",
    "my",
    "your",
    "how",
    "why",
    "what",
    "when",
    "where",
    "this",
    "that",
    "new",
}
ORDINALS = {"first": 1, "second": 2, "third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "last": -1, "final": -1}

# Titles and captions of a storyboard; {it} is the subject.
ARCS: tuple[tuple[tuple[str, str], ...], ...] = (
    (
        ("A quiet start", "Early light. One question on the screen: why {it}?"),
        ("What gets in the way", "Three small frictions everybody knows, one after the other."),
        ("The turn", "The picture opens up, and {it} comes into view."),
        ("How it works", "Step by step, with one clear gesture for each step."),
        ("What changes", "The same morning again, calmer and brighter."),
        ("Your move", "A single line to remember, and where to go next."),
    ),
    (
        ("Hello", "The presenter says hello and names the promise in one sentence."),
        ("The big picture", "{it} on one map: where it begins, where it leads."),
        ("Up close", "We zoom into the part that matters most."),
        ("In their words", "A short, honest quote about {it}."),
        ("The numbers", "Two figures, large and plain. No chart junk."),
        ("See you soon", "A warm close with the logo and one next step."),
    ),
    (
        ("Cold open", "We are already in the middle of it. No title, only sound."),
        ("Title", "{it}, set large, on a moving background."),
        ("Chapter one", "The reason this exists, told with one object."),
        ("Chapter two", "Hands at work; the details that make the difference."),
        ("Chapter three", "Everything comes together in one wide shot."),
        ("Curtain", "Fade to the closing line about {it}."),
    ),
)
EXTRA_FRAMES = (
    ("A closer look", "An added shot, as you asked: {note}"),
    ("One more beat", "A short pause that makes room for this: {note}"),
    ("New angle", "The same idea from another side: {note}"),
)
QUESTIONS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        "Before I draw the storyboard there is one thing I would like you to decide: **which tone fits best?**",
        ("Calm and confident", "Warm and personal", "Quick and playful"),
    ),
    (
        "I can take this in three directions. **Which opening do you prefer?**",
        ("Start with the problem", "Start with a person", "Start with the result"),
    ),
    (
        "One decision is yours: **how should the presenter appear?**",
        ("On screen the whole time", "Only at the start and the end", "As a voice over pictures"),
    ),
    (
        "Last question before I begin: **who is this for above all?**",
        (
            "People who see it for the first time",
            "Colleagues who know the basics",
            "Decision makers with little time",
        ),
    ),
)
NOTES = (
    "Looking through the brief once more.",
    "Comparing two ways to open.",
    "Trimming the narration so that every sentence earns its place.",
    "Checking names and numbers.",
    "Trying a slower rhythm for the middle part.",
    "Matching pictures and narration.",
    "Listening to the pacing.",
    "Tidying the transitions.",
)


@dataclass(frozen=True, slots=True)
class Brief:
    """What a session was created with. `palette` names the colours of its pictures."""

    session_id: str
    prompt: str
    chat: bool
    old_dialect: bool
    auto_proceed: bool
    scenario: Scenario
    palette: str
    portrait: bool
    avatar: Mapping[str, Any]
    voice: Mapping[str, Any]
    files: int = 0


def subject_of(prompt: str) -> str:
    """A few words that the agent may use for what the video is about."""
    plain = without_words(prompt)
    sentence = re.split(r"(?<=[.!?:])\s|\n", plain, maxsplit=1)[0]
    words = KIND.sub("", VERBS.sub("", sentence, count=1), count=1).strip(" .,:;!?-\"'").split()
    if words and words[0].lower() in SMALL_WORDS:
        words[0] = words[0].lower()
    return " ".join(words[:9])[:70].rstrip(" .,:;-") or "your idea"


def title_of(prompt: str) -> str:
    subject = subject_of(prompt)
    return subject[:1].upper() + subject[1:]


class Story:
    """The director of one session."""

    def __init__(self, brief: Brief) -> None:
        self.brief = brief
        self.scenario = brief.scenario
        self.subject = subject_of(brief.prompt)
        self.questions_left = 0 if brief.old_dialect or not brief.chat else self.scenario.questions
        self.asked = 0
        self.answer = ""
        self.working = "processing" if brief.old_dialect else "thinking"
        if self.scenario.unknown_status:
            self.working = self.scenario.unknown_status
        self.asking = "reviewing" if brief.old_dialect else "waiting_for_input"

    # ---- what the machine asks for

    def start(self) -> Iterator[Step]:
        if "start" in self.scenario.legs:
            return self._scripted("start", 0)
        return self._paced(self._chatting() if self.brief.chat else self._straight_through())

    def react(self, machine: Machine, said: Said) -> Iterator[Step]:
        if machine.ended:
            name, leg = "follow_up", self._follow_up(machine, said)
        elif machine.waits == "answer":
            name, leg = "answer", self._answer(machine, said)
        elif said.proceed or approves(said.text):
            name, leg = "approve", self._approval()
        else:
            name, leg = "change", self._change(machine, said)
        if name in self.scenario.legs:
            return self._scripted(name, machine.revision)
        return self._paced(leg)

    def note(self, machine: Machine, said: Said) -> Step:
        return Step(after=2.0, say=f"Noted, I will work that in: *{quoted(said.text)}*")

    def halt(self, machine: Machine) -> Step | None:
        if self.scenario.stop_ignored:
            return None
        return Step(after=2.0, status=self.scenario.stop_as, video="fail" if machine.videos else "")

    def video(self, machine: Machine) -> tuple[str, float, tuple[str, ...]]:
        """Title, seconds and spoken lines of the video that is rendered now."""
        frames = machine.storyboard or self._first_storyboard()
        lines = tuple(frame.caption for frame in frames)
        title = machine.title or title_of(self.brief.prompt)
        return title, round(1.6 * len(frames) + 0.4, 1), lines

    # ---- legs, written as generators: a step is only thought of when the one before it has happened

    def _chatting(self) -> Iterator[Step]:
        scenario = self.scenario
        if scenario.fail == "thinking" and not scenario.fail_message:
            yield Step(status=self.working)
            yield self._failure()
            return
        yield from self._opening()
        if scenario.stuck == "thinking":
            return
        if scenario.fail == "thinking":
            yield self._failure()
            return
        yield from self._flood()
        if self.questions_left:
            yield self._question()
        elif scenario.storyboard:
            yield from self._storyboard_steps()
        else:
            yield Step(storyboard=self._first_storyboard())
            yield from self._render()
        yield from self._late_troubles()

    def _opening(self) -> Iterator[Step]:
        yield Step(after=0.5, status=self.working, progress=0)
        yield from self._first_words()

    def _first_words(self) -> Iterator[Step]:
        brief = self.brief
        attached = ""
        if brief.files:
            attached = (
                f" I also have the {'file' if brief.files == 1 else f'{brief.files} files'} you attached."
            )
        plan = (
            f"Here is how I will go about it:\n\n1. Read the brief and find the one thing people should remember\n"
            f"2. Choose who speaks and how it looks\n3. Draw a storyboard of *{self.subject}*\n4. Render the video"
        )
        yield Step(
            after=2.5,
            say=f"Thanks, this is a lovely brief.{attached} {plan}",
            climb=(15, 12.0),
            title=None if self.scenario.no_title else title_of(brief.prompt),
        )
        if self.scenario.growing:
            yield Step(after=2.0, say="Working on the narration")
            yield Step(after=2.0, append=": the first sentence stands")
            yield Step(after=2.0, append=", the middle part is being trimmed")
            yield Step(after=2.0, append=", and the closing line is done. **Ready.**")
        else:
            yield Step(after=4.0, say=self._reading())
        if self.scenario.odd_resources:
            cast = (
                Material("avatar", metadata=dict(brief.avatar)),
                Material("voice", metadata=dict(brief.voice)),
            )
            late = self.scenario.late_resources
            text = "" if self.scenario.empty else self._cast()
            yield Step(after=4.0, say=text, type="resource", materials=cast, announce_only=late)
            if late:
                yield Step(after=4.0, attach=True)

    def _reading(self) -> str:
        points = pick(
            (
                ("one clear promise", "short sentences", "pictures before words"),
                ("a human opening", "one idea for each scene", "a close that asks for something"),
                ("an honest tone", "plenty of air", "no more than two figures"),
            ),
            self.brief.session_id,
            "points",
        )
        return "I have read it twice. What I take from it:\n\n" + "\n".join(f"- {point}" for point in points)

    def _cast(self) -> str:
        avatar = self.brief.avatar.get("name", "a presenter")
        voice = self.brief.voice.get("name", "a calm voice")
        return f"For the presenter I suggest **{avatar}**, spoken by **{voice}**. Tell me if you would rather have others."

    def _flood(self) -> Iterator[Step]:
        scenario = self.scenario
        gap = 1.0 / scenario.rate if scenario.rate else 1.0
        for count in range(1, scenario.messages + 1):
            text = f"Note {count} of {scenario.messages}: {pick(NOTES, self.brief.session_id, 'note', count)}"
            if scenario.identical:
                text = "Still working on it."
            if scenario.empty and count % 3 == 0:
                text = ""
            after = 0.0 if scenario.same_second and count > 1 else gap
            yield Step(after=after, say=text, undated=scenario.undated)

    def _question(self) -> Step:
        first = number(self.brief.session_id, "question", below=len(QUESTIONS))
        text, choices = QUESTIONS[(first + self.asked) % len(QUESTIONS)]
        self.asked += 1
        self.questions_left -= 1
        return Step(after=4.0, say=with_choices(text, choices), status=self.asking, waits="answer")

    def _answer(self, machine: Machine, said: Said) -> Iterator[Step]:
        self.answer = quoted(said.text)
        yield Step(after=1.0, status=self.working)
        yield Step(after=1.5, say=f"Good choice: **{self.answer}**. I will build on that.", climb=(40, 12.0))
        if self.questions_left:
            yield self._question()
        elif not self.scenario.storyboard or machine.proceed:
            yield Step(storyboard=self._first_storyboard())
            yield from self._render()
        else:
            yield from self._storyboard_steps()

    def _storyboard_steps(self) -> Iterator[Step]:
        frames = self._first_storyboard()
        yield Step(
            after=4.0,
            say="The narration is written. Now I am drawing the storyboard, one picture for each scene.",
        )
        if self.scenario.odd_resources:
            text = "" if self.scenario.empty else "This is the outline I am drawing from."
            outline = Material("blueprint", metadata={"scenes": len(frames), "tone": self.answer or "calm"})
            yield Step(after=3.0, say=text, type="resource", materials=(outline,))
        if self.scenario.fail == "storyboard":
            yield self._failure()
            return
        board = self._board(frames)
        if self.brief.auto_proceed:
            yield Step(after=3.0, say="These are the pictures. I go straight on to the video.", **board)
            yield from self._render()
            return
        tone = f" The tone follows your answer: *{self.answer}*." if self.answer else ""
        text = (
            f"Here is the storyboard for **{title_of(self.brief.prompt)}**, {len(frames)} pictures.{tone}\n\n"
            f"{scene_list(frames)}\n\nShall I render it like this, or would you like to change something?"
        )
        yield Step(after=3.0, say=text, status="reviewing", progress=45, waits="verdict", **board)

    def _board(self, frames: tuple[Frame, ...]) -> dict[str, Any]:
        """What a step needs to show a storyboard."""
        width, height = (720, 1280) if self.brief.portrait else (1280, 720)
        materials = tuple(
            Material("image", frame=frame, metadata={"position": place, "width": width, "height": height})
            for place, frame in enumerate(frames, 1)
        )
        if self.scenario.odd_resources:
            materials += (Material("draft", link="draft", metadata={"pages": len(frames)}),)
        return {"materials": materials, "storyboard": frames, "type": "resource"}

    def _change(self, machine: Machine, said: Said) -> Iterator[Step]:
        frames, kept, changed, fresh = self._revised(machine, said.text)
        yield Step(after=1.0, status=self.working, progress=45)
        yield Step(after=1.5, say=f"Understood: *{quoted(said.text)}*. I am redrawing what that touches.")
        new = f" I added **{fresh.title}**." if fresh else ""
        text = (
            f"Revision {machine.revision + 1} of the storyboard: {len(changed)} "
            f"picture{'s' * (len(changed) != 1)} redrawn ({', '.join(str(place) for place in changed)}), "
            f"{kept} kept as they were.{new}\n\n{scene_list(frames)}\n\nIs this what you had in mind?"
        )
        board = self._board(frames)
        if self.scenario.keep_ids:
            board = self._with_kept_ids(machine, frames, board)
        yield Step(after=6.0, say=text, status="reviewing", progress=50, waits="verdict", **board)

    def _with_kept_ids(
        self, machine: Machine, frames: tuple[Frame, ...], board: dict[str, Any]
    ) -> dict[str, Any]:
        known = {machine.frame_of(identifier): identifier for identifier in machine.storyboard_ids}
        reuse = tuple(known[frame] for frame in frames if frame in known)
        board["materials"] = tuple(m for m in board["materials"] if m.frame not in known or m.frame is None)
        board["reuse"] = reuse
        return board

    def _approval(self) -> Iterator[Step]:
        yield Step(after=1.0, status="generating", progress=50)
        yield Step(after=1.0, say="Wonderful. I am rendering the video now; this takes a little while.")
        yield from self._render()

    def _render(self, *, started: bool = False) -> Iterator[Step]:
        """From the start of a render to its end. Assumes that a storyboard exists."""
        seconds = self.scenario.render_seconds
        stuck = self.scenario.stuck == "rendering"
        climb = None if stuck else (98, seconds)
        yield Step(after=1.0, status="generating", video="" if started else "start", climb=climb)
        if stuck:
            return
        if self.scenario.fail == "rendering":
            yield replace(self._failure(), after=seconds / 2, video="fail")
            return
        yield Step(after=seconds * 0.4, say="The pictures are moving. Next come the voice and the music.")
        yield Step(after=seconds * 0.35, say="Voice and pictures are together. Final touches on the sound.")
        yield self._handover(seconds * 0.25)

    def _handover(self, after: float) -> Step:
        never = self.scenario.video_never
        return Step(
            after=after,
            say=f"Your video **{title_of(self.brief.prompt)}** is ready. If you want another version, just tell me.",
            materials=() if never else (Material("video", link="video", metadata={"kind": "final"}),),
            status="completed",
            progress=100,
            video="finish",
            video_delay=1e12 if never else self.scenario.video_delay,
            failure=("render_failed", "The file could not be written.")
            if self.scenario.video_fails
            else None,
        )

    def _follow_up(self, machine: Machine, said: Said) -> Iterator[Step]:
        frames, kept, changed, _ = self._revised(machine, said.text)
        yield Step(after=1.0, status=self.working, progress=0)
        yield Step(after=1.5, say="With pleasure. Let me see what that changes.")
        text = (
            f"I made a new version with this in mind: *{quoted(said.text)}*. {len(changed)} of its pictures "
            f"{'is' if len(changed) == 1 else 'are'} redrawn, {kept} kept. I am rendering it right away, since the rest "
            "is already agreed."
        )
        yield Step(after=6.0, say=text, progress=40, **self._board(frames))
        yield from self._render()

    def _straight_through(self) -> Iterator[Step]:
        """Mode `generate`: the video is there from the start, and nobody is asked."""
        scenario = self.scenario
        yield Step(
            status=scenario.unknown_status or "generating", storyboard=self._first_storyboard(), video="start"
        )
        if scenario.fail == "thinking" and not scenario.fail_message:
            yield replace(self._failure(), video="fail")
            return
        yield from self._first_words()
        if scenario.stuck == "thinking":
            return
        if scenario.fail == "thinking":
            yield replace(self._failure(), video="fail")
            return
        yield from self._flood()
        board = self._board(self._first_storyboard())
        yield Step(after=5.0, say="I drew these pictures and will go straight on to the video.", **board)
        yield from self._render(started=True)
        yield from self._late_troubles()

    def _late_troubles(self) -> Iterator[Step]:
        if self.scenario.fail == "waiting":
            yield replace(self._failure(), after=self.scenario.fail_after)
        if self.scenario.gone_after:
            yield Step(after=self.scenario.gone_after, gone=True)

    def _failure(self) -> Step:
        message = self.scenario.fail_message
        return Step(after=self.scenario.fail_after, status="failed", say=message or None, type="error")

    # ---- pictures

    def _first_storyboard(self) -> tuple[Frame, ...]:
        arc = pick(ARCS, self.brief.session_id, self.brief.prompt, "arc")
        count = 4 + number(self.brief.session_id, self.brief.prompt, "frames", below=3)
        return tuple(
            self._frame(place, title, caption, revision=1)
            for place, (title, caption) in enumerate([*arc[: count - 1], arc[-1]])
        )

    def _frame(self, place: int, title: str, caption: str, *, revision: int, note: str = "") -> Frame:
        picture = digest(self.brief.session_id, self.brief.prompt, place, revision, note, size=8)
        text = caption.format(it=self.subject, note=note or "as you asked")
        # Seven motifs and steps of three: no two pictures of a storyboard show the same.
        motif = number(self.brief.session_id, self.brief.prompt, "motif", below=7) + 3 * place
        caption = text[:1].upper() + text[1:]
        return Frame(picture, title, caption, self.brief.palette, self.brief.portrait, motif)

    def _revised(self, machine: Machine, wish: str) -> tuple[tuple[Frame, ...], int, list[int], Frame | None]:
        """The storyboard after a change: frames, how many were kept, places redrawn, and the added frame."""
        frames = list(machine.storyboard or self._first_storyboard())
        revision = machine.revision + 1
        named = places_in(wish, len(frames))
        first = number(self.brief.session_id, wish, revision, below=len(frames))
        changed = named or sorted({first, (first + 2) % len(frames)})
        for place in changed:
            old = frames[place]
            picture = digest(old.picture, revision, wish, size=8)
            caption = f"{plain_sentence(old.caption)} Redrawn: {quoted(wish, 60)}."
            frames[place] = replace(old, picture=picture, caption=caption, motif=old.motif + 1)
        redrawn = [frames[place] for place in changed]
        fresh = None
        if not named and len(frames) < 7:
            title, caption = pick(EXTRA_FRAMES, wish, revision)
            fresh = self._frame(len(frames), title, caption, revision=revision, note=quoted(wish, 60))
            frames.insert(len(frames) - 1, fresh)
        kept = len(frames) - len(changed) - (1 if fresh else 0)
        places = [frames.index(frame) + 1 for frame in redrawn]
        return tuple(frames), kept, places, fresh

    # ---- scripted legs

    def _scripted(self, name: str, revision: int) -> Iterator[Step]:
        return self._paced(
            step
            for place, item in enumerate(self.scenario.legs[name])
            for step in self.from_file(item, f"{name}{place}", revision)
        )

    def from_file(self, item: Mapping[str, Any], place: str, revision: int) -> Iterable[Step]:
        """One step of a scenario file; see README.md for the keys."""
        after = float(item.get("after", 0.0))
        if item.get("render"):
            steps = self._render()
            return [Step(after=after, storyboard=None if revision else self._first_storyboard()), *steps]
        if "fail" in item:
            return [Step(after=after, status="failed", say=item["fail"] or None, type="error")]
        climb = item.get("climb")
        values: dict[str, Any] = {
            "after": after,
            "say": item.get("say"),
            "role": item.get("role", "model"),
            "type": item.get("type", "text"),
            "undated": bool(item.get("undated")),
            "append": item.get("append"),
            "attach": bool(item.get("attach")),
            "announce_only": bool(item.get("late")),
            "status": item.get("status"),
            "progress": item.get("progress"),
            "climb": (int(climb[0]), float(climb[1])) if climb else None,
            "title": item.get("title"),
            "waits": item.get("waits", ""),
            "gone": bool(item.get("gone")),
        }
        if "ask" in item:
            values.update(
                say=with_choices(item["ask"], item.get("choices", ())), status=self.asking, waits="answer"
            )
        if "storyboard" in item:
            count = int(item["storyboard"])
            frames = tuple(
                self._frame(index, f"Scene {index + 1}", "{it}", revision=revision + 1, note=place)
                for index in range(count)
            )
            values.update(status="reviewing", waits="verdict", **self._board(frames))
            values["say"] = item.get("say", "Here is the storyboard. Shall I go on?")
        if "resources" in item:
            values["materials"] = tuple(
                self._listed(kind, f"{place}.{index}") for index, kind in enumerate(item["resources"])
            )
            values["say"] = item.get("say", "")
        return [Step(**values)]

    def _listed(self, kind: str, place: str) -> Material:
        frame = self._frame(0, kind, "{it}", revision=0, note=place) if kind == "image" else None
        return Material(kind, frame=frame, link=kind if kind in ("video", "draft") else None, metadata={})

    # ---- options that touch every leg

    def _paced(self, steps: Iterable[Step]) -> Iterator[Step]:
        pace, zero = self.scenario.pace, self.scenario.progress_zero
        if pace == 1.0 and not zero:
            return iter(steps)
        return (
            replace(
                step,
                after=step.after * pace,
                climb=None if zero or step.climb is None else (step.climb[0], step.climb[1] * pace),
                progress=0 if zero and step.progress is not None else step.progress,
            )
            for step in steps
        )


def scene_list(frames: Iterable[Frame]) -> str:
    return "\n".join(f"{place}. **{frame.title}.** {frame.caption}" for place, frame in enumerate(frames, 1))


def approves(text: str) -> bool:
    """Whether a message says yes without asking for a change."""
    return bool(AFFIRMATIVE.search(text)) and not CHANGING.search(text)


def with_choices(text: str, choices: Iterable[str]) -> str:
    """A question whose message ends in a list of what may be answered."""
    listed = "\n".join(f"- {choice}" for choice in choices)
    return f"{text}\n\n{listed}" if listed else text


def quoted(text: str, most: int = 90) -> str:
    """What a person said, in one line and short enough to be repeated."""
    line = re.sub(r"[*_`\[\]<>|#]", "", without_words(text)).strip(" .!")
    line = re.sub(r"^please,?\s+", "", line, flags=re.IGNORECASE) or "as you said"
    return line if len(line) <= most else line[: most - 1].rstrip() + "…"


def plain_sentence(caption: str) -> str:
    return re.split(" Redrawn: ", caption, maxsplit=1)[0]


def places_in(text: str, count: int) -> list[int]:
    """Places (from 0) of the pictures that a text names: "scene 3", "the second picture", "the last one"."""
    found = {
        int(digits)
        for digits in re.findall(
            r"\b(?:scene|picture|frame|image|shot|number|no\.?|#)\s*(\d)\b", text, re.IGNORECASE
        )
    }
    for word, place in ORDINALS.items():
        if re.search(rf"\b{word}\b", text, re.IGNORECASE):
            found.add(count if place == -1 else place)
    return sorted(place - 1 for place in found if 1 <= place <= count)
