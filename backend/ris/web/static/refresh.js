// Read the page again every 30 seconds and replace its two changing parts. Filters, open tables and the
// focus stay. It waits while the page is hidden or while something in the page has the focus. If the server
// does not answer, a sentence says since when the figures are old.
const PARTS = ["figures", "rest"];
const PAUSE_MS = 30000;
let readAt = new Date();

async function refresh() {
  const focused = document.activeElement;
  if (document.hidden || (focused && focused !== document.body)) return;
  const answer = await fetch(location.href, { headers: { Accept: "text/html" } });
  if (!answer.ok) throw new Error(`the server answered ${answer.status}`);
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  const open = new Set([...document.querySelectorAll("details[open] > summary")].map((one) => one.textContent));
  for (const id of PARTS) {
    const fresh = page.getElementById(id);
    if (fresh) document.getElementById(id).replaceWith(fresh);
  }
  for (const summary of document.querySelectorAll("details > summary")) {
    if (open.has(summary.textContent)) summary.parentElement.open = true;
  }
  readAt = new Date();
  document.getElementById("stale").hidden = true;
}

function showStale(error) {
  const line = document.getElementById("stale");
  line.textContent = `The page could not be read again (${error.message}). It shows the state of ${readAt.toLocaleTimeString()}.`;
  line.hidden = false;
}

setInterval(() => refresh().catch(showStale), PAUSE_MS);
