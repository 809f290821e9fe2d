// What all pages share: plots, and reading again what changes by itself. Pages work without it where they only read.

// Times are in UTC, as everywhere else, with the day where it begins.
const DAY = "{YYYY}-{MM}-{DD}";
const TIMES = [
  [86400, DAY, null, null, null, null, null, null, 1],
  [60, "{HH}:{mm}", `\n${DAY}`, null, `\n${DAY}`, null, null, null, 1],
  [1, "{HH}:{mm}:{ss}", `\n${DAY}`, null, `\n${DAY}`, null, null, null, 1],
];
// Colour is not all that tells lines apart.
const DASHES = [["solid", undefined], ["dashed", [8, 4]], ["dotted", [2, 3]]];

/** Draw the figures of the page: each has its series in `data-plot`, and a table of the same beside it. */
export function drawPlots(root = document) {
  for (const figure of root.querySelectorAll("figure.plot:not(.ready)")) {
    const drawn = figure.querySelector(".drawn");
    const { at, series } = JSON.parse(figure.dataset.plot);
    if (!at.length || typeof uPlot === "undefined") continue;
    figure.classList.add("ready");
    const style = getComputedStyle(document.documentElement);
    const colour = (name) => style.getPropertyValue(name).trim();
    const axis = { stroke: colour("--quiet"), grid: { stroke: colour("--line") }, ticks: { stroke: colour("--line") } };
    const size = () => ({ width: Math.max(drawn.clientWidth, 200), height: 180 });
    const plot = new uPlot(
      {
        ...size(),
        scales: { x: { time: true }, y: { range: (_, low, high) => [Math.min(0, low), high > 0 ? high * 1.1 : 1] } },
        tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
        axes: [{ ...axis, values: TIMES }, { ...axis, size: 56 }],
        legend: { markers: { dash: (_, index) => DASHES[(index - 1) % 3][0] } },
        series: [{ value: `${DAY} {HH}:{mm}` }, ...series.map((each, index) => ({
          label: each.label, width: 2, stroke: colour(`--series-${(index % 6) + 1}`), dash: DASHES[index % 3][1],
        }))],
      },
      [at, ...series.map((each) => each.points)],
      drawn,
    );
    new ResizeObserver(() => plot.setSize(size())).observe(drawn);
  }
}

/** Read parts of the page again that say so: `data-again` has the seconds, and the part has an id. */
export function readAgain() {
  for (const part of document.querySelectorAll("[data-again]:not([data-again=''])")) {
    setTimeout(async () => {
      const busy = document.hidden || part.contains(document.activeElement) || part.querySelector("details[open]");
      if (!busy && part.isConnected) {
        const headers = { "HX-Request": "true", "HX-Target": `div#${part.id}` };
        const response = await fetch(location.href, { headers }).catch(() => null);
        // The session has ended: the page leads to the sign-in, and that back here.
        if (response?.status === 401) return location.reload();
        if (response?.ok) part.outerHTML = await response.text();
      }
      readAgain();
    }, Number(part.dataset.again) * 1000);
    break;
  }
}

document.addEventListener("DOMContentLoaded", () => readAgain());
document.addEventListener("DOMContentLoaded", () => drawPlots());
if (document.readyState !== "loading") drawPlots();
document.addEventListener("htmx:after:swap", () => drawPlots());
// An act in slices goes on by itself; without this its button does it. A link from elsewhere cannot begin one: it
// has no referrer of this site, and what it leads to waits for the button.
const slice = document.querySelector("form[data-goes-on]");
if (slice && document.referrer.startsWith(`${location.origin}/`)) setTimeout(() => slice.requestSubmit(), 300);

// A press of "/" goes to the filter of a page, as in many consoles.
document.addEventListener("keydown", (event) => {
  const typing = event.target.closest?.("input, textarea, select, [contenteditable]");
  const search = document.querySelector('[role="search"] input');
  if (event.key === "/" && !typing && search && !event.ctrlKey && !event.metaKey && !event.altKey) {
    event.preventDefault();
    search.focus();
  }
});
