"""Four kills, with workers without torch; ``python -m tests.nightly.kills`` does fifty with real ones."""

from tests.nightly.kill_trial import KINDS, trial


def test_kills_of_servers_and_workers_lose_nothing_and_harm_nothing_else(tmp_path):
    with trial(tmp_path, seed=5, fake=True, lengths=(1,), waiting=3, pause=0.5) as each:
        for kind in ("worker", "server", "interactive", "server"):
            each.kill(kind, busy=True)
        each.drain()
    report = each.ledger.report()
    assert report["violations"] == []
    assert set(report["seconds until right"]) >= set(KINDS)
    assert report["runs"].get("interrupted", 0) + report["runs"].get("failed", 0) >= 2  # of three or more
    assert report["runs"]["finished"] > 0
