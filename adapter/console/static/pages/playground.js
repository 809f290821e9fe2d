// Numbers of lines beside the editors of the playground, with a mark at each line that has a problem.

const MARKS = { error: "✕", warning: "!" };

function number(editor) {
  const text = editor.querySelector("textarea");
  let gutter = editor.querySelector(".lines");
  if (!gutter) {
    gutter = document.createElement("ol");
    gutter.className = "lines";
    gutter.setAttribute("aria-hidden", "true");
    editor.prepend(gutter);
    text.addEventListener("scroll", () => { gutter.scrollTop = text.scrollTop; });
    text.addEventListener("input", () => number(editor));
    new ResizeObserver(() => { gutter.style.maxHeight = `${text.offsetHeight}px`; }).observe(text);
  }
  const count = text.value.split("\n").length;
  while (gutter.children.length > count) gutter.lastChild.remove();
  while (gutter.children.length < count) {
    const line = document.createElement("li");
    line.textContent = String(gutter.children.length + 1);
    gutter.append(line);
  }
  mark(editor, gutter);
}

function mark(editor, gutter) {
  const found = new Map();
  for (const problem of document.querySelectorAll(`#${editor.dataset.problems} [data-line]`)) {
    const line = Number(problem.dataset.line);
    const known = found.get(line) ?? { severity: problem.dataset.severity, said: [] };
    if (problem.dataset.severity === "error") known.severity = "error";
    known.said.push(problem.textContent.replace(/\s+/g, " ").trim());
    found.set(line, known);
  }
  [...gutter.children].forEach((line, index) => {
    const problem = found.get(index + 1);
    line.className = problem?.severity ?? "";
    line.title = problem?.said.join("\n") ?? "";
    line.textContent = problem ? `${MARKS[problem.severity]} ${index + 1}` : String(index + 1);
  });
}

function toLine(text, line) {
  const before = text.value.split("\n").slice(0, line - 1);
  const start = before.reduce((sum, each) => sum + each.length + 1, 0);
  text.focus();
  text.setSelectionRange(start, start + (text.value.split("\n")[line - 1] ?? "").length);
  text.scrollTop = (line - 5) * (text.scrollHeight / Math.max(1, text.value.split("\n").length));
}

const all = () => document.querySelectorAll(".editor").forEach(number);
document.addEventListener("htmx:after:swap", all);
document.addEventListener("click", (event) => {
  const link = event.target.closest?.(".to-line");
  if (!link) return;
  event.preventDefault();
  const line = Number(link.closest("[data-line]").dataset.line);
  toLine(document.getElementById(link.hash.slice(1)), line);
});
all();
