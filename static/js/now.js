/**
 * The time by the server's database, which all moments on a page come from: this browser's own clock may be hours off.
 *
 * `<html data-now>` is that time when the page was made. A page out of the browser's cache was made long ago: then it is
 * as far off as it was on the last page that came from the server.
 */
const KEPT = "clock:ahead";

function measured() {
  const drawn = Date.parse(document.documentElement.dataset.now ?? "");
  const [navigation] = performance.getEntriesByType("navigation");
  if (Number.isNaN(drawn) || !navigation?.transferSize) return null;
  const came = Date.now() - performance.now() + navigation.responseStart;
  return drawn - came;
}

function kept() {
  try {
    return Number(sessionStorage.getItem(KEPT)) || 0;
  } catch {
    return 0; // storage is switched off
  }
}

function keep(milliseconds) {
  try {
    sessionStorage.setItem(KEPT, String(milliseconds));
  } catch {
    // then only pages from the server know it
  }
}

const fresh = measured();
if (fresh !== null) keep(fresh);
const ahead = fresh ?? kept();

/** Milliseconds since 1970. */
export const now = () => Date.now() + ahead;
