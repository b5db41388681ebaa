// The columns' heads with their legends, and the rows: who is on the picture, what the network thinks, its figures.

const cssColour = (table, k) => `rgb(${table[3 * k]} ${table[3 * k + 1]} ${table[3 * k + 2]})`;
const tables = new Map(); // decoded
function tableOf(name) {
  if (!tables.has(name)) tables.set(name, bytes(SUMMARY.tables[Object.hasOwn(SUMMARY.tables, name) ? name : "inferno"]));
  return tables.get(name);
}

function gradientOf(column, name) {
  const { table, halved } = coloursOf(column, name), from = halved && !column.signed ? 128 : 0;
  return Array.from({ length: 17 }, (_, k) => cssColour(table, Math.round(from + (255 - from) * k / 16))).join();
}

function makeHeads(box) {
  box.append(el("small", {}, plural(LAYOUT.rows.filter(row => row.photo).length, "picture", "pictures")), el("b", {}, "Photograph"));
  const updates = LAYOUT.columns.map(column => {
    const bar = el("i"), low = el("span"), high = el("span");
    const legend = el("div", { class: "legend" }, low, bar, high);
    const name = el("b", { class: "name" }, column.title), question = el("small", { class: "name" }, column.question);
    box.append(el("div", { title: [column.title, column.question, column.words].filter(Boolean).join(", ") }, name, ...(column.question ? [question] : []), ...(column.kind === "map" ? [legend] : [])));
    return ({ view, scale }) => {
      const limit = scale === "one" ? "row’s limit" : "own limit";
      bar.style.background = `linear-gradient(90deg, ${gradientOf(column, isAlone(column, view) ? paperTable(column) : column.colormap)})`;
      low.textContent = column.signed ? "−" : "0";
      high.textContent = (column.signed ? "+ " : "") + limit + (column.unit ? ", " + column.unit : "");
      high.title = high.textContent;
    };
  });
  return context => updates.forEach(update => update(context));
}

// A row of the page. `row.facts(k, standing)`, `row.show(frame, context)`.
function makeRow(row, number) {
  const spark = makeSpark(SUMMARY.chances[number], SUMMARY.dumps), sure = el("small"), guess = el("div", { class: "guess" });
  const title = row.title || lastPart(row.name);
  const who = el("div", { class: "who" }, el("h2", { title }, title), ...(row.title ? [el("small", { class: "file", title: row.name }, lastPart(row.name))] : []));
  const facts = el("div", { class: "facts" }, who, el("div", { class: "sure" }, spark.box, sure), guess);
  row.figures = LAYOUT.columns.map(column => new Figure(row, column, {
    noted: SUMMARY.noted[column.key][number], measured: SUMMARY.measured.includes(column.key) }));
  row.box = el("article", { class: "row cols", "aria-label": title }, facts, photographOf(row), ...row.figures.map(one => one.box));
  row.box.row = row;
  if (row.ratio) row.box.style.setProperty("--r", row.ratio);
  row.figures.forEach((one, k) => one.frame.addEventListener("click", () => enlarge(row, number, k)));
  row.say = (k, standing) => {
    spark.at(k);
    const rank = known(standing.rank) ? standing.rank === 1 ? "predicted" : "ranked " + standing.rank.toLocaleString("en") : "";
    const p = known(standing.probability) ? "p " + chance(standing.probability) : "";
    const whose = !row.title && standing.name ? standing.name : "";
    sure.textContent = [whose, p, rank].filter(Boolean).join(", ");
    guess.replaceChildren(...(standing.guesses || []).slice(0, 3).flatMap(([name, q]) => guessOf(name, q, name === (row.title || standing.name))));
  };
}

function guessOf(name, q, hit) {
  const bar = el("u");
  bar.style.width = 100 * Math.max(0, Math.min(1, known(q) ? q : 0)) + "%";
  return [el("span", { class: hit ? "hit" : "", title: name }, name, bar), el("span", { class: "p" }, chance(q))];
}

function photographOf(row) {
  if (!row.photo) return el("figure", {}, el("div", { class: "sheet silent" }, el("span", { class: "say" }, "The network itself: no photograph.")));
  const image = el("img", { src: "data:image/webp;base64," + row.photo, alt: row.title || row.name, decoding: "async" });
  const [h, w] = row.shape || [0, 0], size = row.size.map(n => n.toLocaleString("en"));
  row.ratio = w / h || 1;
  const tiny = Math.max(w, h) <= TINY ? " tiny" : "";
  return el("figure", { class: tiny.trim() }, el("div", { class: "sheet" }, image, ...boxesOf(row)),
    el("figcaption", {}, el("b", { class: "name" }, "Photograph"), el("span", {}, `${size[1]} × ${size[0]}`)));
}

// The small print: what each column is, how to read the maps, what is missing.
function footer(box) {
  const columns = LAYOUT.columns, maps = columns.filter(c => c.kind === "map"), say = text => box.append(el("p", {}, text));
  for (const c of columns) if (c.words) say(`${[c.title, c.question].filter(Boolean).join(", ")}: ${c.words}.`);
  const measured = SUMMARY.plots.map(plot => plot.title);
  const parts = [
    maps.some(c => !c.alone) && `Overlays: nearly grey photographs, opacity ${LAYOUT.alpha.toFixed(2)} × √share of the limit, maps stretched bilinearly; heatmaps show the cells as computed.`,
    maps.some(c => c.alone) && "Maps as fine as the pixels stand alone on paper, averaged to at most 64 cells a side.",
    maps.some(c => c.signed) && "Of signed maps red supports, blue opposes.",
    maps.length && "One scale: the limit of a row and column is the largest of all dumps, so colours can be compared over time. Own scale: each map by its own limit.",
    measured.includes("Moved") && "Moved: 1 minus the rank correlation with the dump before; 0 the same order of places, 1 unrelated.",
    measured.includes("Inside boxes") && "Inside boxes: the share of a map’s positive values that lies in the boxes.",
  ];
  say(parts.filter(Boolean).join(" "));
  const left = [
    SUMMARY.skipped && `${plural(SUMMARY.skipped, "dump was", "dumps were")} skipped to keep the time budget.`,
    SUMMARY.gone && `${plural(SUMMARY.gone, "dump of the journal is", "dumps of the journal are")} no longer on the disk or cannot be read.`,
  ];
  if (left.some(Boolean)) say(left.filter(Boolean).join(" "));
}
const plural = (count, one, many) => `${count.toLocaleString("en")} ${count === 1 ? one : many}`;
