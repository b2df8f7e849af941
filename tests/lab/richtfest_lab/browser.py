# SPDX-License-Identifier: GPL-3.0-or-later
"""A person's browser: Chromium without a window, which trusts the node's CA because it was told to, as on a customer's computer."""

import os
import subprocess

from . import host
from .errors import LabMissing

SIZE = 1280, 800


def selenium():
    """Selenium's webdriver module."""
    try:
        from selenium import webdriver
    except ImportError:
        raise LabMissing("selenium is not installed (apt install python3-selenium)") from None
    return webdriver


def check_host():
    """LabMissing where this host lacks anything."""
    selenium()
    host.need("chromedriver", "chromium-driver")
    host.need("chromium", "chromium")
    host.need("certutil", "libnss3-tools")


def trust(home, authority):
    """The CA into the store that Chromium reads below its HOME."""
    store = os.path.join(home, ".pki", "nssdb")
    os.makedirs(store, exist_ok=True)
    tool = host.need("certutil", "libnss3-tools")
    for words in (["-N", "--empty-password"], ["-A", "-t", "C,,", "-n", "node", "-i", authority]):
        subprocess.run([tool, "-d", f"sql:{store}", *words], check=True, capture_output=True)


class Browser:
    """`with Browser(folder, {"crm.firma.example": port}, authority) as browser:`; browser.driver is Selenium's. Each name leads to that
    port of this host."""

    def __init__(self, folder, names, authority):
        self._home = os.path.join(os.path.abspath(folder), "browser")
        self._names, self._authority = names, authority
        self.driver = None

    def __enter__(self):
        webdriver = selenium()
        from selenium.webdriver.chrome.service import Service
        os.makedirs(self._home, exist_ok=True)
        trust(self._home, self._authority)
        options = webdriver.ChromeOptions()
        options.binary_location = host.need("chromium", "chromium")
        rules = ",".join(f"MAP {name}:443 127.0.0.1:{port}" for name, port in self._names.items())
        words = ["--headless=new", f"--host-resolver-rules={rules}", f"--user-data-dir={self._home}/profile", "--lang=de", "--disable-gpu"]
        words += [f"--window-size={SIZE[0]},{SIZE[1]}", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking"]
        words += ["--no-sandbox"] if os.geteuid() == 0 else []  # Chromium refuses to run as root with it
        for word in words:
            options.add_argument(word)
        service = Service(host.need("chromedriver", "chromium-driver"), log_path=os.path.join(self._home, "driver.log"),
                          env=dict(os.environ, HOME=self._home))
        self.driver = webdriver.Chrome(service=service, options=options)
        self.driver.set_page_load_timeout(180)
        return self

    def __exit__(self, *_):
        self.driver.quit()

    def wait(self, css, seconds=120):
        """The element, as soon as it is to be seen."""
        from selenium.webdriver.common.by import By
        from selenium.webdriver.support import expected_conditions
        from selenium.webdriver.support.wait import WebDriverWait
        return WebDriverWait(self.driver, seconds).until(expected_conditions.visibility_of_element_located((By.CSS_SELECTOR, css)))

    def type(self, css, text, seconds=120):
        """Into a field."""
        field = self.wait(css, seconds)
        field.clear()
        field.send_keys(text)
        return field

    def wait_text(self, text, seconds=120):
        """Until the page shows it somewhere."""
        from selenium.webdriver.support.wait import WebDriverWait
        WebDriverWait(self.driver, seconds).until(lambda driver: text in driver.find_element("tag name", "body").text)

    def screenshot(self, path):
        """A picture (PNG) of the page."""
        self.driver.save_screenshot(path)
        return path
