// Keeps the sections marked data-live fresh. The page works without it: reload it.
const PAUSE = 2000;

function busy(section) {
  return section.contains(document.activeElement) || section.matches(":hover") && section.querySelector("button:active");
}

async function refresh() {
  if (document.hidden) return;
  const answer = await fetch(location.pathname, { headers: { Accept: "text/html" } });
  if (!answer.ok) return;
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const section of document.querySelectorAll("[data-live]")) {
    const other = fresh.getElementById(section.id);
    if (other && !busy(section) && stable(section) !== stable(other)) section.replaceWith(document.adoptNode(other));
  }
}

// Signed links change at each read; that alone is no news.
function stable(section) {
  return section.innerHTML.replace(/\?Expires=[^"]*/g, "");
}

async function loop() {
  try {
    await refresh();
  } catch {
    // The simulator may be restarting; the next round tells.
  }
  setTimeout(loop, PAUSE);
}

setTimeout(loop, PAUSE);
