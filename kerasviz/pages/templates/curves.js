// Curves of the metrics, the axis of time under them, and the small curve of a row; all on the same axis.

const INSET = 8; // from the plot's edge to its first and last time, so that the slider's thumb stands under its mark

function domainOf(dumps, epochs) {
  const all = [...dumps.map(dump => dump.x), ...epochs];
  const first = all.reduce((a, b) => Math.min(a, b), all[0] || 0), last = all.reduce((a, b) => Math.max(a, b), first);
  return { first, last: last > first ? last : first + 1 };
}
const along = (x, wide, inset = INSET) => inset + (wide - 2 * inset) * (x - DOMAIN.first) / (DOMAIN.last - DOMAIN.first);

// The path of points (epoch, value or null); a null is a gap.
function pathOf(points, wide, top, tall, low, high, inset = INSET) {
  let path = "", pen = "M";
  for (const [x, value] of points) {
    if (!known(value)) { pen = "M"; continue; }
    path += `${pen}${along(x, wide, inset).toFixed(1)} ${(top + tall - tall * (value - low) / (high - low)).toFixed(1)}`;
    pen = "L";
  }
  return path;
}
// The last point at or before a time.
function pointAt(points, x) {
  let low = 0, high = points.length;
  while (low < high) { const middle = (low + high) >> 1; if (points[middle][0] <= x + 1e-9) low = middle + 1; else high = middle; }
  return low ? points[low - 1] : null;
}
const lineClass = (plot, k) => plot.lines[k].name === "validation" ? "check" : `line-${k + 1}`;

function makeMetrics(plots, box, drawing, dumps) {
  const gutter = plots.map(plot => {
    const single = plot.lines[0].name === "";
    const main = single ? el("b") : null;
    const values = plot.lines.map((line, k) => {
      if (line.name === "") return main;
      const value = el("span"), sample = svg("svg", { viewBox: "0 0 18 8" }, svg("path", { class: "curve " + lineClass(plot, k), d: "M0 4H18" }));
      value.line = el("div", { class: "second", title: line.name }, sample, el("span", {}, line.name), value);
      return value;
    });
    const head = el("div", { title: plot.title }, el("span", {}, plot.title), ...(main ? [main] : []));
    box.append(el("div", { class: "metric" + (single ? "" : " many") + (plot.measured ? " measured" : "") }, head, ...values.filter(v => v && v.line).map(v => v.line)));
    return values;
  });
  let marks = [], guide = null, wide = 0;

  function draw() {
    wide = drawing.clientWidth;
    drawing.replaceChildren();
    guide = drawing.appendChild(svg("line", { class: "guide" }));
    let top = 0;
    marks = plots.map((plot, k) => {
      const row = box.children[k], tall = row.offsetHeight - 18, y = top + 8;
      top += row.offsetHeight;
      if (!row.offsetHeight) return [];
      for (const [at, value] of [[y, plot.high], [y + tall, plot.low]])
        drawing.append(svg("line", { class: "hair", x1: 0, x2: wide, y1: at, y2: at }), svg("text", { x: -6, y: at + 4, "text-anchor": "end" }, short(value)));
      for (let n = plot.lines.length - 1; n >= 0; n--)
        drawing.append(svg("path", { class: "curve " + lineClass(plot, n), d: pathOf(plot.lines[n].points, wide, y, tall, plot.low, plot.high) }));
      return plot.lines.map((line, n) => {
        const mark = drawing.appendChild(svg("circle", { class: "mark fill-" + lineClass(plot, n).replace("line-", ""), r: 4 }));
        return value => mark.setAttribute("cy", y + tall - tall * (value - plot.low) / (plot.high - plot.low)) || mark;
      });
    });
    const away = innerHeight < 700 ? top : plots.reduce((sum, plot, k) => sum + (plot.measured ? box.children[k].offsetHeight : 0), 0);
    document.querySelector(".page").style.setProperty("--away", away + "px");
    drawing.style.height = top + "px";
    guide.setAttribute("y1", 0);
    guide.setAttribute("y2", top + 20);
  }

  function mark(x) {
    const at = along(x, wide);
    if (guide) { guide.setAttribute("x1", at); guide.setAttribute("x2", at); }
    plots.forEach((plot, k) => plot.lines.forEach((line, n) => {
      const point = pointAt(line.points, x), value = point && point[1];
      if (gutter[k][n]) gutter[k][n].textContent = known(value) ? figure(value, 3) : "–";
      if (!marks[k] || !marks[k][n]) return;
      const dot = marks[k][n](known(value) ? value : plot.low);
      dot.setAttribute("cx", at);
      dot.setAttribute("visibility", known(value) && Math.abs(point[0] - x) < 1e-6 ? "visible" : "hidden");
    }));
  }
  return { draw, mark };
}
const short = value => known(value) ? String(+value.toPrecision(3)).replace("-", "−").replace("e+", "e") : "";

// Ticks: a stop of the slider is a long one, an epoch without pictures a short one; whole epochs are numbered.
function drawAxis(drawing, dumps, epochs) {
  const wide = drawing.clientWidth, room = wide - 2 * INSET, span = DOMAIN.last - DOMAIN.first;
  const stops = new Set(dumps.map(dump => dump.x)), path = { none: "", stop: "" };
  if (room / Math.max(1, epochs.length) >= 3)
    for (const epoch of epochs) if (!stops.has(epoch)) path.none += `M${along(epoch, wide).toFixed(1)} 0v4`;
  for (const x of stops) path.stop += `M${along(x, wide).toFixed(1)} 0v7`;
  const every = [1, 2, 5].flatMap(n => [n, 10 * n, 100 * n, 1000 * n, 10000 * n]).sort((a, b) => a - b).find(n => room * n / span >= 48) || 1e5;
  const numbers = [];
  for (let epoch = Math.ceil(DOMAIN.first / every) * every; epoch <= DOMAIN.last; epoch += every)
    numbers.push(svg("text", { x: along(epoch, wide), y: 19, "text-anchor": "middle" }, String(epoch)));
  drawing.replaceChildren(svg("path", { class: "none", d: path.none }), svg("path", { class: "stop", d: path.stop }), ...numbers);
}

// The probability of a row's class over the dumps, 0 to 1.
function makeSpark(values, dumps) {
  const wide = 186, tall = 34, inset = 4, points = dumps.map((dump, k) => [dump.x, values[k]]);
  const mark = svg("circle", { class: "mark fill-1", r: 3.5 });
  const box = svg("svg", { class: "spark", viewBox: `0 0 ${wide} ${tall}`, "aria-hidden": "true" },
    svg("path", { class: "hair", d: `M0 0H${wide}M0 ${tall}H${wide}` }), svg("path", { class: "curve line-1", d: pathOf(points, wide, 0, tall, 0, 1, inset) }), mark);
  return { box, at: k => {
    mark.setAttribute("visibility", known(values[k]) ? "visible" : "hidden");
    mark.setAttribute("cx", along(dumps[k].x, wide, inset));
    mark.setAttribute("cy", tall - tall * (values[k] || 0));
  } };
}
