"""What lies between two networks, drawn: against the rows that it is drawn from."""

import json

from core.figures.merge_path import chart
from core.transform.rows import PathPoint


def point(way, at, accuracy, loss):
    return PathPoint(way=way, at=at, accuracy=accuracy, loss=loss, images=100)


def test_accuracy_and_loss_of_each_way_lie_where_they_were_measured():
    rows = [point(way, at / 2, 0.9 - drop * (at == 1), 0.3 + drop * (at == 1))
            for way, drop in (("as they are", 0.5), ("matched", 0.1)) for at in (2, 0, 1)]  # fmt: skip
    drawn = chart(rows)
    json.dumps(drawn.figure, allow_nan=False)
    by_name = {trace["name"]: trace for trace in drawn.figure["data"]}
    assert list(by_name["accuracy, as they are"]["x"]) == [0, 0.5, 1]
    assert [round(y, 6) for y in by_name["accuracy, as they are"]["y"]] == [90, 40, 90]
    assert [round(y, 6) for y in by_name["loss, matched"]["y"]] == [0.3, 0.4, 0.3]
    assert by_name["loss, matched"]["yaxis"] == "y2" and "yaxis2" in drawn.figure["layout"]
    assert "as they are: lowest 40.0 % at 0.5" in drawn.alt
    assert chart(rows[:1]) is None and chart([]) is None


def test_a_name_of_a_way_is_text():
    drawn = chart([point("<b>x", 0, 0.5, 1.0), point("<b>x", 1, 0.5, 1.0)])
    assert "<b>" not in json.dumps(drawn.figure)
