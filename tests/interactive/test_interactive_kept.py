"""Answers that are kept are bounded by bytes and by age."""

from core.interactive.kept import KeptAnswers


def test_what_was_used_longest_ago_goes_first():
    kept = KeptAnswers(most_bytes=250)
    for key in "ab":
        kept.keep(key, {"text": "x" * 80})
    assert kept.get("a")
    kept.keep("c", {"text": "x" * 80})
    assert kept.get("a") and kept.get("c") and kept.get("b") is None


def test_one_that_is_too_large_is_not_kept():
    kept = KeptAnswers(most_bytes=250)
    kept.keep("a", {"text": "x" * 300})
    assert kept.get("a") is None
    kept.keep("a", {"text": "x" * 30})
    assert kept.get("a")


def test_an_old_one_is_asked_for_anew():
    kept = KeptAnswers(seconds=0)
    kept.keep("a", {})
    assert kept.get("a") is None
