// What the page does: draws, filters, isolates, sorts, follows its address, hands out its records.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { basename, join } from "node:path";
import { gunzipSync } from "node:zlib";
import { after, before, describe, it } from "node:test";
import { barChart, drawn, launch, lineChart, open, rowNames } from "./open.mjs";

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

const table = (page) => page.locator("#summary table, #group-summary table").first();
const lines = (chart) => chart.evaluate((one) => one.data
  .filter((trace) => /^g\d+$/.test(trace.legendgroup || "") && trace.visible !== false && trace.visible !== "legendonly")
  .map((trace) => Number(trace.legendgroup.slice(1))));
const unique = (values) => Array.from(new Set(values));

describe("the page", () => {
  it("draws every kind of chart without an error in the console", async () => {
    const page = await open(browser);
    for (const chart of [lineChart(page), barChart(page)]) {
      await drawn(page, chart);
      assert.ok(await chart.locator(".trace").count() > 0);
    }
    const last = page.locator(".chart").last();
    await drawn(page, last);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });

  it("opens fast: parsing, script and the first chart", async () => {
    const page = await open(browser);
    const ms = await page.evaluate(() => performance.getEntriesByType("navigation")[0].domContentLoadedEventEnd);
    // A second is the goal on a quiet machine; this is the bound on a busy one.
    assert.ok(ms < 5000, `${ms} ms`);
    await page.context().close();
  });

  it("filters charts, bars and tables by strategy, and says so in its address", async () => {
    const page = await open(browser);
    const line = await drawn(page, lineChart(page));
    const before = unique(await lines(line));
    const names = await rowNames(table(page));
    await page.locator("#controls summary").click();
    const box = page.locator(`[data-contender="${before[0]}"]`);
    await box.uncheck();
    assert.deepEqual(unique(await lines(line)), before.slice(1));
    assert.equal((await rowNames(table(page))).length, names.length - 1);
    assert.match(await page.locator("#shown").textContent(), /^\d+ of \d+ strategies are shown\.$/);
    const bars = await drawn(page, barChart(page));
    const rows = (await bars.getAttribute("data-rows")).split(" ").map(Number);
    const kept = rows.filter((row) => row !== before[0]);
    assert.equal(await bars.evaluate((one) => one.layout.yaxis.ticktext.length), kept.length);

    // Somebody who is sent the address sees the same.
    const hash = await page.evaluate(() => location.hash);
    assert.match(hash, /hide=/);
    const other = await open(browser, { hash });
    assert.equal(await other.locator(`[data-contender="${before[0]}"]`).isChecked(), false);
    assert.deepEqual(await rowNames(table(other)), await rowNames(table(page)));

    await page.locator("#reset").click();
    assert.deepEqual(await rowNames(table(page)), names);
    assert.equal(await page.evaluate(() => location.hash), "");
    assert.deepEqual(page.errors, []);
    await other.context().close();
    await page.context().close();
  });

  it("filters a family at once", async () => {
    const page = await open(browser);
    await page.locator("#controls summary").click();
    const fieldset = page.locator("fieldset").first();
    const members = await fieldset.locator("[data-contender]").count();
    const all = await page.locator("[data-contender]:checked").count();
    await fieldset.locator("[data-family]").uncheck();
    assert.equal(await page.locator("[data-contender]:checked").count(), all - members);
    await page.context().close();
  });

  it("isolates a strategy from a table, from the legend and from the controls, and restores", async () => {
    const page = await open(browser);
    const chart = await drawn(page, lineChart(page));
    const before = unique(await lines(chart));
    const names = await rowNames(table(page));
    const name = table(page).locator("tbody [data-c]").nth(1);
    const index = Number(await name.getAttribute("data-c"));
    await name.click();
    assert.deepEqual(await rowNames(table(page)), [names[1]]);
    assert.equal(await name.getAttribute("aria-pressed"), "true");
    await name.click();
    assert.deepEqual(await rowNames(table(page)), names);

    await drawn(page, chart);
    const entry = chart.locator(".legend .traces", { hasText: "offers" }).first();
    await entry.locator(".legendtoggle").click();
    await page.waitForFunction((one) => location.hash.includes("only="), null);
    assert.equal(unique(await lines(chart)).length, 1);
    await chart.locator(".legend .traces", { hasText: "offers" }).first().locator(".legendtoggle").click();
    await page.waitForFunction(() => !location.hash.includes("only="));
    assert.deepEqual(unique(await lines(chart)), before);

    await page.locator("#controls summary").click();
    await page.locator(`[data-isolate="${index}"]`).click();
    assert.deepEqual(await rowNames(table(page)), [names[1]]);
    assert.match(await page.locator("#shown").textContent(), /^Only /);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });

  it("shows what an objective is about", async () => {
    const page = await open(browser);
    const visible = (name) => page.locator(`[data-objective="${name}"]:not([hidden])`).count();
    assert.ok(await visible("bytes") > 0 && await visible("time") > 0);
    await page.locator("#objective").selectOption("bytes");
    assert.ok(await visible("bytes") > 0);
    assert.equal(await visible("time"), 0);
    assert.match(await page.evaluate(() => location.hash), /objective=bytes/);
    await page.locator("#objective").selectOption("time");
    assert.equal(await visible("bytes"), 0);
    const chart = page.locator("[data-objective=time] .chart").first();
    await drawn(page, chart);
    await page.context().close();
  });

  it("draws the map for a weighted sum of the reader's own", async () => {
    const page = await open(browser);
    const letters = () => page.locator("#decision [data-objective=bytes] .spot").allTextContents();
    const before = await letters();
    await page.locator("#objective").selectOption("sum");
    assert.ok(await page.locator("#weights").isVisible());
    // Flights alone: whoever needs the fewest of each cell.
    const inputs = page.locator("#weights input");
    const quantities = await page.evaluate(() =>
      JSON.parse(document.getElementById("decision-data").textContent).quantities);
    assert.equal(await inputs.count(), quantities.length);
    for (const [at, name] of quantities.entries()) {
      await inputs.nth(at).fill(name === "flights" ? "1" : "0");
    }
    const expected = await page.evaluate(() => {
      const data = JSON.parse(document.getElementById("decision-data").textContent);
      const at = data.quantities.indexOf("flights") + 1;
      return Array.from(document.querySelectorAll("#decision [data-objective=bytes] .spot"), (spot) => {
        const costs = data.cells[Number(spot.dataset.cell)].costs.filter((row) => row[at] !== null);
        const least = costs.reduce((best, row) => (row[at] < best[at] ? row : best));
        return data.contenders[least[0]].letter;
      });
    });
    assert.deepEqual(await letters(), expected);
    assert.notDeepEqual(await letters(), before);
    assert.match(await page.locator("#summed").textContent(), /cells/);
    assert.match(await page.evaluate(() => location.hash), /objective=sum&w=/);
    await page.locator("#reset").click();
    assert.deepEqual(await letters(), before);
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });

  it("keeps what was chosen when a link within the page is followed", async () => {
    const page = await open(browser);
    await page.locator("#objective").selectOption("bytes");
    await page.locator("nav a").nth(1).click();
    await page.waitForFunction(() => /^#[\w-]+&objective=bytes$/.test(location.hash));
    assert.equal(await page.locator("#objective").inputValue(), "bytes");
    await page.context().close();
  });

  it("sorts by value, up, down and back, what is missing last", async () => {
    const page = await open(browser);
    const one = table(page);
    const head = one.locator("thead th").nth(1);
    const values = () => one.locator("tbody tr").evaluateAll((rows) =>
      rows.map((row) => row.cells[1].dataset.value).map((value) => value === undefined ? null : Number(value)));
    const before = await values();
    const known = before.filter((value) => value !== null);
    const gaps = before.filter((value) => value === null);
    const up = known.toSorted((a, b) => (a < b ? -1 : a > b ? 1 : 0));
    assert.notDeepEqual(known, up);
    await head.locator(".sort").click();
    assert.equal(await head.getAttribute("aria-sort"), "ascending");
    assert.deepEqual(await values(), up.concat(gaps));
    await head.locator(".sort").press("Enter");
    assert.equal(await head.getAttribute("aria-sort"), "descending");
    assert.deepEqual(await values(), up.toReversed().concat(gaps));
    await head.locator(".sort").click();
    assert.equal(await head.getAttribute("aria-sort"), "none");
    assert.deepEqual(await values(), before);
    const names = await rowNames(one);
    await one.locator("thead th").first().locator(".sort").click();
    assert.deepEqual(await rowNames(one), names.toSorted(new Intl.Collator("en", { numeric: true }).compare));
    await page.context().close();
  });

  it("makes a logarithmic axis linear and back", async () => {
    const page = await open(browser);
    const chart = await drawn(page, lineChart(page));
    const type = () => chart.evaluate((one) => one.layout.yaxis.type);
    const button = page.getByRole("button", { name: /^log y axis/ }).first();
    assert.equal(await type(), "log");
    await button.click();
    assert.equal(await type(), "linear");
    assert.equal(await button.getAttribute("aria-pressed"), "false");
    await button.click();
    assert.equal(await type(), "log");
    await page.context().close();
  });

  it("hands out the records it was made of", async () => {
    const page = await open(browser);
    const links = page.locator("#records a[download]");
    assert.ok(await links.count() > 0, "records are part of the page");
    const [download] = await Promise.all([page.waitForEvent("download"), links.first().click()]);
    const text = gunzipSync(readFileSync(await download.path())).toString();
    const name = download.suggestedFilename().replace(/\.gz$/, "");
    const rows = text.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.equal(rows.length - 1, rows[0].rows);
    if (process.env.RECORDS) {
      assert.equal(text, readFileSync(join(process.env.RECORDS, basename(name)), "utf8"), "byte for byte");
    }
    await page.context().close();
  });
});
