"""Four kills, with workers without torch; ``python -m tests.nightly.kills`` does fifty with real ones."""

from tests.nightly.kill_trial import KINDS, trial


def test_kills_of_servers_and_workers_lose_nothing_and_harm_nothing_else(tmp_path):
    with trial(tmp_path, seed=5, fake=True, lengths=(1, 2)) as each:
        for kind in ("worker", "server", "interactive", "server"):
            each.kill(kind)
        each.drain()
    report = each.report()
    assert report["violations"] == []
    assert set(report["seconds until right"]) >= set(KINDS)
    assert report["runs"]["interrupted"] > 0
    assert report["runs"]["failed"] > 0
    assert report["runs"]["finished"] > 0
