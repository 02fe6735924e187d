"use strict";
// What a page can do without is done here: charts that answer to the pointer, and the mark of speed measurements.

function colour(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

function aligned(series) {
  if (series.length === 1) return [series[0].x, series[0].y];
  const xs = [...new Set(series.flatMap((one) => one.x))].sort((a, b) => a - b);
  const columns = series.map((one) => {
    const found = new Map(one.x.map((x, index) => [x, one.y[index]]));
    return xs.map((x) => found.get(x));
  });
  return [xs, ...columns];
}

function draw(figure) {
  const told = JSON.parse(figure.dataset.chart);
  const svg = figure.querySelector("svg");
  if (!svg || !window.uPlot || told.series.every((one) => one.x.length < 2)) return;
  const size = () => ({ width: figure.clientWidth, height: Math.round(Math.min(320, Math.max(180, figure.clientWidth / 3))) });
  const axis = { stroke: colour(figure, "--quiet"), grid: { stroke: colour(figure, "--line"), width: 1 }, ticks: { show: false } };
  const plot = new uPlot({
    ...size(),
    scales: { x: { time: false } },
    axes: [{ ...axis, label: told.x, labelSize: 16, size: 28, labelFont: "12px system-ui" }, { ...axis, size: 64 }],
    series: [
      { label: told.x },
      ...told.series.map((one, index) => ({
        label: one.name, stroke: colour(figure, `--s${index % 6}`), width: 1.5, spanGaps: true, points: { show: one.x.length < 40, size: 5 },
      })),
    ],
  }, aligned(told.series));
  svg.replaceWith(plot.root);
  figure.querySelectorAll("figcaption, .legend").forEach((one) => one.remove());
  new ResizeObserver(() => { if (figure.clientWidth !== plot.width) plot.setSize(size()); }).observe(figure);
}

function drawAll(root) {
  root.querySelectorAll("figure[data-chart]").forEach((figure) => {
    draw(figure);
    figure.removeAttribute("data-chart");
  });
  performance.mark("studio-drawn");
}

document.addEventListener("DOMContentLoaded", () => drawAll(document));
document.addEventListener("htmx:load", (event) => drawAll(event.target));

// What a person has chosen, marked or scrolled to stays: it is not replaced meanwhile.
document.addEventListener("htmx:beforeRequest", (event) => {
  const selection = document.getSelection();
  const marked = selection && !selection.isCollapsed && event.target.contains(selection.anchorNode);
  const scrolled = "list" in event.target.dataset && window.scrollY > 100;
  if (scrolled || event.target.querySelector(":checked, details[open]") || (marked && event.target.id === "live")) event.preventDefault();
});

// A log that is read at its end stays there.
document.addEventListener("htmx:beforeSwap", (event) => {
  const log = event.target.closest("pre.log");
  if (log) log.dataset.end = log.scrollHeight - log.scrollTop - log.clientHeight < 40 ? "1" : "";
});
document.addEventListener("htmx:afterSettle", () => {
  document.querySelectorAll("pre.log[data-end='1']").forEach((log) => { log.scrollTop = log.scrollHeight; });
});
document.addEventListener("DOMContentLoaded", () => {
  document.querySelectorAll("pre.log").forEach((log) => { log.scrollTop = log.scrollHeight; });
});

// In a narrow window the pages are one row that scrolls: the page that is shown is in sight.
document.addEventListener("DOMContentLoaded", () => {
  const side = document.querySelector(".side"), here = side?.querySelector("[aria-current]");
  if (here) side.scrollLeft = here.offsetLeft - (side.clientWidth - here.offsetWidth) / 2;
});
