// The page: its state, the dumps, what moves it.

const $ = id => document.getElementById(id);
const LAYOUT = JSON.parse($("layout").textContent), SUMMARY = JSON.parse($("summary").textContent);
const DUMPS = SUMMARY.dumps, FRAMES = [...document.querySelectorAll("script.frame")], DOMAIN = domainOf(DUMPS, SUMMARY.epochs);
const CHOICES = { view: ["overlay", "heatmap", "photograph"], scale: ["one", "own"] };
const KEPT = 24; // decoded dumps
const FORSAKEN = 3600; // seconds after which a page that nobody wrote again is no longer waited for
const REREAD = 20; // seconds between looks for a newer page, while training goes on
const LAST = DUMPS.length - 1;
const state = { at: LAST, view: "overlay", scale: "one", boxes: false };
const inSight = new Set();
let large = null; // {row, number, column, figure}

// ---- dumps, read when they are shown, the last ones kept
const frames = new Map();
function frameAt(k) {
  let frame = frames.get(k);
  if (!frame) frame = JSON.parse(FRAMES[k].textContent);
  frames.delete(k);
  frames.set(k, frame);
  if (frames.size > KEPT) frames.delete(frames.keys().next().value);
  return frame;
}
const part = (frame, what, key, row) => { const of = frame[what] && frame[what][key]; return of ? of[row] : undefined; };
const measure = (frame, key, name, row) => { const of = part(frame, "measures", key, name); return of ? of[row] : null; };

const whenOf = dump => `${dump.unit} ${dump.number.toLocaleString("en")}`;
const WHY = { improved: "improved", end: "end of training" };
const whyOf = dump => [dump.unit === "step" ? `epoch ${dump.epoch + (dump.x > dump.epoch ? 1 : 0)}` : "",
  dump.why === "start" ? (dump.step || dump.epoch ? "training goes on" : "before training") : WHY[dump.why] || ""].filter(Boolean).join(", ");

// ---- drawing
function contextOf(frame, number, column, figure) {
  const shown = Math.ceil((figure.frame.clientWidth || 200) * Math.min(2, devicePixelRatio || 1));
  return { view: state.view, scale: state.scale, limit: SUMMARY.limits[column.key][number], when: whenOf(DUMPS[state.at]), shown,
    moved: measure(frame, column.key, "moved", number), inside: measure(frame, column.key, "inside", number) };
}
async function photographReady(row) {
  if (!row.photo || row.picture) return;
  row.decoding = row.decoding || bitmap(row.photo).then(picture => row.picture = picture, () => null);
  await row.decoding;
}
// Draws a row at the present dump; gives a promise of when all of it stands there.
async function drawRow(row) {
  await photographReady(row);
  if (state.at < 0) return;
  const frame = frameAt(state.at);
  row.say(state.at, frame.standings[row.number] || {});
  await Promise.all(LAYOUT.columns.map((column, k) =>
    row.figures[k].show(part(frame, "cells", column.key, row.number) || null, contextOf(frame, row.number, column, row.figures[k]))));
  row.drawn = stamp();
}
const stamp = () => [state.at, state.view, state.scale, isDark(), printing.matches].join();
function drawLarge() {
  if (!large || state.at < 0) return;
  const frame = frameAt(state.at), { row, column, figure } = large;
  $("large").querySelector("small").textContent = whenOf(DUMPS[state.at]);
  figure.show(part(frame, "cells", column.key, row.number) || null, contextOf(frame, row.number, column, figure));
}
let settling = 0;
async function update() {
  const dump = DUMPS[state.at];
  if (dump) {
    $("time").value = dump.x;
    $("time").setAttribute("aria-valuetext", whenOf(dump));
    $("now").textContent = whenOf(dump);
    $("why").textContent = $("why").title = whyOf(dump);
  }
  metrics.mark(dump ? dump.x : DOMAIN.last);
  heads(state);
  document.body.classList.toggle("boxed", state.boxes);
  if ($("boxes")) $("boxes").setAttribute("aria-pressed", state.boxes);
  remember();
  clearTimeout(settling);
  drawLarge();
  await Promise.all([...inSight].map(drawRow));
  clearTimeout(settling);
  settling = setTimeout(finish, 400); // rows out of sight, when nothing moves: for print, and for those who scroll fast
}
async function finish() {
  for (const row of LAYOUT.rows) {
    if (timer) return;
    if (row.drawn !== stamp()) await drawRow(row);
  }
}

