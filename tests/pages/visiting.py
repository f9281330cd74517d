"""What the tests of the pages ask of a visit and of the server behind it."""

from streamlit.testing.v1 import AppTest

from core.jobs.manager import Jobs
from core.run.address import decode
from core.run.spec import RunSpec
from pages.features.live.run_tabs import LOOK, OVERVIEW, TABS

RUN_PARTS = [OVERVIEW, *(part for parts in TABS.values() for part in parts)]  # of a run's page


def manager() -> Jobs:
    """The server's one manager of runs."""
    from pages.features.frame.setup import jobs

    return jobs()


def asked(visit: AppTest, name: str) -> str:
    """A parameter of the visit's address; AppTest gives it as a list before a page has set it."""
    value = visit.query_params[name]
    return value if isinstance(value, str) else value[0]


def spec_of(visit: AppTest) -> RunSpec:
    """The spec in the visit's address."""
    return decode(asked(visit, "spec"))


def place(part: str) -> dict[str, str]:
    """What the address of a run's page says where this part of it is open."""
    tab = next((name for name, parts in TABS.items() if part in parts), OVERVIEW)
    return {LOOK: tab, tab.lower(): part} if len(TABS.get(tab, ())) > 1 else {LOOK: tab}
