"""Outside text: escaped it holds no Markdown and no HTML, and nothing of it is lost."""

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.text.escape import plain, plain_html

CUT = ":small[]"
MARKUP = st.text(st.sampled_from(list("ab1 .:@wW\n\t\\`*_{}[]()#+-=!|~$<>&/")), max_size=40)


def undone(markdown: str) -> str:
    """What a backslash and an empty directive stand for."""
    return re.sub(r"\\([!-/:-@\[-`{-~])", r"\1", markdown.replace(CUT, ""))


@given(MARKUP | st.text())
def test_every_character_is_kept_on_one_line(text):
    assert undone(plain(text)) == " ".join(text.split())
    assert html.unescape(plain_html(text.replace("&", "+"))) == " ".join(text.replace("&", "+").split())


@given(MARKUP)
def test_no_syntax_is_left(text):
    left = re.sub(r"\\[!-/:-@\[-`{-~]", "", plain(text).replace(CUT, "\0"))
    assert not re.search(r"[\\`*_{}\[\]#!|~$<>&:]", left)
    assert not re.match(r"[-+=]|\d+[.)]", plain(text))


@given(MARKUP)
def test_what_streamlit_looks_for_in_plain_text_is_cut(text):
    """Addresses, emoji, icons and arrows are found after escapes are undone, in one piece of text."""
    found = r"https?://|www\.|\w@\w|:\w+:|->|<-|--|>=|<=|~="
    for piece in plain(text).split(CUT):
        assert not re.search(found, undone(piece), re.IGNORECASE)


def test_words_stay_readable():
    sentence = "The loss became nan at step 3; try 0.1, or let it rise (slowly)."
    assert plain(sentence) == plain_html(sentence) == sentence


@pytest.mark.parametrize(
    ("text", "drawn"),
    [
        ("# [x](http://a)", rf"\# \[x\](http\:{CUT}//a)"),
        ("one\n# two", r"one \# two"),
        ("1. one", r"1\. one"),
        ("a -> b", rf"a -{CUT}\> b"),
        ("", ""),
    ],
)
def test_examples(text, drawn):
    assert plain(text) == drawn


def test_plotly_gets_no_tags():
    assert plain_html("<b>&\n<a href='x'>") == "&lt;b&gt;&amp; &lt;a href='x'&gt;"
