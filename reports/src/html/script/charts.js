// Charts are drawn when they come near the view: forty of them at once would hold up the page.
const ENTRY = 20; // height of a legend's entry in pixels
const BAR = 22; // height of a bar with its gap
const NARROW = 820;
const PAPER = { ink: "#000000", line: "#bbbbbb", width: 690 };
const charts = Array.from(document.querySelectorAll(".chart"));
const stale = new Set(charts);
const near = new Set();
const linear = new Map(); // of a chart: the axes that the reader made linear
let printing = false;

function tones() {
  if (printing) { return PAPER; }
  const style = getComputedStyle(document.documentElement);
  return { ink: style.getPropertyValue("--ink").trim(), line: style.getPropertyValue("--line").trim(), width: 0 };
}

// The layout for a width: on narrow pages the legend moves below and the drawing grows by it.
function fitted(chart, layout, tone, height) {
  const bars = layout.barmode !== undefined;
  // Bars need room for their labels; where there is none the figure scrolls.
  const width = Math.max(tone.width || chart.clientWidth, bars ? 820 : 300);
  const entries = bars ? Math.ceil(Number(chart.dataset.legend) / 4) : Number(chart.dataset.legend);
  layout.width = width;
  layout.height = height;
  layout.font.color = tone.ink;
  for (const name of ["xaxis", "yaxis"]) {
    const axis = layout[name];
    axis.gridcolor = tone.line;
    axis.linecolor = tone.line;
    axis.title.font = { size: 13 };
    if (linear.has(chart) && linear.get(chart).has(name)) {
      // Ticks at the units of daily life are too close for a linear axis; seconds take their place.
      if (axis.tickvals) { Object.assign(axis, { tickvals: null, ticktext: null, tickformat: "~s", ticksuffix: "s" }); }
      Object.assign(axis, { type: "linear", dtick: null, rangemode: "tozero" });
    }
  }
  if (width < NARROW) {
    const inner = height - layout.margin.t - layout.margin.b;
    layout.height = height + entries * ENTRY + 10;
    layout.margin.b += entries * ENTRY + 10;
    layout.margin.r = 10;
    Object.assign(layout.legend, { x: 0, xanchor: "left", y: -64 / inner, yanchor: "top",
      orientation: bars ? "h" : "v" });
    layout.font.size = 11;
    if (layout.xaxis.title.text.length > 40) { layout.xaxis.title.font.size = 11; }
  }
  return layout;
}

function contenderOf(trace) {
  return /^g\d+$/.test(trace.legendgroup || "") ? Number(trace.legendgroup.slice(1)) : null;
}

// Lines end close to each other: a letter that would lie on the one above it moves aside.
function spread(plot, chart) {
  const axis = plot.layout.yaxis;
  const high = Number(chart.dataset.height) - plot.layout.margin.t - plot.layout.margin.b;
  const curved = axis.type === "log" && !(linear.has(chart) && linear.get(chart).has("yaxis"));
  const place = (y) => (curved ? Math.log(Math.max(y, 1e-12)) : y);
  const lettered = plot.data.filter((trace) => trace.visible === undefined && Array.isArray(trace.text));
  const all = lettered.flatMap((trace) => trace.y).filter((y) => y !== null).map(place);
  const range = Math.max(...all) - Math.min(...all) || 1;
  const ends = [];
  for (const trace of lettered) {
    const at = trace.text.findIndex((letter) => letter);
    if (at >= 0) { ends.push({ trace, at, x: trace.x[at], y: place(trace.y[at]) / range * high }); }
    trace.cliponaxis = false;
  }
  ends.sort((one, other) => other.y - one.y);
  const lanes = new Map();
  for (const end of ends) {
    const lane = lanes.get(end.x) || [];
    lanes.set(end.x, lane);
    let step = lane.findIndex((y) => y - end.y > 11);
    if (step < 0) { step = lane.length < 4 ? lane.length : lane.indexOf(Math.max(...lane)); }
    lane[step] = end.y;
    end.trace.text[end.at] = "\u2002\u2009".repeat(step) + end.trace.text[end.at];
  }
}

// On paper a number in the bar and in the legend takes the place of hatching, which would make each chart some 20 MB of a PDF.
function numbered(plot) {
  plot.data.forEach((trace, at) => {
    trace.name = `${at + 1} ${trace.name}`;
    trace.marker.pattern = undefined;
    trace.marker.line = { color: PAPER.ink, width: 0.5 };
    Object.assign(trace, { text: trace.x.map(() => String(at + 1)), textposition: "inside", insidetextanchor: "middle",
      textangle: 0 });
  });
  plot.layout.uniformtext = { minsize: 7, mode: "hide" };
}

// Leaves out the bars of those that are not shown; returns how much lower the drawing gets.
function keepBars(plot, contenders) {
  const keep = contenders.map((_, row) => row).filter((row) => shown(contenders[row]));
  const places = keep.map((_, at) => at);
  for (const trace of plot.data) {
    trace.x = keep.map((row) => trace.x[row]);
    trace.hovertext = keep.map((row) => trace.hovertext[row]);
    trace.y = places;
  }
  const axis = plot.layout.yaxis;
  axis.ticktext = keep.map((row) => axis.ticktext[row]);
  axis.tickvals = places;
  axis.range = [Math.max(keep.length, 1) - 0.4, -0.6];
  return BAR * (contenders.length - keep.length);
}

