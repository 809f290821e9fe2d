// Now: the figures are read again every ten seconds while the page is visible.
const EVERY = 10_000;
const shown = document.getElementById("refreshing");
let timer = 0;

/** Read the page's figures, and put them into the place of those that are there; what is unfolded stays so. */
async function refresh() {
  const before = document.getElementById("present");
  let answer;
  try {
    answer = await fetch(location.href, { headers: { "HX-Request": "true", "HX-Target": "div#present" } });
  } catch {
    shown.textContent = "The server cannot be reached; trying again.";
    return;
  }
  if (!answer.ok || answer.redirected) {
    shown.textContent = answer.redirected ? "Signed out: load the page again." : `The server answered ${answer.status}; trying again.`;
    return;
  }
  const unfolded = [...before.querySelectorAll("details")].map((each) => each.open);
  const fresh = new DOMParser().parseFromString(await answer.text(), "text/html").getElementById("present");
  fresh.querySelectorAll("details").forEach((each, at) => { each.open = unfolded[at] ?? false; });
  // Whoever reads with the keyboard inside of the figures is not thrown out of them.
  if (before.contains(document.activeElement) && document.activeElement !== document.body) return;
  before.replaceWith(fresh);
  document.dispatchEvent(new CustomEvent("htmx:after:swap"));
  shown.textContent = "";
}

function watch() {
  clearInterval(timer);
  if (document.visibilityState === "visible") timer = setInterval(refresh, EVERY);
  else shown.textContent = "";
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") refresh();
  watch();
});
watch();
