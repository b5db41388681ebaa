// One figure: a map or a picture with its caption. Its words are those of the frame, put in as text, never as markup.

const el = (tag, attributes = {}, ...inside) => {
  const made = document.createElement(tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...inside);
  return made;
};
const svg = (tag, attributes = {}, ...inside) => {
  const made = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const name in attributes) made.setAttribute(name, attributes[name]);
  made.append(...inside);
  return made;
};
const known = value => typeof value === "number" && isFinite(value);
const lastPart = name => name.split(/[\\/]/).pop() || name;

// As kerasviz.pictures.captions: 0.56, 12, 1,234, 3.2e−4, with a true minus.
function figure(value, digits = 2) {
  if (!known(value)) return "not a number";
  const size = Math.abs(value);
  const text = size === 0 ? "0"
    : size < .001 || size >= 1e6 ? value.toExponential(1).replace("e+", "e")
    : Math.abs(+value.toPrecision(digits)) >= 10 ** digits ? Math.round(value).toLocaleString("en")
    : value.toPrecision(digits);
  return text.replace(/-/g, "−");
}
const chance = p => !known(p) ? "" : p >= .01 ? p.toFixed(2) : "< 0.01";

const TINY = 64, ENLARGED = 256; // pixels a side: photographs up to TINY are enlarged by whole pixels
const WHOLE = [0, 0, 1, 1];

// The drawing's size for a photograph (w, h) that is shown `shown` device pixels wide.
function drawingSize(w, h, shown) {
  const longest = Math.max(w, h);
  if (longest <= TINY) return { wide: w * Math.floor(ENLARGED / longest), high: h * Math.floor(ENLARGED / longest), smooth: false };
  const shrink = Math.min(1, Math.max(shown, 64) / w);
  return { wide: Math.max(1, Math.round(w * shrink)), high: Math.max(1, Math.round(h * shrink)), smooth: true };
}

// Photographs, decoded once; their pixels at the size last drawn.
function groundOf(row, shown) {
  if (!row.picture) return null;
  const { wide, high, smooth } = drawingSize(row.picture.width, row.picture.height, shown), key = wide + "x" + high;
  row.grounds = row.grounds || new Map();
  if (!row.grounds.has(key)) {
    if (row.grounds.size > 1) row.grounds.delete(row.grounds.keys().next().value);
    row.grounds.set(key, { wide, high, pixels: pixelsOf(row.picture, wide, high, smooth) });
  }
  return row.grounds.get(key);
}

const isDark = () => document.documentElement.dataset.theme
  ? document.documentElement.dataset.theme === "dark"
  : matchMedia("(prefers-color-scheme: dark)").matches;
const printing = matchMedia("print");
// Paper is white or dark: ink and grey change places.
function paperTable(column) {
  if (column.paper !== "ink" && column.paper !== "grey") return column.paper;
  return isDark() && !printing.matches ? "grey" : "ink";
}
function unseenColour() {
  const hex = getComputedStyle(document.documentElement).getPropertyValue("--void").trim().slice(1);
  const long = hex.length === 3 ? [...hex].map(c => c + c).join("") : hex;
  return [0, 2, 4].map(i => parseInt(long.slice(i, i + 2), 16));
}
const isAlone = (column, view) => view === "heatmap" || (column.alone && view === "overlay");

function boxesOf(row) {
  if (!row.boxes.length) return [];
  const rects = kind => row.boxes.map(([x0, y0, x1, y1]) => svg("rect", { class: kind, x: x0, y: y0, width: Math.max(0, x1 - x0), height: Math.max(0, y1 - y0) }));
  return [svg("svg", { class: "box", viewBox: "0 0 1 1", preserveAspectRatio: "none", "aria-hidden": "true" }, ...rects("under"), ...rects("over"))];
}

// The figure of one row and column; `show(cell, context)` fills it. In `context`: view, scale, limit (of the scale),
// moved and inside, when, shown (width in device pixels). What must be unpacked comes a moment later, unless another
// `show` came first.
class Figure {
  constructor(row, column, { large = false, noted = false, measured = false } = {}) {
    Object.assign(this, { row, column, large, cell: null, turn: 0 });
    this.canvas = el("canvas", { width: 1, height: 1, role: "img" });
    this.image = el("img", { alt: "" });
    this.say = el("span", { class: "say" });
    this.frame = el(large ? "div" : "button", large ? { class: "sheet" } : { class: "sheet", type: "button" },
      this.canvas, this.image, this.say, ...boxesOf(row));
    this.name = column.title + (column.question ? ", " + column.question : "");
    this.size = el("span");
    this.target = el("span", column.kind === "map" ? {} : { hidden: "" });
    this.measures = el("span", measured ? {} : { hidden: "" });
    this.note = el("span", noted ? { class: "note" } : { class: "note", hidden: "" });
    this.box = el("figure", {}, this.frame,
      el("figcaption", {}, el("b", { class: "name" }, this.name), this.size, this.target, this.measures, this.note));
    this.frame.addEventListener("pointermove", event => this.read(event));
    this.frame.addEventListener("pointerleave", () => tip());
  }

