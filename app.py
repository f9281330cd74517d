"""Augury: ``streamlit run app.py`` serves it. For each visitor it is also the script of the landing page."""

from starlette.middleware import Middleware
from streamlit.starlette import App

from pages.features.frame.bounds import Bounds
from pages.features.frame.downloads import ROUTES
from pages.features.frame.failures import say_failure
from pages.features.frame.headers import SafeHeaders
from pages.features.frame.serving import prepared
from pages.features.frame.upload_stream import UploadsToDisk

app = App(
    __file__,
    lifespan=prepared,
    routes=ROUTES,
    middleware=[Middleware(SafeHeaders), Middleware(Bounds), Middleware(UploadsToDisk)],
    on_script_error=say_failure,
)

if __name__ == "__main__":  # run for a visitor; the server imports this file instead
    from pages.features.start.landing import landing

    landing()
