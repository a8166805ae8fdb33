// Opens the page under test. No network: whatever the page asks for is an error.
import { chromium } from "playwright-core";

export const FILE = process.env.PAGE;

const ARGS = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
  "--disable-background-networking", "--disable-component-update", "--disable-sync"];

export function launch() {
  return chromium.launch({ executablePath: process.env.CHROMIUM, args: ARGS });
}

// A page of its own, with the errors that its console and its network show.
export async function open(browser, { hash = "", file = FILE, ...options } = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.errors = [];
  page.on("console", (message) => {
    if (["error", "warning"].includes(message.type())) { page.errors.push(message.text()); }
  });
  page.on("pageerror", (error) => page.errors.push(String(error)));
  page.on("request", (request) => {
    if (!/^(file|data|blob):/.test(request.url())) { page.errors.push(`asked for ${request.url()}`); }
  });
  await page.goto(`file://${file}${hash}`);
  if (options.javaScriptEnabled !== false) { await page.waitForSelector("html[data-charts=ready]", { state: "attached" }); }
  return page;
}

// Brings a chart into view and waits until it is drawn.
export async function drawn(page, chart) {
  await chart.scrollIntoViewIfNeeded();
  await chart.locator(".main-svg").first().waitFor();
  return chart;
}

export const lineChart = (page) => page.locator(".chart:not([data-rows])").first();
export const barChart = (page) => page.locator(".chart[data-rows]").first();

// Names of the contenders that a table shows, from top to bottom.
export function rowNames(table) {
  return table.locator("tbody tr:not([hidden]) [data-c] code").allTextContents();
}
