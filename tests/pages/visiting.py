"""What the tests of the pages ask of a visit and of the server behind it."""

from streamlit.testing.v1 import AppTest

from core.jobs.manager import Jobs
from core.run.address import decode
from core.run.spec import RunSpec


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
