"""Names that would be links and pictures, on every page: each text that is drawn has them escaped."""

import pytest
from visiting import RUN_PARTS, manager, place

from core.data.uploads import keep_upload
from core.run.spec import parse
from core.text.escape import plain
from tests import hostile

TRAIN, AUGMENT = "pages/2_Train.py", "pages/1_Augment.py"
LAB_TABS = ("Grid", "One image", "Sweep", "Masks and boxes", "Does it lie?", "Cost", "Take it home")
# Drawn as text, not as Markdown: by components of ours, in a field, in a list to choose from.
NOT_MARKDOWN = ("text_input", "bidi_component", "code", "text_area")
FIELDS_OF_TEXT = ("options", "id", "url", "query_string", "page", "element_id")


@pytest.fixture
def path(home):
    return keep_upload(hostile.zipped()).path


def escaped_only(visit, *expected):
    """No drawn text names a hostile host but in a name that is escaped; each of ``expected`` is drawn."""
    drawn = [
        text for tree in (visit.main, visit.sidebar) for node in walk(tree) for text in texts(node.proto)
    ]
    names = [hostile.PICTURE, hostile.LINK, *hostile.CLASSES]
    for text in drawn:
        left = text
        for name in names:
            left = left.replace(plain(name), "")
        assert not any(host in left for host in hostile.HOSTS), text
        assert not any(name in text for name in names), text
        assert "\n#" not in text
    for name in expected:
        assert any(plain(name) in text for text in drawn), name
    assert len(visit.title) <= 1


def walk(node):
    for child in getattr(node, "children", {}).values():
        yield from walk(child)
    if getattr(node, "proto", None) is not None and node.type not in NOT_MARKDOWN:
        yield node


def texts(message):
    """All strings of a message and of those in it."""
    for field, value in message.ListFields() if hasattr(message, "ListFields") else ():
        if field.name in FIELDS_OF_TEXT:
            continue
        for each in value if field.is_repeated else [value]:
            if isinstance(each, str):
                yield each
            else:
                yield from texts(each)


def test_the_landing_page(open_page, path):
    hostile.stored(path)
    escaped_only(open_page("app.py"), hostile.ONE_LINE)


@pytest.mark.parametrize("part", RUN_PARTS)
def test_a_run_that_has_ended(open_page, path, part):
    visit = open_page(TRAIN, run=hostile.stored(path), **place(part))
    escaped_only(visit, hostile.ONE_LINE, hostile.BAD_FILE, hostile.OTHER_FILE)
    assert visit.title[0].value == plain(hostile.ONE_LINE)


def test_a_run_that_failed(open_page, path):
    visit = open_page(TRAIN, run=hostile.stored(path, failed=True))
    assert plain(f"No such file: {hostile.ONE_LINE}") in visit.error[0].value
    escaped_only(visit)


def test_a_run_that_goes_on(open_page, path):
    choices = hostile.choices(path) | {"train": {"epochs": 1000}}
    run_id = manager().submit(parse(choices))
    manager().wait_for_step(run_id, 30)
    escaped_only(open_page(TRAIN, run=run_id), hostile.ONE_LINE, hostile.BAD_FILE, hostile.OTHER_FILE)
    escaped_only(open_page("app.py"), hostile.ONE_LINE)
    manager().stop(run_id)


def test_the_list_of_runs_and_a_comparison(open_page, path):
    ids = [hostile.stored(path), hostile.stored(path)]
    escaped_only(open_page("pages/3_Runs.py"))
    escaped_only(open_page("pages/3_Runs.py", view="Chart"), hostile.ONE_LINE)
    escaped_only(open_page("pages/3_Runs.py", runs=",".join(ids)), hostile.ONE_LINE)


def test_choices_before_training(open_page, path):
    visit = open_page(TRAIN, spec=hostile.link(hostile.choices(path)))
    escaped_only(visit, hostile.BAD_FILE, hostile.OTHER_FILE)


@pytest.mark.parametrize("tab", LAB_TABS)
def test_the_lab(open_page, path, tab):
    hostile.stored(path)
    visit = open_page(AUGMENT, spec=hostile.link(hostile.choices(path)), images="Dataset", tab=tab)
    escaped_only(visit, *([hostile.ONE_LINE] if tab == "Does it lie?" else []))


@pytest.mark.parametrize("page", [TRAIN, AUGMENT])
@pytest.mark.parametrize("choices", hostile.REFUSED)
def test_a_link_that_is_refused(open_page, page, choices):
    visit = open_page(page, spec=hostile.link(choices))
    assert len(visit.error) == 1
    escaped_only(visit, hostile.LINK if hostile.LINK in str(choices) else hostile.PICTURE)


def test_a_pipeline_that_is_refused(open_page):
    visit = open_page(AUGMENT, tab="Take it home")
    visit.text_area[0].set_value(f'{{"ops": [{{"op": "{hostile.PICTURE}"}}]}}').run()
    next(each for each in visit.button if each.label == "Use this pipeline").click().run()
    assert len(visit.error) == 1
    escaped_only(visit, hostile.PICTURE)
