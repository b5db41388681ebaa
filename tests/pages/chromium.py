"""A headless Chromium that a test can hold like a reader holds a browser."""

import base64
import io
import shutil
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--force-color-profile=srgb",
    "--hide-scrollbars",
)


class Browser:
    """Opens pages of the disk; `run` is a line of script, `keys` what is typed."""

    def __init__(self, folder: Path):
        webdriver = pytest.importorskip("selenium.webdriver", reason="selenium is not installed: pip install '.[test]'")
        chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
        driver = shutil.which("chromedriver")
        if not chromium or not driver:
            pytest.skip("Chromium and chromedriver are not installed: apt-get install chromium chromium-driver")
        options = webdriver.ChromeOptions()
        options.binary_location = chromium
        for flag in (*FLAGS, f"--user-data-dir={folder}"):
            options.add_argument(flag)
        options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
        self.driver = webdriver.Chrome(options=options, service=webdriver.ChromeService(driver))
        self.driver.set_script_timeout(60)

    def open(self, page: Path, state: str = "", *, width: int = 1200, height: int = 900, **media: str) -> None:
        """A page, in a window, with media features such as `prefers_color_scheme="dark"`; until all is drawn."""
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
        self.driver.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        features = [{"name": name.replace("_", "-"), "value": value} for name, value in media.items()]
        self.driver.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": features})
        self.driver.get("about:blank")
        self.driver.get(page.as_uri() + state)
        self.drawn()

    def drawn(self) -> None:
        """Waits until every figure shows the present dump."""
        self.wait("finish().then(() => true)")

    def run(self, expression: str):
        """The value of an expression."""
        return self.driver.execute_script(f"return {expression}")

    def wait(self, promise: str):
        """What a promise brings."""
        return self.driver.execute_async_script(f"Promise.resolve({promise}).then(arguments[0])")

    def until(self, expression: str) -> None:
        """Waits, half a minute at most, until an expression holds."""
        from selenium.webdriver.support.ui import WebDriverWait

        WebDriverWait(self.driver, 30, 0.05).until(lambda _: self.run(expression), f"{expression} never came true")

    def keys(self, *keys: str, on: str = "body") -> None:
        """Keys as they are typed: letters, or names such as `ARROW_LEFT`."""
        from selenium.webdriver.common.keys import Keys

        for key in keys:
            self.driver.find_element("css selector", on).send_keys(getattr(Keys, key, key))
        self.drawn()

    def click(self, selector: str) -> None:
        self.driver.find_element("css selector", selector).click()
        self.drawn()

    def text(self, selector: str) -> str:
        return self.driver.find_element("css selector", selector).text

    def pixels(self, row: int, column: int) -> np.ndarray:
        """uint8 (h, w, 3): what the canvas of a figure holds."""
        data = self.run(f"LAYOUT.rows[{row}].figures[{column}].canvas.toDataURL('image/png')")
        return np.asarray(Image.open(io.BytesIO(base64.b64decode(data.split(",")[1]))).convert("RGB"))

    def complaints(self) -> list[str]:
        """What stands in the console since this was asked last."""
        return [line["message"] for line in self.driver.get_log("browser")]
