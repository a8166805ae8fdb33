// Tables sort by every column: up, down, as they were. By `data-value` where a column has it, else by its text.
const MISSING = new Set(["", "–", "no rows", "not run", "not timed"]);
const collator = new Intl.Collator("en", { numeric: true });

function keyOf(row, column, numeric) {
  const cell = row.cells[column];
  if (!cell) { return null; }
  if (numeric) { return cell.dataset.value === undefined ? null : Number(cell.dataset.value); }
  const text = (cell.querySelector("code") || cell).textContent.trim();
  return MISSING.has(text) ? null : text;
}

function sortRows(body, rows, column, direction) {
  if (direction === "none") {
    body.append(...rows);
    return;
  }
  const numeric = rows.some((row) => row.cells[column] && row.cells[column].dataset.value !== undefined);
  const keyed = rows.map((row) => ({ row, key: keyOf(row, column, numeric) }));
  const sign = direction === "ascending" ? 1 : -1;
  keyed.sort((one, other) => {
    // What is missing stays below, whichever way the rest is sorted.
    if (one.key === null || other.key === null) { return Number(one.key === null) - Number(other.key === null); }
    if (one.key === other.key) { return 0; }
    return sign * (numeric ? (one.key < other.key ? -1 : 1) : collator.compare(one.key, other.key));
  });
  body.append(...keyed.map((one) => one.row));
}

function sortable(table) {
  const body = table.tBodies[0];
  const heads = table.tHead ? Array.from(table.tHead.rows[0].cells) : [];
  if (!body || body.rows.length < 2 || table.tHead.rows.length > 1 || heads.some((head) => head.colSpan > 1)) { return; }
  const rows = Array.from(body.rows);
  heads.forEach((head, column) => {
    const words = Array.from(head.childNodes).filter((node) => node.nodeName !== "SMALL");
    const name = words.map((node) => node.textContent).join("").trim();
    const button = document.createElement("button");
    button.type = "button";
    button.className = "sort";
    button.setAttribute("aria-label", "Sort by " + name);
    head.setAttribute("aria-sort", "none");
    const next = () => {
      const order = { none: "ascending", ascending: "descending", descending: "none" };
      const direction = order[head.getAttribute("aria-sort")];
      heads.forEach((other) => other.setAttribute("aria-sort", "none"));
      head.setAttribute("aria-sort", direction);
      table.classList.toggle("sorted", direction !== "none");
      sortRows(body, rows, column, direction);
    };
    head.append(button);
    head.addEventListener("click", (event) => { if (!event.target.closest("a")) { next(); } });
  });
}

document.querySelectorAll("main table").forEach(sortable);
