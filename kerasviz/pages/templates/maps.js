"use strict";

// Numbers to pixels, with the formulas of kerasviz.inputs.fitting (place), pictures.colormaps and pictures.overlays:
// what the page shows is what the library draws.

const COLOUR_KEPT = .25; // of the photograph under a map

const bytes = text => Uint8Array.from(atob(text), c => c.charCodeAt(0));

// Which cells each drawn pixel of one axis reads, and with what weights. The map lies from `low` to `high`, as shares
// of the drawing; where its cells are finer than the pixels, each pixel takes the mean of its area.
function taps(drawn, cells, low, high, nearest) {
  const reach = cells / (drawn * (high - low)), many = reach > 1 + 1e-9;
  const count = many ? Math.ceil(reach) + 1 : nearest ? 1 : 2;
  const index = new Int32Array(drawn * count), weight = new Float32Array(drawn * count), seen = new Uint8Array(drawn);
  for (let i = 0; i < drawn; i++) {
    const share = ((i + .5) / drawn - low) / (high - low), at = share * cells - .5, edge = at + .5 - reach / 2;
    const first = Math.floor(many ? edge : nearest ? at + .5 : at);
    seen[i] = share > -1e-9 && share < 1 + 1e-9;
    for (let t = 0; t < count; t++) {
      const cell = first + t, k = i * count + t;
      index[k] = Math.min(Math.max(cell, 0), cells - 1);
      weight[k] = many ? Math.max(0, Math.min(cell + 1, edge + reach) - Math.max(cell, edge)) / reach
        : nearest ? 1 : t ? at - first : 1 - (at - first);
    }
  }
  return { count, index, weight, seen };
}

// Shares -1..1 of the map's own limit for each pixel of a drawing of the whole photograph, row by row; NaN where the
// network never looked. `map`: {h, w, share: uint8}; `seen`: (x0, y0, x1, y1) of its input, as shares of the photograph.
function place(map, signed, wide, high, seen, nearest) {
  const down = taps(high, map.h, seen[1], seen[3], nearest), across = taps(wide, map.w, seen[0], seen[2], nearest);
  const rows = new Float32Array(map.h * wide), out = new Float32Array(high * wide);
  const zero = signed ? 128 : 0, unit = signed ? 1 / 127 : 1 / 255;
  for (let y = 0; y < map.h; y++)
    for (let x = 0, k = 0; x < wide; x++) {
      let sum = 0;
      for (let t = 0; t < across.count; t++, k++) sum += across.weight[k] * (map.share[y * map.w + across.index[k]] - zero);
      rows[y * wide + x] = across.seen[x] ? sum * unit : NaN;
    }
  for (let y = 0; y < high; y++)
    for (let x = 0; x < wide; x++) {
      let sum = 0;
      for (let t = 0, k = y * down.count; t < down.count; t++, k++) sum += down.weight[k] * rows[down.index[k] * wide + x];
      out[y * wide + x] = down.seen[y] ? sum : NaN;
    }
  return out;
}

// Row 0..255 of a colour table; halved: 0 lies between rows 127 and 128.
function tableRow(share, halved) {
  if (!halved) return Math.round(share * 255);
  const steps = Math.round(Math.abs(share) * 127);
  return share < 0 ? 127 - steps : 128 + steps;
}

// The map over the nearly grey photograph: opacity = alpha * sqrt(|share|). `photo`: RGBA bytes; `gain`: the map's own
// limit, as a share of the scale's.
function overlay(out, photo, shares, { table, halved, signed, alpha, gain }) {
  for (let p = 0, i = 0; p < shares.length; p++, i += 4) {
    let share = Math.max(signed ? -1 : 0, Math.min(1, shares[p] * gain));
    if (!(share === share)) share = 0;
    const opacity = Math.min(1, alpha * Math.sqrt(Math.abs(share))), j = 3 * tableRow(share, halved);
    const grey = (1 - COLOUR_KEPT) * (.299 * photo[i] + .587 * photo[i + 1] + .114 * photo[i + 2]);
    for (let c = 0; c < 3; c++) {
      const ground = COLOUR_KEPT * photo[i + c] + grey;
      out[i + c] = ground + (table[j + c] - ground) * opacity;
    }
    out[i + 3] = 255;
  }
}

// The map alone; where the network never looked, the void colour of the page.
function alone(out, shares, { table, halved, signed, gain, unseen }) {
  for (let p = 0, i = 0; p < shares.length; p++, i += 4) {
    const share = Math.max(signed ? -1 : 0, Math.min(1, shares[p] * gain)), known = share === share;
    const j = known ? 3 * tableRow(share, halved) : 0;
    for (let c = 0; c < 3; c++) out[i + c] = known ? table[j + c] : unseen[c];
    out[i + 3] = 255;
  }
}

// The value of the cell under a place on the photograph (shares 0..1), or null where the network never looked.
function valueAt(map, signed, limit, seen, x, y) {
  const across = (x - seen[0]) / (seen[2] - seen[0]), down = (y - seen[1]) / (seen[3] - seen[1]);
  if (!(across >= 0 && across <= 1 && down >= 0 && down <= 1)) return null;
  const cx = Math.min(map.w - 1, Math.floor(across * map.w)), cy = Math.min(map.h - 1, Math.floor(down * map.h));
  const share = map.share[cy * map.w + cx];
  return { value: limit * (signed ? (share - 128) / 127 : share / 255), x: cx, y: cy };
}

// ---- decoding

// The pixels of a picture at a size, RGBA; `smooth` false repeats them.
const workshop = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
function pixelsOf(picture, wide, high, smooth = true) {
  workshop.canvas.width = wide;
  workshop.canvas.height = high;
  workshop.imageSmoothingEnabled = smooth;
  workshop.imageSmoothingQuality = "high";
  workshop.drawImage(picture, 0, 0, wide, high);
  return workshop.getImageData(0, 0, wide, high).data;
}

const bitmap = text => createImageBitmap(new Blob([bytes(text)], { type: "image/webp" }), { colorSpaceConversion: "none" });

// A cell of a frame as {h, w, share}; null where it holds no map. Kept in the cell: at once for coarse maps, as a
// promise for what must be unpacked.
function mapOf(cell) {
  if (cell.map !== undefined) return cell.map;
  const [h, w] = cell.size || [0, 0];
  cell.map = null;
  if (cell.raw !== undefined) {
    const share = bytes(cell.raw);
    if (share.length === h * w) cell.map = { h, w, share };
  } else if (cell.webp !== undefined)
    cell.map = bitmap(cell.webp).then(picture => {
      const all = pixelsOf(picture, w, h), share = new Uint8Array(h * w);
      for (let i = 0; i < share.length; i++) share[i] = all[4 * i];
      return cell.map = { h, w, share };
    }, () => cell.map = null);
  return cell.map;
}
