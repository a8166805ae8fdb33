"use strict";
// Draws charts when they come near the view: forty of them at once would hold up the page.
(function () {
  if (typeof Plotly === "undefined") { return; }
  const ENTRY = 20; // height of a legend's entry in pixels
  const NARROW = 820;
  const PAPER = { ink: "#000000", line: "#bbbbbb", width: 690 };
  const charts = Array.from(document.querySelectorAll(".chart"));
  const drawn = new Set();

  function tones() {
    const style = getComputedStyle(document.documentElement);
    return { ink: style.getPropertyValue("--ink").trim(), line: style.getPropertyValue("--line").trim(),
      width: 0 };
  }

  // The layout for a width: on narrow pages the legend moves below and the drawing grows by it.
  function fitted(chart, layout, tone) {
    const fit = JSON.parse(JSON.stringify(layout));
    const bars = layout.barmode !== undefined;
    // Bars need room for their labels; where there is none the figure scrolls.
    const width = Math.max(tone.width || chart.clientWidth, bars ? 820 : 320);
    const entries = bars ? Math.ceil(Number(chart.dataset.legend) / 4) : Number(chart.dataset.legend);
    const height = Number(chart.dataset.height);
    fit.width = width;
    fit.height = height;
    fit.font.color = tone.ink;
    for (const name of ["xaxis", "yaxis"]) {
      fit[name].gridcolor = tone.line;
      fit[name].linecolor = tone.line;
      fit[name].title.font = { size: 13 };
    }
    if (width < NARROW) {
      const inner = height - fit.margin.t - fit.margin.b;
      fit.height = height + entries * ENTRY + 10;
      fit.margin.b += entries * ENTRY + 10;
      fit.margin.r = 10;
      Object.assign(fit.legend, { x: 0, xanchor: "left", y: -64 / inner, yanchor: "top",
        orientation: bars ? "h" : "v" });
      fit.font.size = 11;
    }
    return fit;
  }

  function draw(chart, tone) {
    const plot = JSON.parse(document.getElementById(chart.id + "-data").textContent);
    const rows = plot.layout.yaxis.ticktext;
    for (const trace of plot.data) {
      if (!trace.hovertext) { continue; }
      // Names are added here rather than to every text, which would double the page.
      trace.hovertext = [].concat(trace.hovertext).map((text, row) =>
        (trace.type === "bar" ? rows[row] + "<br>" + trace.name + ": " : trace.name + "<br>") + text);
    }
    const fit = fitted(chart, plot.layout, tone);
    chart.querySelectorAll("noscript").forEach((note) => note.remove());
    chart.style.minHeight = fit.height + "px";
    Plotly.react(chart, plot.data, fit, plot.config);
    drawn.add(chart);
  }

  function redraw(tone) { drawn.forEach((chart) => draw(chart, tone)); }

  if ("IntersectionObserver" in window) {
    const watch = new IntersectionObserver((seen) => {
      for (const one of seen) {
        if (one.isIntersecting) {
          watch.unobserve(one.target);
          if (!drawn.has(one.target)) { draw(one.target, tones()); }
        }
      }
    }, { rootMargin: "800px" });
    charts.forEach((chart) => watch.observe(chart));
  } else {
    charts.forEach((chart) => draw(chart, tones()));
  }

  let pause = 0;
  let width = window.innerWidth;
  window.addEventListener("resize", () => {
    // Phones resize when their address bar hides; only the width matters.
    if (window.innerWidth === width) { return; }
    width = window.innerWidth;
    clearTimeout(pause);
    pause = setTimeout(() => redraw(tones()), 150);
  });
  window.matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => redraw(tones()));
  window.addEventListener("beforeprint", () => charts.forEach((chart) => draw(chart, PAPER)));
  window.addEventListener("afterprint", () => redraw(tones()));
})();
