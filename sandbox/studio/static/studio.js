"use strict";
// What a page can do without is done here: charts that answer to the pointer, and the mark of speed measurements.

function colour(element, name) {
  return getComputedStyle(element).getPropertyValue(name).trim();
}

function aligned(series) {
  const xs = [...new Set(series.flatMap((one) => one.points.map((point) => point[0])))].sort((a, b) => a - b);
  const columns = series.map((one) => {
    const found = new Map(one.points);
    return xs.map((x) => (found.has(x) ? found.get(x) : undefined));
  });
  return [xs, ...columns];
}

function draw(figure) {
  const told = JSON.parse(figure.dataset.chart);
  const svg = figure.querySelector("svg");
  if (!svg || !window.uPlot || told.series.every((one) => one.points.length < 2)) return;
  const size = () => ({ width: figure.clientWidth, height: Math.round(Math.min(320, Math.max(180, figure.clientWidth / 3))) });
  const axis = { stroke: colour(figure, "--quiet"), grid: { stroke: colour(figure, "--line"), width: 1 }, ticks: { show: false } };
  const plot = new uPlot({
    ...size(),
    scales: { x: { time: false } },
    axes: [{ ...axis, label: told.x, labelSize: 18 }, { ...axis, size: 64 }],
    series: [
      { label: told.x },
      ...told.series.map((one, index) => ({
        label: one.name, stroke: colour(figure, `--s${index % 6}`), width: 1.5, spanGaps: true, points: { show: one.points.length < 40, size: 5 },
      })),
    ],
  }, aligned(told.series));
  svg.replaceWith(plot.root);
  figure.querySelectorAll("figcaption, .legend").forEach((one) => one.remove());
  new ResizeObserver(() => plot.setSize(size())).observe(figure);
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