  show(cell, context) {
    const turn = ++this.turn, map = cell && !cell.failed ? mapOf(cell) : null;
    if (map && map.then) return map.then(() => turn === this.turn ? this.show(cell, context) : null);
    this.cell = cell;
    this.words(cell, context);
    const nothing = !cell || cell.failed || !(map || cell.picture);
    const zero = map && !cell.limit && context.view !== "photograph" && (!this.row.picture || isAlone(this.column, context.view));
    this.frame.disabled = !cell && !this.large;
    this.frame.classList.toggle("silent", Boolean(nothing || zero));
    this.image.hidden = nothing || !cell.picture;
    this.canvas.hidden = nothing || zero || !map;
    this.say.hidden = !(nothing || zero);
    this.frame.classList.toggle("alone", !this.canvas.hidden && isAlone(this.column, context.view));
    if (nothing || zero) {
      this.speak(cell);
      say(this.note, ""); // it stands in the figure's place
    }
    else if (map) this.paint(cell, map, context);
    else this.picture(cell, context);
    return null;
  }

  speak(cell) {
    const failed = Boolean(cell && cell.failed);
    const text = cell && cell.note || (failed ? "Nothing could be computed." : cell && cell.size ? "All values are 0." : "Not asked about this picture.");
    this.say.className = failed ? "say bad" : "say";
    this.say.replaceChildren(...(failed ? [el("span", { class: "badge bad" }, "failed")] : []), el("span", { title: text }, text));
  }

  words(cell, { scale, limit, moved, inside }) {
    const there = cell && !cell.failed ? cell : {}, map = there.limit !== undefined;
    const clipped = there.max > there.limit * 1.0001, of = scale === "one" && limit ? " of " + figure(limit) : "";
    say(this.size, !map ? "" : !there.limit ? "all 0" : `${clipped ? "limit" : "max"} ${figure(there.limit)}${of}`);
    if (clipped) this.size.title += `, the largest value is ${figure(there.max)}`;
    say(this.target, [there.target && there.target !== this.row.title && "for " + there.target, known(there.score) && "score " + figure(there.score, 3)]);
    say(this.measures, map && [known(moved) && "moved " + figure(moved), known(inside) && "inside " + figure(inside)]);
    say(this.note, there.note || "");
  }

  picture(cell, context) {
    this.image.src = "data:image/webp;base64," + cell.picture;
    this.image.alt = this.describe(context);
    this.ratio(cell.size[1] / cell.size[0]);
  }

  paint(cell, map, context) {
    const { row, column, canvas } = this;
    const ground = groundOf(row, context.shown), lone = !ground || isAlone(column, context.view);
    const { wide, high } = ground || drawingSize(map.w, map.h, context.shown);
    if (!ground) this.ratio(map.w / map.h);
    if (canvas.width !== wide || canvas.height !== high) { canvas.width = wide; canvas.height = high; }
    const drawing = canvas.getContext("2d"), out = drawing.createImageData(wide, high);
    if (ground && context.view === "photograph") out.data.set(ground.pixels);
    else {
      const name = lone ? paperTable(column) : column.colormap;
      const shares = place(map, column.signed, wide, high, ground ? row.seen : WHOLE, lone && !column.alone);
      const style = { ...coloursOf(column, name), alpha: LAYOUT.alpha, gain: gainOf(cell, context), unseen: lone ? unseenColour() : null };
      if (lone) alone(out.data, shares, style);
      else overlay(out.data, ground.pixels, shares, style);
    }
    drawing.putImageData(out, 0, 0);
    canvas.setAttribute("aria-label", `${this.describe(context)}, maximum ${figure(cell.max)} ${column.unit}`.trim());
  }

  describe(context) { return `${this.name}, ${this.row.title || this.row.name}, ${context.when}`; }
  ratio(value) { if (value > 0 && isFinite(value)) this.box.style.setProperty("--r", value); }

  // The value under the pointer.
  read(event) {
    const map = this.cell && !this.cell.failed ? this.cell.map : null;
    if (!map || map.then) return tip();
    const { left, top, width, height } = this.frame.getBoundingClientRect();
    const found = valueAt(map, this.column.signed, this.cell.limit || 0, this.row.picture ? this.row.seen : WHOLE,
      (event.clientX - left) / width, (event.clientY - top) / height);
    tip(found ? `${figure(found.value)} ${this.column.unit}\ncell ${found.x}, ${found.y}` : "not seen by the network", event);
  }
}

// Words of a caption, with the whole of them where they are cut off.
function say(place, words) {
  place.textContent = place.title = [words].flat().filter(Boolean).join(", ");
}
const coloursOf = (column, name) => ({ table: tableOf(name), halved: column.signed || SUMMARY.diverging.includes(name), signed: column.signed });
// A cell's own limit, as a share of the scale's.
const gainOf = (cell, { scale, limit }) => scale === "one" && limit > 0 ? cell.limit / limit : 1;

function tip(text, event) {
  const box = document.getElementById("tip");
  box.style.visibility = text ? "visible" : "hidden";
  if (!text) return;
  box.textContent = text;
  box.style.left = Math.max(4, Math.min(event.clientX + 14, innerWidth - box.offsetWidth - 4)) + "px";
  box.style.top = Math.min(event.clientY + 14, innerHeight - box.offsetHeight - 4) + "px";
}