function draw(chart) {
  if (typeof Plotly === "undefined") { return; }
  const plot = JSON.parse(document.getElementById(chart.id + "-data").textContent);
  const tone = tones();
  const rows = plot.layout.yaxis.ticktext;
  for (const trace of plot.data) {
    const index = contenderOf(trace);
    if (index !== null && !shown(index)) {
      // Those beside an isolated one stay in the legend, where a click brings them back.
      trace.visible = state.only === null || state.hidden.has(index) ? false : "legendonly";
    }
    if (trace.text && trace.mode) { trace.textfont = { color: tone.ink, size: 11 }; }
    if (!trace.hovertext) { continue; }
    // Names are added here rather than to every text, which would double the page.
    trace.hovertext = [].concat(trace.hovertext).map((text, row) =>
      (trace.type === "bar" ? rows[row] + "<br>" + trace.name + ": " : trace.name + "<br>") + text);
  }
  spread(plot, chart);
  let height = Number(chart.dataset.height);
  if (chart.dataset.rows) {
    height = Math.max(height - keepBars(plot, chart.dataset.rows.split(" ").map(Number)), 160);
    if (printing) { numbered(plot); }
  }
  const layout = fitted(chart, plot.layout, tone, height);
  chart.querySelectorAll("noscript").forEach((note) => note.remove());
  chart.style.minHeight = layout.height + "px";
  Plotly.react(chart, plot.data, layout, plot.config);
  if (!chart.dataset.drawn) {
    chart.dataset.drawn = "yes";
    const clicked = (event) => {
      const index = contenderOf(event.data[event.curveNumber]);
      if (index === null) { return true; }
      isolate(index);
      return false;
    };
    chart.on("plotly_legendclick", clicked);
    chart.on("plotly_legenddoubleclick", (event) => contenderOf(event.data[event.curveNumber]) === null);
    tools(chart, plot.layout);
  }
  scrollable(chart.parentElement);
  stale.delete(chart);
}

// What scrolls can be reached by keyboard.
function scrollable(figure) {
  const scrolls = figure.scrollWidth > figure.clientWidth + 1;
  if (scrolls) {
    figure.tabIndex = 0;
  } else {
    figure.removeAttribute("tabindex");
  }
}

// Buttons that make a logarithmic axis linear and back.
function tools(chart, layout) {
  const bar = document.createElement("div");
  bar.className = "tools";
  for (const name of ["xaxis", "yaxis"]) {
    if (layout[name].type !== "log") { continue; }
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = "log " + name[0];
    button.setAttribute("aria-label", "log " + name[0] + " axis: " + chart.getAttribute("aria-label"));
    button.setAttribute("aria-pressed", "true");
    button.addEventListener("click", () => {
      const axes = linear.get(chart) || new Set();
      if (!axes.delete(name)) { axes.add(name); }
      linear.set(chart, axes);
      button.setAttribute("aria-pressed", String(!axes.has(name)));
      draw(chart);
    });
    bar.append(button);
  }
  if (bar.childElementCount > 0) { chart.before(bar); }
}

// Draws what is near the view now, and the rest when it comes there.
function refresh() {
  charts.forEach((chart) => stale.add(chart));
  near.forEach(draw);
}

function watchCharts() {
  watchers.push(refresh);
  if ("IntersectionObserver" in window) {
    const watch = new IntersectionObserver((seen) => {
      for (const one of seen) {
        if (!one.isIntersecting) {
          near.delete(one.target);
        } else {
          near.add(one.target);
          if (stale.has(one.target)) { draw(one.target); }
        }
      }
    }, { rootMargin: "800px" });
    charts.forEach((chart) => watch.observe(chart));
  } else {
    charts.forEach((chart) => { near.add(chart); draw(chart); });
  }
  let pause = 0;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    // Phones resize when their address bar hides; only the width matters.
    if (printing || window.innerWidth === width) { return; }
    width = window.innerWidth;
    clearTimeout(pause);
    pause = setTimeout(refresh, 150);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", refresh);
  window.addEventListener("beforeprint", () => {
    printing = true;
    // What is folded away stays so: unfolded, a page of twelve sweeps would be some two hundred sheets.
    charts.filter((chart) => !chart.closest("details:not([open])")).forEach(draw);
  });
  window.addEventListener("afterprint", () => {
    printing = false;
    refresh();
  });
}

// plotly.js lies in the page as gzip in base64.
async function unpackPlotly() {
  const letters = atob(document.getElementById("plotly").textContent);
  const bytes = new Uint8Array(letters.length);
  for (let at = 0; at < letters.length; at += 1) { bytes[at] = letters.charCodeAt(at); }
  const source = await new Response(
    new Blob([bytes]).stream().pipeThrough(new DecompressionStream("gzip"))).text();
  const script = document.createElement("script");
  script.textContent = source;
  document.head.append(script);
  script.remove();
}

async function startCharts() {
  try {
    await unpackPlotly();
  } catch (error) {
    // A browser of before 2023.
    charts.forEach((chart) => {
      chart.textContent = "This browser cannot unpack the chart; the table below holds its numbers.";
    });
    return;
  }
  watchCharts();
  document.documentElement.dataset.charts = "ready";
}
