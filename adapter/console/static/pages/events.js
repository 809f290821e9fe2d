// Events: the list grows as messages arrive, and holds still while one is open.
const MOST_ROWS = 300;
const MOST_WAITING = 500;
const live = document.getElementById("live");
const list = document.getElementById("messages");
const beside = document.getElementById("beside");
const opened = document.getElementById("opened");
const status = document.getElementById("following");
const button = document.getElementById("pause");

let source = null;
let after = 0;
let paused = "";
let waiting = [];
let unseen = 0;
let retry = 0;

if (live && "live" in live.dataset) {
  live.hidden = false;
  after = Number(live.dataset.after);
  if (!opened.hidden) pause("while a message is open");
  connect();
  document.addEventListener("visibilitychange", () => (document.visibilityState === "visible" ? connect() : disconnect()));
  addEventListener("pagehide", disconnect);
  button.addEventListener("click", () => (paused ? resume() : pause("")));
}
if (list) {
  list.addEventListener("click", open);
  document.getElementById("close").addEventListener("click", close);
}

/** Follow what arrives behind the last row; the server ends a stream after some minutes, and another is opened. */
function connect() {
  if (source || document.visibilityState !== "visible") return;
  const url = new URL(live.dataset.stream, location.href);
  url.searchParams.set("after", String(after));
  if (live.dataset.q) url.searchParams.set("q", live.dataset.q);
  source = new EventSource(url);
  source.addEventListener("open", () => { retry = 0; say(); });
  source.addEventListener("rows", (event) => take(JSON.parse(event.data)));
  source.addEventListener("ended", signInAgain);
  source.addEventListener("error", () => {
    disconnect();
    retry = Math.min(retry * 2 || 500, 15_000);
    if (retry > 500) refused();
    setTimeout(connect, retry);
  });
}

/** Say why no stream can be opened: an EventSource does not know. */
async function refused() {
  status.textContent = "The server cannot be reached; trying again.";
  const answer = await fetch(location.href, { headers: { "HX-Request": "true", "HX-Target": "div#list" } }).catch(() => null);
  if (answer?.status === 401) signInAgain();
  else if (answer?.ok) status.textContent = "The list cannot be followed now; trying again.";
}

/** The session has ended: the page leads to the sign-in, and that back here. */
function signInAgain() {
  disconnect();
  location.reload();
}

function disconnect() {
  source?.close();
  source = null;
}

function take(rows) {
  after = Math.max(after, rows.last);
  if (!paused) { add(rows); say(rows); return; }
  waiting.push(rows);
  unseen += rows.count + rows.more + rows.missed;
  while (waiting.length > 1 && waiting.reduce((sum, each) => sum + each.count, 0) > MOST_WAITING) {
    const gone = waiting.shift();
    waiting[0].missed += gone.count + gone.more + gone.missed;
  }
  say();
}

/** Put rows above the others. Their text is escaped by the server. */
function add(rows) {
  document.getElementById("nothing")?.remove();
  for (const each of list.querySelectorAll("tr.fresh")) each.classList.remove("fresh");
  const fresh = document.createElement("template");
  fresh.innerHTML = `<table><tbody>${rows.html}</tbody></table>`;
  const added = [...fresh.content.querySelectorAll("tr")].filter((row) => !list.querySelector(`tr[data-id="${CSS.escape(row.dataset.id)}"]`));
  for (const row of added) row.classList.add("fresh");
  const unshown = rows.more + rows.missed;
  if (unshown || rows.gap) added.push(note(unshown ? `and ${unshown} more` : "messages in between are not shown: load the page again"));
  list.prepend(...added);
  while (list.rows.length > MOST_ROWS) list.rows[list.rows.length - 1].remove();
}

function note(text) {
  const row = document.createElement("tr");
  const cell = row.appendChild(document.createElement("td"));
  cell.colSpan = 7;
  cell.className = "quiet";
  cell.textContent = text;
  return row;
}

function say(rows) {
  const skipped = rows?.missed ? ` ${rows.missed} were skipped, because they came too fast.` : "";
  if (!paused) status.textContent = `Live.${skipped}`;
  else status.textContent = `Paused${paused ? ` ${paused}` : ""}: ${unseen} new.`;
  button.textContent = paused ? "Resume" : "Pause";
  button.setAttribute("aria-pressed", String(Boolean(paused)));
}

function pause(why) {
  paused = why || "by you";
  say();
}

function resume() {
  paused = "";
  for (const rows of waiting) add(rows);
  waiting = [];
  unseen = 0;
  say();
}

/** Show a message beside the list. A click with a key held opens its page, as everywhere. */
async function open(event) {
  const link = event.target.closest("a.opens");
  if (!link || event.ctrlKey || event.metaKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  if (source) pause("while a message is open");
  const row = link.closest("tr");
  const page = `/console/event?id=${encodeURIComponent(row.dataset.id)}`;
  const answer = await fetch(page, { headers: { "HX-Request": "true", "HX-Target": "div#journey" } });
  if (answer.redirected || answer.status === 401) { location.assign(link.href); return; }
  const read = new DOMParser().parseFromString(await answer.text(), "text/html");
  const shown = read.getElementById("journey") ?? read.querySelector("main") ?? read.body;
  document.getElementById("journey").replaceChildren(...shown.childNodes);
  for (const each of list.querySelectorAll("tr[aria-current]")) each.removeAttribute("aria-current");
  row.setAttribute("aria-current", "true");
  opened.hidden = false;
  beside.classList.add("opened");
  history.replaceState(null, "", link.href);
  document.getElementById("close").focus();
}

function close(event) {
  event.preventDefault();
  opened.hidden = true;
  beside.classList.remove("opened");
  const row = list.querySelector("tr[aria-current]");
  row?.removeAttribute("aria-current");
  row?.querySelector("a.opens")?.focus();
  history.replaceState(null, "", document.getElementById("close").href);
  if (paused === "while a message is open") resume();
}

// Suggestions as one types: of the last word its qualifier, or the values of the qualifier that it has.
const box = document.getElementById("q");
const offered = document.getElementById("suggested");
const values = JSON.parse(box.dataset.suggestions);
const qualifiers = JSON.parse(box.dataset.qualifiers);

function suggest() {
  const last = /(?:^|\s)(\S*)$/.exec(box.value)?.[1] ?? "";
  const begun = box.value.slice(0, box.value.length - last.length);
  const [name, rest] = last.includes(":") ? [last.slice(0, last.indexOf(":")), last.slice(last.indexOf(":") + 1)] : ["", last];
  const words = name
    ? (values[name] ?? []).filter((each) => each.toLowerCase().startsWith(rest.toLowerCase())).map((each) => `${name}:${/\s|"|:/.test(each) ? JSON.stringify(each) : each}`)
    : Object.keys(qualifiers).filter((each) => each.startsWith(rest)).map((each) => `${each}:`);
  offered.replaceChildren(...words.slice(0, 30).map((word) => {
    const option = document.createElement("option");
    option.value = begun + word;
    return option;
  }));
}
box.addEventListener("input", suggest);
