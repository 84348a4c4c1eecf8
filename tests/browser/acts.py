"""What every browser test of the editor does: wait for an element, press a key."""

import time

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 40


def shown(browser, css):
    """The first such element that can be seen; one that is drawn anew meanwhile is looked for again."""
    wait = WebDriverWait(browser, WAIT_S, ignored_exceptions=[StaleElementReferenceException])
    return wait.until(
        lambda b: next((e for e in b.find_elements(By.CSS_SELECTOR, css) if e.is_displayed()), None)
    )


def regions_shown(browser):
    return browser.execute_script(
        "const s = window.Htx && window.Htx.annotationStore && window.Htx.annotationStore.selected;"
        "return s && s.regionStore.regions.length ? [window.Htx.task.id, s.regionStore.regions.length] : null"
    )


def press(browser, key):
    ActionChains(browser).send_keys(key).perform()
    time.sleep(0.5)
