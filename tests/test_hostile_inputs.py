"""Five thousand hostile inputs, always the same; `make nightly` tries a hundred thousand new ones."""

from tests.nightly.hostile_inputs import SORTS, tried


def test_hostile_inputs_are_taken_or_refused_in_a_sentence(tmp_path, monkeypatch):
    monkeypatch.setenv("AUGURY_HOME", str(tmp_path))
    found = tried(5_005, seed=0)
    assert found["faults"] == []
    assert list(tmp_path.iterdir()) == []
    for name in SORTS:  # each sort is neither all nonsense nor all harmless
        assert found["taken"].get(name, 0) > 0, name
        assert found["refused"].get(name, 0) > 20 or name in ("image", "browser"), name
