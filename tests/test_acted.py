"""What a regulariser did that acts in some steps only: in words, in the file of epochs, and read back."""

import csv
import io
import json

import pytest
from pydantic import ValidationError

from core.figures.epochs_csv import epochs_csv
from core.run.events import read_event
from core.run.history import HistoryBuilder
from core.run.spec import RunSpec
from core.text.acted import acted_in_words
from tests import made_up_run


def history(*shares, begins_at=0):
    builder = HistoryBuilder()
    builder.add(made_up_run.STARTED | {"begins_at": begins_at})
    for epoch, share in enumerate(shares, 1):
        event = made_up_run.epoch_event(epoch)
        event["step"] += begins_at
        builder.add(event | ({} if share is None else {"acted": {"clipping": share}}))
    return builder.history()


def test_it_is_said_of_the_last_epoch_with_the_number_of_its_steps():
    assert acted_in_words(history()) == acted_in_words(history(None)) == []
    of = "Gradient clipping (by norm) acted in"
    assert acted_in_words(history(1.0, 0.5)) == [f"{of} 50 % of the last epoch's 4 steps."]
    assert acted_in_words(history(0.25, begins_at=40)) == [f"{of} 25 % of the last epoch's 4 steps."]


def test_it_is_a_column_of_the_file_of_epochs():
    rows = list(csv.DictReader(io.StringIO(epochs_csv((history(0.5, None, 0.0), "a", RunSpec())))))
    assert [row["acted.clipping_share"] for row in rows] == ["0.5", "", "0.0"]


@pytest.mark.parametrize("acted", ['{"clipping": 1.5}', '{"clipping": null}', "[0.5]", '{"clipping": "0.5"}'])
def test_what_is_no_share_is_refused(acted):
    event = json.dumps(made_up_run.epoch_event(1))
    assert read_event(event[:-1] + ', "acted": {"clipping": 0.5}}')["acted"] == {"clipping": 0.5}
    with pytest.raises(ValidationError):
        read_event(event[:-1] + f', "acted": {acted}}}')