// ---- what moves it
function go(k) {
  const at = Math.max(0, Math.min(LAST, k));
  if (LAST < 0 || at === state.at) return $("time").value = LAST < 0 ? 0 : DUMPS[at].x;
  state.at = at;
  return update();
}
function nearest(x) {
  let best = 0;
  DUMPS.forEach((dump, k) => { if (Math.abs(dump.x - x) < Math.abs(DUMPS[best].x - x)) best = k; });
  return best;
}
let timer = 0;
function play(on = !timer) {
  const was = timer;
  clearTimeout(timer);
  timer = 0;
  $("play").textContent = on && LAST > 0 ? "❚❚ Pause" : "▶ Play";
  if (!on || LAST < 1) return was ? update() : null;
  const pace = matchMedia("(prefers-reduced-motion: reduce)").matches ? 1200 : 400;
  const step = async () => {
    const began = performance.now();
    await go(state.at + 1);
    if (state.at === LAST) play(false);
    if (timer) timer = setTimeout(step, Math.max(20, pace - (performance.now() - began)));
  };
  timer = setTimeout(step, pace);
  if (state.at === LAST) go(0);
}
function choose(name, value) {
  state[name] = value;
  for (const input of document.getElementsByName(name)) input.checked = input.value === value;
  return update();
}
const following = name => choose(name, CHOICES[name][(CHOICES[name].indexOf(state[name]) + 1) % CHOICES[name].length]);
function theme() { document.documentElement.dataset.theme = isDark() ? "light" : "dark"; update(); }
function boxes() { if ($("boxes")) { state.boxes = !state.boxes; update(); } }
function enlarge(row, number, k) {
  const column = LAYOUT.columns[k], figure = new Figure(row, column, { large: true, noted: SUMMARY.noted[column.key][number], measured: SUMMARY.measured.includes(column.key) });
  large = { row, column, figure };
  figure.ratio(row.ratio || 1);
  $("large-title").textContent = `${row.title || lastPart(row.name)}, ${figure.name}`;
  $("large").querySelector(".large").replaceChildren(figure.box);
  tip();
  $("large").showModal();
  drawLarge();
}

// ---- the state in the address: what is not as usual, so that a link, or a newer page, shows the same
function remember() {
  const words = new URLSearchParams();
  if (state.at >= 0 && state.at < LAST) words.set("at", DUMPS[state.at].folder);
  for (const name in CHOICES) if (state[name] !== CHOICES[name][0]) words.set(name, state[name]);
  if (state.boxes) words.set("boxes", "1");
  if (document.documentElement.dataset.theme) words.set("theme", document.documentElement.dataset.theme);
  const hash = words.toString() ? "#" + words : "";
  if (hash !== location.hash) try { history.replaceState(null, "", hash || location.pathname + location.search); } catch { /* too often, says the browser */ }
}
function recall() {
  const words = new URLSearchParams(location.hash.slice(1)), at = DUMPS.findIndex(dump => dump.folder === words.get("at"));
  state.at = at >= 0 ? at : LAST;
  state.boxes = words.get("boxes") === "1" && Boolean($("boxes"));
  if (["light", "dark"].includes(words.get("theme"))) document.documentElement.dataset.theme = words.get("theme");
  for (const name in CHOICES) {
    state[name] = CHOICES[name].includes(words.get(name)) ? words.get(name) : CHOICES[name][0];
    for (const input of document.getElementsByName(name)) input.checked = input.value === state[name];
  }
}

// ---- while training goes on: the newer page, unless someone is looking at something that it would take away
let pressed = false;
function reread() {
  if (state.at === LAST && !timer && !pressed && !document.querySelector("dialog[open]")) location.reload();
}

// A training that was killed says no more: its page stops waiting, and does not say that it goes on.
function forsaken() {
  $("live").textContent = "no news for long";
}

