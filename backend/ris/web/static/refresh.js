// Read the page again every 30 seconds and replace its two changing parts. Filters, open tables and the
// focus stay. It waits while the page is hidden or while something in the page has the focus.
const PARTS = ["figures", "rest"];
const PAUSE_MS = 30000;

async function refresh() {
  const focused = document.activeElement;
  if (document.hidden || (focused && focused !== document.body)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = new Set([...document.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
  for (const id of PARTS) {
    const fresh = page.getElementById(id);
    if (fresh) document.getElementById(id).replaceWith(fresh);
  }
  for (const summary of document.querySelectorAll("details > summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
}

setInterval(() => refresh().catch(() => {}), PAUSE_MS);
