// The map under a weighted sum of the reader's own: who is cheapest in each cell, and what each strategy would cost
// if it were used everywhere. The figures are the medians that stand in `decision-data`; ties are not judged.
const decisionData = document.getElementById("decision-data");
const decision = decisionData ? JSON.parse(decisionData.textContent) : null;
const weightsBox = document.getElementById("weights");
const mapBlock = document.querySelector("#decision [data-objective=bytes]");
const spots = mapBlock ? Array.from(mapBlock.querySelectorAll(".spot")) : [];
const spotsBefore = spots.map((spot) =>
  ({ text: spot.textContent, title: spot.title, colour: spot.style.getPropertyValue("--c"), name: spot.className }));
// What one unit of weight is paid for, and how many of the quantity that is.
const units = decision ? decision.quantities.map((quantity) => {
  if (quantity === "bytes") { return { name: "for each kB", size: 1000 }; }
  if (quantity === "flights") { return { name: "for each flight", size: 1 }; }
  if (quantity === "cpu") { return { name: "for each second of CPU", size: 1 }; }
  return { name: "for each second on " + quantity.replace("link:", ""), size: 1 };
}) : [];

function weights() {
  const given = state.weights.split(",").map(Number);
  return units.map((_, at) =>
    state.weights ? (given[at] > 0 && Number.isFinite(given[at]) ? given[at] : 0)
      : decision.quantities[at] === "bytes" ? 1 : 0);
}

// Costs of the contenders of a cell, cheapest first; without those of whom something that counts was not measured.
function costsOf(cell, paid) {
  const costs = [];
  for (const [contender, ...values] of cell.costs) {
    if (paid.every((weight, at) => weight === 0 || values[at] !== null)) {
      costs.push([paid.reduce((sum, weight, at) => weight === 0 ? sum : sum + weight * values[at] / units[at].size, 0),
        contender]);
    }
  }
  return costs.sort((a, b) => a[0] - b[0] || a[1] - b[1]);
}

function showSpot(spot, paid) {
  const cell = decision.cells[Number(spot.dataset.cell)];
  const costs = costsOf(cell, paid);
  const at = "M = " + cell.m + ", d = " + cell.d + ": ";
  if (costs.length === 0) {
    spot.className = "spot none";
    spot.textContent = "–";
    spot.title = at + "not measured";
    return;
  }
  const [[least, first], second] = costs;
  const winner = decision.contenders[first];
  spot.className = "spot";
  spot.textContent = winner.letter;
  spot.style.setProperty("--c", winner.colour);
  spot.title = at + winner.label + ", " + least.toPrecision(3) + (second
    ? "; next " + decision.contenders[second[1]].label + ", × " + (second[0] / least).toPrecision(3) : "");
}

// In words: how much more than each cell's cheapest the best single strategies cost.
function everywhere(paid) {
  const over = decision.contenders.map(() => []);
  let cells = 0;
  for (const cell of decision.cells) {
    const costs = costsOf(cell, paid);
    if (costs.length === 0 || costs[0][0] === 0) { continue; }
    cells += 1;
    for (const [cost, contender] of costs) { over[contender].push(cost / costs[0][0] - 1); }
  }
  const percent = (share) => (share * 100).toPrecision(3) + " %";
  const ranked = over
    .map((regrets, at) => ({ at, regrets, mean: regrets.reduce((sum, one) => sum + one, 0) / regrets.length }))
    .filter((one) => one.regrets.length === cells)
    .sort((a, b) => a.mean - b.mean)
    .slice(0, 3)
    .map((one) => decision.contenders[one.at].label + " " + percent(one.mean) + " (at worst "
      + percent(Math.max(...one.regrets)) + ")");
  if (cells === 0) { return "Nothing that these weights ask for was measured, or all of it is free."; }
  return "Letters: the least sum in each of " + cells + " cells. One strategy everywhere costs more than each cell's "
    + "cheapest, on average: " + (ranked.length > 0 ? ranked.join("; ") : "none finished everywhere") + ".";
}

const summed = document.createElement("p");
summed.id = "summed";
summed.setAttribute("role", "status");

function showMap() {
  const summing = state.objective === "sum";
  weightsBox.hidden = !summing;
  summed.hidden = !summing;
  mapBlock.classList.toggle("summing", summing);
  if (!summing) {
    spots.forEach((spot, at) => {
      const before = spotsBefore[at];
      spot.className = before.name;
      spot.textContent = before.text;
      spot.title = before.title;
      spot.style.setProperty("--c", before.colour);
    });
    return;
  }
  const paid = weights();
  Array.from(weightsBox.querySelectorAll("input")).forEach((input, at) => {
    if (Number(input.value) !== paid[at]) { input.value = String(paid[at]); }
  });
  spots.forEach((spot) => showSpot(spot, paid));
  summed.textContent = everywhere(paid);
}

if (decision && mapBlock) {
  units.forEach((unit) => {
    const label = document.createElement("label");
    const input = document.createElement("input");
    Object.assign(input, { type: "number", min: "0", step: "any" });
    label.append("Cost ", unit.name, " ", input);
    weightsBox.append(label);
  });
  weightsBox.addEventListener("input", () => {
    change((now) => {
      now.weights = Array.from(weightsBox.querySelectorAll("input"), (input) => Number(input.value) || 0).join(",");
    });
  });
  mapBlock.querySelector(".maps").before(summed);
  watchers.push(showMap);
} else {
  // Without a map there is nothing to sum.
  Array.from(objective.options).find((option) => option.value === "sum").remove();
}
