"""When words are spoken: texts that arrive over time become words with start and end."""

from __future__ import annotations

import re
from dataclasses import dataclass

TOKEN = re.compile(r"[\w\u2019'\-]+|[^\w\s]", re.UNICODE)
LATENCY = 0.4
PAUSES = {".": 0.32, "!": 0.32, "?": 0.34, ",": 0.16, ";": 0.2, ":": 0.2, "\u2014": 0.2, "\u2013": 0.2}


@dataclass(frozen=True, slots=True)
class Word:
    """Seconds from the start of the spoken audio; `offset` is where it begins in the text."""

    word: str
    start: float
    end: float
    offset: int


class Speech:
    """The words of one stream. Punctuation is a word of its own. `rate` is words per second on average."""

    def __init__(self, rate: float) -> None:
        self.rate = rate
        self.text = ""
        self.words: list[Word] = []

    @property
    def ends(self) -> float:
        return self.words[-1].end if self.words else 0.0

    def add(self, text: str, at: float) -> None:
        """Text that arrives `at` seconds into the audio; what was begun by then is spoken, the rest joins up with it."""
        spoken = [word for word in self.words if word.start <= at]
        waiting = self.words[len(spoken)].offset if len(spoken) < len(self.words) else len(self.text)
        self.text += text
        cursor = max(spoken[-1].end if spoken else 0.0, at + LATENCY if self.words else at)
        self.words = spoken
        for match in TOKEN.finditer(self.text, waiting):
            token = match.group()
            seconds = self.seconds_of(token)
            self.words.append(Word(token, round(cursor, 3), round(cursor + seconds, 3), match.start()))
            cursor += seconds

    def seconds_of(self, token: str) -> float:
        """Long words take longer; punctuation is a pause."""
        if token[0].isalnum() or token[0] == "_":
            return (0.11 + 0.049 * min(len(token), 16)) * 2.6 / self.rate
        return PAUSES.get(token, 0.06) * 2.6 / self.rate

    def until(self, seconds: float) -> list[Word]:
        """What has been spoken to its end by then."""
        return [word for word in self.words if word.end <= seconds]

    def speaking(self, begin: float, end: float) -> bool:
        """Whether anything is spoken between two times."""
        return any(word.start < end and word.end > begin for word in self.words)


def batches(words: list[Word]) -> list[list[Word]]:
    """Groups of at most 10 words or about a second, as the event stream sends them."""
    groups: list[list[Word]] = []
    for word in words:
        if groups and len(groups[-1]) < 10 and word.end - groups[-1][0].start <= 1.0:
            groups[-1].append(word)
        else:
            groups.append([word])
    return groups
