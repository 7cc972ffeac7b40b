// Puts what the server sends in place of what is shown (the server has escaped it), tells the values under the pointer, and
// smooths curves.
"use strict";
const SVG = "http://www.w3.org/2000/svg";
const connection = document.getElementById("connection");
const live = document.getElementById("live");
const slider = document.getElementById("smoothing");

function decorate() {
  for (const plot of live.querySelectorAll("[data-values]")) {
    const values = JSON.parse(plot.dataset.values || "null");
    const svg = plot.querySelector("svg");
    if (!values || !svg) continue;
    smooth(plot, svg, values);
    plot.onpointermove = (event) => tell(plot, svg, values, event);
    plot.onpointerleave = () => tell(plot, svg, values, null);
  }
}

// From values to places, as the server has drawn them.
function placed(values, [x, y]) {
  const [left, top, right, bottom] = values.places;
  const up = Math.min(y, values.top) / values.top;
  return [left + (x / values.last) * (right - left), bottom - up * (bottom - top)];
}

// The exponential mean that TensorBoard shows: corrected for its beginning.
function mean(points, weight) {
  let sum = 0;
  let share = 0;
  return points.map(([x, y]) => {
    sum = weight * sum + (1 - weight) * y;
    share = weight * share + (1 - weight);
    return [x, sum / share];
  });
}

function smooth(plot, svg, values) {
  svg.querySelector("g.smooth")?.remove();
  const weight = Number(slider?.value || 0);
  plot.classList.toggle("smoothed", weight > 0);
  if (!weight) return;
  const group = svg.appendChild(document.createElementNS(SVG, "g"));
  group.setAttribute("class", "smooth");
  for (const { colour, points } of values.series) {
    const line = group.appendChild(document.createElementNS(SVG, "polyline"));
    line.setAttribute("points", mean(points, weight).map((point) => placed(values, point).join()).join(" "));
    line.setAttribute("fill", "none");
    line.setAttribute("stroke", colour);
    line.setAttribute("stroke-width", "2.5");
  }
}

function short(value) {
  return Math.abs(value) < 1e-3 && value !== 0 ? value.toExponential(2) : value.toFixed(4);
}

function tell(plot, svg, values, event) {
  svg.querySelector("line.pointer")?.remove();
  plot.querySelector(".tip")?.remove();
  if (!event) return;
  const box = svg.getBoundingClientRect();
  const [left, top, right, bottom] = values.places;
  const pixels = ((event.clientX - box.left) / box.width) * svg.viewBox.baseVal.width;
  const at = ((pixels - left) / (right - left)) * values.last;
  if (at < 0 || at > values.last) return;
  const near = (points) => points.reduce((a, b) => (Math.abs(b[0] - at) < Math.abs(a[0] - at) ? b : a));
  const line = svg.appendChild(document.createElementNS(SVG, "line"));
  const place = { x1: pixels, x2: pixels, y1: top, y2: bottom };
  for (const [key, value] of Object.entries(place)) line.setAttribute(key, value);
  line.setAttribute("class", "pointer");
  const tip = plot.appendChild(document.createElement("div"));
  tip.className = "tip";
  const parts = values.series.filter((series) => series.points.length).map((series) => {
    const [x, y] = near(series.points);
    return `${series.label || "value"} ${short(y)} (${Number(x.toFixed(2))})`;
  });
  tip.textContent = `epoch ${at.toFixed(2)}: ${parts.join(", ")}`;
}

if (slider) {
  slider.value = sessionStorage.getItem("smoothing") || "0";
  const shown = document.getElementById("smoothed");
  shown.textContent = slider.value;
  slider.oninput = () => {
    sessionStorage.setItem("smoothing", slider.value);
    shown.textContent = slider.value;
    decorate();
  };
}
decorate();
const source = new EventSource(document.body.dataset.events);
source.addEventListener("live", (event) => {
  live.innerHTML = JSON.parse(event.data);
  decorate();
});
source.onopen = () => { connection.textContent = "live"; connection.classList.add("running"); };
source.onerror = () => { connection.textContent = "not live"; connection.classList.remove("running"); };