function listen() {
  $("play").onclick = () => play();
  $("theme").onclick = theme;
  $("help").onclick = () => $("keys").showModal();
  if ($("boxes")) $("boxes").onclick = boxes;
  for (const name in CHOICES) for (const input of document.getElementsByName(name)) input.onchange = () => choose(name, input.value);
  $("time").oninput = () => { play(false); go(nearest(+$("time").value)); };
  $("time").onchange = () => { if (LAST >= 0) $("time").value = DUMPS[state.at].x; };
  const drag = event => {
    const { left, width } = $("plots").getBoundingClientRect();
    play(false);
    go(nearest(DOMAIN.first + (DOMAIN.last - DOMAIN.first) * (event.clientX - left - INSET) / (width - 2 * INSET)));
  };
  $("plots").onpointerdown = event => { $("plots").setPointerCapture(event.pointerId); $("plots").onpointermove = drag; drag(event); };
  $("plots").onpointerup = $("plots").onpointercancel = () => $("plots").onpointermove = null;
  $("large").onclose = () => large = null;
  $("large").onclick = event => { if (event.target === $("large")) $("large").close(); };
  addEventListener("pointerdown", () => pressed = true);
  for (const end of ["pointerup", "pointercancel"]) addEventListener(end, () => pressed = false);
  addEventListener("scroll", () => tip(), { passive: true });
  addEventListener("resize", () => requestAnimationFrame(resized));
  addEventListener("keydown", key);
  addEventListener("hashchange", () => { play(false); recall(); update(); });
  addEventListener("beforeprint", () => { play(false); LAYOUT.rows.forEach(drawRow); });
  addEventListener("afterprint", update);
  for (const query of [matchMedia("(prefers-color-scheme: dark)"), printing]) query.onchange = update;
}
const KEYS = { v: () => following("view"), s: () => following("scale"), b: boxes, t: theme, "?": () => $("keys").showModal() };
function key(event) {
  const { target } = event, typing = target.isContentEditable || (target.tagName === "INPUT" && !["range", "radio"].includes(target.type));
  if (event.ctrlKey || event.metaKey || event.altKey || typing || $("keys").open) return;
  const arrows = target.type !== "radio", range = target === $("time"), far = Math.max(1, Math.round(LAST / 10));
  const moves = { Home: 0, End: LAST, ...(arrows && { ArrowRight: state.at + 1, ArrowLeft: state.at - 1 }),
    ...(range && { ArrowUp: state.at + 1, ArrowDown: state.at - 1, PageUp: state.at + far, PageDown: state.at - far }) };
  const letter = event.key.length === 1 ? event.key.toLowerCase() : "";
  if (event.key in moves) { play(false); go(moves[event.key]); }
  else if (event.key === " " && target.tagName !== "BUTTON" && target.type !== "radio") play();
  else if (letter in KEYS && !(large && letter === "?")) KEYS[letter]();
  else return;
  event.preventDefault();
}

function resized() {
  metrics.draw();
  drawAxis($("axis"), DUMPS, SUMMARY.epochs);
  return update();
}

// ---- building
recall();
document.documentElement.style.setProperty("--n", LAYOUT.columns.length + 1);
const epochs = SUMMARY.epochs.length ? SUMMARY.epochs[SUMMARY.epochs.length - 1] : Math.max(0, ...DUMPS.map(dump => dump.epoch));
$("facts").textContent = [LAYOUT.model, plural(epochs, "epoch", "epochs"), plural(DUMPS.length, "dump", "dumps")].filter(Boolean).join(", ");
const metrics = makeMetrics(SUMMARY.plots, $("metrics"), $("plots")), heads = makeHeads($("heads"));
Object.assign($("time"), { min: DOMAIN.first, max: DOMAIN.last, disabled: LAST < 1 });
$("play").disabled = LAST < 1;
const sight = new IntersectionObserver(seen => seen.forEach(({ target, isIntersecting }) => {
  if (!isIntersecting) return inSight.delete(target.row);
  inSight.add(target.row);
  if (target.row.drawn !== stamp()) drawRow(target.row);
}), { rootMargin: "120px" });
LAYOUT.rows.forEach((row, number) => {
  row.number = number;
  makeRow(row, number);
  $("rows").append(row.box);
  sight.observe(row.box);
});
if (LAST < 0) $("rows").replaceChildren(el("p", { class: "empty" }, "No pictures yet: nothing has been dumped."));
footer($("foot"));
listen();
resized();
if (SUMMARY.live) setInterval(() => Date.now() - SUMMARY.written < 1000 * FORSAKEN ? reread() : forsaken(), 1000 * REREAD);
