"""What browser tests of the editor do: open the stream, press keys, click, take tools, accept masks."""

import time

from selenium.common.exceptions import StaleElementReferenceException
from selenium.webdriver import ActionChains
from selenium.webdriver.common.by import By
from selenium.webdriver.support.ui import WebDriverWait

WAIT_S = 40
FLAGS = (
    "--headless=new", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-dev-shm-usage", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--window-size=1400,1000",
)  # fmt: skip
SUBMIT = "button[data-testid=bottombar-submit-button]"


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


def stream(browser, studio, project):
    """Open the label stream; the task that it shows, once its regions are there."""
    browser.get(f"{studio.url}/projects/{project.project_id}/data?labeling=1")
    shown(browser, SUBMIT)
    return WebDriverWait(browser, WAIT_S).until(regions_shown)


def on_image(browser, *places):
    """Click at a place of the image, in shares of its width and height, or draw a stroke over several."""
    browser.execute_script("document.querySelector('.konvajs-content').scrollIntoView({block: 'center'})")
    canvas = shown(browser, ".konvajs-content canvas")
    width, height = browser.execute_script(
        "const o = window.Htx.annotationStore.selected.objects[0]; return [o.stageWidth, o.stageHeight]"
    )
    acts = ActionChains(browser)
    for number, (x_share, y_share) in enumerate(places):
        offset = x_share * width - canvas.size["width"] / 2, y_share * height - canvas.size["height"] / 2
        acts.move_to_element_with_offset(canvas, *map(round, offset))
        if number == 0:
            acts.click_and_hold()
    acts.release().perform()
    time.sleep(0.5)


def smart_tool(browser, tool, key):
    """Switch Auto-Annotation on, take a smart tool, and choose its label by the label's key."""
    if not browser.execute_script("return window.Htx.autoAnnotation"):
        browser.find_element(By.XPATH, "//*[normalize-space(text())='Auto-Annotation']").click()
    shown(browser, "[class*=lsf-tool_smart]").click()
    shown(browser, f".lsf-tool_smart[aria-label={tool}]").click()
    press(browser, key)


def suggested(browser):
    return browser.execute_script("return window.Htx.annotationStore.selected.suggestions.size")


def accept(browser):
    shown(browser, "button[data-testid=bottombar-accept-suggestions-button]").click()
    time.sleep(0.5)
