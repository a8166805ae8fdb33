// What the reader chose, and the address that says so: `#anchor&hide=LABEL&only=LABEL&objective=cpu&w=1,0,0`.
// A link that is sent to somebody shows the same.
const boxes = Array.from(document.querySelectorAll("[data-contender]"));
const labels = boxes.map((box) => box.value);
const objective = document.getElementById("objective");
const state = { hidden: new Set(), only: null, objective: "all", weights: "" };
const watchers = [];

function shown(index) {
  return state.only === null ? !state.hidden.has(index) : state.only === index;
}

function anchorOf(hash) {
  return hash.slice(1).split("&").find((part) => part && !part.includes("=")) || "";
}

function readAddress() {
  const pairs = new URLSearchParams(location.hash.slice(1).split("&").filter((part) => part.includes("=")).join("&"));
  const places = (key) => pairs.getAll(key).map((label) => labels.indexOf(label)).filter((at) => at >= 0);
  const shownOnly = places("show");
  state.hidden = new Set(places("hide"));
  if (shownOnly.length > 0) {
    labels.forEach((_, at) => { if (!shownOnly.includes(at)) { state.hidden.add(at); } });
  }
  const only = places("only");
  state.only = only.length > 0 ? only[0] : null;
  const wanted = pairs.get("objective");
  const known = Array.from(objective.options).some((option) => option.value === wanted);
  state.objective = known ? wanted : objective.options[0].value;
  state.weights = pairs.get("w") || "";
}

function writeAddress() {
  const pairs = new URLSearchParams();
  // The shorter of the two lists: those hidden, or those shown.
  const hidden = labels.filter((_, at) => state.hidden.has(at));
  const rest = labels.filter((_, at) => !state.hidden.has(at));
  const few = hidden.length <= rest.length || rest.length === 0;
  (few ? hidden : rest).forEach((label) => pairs.append(few ? "hide" : "show", label));
  if (state.only !== null) { pairs.append("only", labels[state.only]); }
  if (state.objective !== objective.options[0].value) { pairs.append("objective", state.objective); }
  if (state.objective === "sum" && state.weights) { pairs.append("w", state.weights); }
  const parts = [anchorOf(location.hash), pairs.toString()].filter((part) => part);
  const hash = parts.length > 0 ? "#" + parts.join("&") : "";
  if (hash !== location.hash) { history.replaceState(null, "", hash || location.pathname + location.search); }
}

// Changes the state, then the page.
function change(edit) {
  edit(state);
  writeAddress();
  watchers.forEach((watcher) => watcher());
}

function isolate(index) {
  change((now) => { now.only = now.only === index ? null : index; });
}
