// The bar of controls, and rows and names that follow it.
const controls = document.getElementById("controls");
const names = Array.from(document.querySelectorAll("tbody [data-c]"));

function showRows() {
  const first = new Set();
  for (const name of names) {
    const index = Number(name.dataset.c);
    const row = name.closest("tr");
    row.hidden = !shown(index);
    name.setAttribute("aria-pressed", String(state.only === index));
    // One stop of the tab key a table; arrows go on from there.
    const table = row.closest("table");
    name.tabIndex = row.hidden || first.has(table) ? -1 : 0;
    if (!row.hidden) { first.add(table); }
  }
}

function showObjective() {
  for (const one of document.querySelectorAll("[data-objective]")) {
    const wanted = one.dataset.objective.split(" ");
    one.hidden = state.objective !== "all" && state.objective !== "sum" && !wanted.includes(state.objective);
  }
}

function showControls() {
  boxes.forEach((box, at) => { box.checked = !state.hidden.has(at); });
  for (const family of controls.querySelectorAll("[data-family]")) {
    const members = Array.from(family.closest("fieldset").querySelectorAll("[data-contender]"));
    const checked = members.filter((box) => box.checked).length;
    family.checked = checked === members.length;
    family.indeterminate = checked > 0 && checked < members.length;
  }
  for (const button of controls.querySelectorAll("[data-isolate]")) {
    button.setAttribute("aria-pressed", String(state.only === Number(button.dataset.isolate)));
  }
  objective.value = state.objective;
  const count = labels.length - state.hidden.size;
  document.getElementById("shown").textContent = state.only !== null
    ? "Only " + labels[state.only] + " is shown."
    : count === labels.length ? "All " + count + " strategies are shown."
      : count + " of " + labels.length + " strategies are shown.";
}

names.forEach((name) => { name.setAttribute("role", "button"); });

document.addEventListener("click", (event) => {
  const name = event.target.closest("tbody [data-c]");
  if (name) { isolate(Number(name.dataset.c)); }
});

document.addEventListener("keydown", (event) => {
  const name = event.target.closest("tbody [data-c]");
  if (!name) { return; }
  if (event.key === "Enter" || event.key === " ") {
    event.preventDefault();
    isolate(Number(name.dataset.c));
  } else if (event.key === "ArrowDown" || event.key === "ArrowUp") {
    event.preventDefault();
    const visible = Array.from(name.closest("tbody").querySelectorAll("tr:not([hidden]) [data-c]"));
    const next = visible[visible.indexOf(name) + (event.key === "ArrowDown" ? 1 : -1)];
    if (next) { next.focus(); }
  }
});

controls.addEventListener("change", (event) => {
  const box = event.target;
  if (box === objective) {
    change((now) => { now.objective = objective.value; });
  } else if (box.dataset.contender !== undefined || box.dataset.family !== undefined) {
    const members = box.dataset.family === undefined ? [box]
      : Array.from(box.closest("fieldset").querySelectorAll("[data-contender]"));
    change((now) => {
      now.only = null;
      for (const one of members) {
        const index = Number(one.dataset.contender);
        if (box.checked) { now.hidden.delete(index); } else { now.hidden.add(index); }
      }
    });
  }
});

controls.addEventListener("click", (event) => {
  const button = event.target.closest("[data-isolate]");
  if (button) {
    isolate(Number(button.dataset.isolate));
  } else if (event.target.id === "reset") {
    change((now) => Object.assign(now, { hidden: new Set(), only: null, weights: "",
      objective: objective.options[0].value }));
  }
});
controls.addEventListener("submit", (event) => event.preventDefault());

window.addEventListener("hashchange", () => {
  // A link within the page leaves what was chosen as it is; an address that says something is followed.
  if (location.hash.includes("=")) {
    readAddress();
    watchers.forEach((watcher) => watcher());
  } else {
    writeAddress();
  }
});

readAddress();
watchers.push(showRows, showObjective, showControls);
watchers.forEach((watcher) => watcher());
controls.hidden = false;
// An address that holds a choice, too, is no anchor that the browser knows.
if (location.hash.includes("=")) {
  const target = document.getElementById(anchorOf(location.hash));
  if (target) { target.scrollIntoView(); }
}
startCharts();
