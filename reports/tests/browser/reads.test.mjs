// How the page reads: by keyboard, on a phone, in the dark, on paper, without JavaScript, and to axe.
import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { after, before, describe, it } from "node:test";
import { barChart, drawn, launch, lineChart, open } from "./open.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let browser;
before(async () => { browser = await launch(); });
after(async () => { await browser.close(); });

async function violations(page) {
  await page.evaluate(AXE);
  const found = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return found.violations.map((one) => `${one.id}: ${one.help}; ${one.nodes.length}×: ${
    one.nodes.slice(0, 3).map((node) => node.html.slice(0, 200)).join(" | ")}`);
}

describe("the page", () => {
  for (const colorScheme of ["light", "dark"]) {
    it(`shows axe nothing to complain of, ${colorScheme}`, async () => {
      const page = await open(browser, { colorScheme });
      await drawn(page, lineChart(page));
      await drawn(page, barChart(page));
      await page.locator("#controls summary").click();
      assert.deepEqual(await violations(page), []);
      await page.context().close();
    });
  }

  it("is reached by keyboard: skip link, controls, sorting, names", async () => {
    const page = await open(browser);
    const focused = () => page.evaluate(() => {
      const one = document.activeElement;
      return { tag: one.tagName, id: one.id, cls: one.className, c: one.dataset.c, text: one.textContent.slice(0, 40) };
    });
    await page.keyboard.press("Tab");
    assert.equal((await focused()).cls, "skip");
    const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
    assert.notEqual(outline, "none");
    const seen = [];
    for (let stop = 0; stop < 80; stop += 1) {
      await page.keyboard.press("Tab");
      seen.push(await focused());
      if (seen.at(-1).c !== undefined) { break; }
    }
    const ids = seen.map((one) => one.id);
    assert.ok(ids.includes("objective") && ids.includes("reset"), ids.join());
    assert.ok(seen.some((one) => one.tag === "SUMMARY"));
    assert.ok(seen.some((one) => one.cls === "sort"));
    const first = seen.at(-1).c;
    assert.notEqual(first, undefined, "a strategy's name takes the focus");
    await page.keyboard.press("ArrowDown");
    const second = (await focused()).c;
    assert.notEqual(second, first);
    await page.keyboard.press("Enter");
    assert.match(await page.evaluate(() => location.hash), /only=/);
    assert.equal((await focused()).c, second, "the focus stays");
    await page.keyboard.press("Enter");
    assert.equal(await page.evaluate(() => location.hash), "");
    await page.context().close();
  });

  it("does not scroll sideways on a phone", async () => {
    const page = await open(browser, { viewport: { width: 360, height: 740 } });
    await page.locator("#controls summary").click();
    await drawn(page, lineChart(page));
    await drawn(page, barChart(page));
    const width = await page.evaluate(() => document.documentElement.scrollWidth);
    assert.ok(width <= 360, `${width} px`);
    // What is wider scrolls within a region of its own, which takes the focus.
    const lost = await page.locator(".table, figure").evaluateAll((all) => all
      .filter((one) => one.scrollWidth > one.clientWidth + 1 && one.tabIndex !== 0 && one.querySelector(".main-svg, table"))
      .map((one) => one.outerHTML.slice(0, 120)));
    assert.deepEqual(lost, []);
    await page.context().close();
  });

  it("reads without JavaScript: first screen, tables, records; nothing to press in vain", async () => {
    const page = await open(browser, { javaScriptEnabled: false });
    assert.ok(await page.locator("#answer li").count() >= 3);
    assert.ok(await page.locator("#answer li").first().isVisible());
    const rows = page.locator("main tbody tr");
    const [first, all] = [rows.first(), await rows.count()];
    assert.ok(all > 20 && await first.isVisible());
    assert.equal(await page.locator("button:visible").count(), 0);
    assert.ok(await page.locator(".chart noscript").first().isVisible());
    assert.ok(await page.locator("#records a[download]").first().isVisible());
    await page.context().close();
  });

  it("prints: charts drawn but those folded away, bars numbered instead of hatched, controls gone", async () => {
    const page = await open(browser);
    await page.evaluate(() => dispatchEvent(new Event("beforeprint")));
    await page.emulateMedia({ media: "print" });
    const unfolded = ":not(details:not([open]) *)";
    const charts = await page.locator(`.chart${unfolded}`).count();
    assert.ok(charts > 0);
    assert.equal(await page.locator(`.chart:has(.main-svg)${unfolded}`).count(), charts);
    assert.equal(await page.locator(".chart[data-rows] pattern").count(), 0);
    assert.equal(await page.locator("#controls").isVisible(), false);
    assert.equal(await page.locator(".sort:visible").count(), 0);
    const widest = await page.locator(".chart .main-svg").evaluateAll((all) =>
      Math.max(...all.map((one) => one.getBoundingClientRect().width)));
    assert.ok(widest <= 820, `${widest} px`);
    await page.evaluate(() => dispatchEvent(new Event("afterprint")));
    assert.deepEqual(page.errors, []);
    await page.context().close();
  });
});
