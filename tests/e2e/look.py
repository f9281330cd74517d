"""Pictures of whole pages, in every theme and width, to look at.

python tests/e2e/look.py http://localhost:8501/Train --out artifacts/train
python tests/e2e/look.py Train --wait "Start training"      # starts app.py itself, in a fresh home
python tests/e2e/look.py tests/e2e/apps/components.py       # …or another script
"""

from __future__ import annotations

import argparse
from contextlib import ExitStack
from pathlib import Path

from browsing import ARTIFACTS, ROOT, launch, open_page, picture, ready, streamlit_server, temporary_home
from playwright.sync_api import sync_playwright


def main() -> None:
    arguments = _arguments()
    with ExitStack() as stack:
        address = arguments.page
        if not address.startswith("http"):
            is_script = address.endswith(".py")
            script = ROOT / (address if is_script else "app.py")
            server = stack.enter_context(streamlit_server(script, stack.enter_context(temporary_home())))
            address = server if is_script else f"{server}/{address}"
        browser = launch(stack.enter_context(sync_playwright()))
        for theme in arguments.themes.split(","):
            for width in map(int, arguments.widths.split(",")):
                page = open_page(browser, dark=theme == "dark", width=width)
                page.on("console", lambda message: message.type == "error" and print(message.text))
                page.goto(address)
                ready(page)
                for text in arguments.click or []:
                    page.get_by_text(text).first.click()
                if arguments.wait:
                    page.get_by_text(arguments.wait).first.wait_for()
                page.wait_for_timeout(1000 * arguments.pause)
                print(picture(page, arguments.out / f"{theme}-{width}.png"))
                page.context.close()


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("page", help="an address, the name of a page, or a script")
    parser.add_argument("--out", type=Path, default=ARTIFACTS / "look", help="folder of the pictures")
    parser.add_argument("--themes", default="light,dark")
    parser.add_argument("--widths", default="1280,390", help="in CSS pixels")
    parser.add_argument("--click", action="append", help="text to click on before; may be repeated")
    parser.add_argument("--wait", help="text to wait for before each picture")
    parser.add_argument("--pause", type=float, default=1.0, help="seconds to wait before each picture")
    return parser.parse_args()


if __name__ == "__main__":
    main()
