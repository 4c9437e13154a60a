"""Icons, statuses, times: what they say without JavaScript, and that nothing in them can become markup."""

from __future__ import annotations

import datetime as dt
import re
from pathlib import Path

import pytest
from django.conf import settings
from django.forms.utils import ErrorDict, ErrorList
from django.template import Context, Template
from django.utils import timezone

from interface.icons import NAMES, build, symbol
from interface.templatetags.interface import STATUSES

SPRITE = (settings.BASE_DIR / "static" / "icons" / "sprite.svg").read_text()


def rendered(source: str, **context: object) -> str:
    return Template("{% load interface %}" + source).render(Context(context))


def test_a_status_is_icon_word_and_look():
    assert rendered('{% status "done" "Finished" %}') == (
        '<span class="status" data-group="done"><svg class="icon" aria-hidden="true">'
        '<use href="/static/icons/sprite.svg#circle-check"/></svg><span>Finished</span></span>'
    )


def test_a_status_nobody_foresaw_is_shown_as_it_came_and_is_inert():
    html = rendered("{% status group word %}", group="<b>new</b>", word="")
    assert 'data-group="unknown"' in html
    assert "<span>&lt;b&gt;new&lt;/b&gt;</span>" in html


def test_a_time_reads_as_utc_without_javascript():
    moment = dt.datetime(2026, 3, 4, 17, 5, 6, tzinfo=dt.timezone(dt.timedelta(hours=2)))
    assert rendered("{% when moment 'clock' %}", moment=moment) == (
        '<time datetime="2026-03-04T15:05:06Z" data-when="clock">2026-03-04 15:05 UTC</time>'
    )


@pytest.mark.parametrize(
    ("past", "shown"),
    [
        (-5, "now"),
        (44, "now"),
        (50, "1 min. ago"),
        (59 * 60, "59 min. ago"),
        (3 * 3600, "3 hr. ago"),
        (25 * 3600, "yesterday"),
        (6 * 86400, "6 days ago"),
    ],
)
def test_a_recent_time_is_written_as_the_browser_will_write_it(past: int, shown: str):
    """Where it is not, everything beside it moves as soon as the page's modules run."""
    moment = timezone.now() - dt.timedelta(seconds=past)
    assert rendered("{% when moment %}", moment=moment).endswith(f">{shown}</time>")


def test_an_old_time_is_a_day_and_a_length_counts_up():
    moment = dt.datetime(2026, 3, 4, 17, 5, 6, tzinfo=dt.UTC)
    assert ">2026-03-04</time>" in rendered("{% when moment %}", moment=moment)
    begun = timezone.now() - dt.timedelta(seconds=127.2)
    assert ">2:07</time>" in rendered("{% when begun 'elapsed' %}", begun=begun)


def test_no_time_is_a_dash():
    assert rendered("{% when nothing %}", nothing=None) == '<span class="muted">&ndash;</span>'


@pytest.mark.parametrize(
    ("seconds", "shown"), [(None, ""), (0, "0:00"), (7.4, "0:07"), (127, "2:07"), (3725, "1:02:05")]
)
def test_a_length_of_film(seconds: float | None, shown: str):
    assert rendered("{{ seconds|clock }}", seconds=seconds) == shown


def test_what_is_wrong_with_a_field_or_with_a_whole_form():
    wrong = ErrorDict({"prompt": ErrorList(["<b> is odd"]), "mode": ErrorList(['It is "closed"'])})
    of_field = rendered('{% errors wrong.prompt "prompt-error" %}', wrong=wrong)
    assert of_field.startswith('<ul class="errors" role="list" id="prompt-error"><li><svg')
    assert of_field.endswith("<span>&lt;b&gt; is odd</span></li></ul>")
    of_form = rendered("{% errors wrong say=True %}", wrong=wrong)
    assert of_form.count("<li>") == 2
    assert 'data-say="&lt;b&gt; is odd It is &quot;closed&quot;"' in of_form
    assert rendered("{% errors wrong %}", wrong=ErrorDict()) == ""


def test_initials_of_odd_names():
    assert ">AL<" in rendered("{% initials name %}", name="ada lovelace")
    assert ">?<" in rendered("{% initials name %}", name="  ")
    assert "&lt;" in rendered("{% initials name %}", name="<script> x")


def test_every_icon_that_is_used_is_in_the_sprite():
    sources = [
        *(settings.BASE_DIR / "templates").rglob("*.html"),
        *settings.BASE_DIR.glob("*/templates/**/*.html"),
    ]
    used = {name for path in sources for name in re.findall(r'{% icon "([a-z0-9-]+)"', path.read_text())}
    used |= {picture for picture, _ in STATUSES.values()}
    assert used, "no icons found: is the pattern right?"
    assert used <= set(NAMES)
    assert {f'id="{name}"' for name in NAMES} <= set(re.findall(r'id="[a-z0-9-]+"', SPRITE))


def test_the_sprite_takes_shapes_and_leaves_what_the_page_decides(tmp_path: Path):
    for name in NAMES:
        (tmp_path / f"{name}.svg").write_text('<svg width="24" stroke="red">\n  <path d="M1 1"/>\n</svg>')
    first, second, *_ = build(tmp_path).splitlines()
    assert first == '<svg xmlns="http://www.w3.org/2000/svg">'
    assert second == f'<symbol id="{NAMES[0]}" viewBox="0 0 24 24"><path d="M1 1"/></symbol>'


def test_a_file_that_is_no_picture_is_refused():
    with pytest.raises(ValueError, match="not an SVG"):
        symbol("broken", "<html>")


def test_a_shared_template_is_rendered_for_what_it_is_given():
    pressed = re.compile(r'value="(\w+)" aria-pressed="true"')
    source = '{% shared "components/themes.html" theme=theme %}'
    for theme, value in (("dark", "dark"), ("", "system"), ("light", "light"), ("dark", "dark")):
        assert pressed.findall(rendered(source, theme=theme)) == [value]


def test_a_shared_template_knows_nothing_of_the_page():
    html = rendered('{% shared "components/themes.html" %}', theme="dark")
    assert 'value="dark" aria-pressed="false"' in html
