"""A headless Chromium: Debian's chromium and chromium-driver, or what CHROMIUM and CHROMEDRIVER name."""

import os

import pytest
from selenium import webdriver
from selenium.webdriver.chrome.options import Options
from selenium.webdriver.chrome.service import Service
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

from tests.browser.acts import FLAGS, WAIT_S
from tests.live.support.studio import DEMO_PASSWORD, DEMO_USER


@pytest.fixture(scope="session")
def browser(tmp_path_factory):
    options = Options()
    options.binary_location = os.environ.get("CHROMIUM", "/usr/bin/chromium")
    for flag in (*FLAGS, f"--user-data-dir={tmp_path_factory.mktemp('chromium')}"):
        options.add_argument(flag)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL", "performance": "ALL"})
    driver = webdriver.Chrome(options, Service(os.environ.get("CHROMEDRIVER", "/usr/bin/chromedriver")))
    yield driver
    driver.quit()


@pytest.fixture(scope="module")
def editor(browser, studio):
    # Another file's session would show no login; cookies are of the host, whatever its port.
    browser.execute_cdp_cmd("Network.clearBrowserCookies", {})
    browser.get(f"{studio.url}/user/login")
    email = WebDriverWait(browser, WAIT_S).until(
        lambda b: b.find_element(By.CSS_SELECTOR, "input[name=email]")
    )
    email.send_keys(DEMO_USER)
    browser.find_element(By.CSS_SELECTOR, "input[name=password]").send_keys(DEMO_PASSWORD)
    browser.find_element(By.CSS_SELECTOR, "button[type=submit]").click()
    WebDriverWait(browser, WAIT_S).until(lambda b: "/user/login" not in b.current_url)
    return browser
