"use strict";
// The map: a scatter of two columns of the table of devices, coloured by a third. `choose(index, scroll)` shows a device.
weakreset.map = (table, rows, choose) => {
  const { make, axes } = weakreset;
  const $ = (id) => document.getElementById(id);
  const heads = Array.from(table.tHead.rows[0].cells, (head) => head.textContent.trim());
  // read from the page once: cells are slow to ask
  const cells = heads.map((_, i) => rows.map((row) => {
    const text = row.cells[i].textContent, v = row.cells[i].dataset.v;
    return { text, v: v === undefined ? null : Number(v), limit: text.startsWith("<") };
  }));
  const numeric = heads.map((_, i) => i).filter((i) => cells[i].some((cell) => cell.v !== null));
  // lots, wafers and dies by name: kinds of devices, to be coloured only
  const kindsOf = (i) => [...new Set(cells[i].map((cell) => cell.text))].sort((a, b) => a.localeCompare(b, undefined, { numeric: true }));
  const worded = heads.map((_, i) => i).filter((i) => i > 1 && !numeric.includes(i) && kindsOf(i).length > 1);
  const picks = ["map-x", "map-y", "map-colour"].map($);
  const KIND_COLOURS = ["#0072b2", "#e69f00", "#d55e00", "#8c8c8c", "#009e73", "#cc79a7", "#56b4e9", "#1b1f24"];
  const UNKNOWN = "#8c8c8c", SHADES = 24;
  const SCALE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  let plot = null, points = [], ring = null, marked = -1;

  function shade(share) {
    const level = Math.round(Math.min(1, Math.max(0, share)) * (SHADES - 1)) / (SHADES - 1);
    const at = Math.min(3.999, level * 4), i = Math.floor(at);
    return `rgb(${SCALE[i].map((v, k) => Math.round(v + (SCALE[i + 1][k] - v) * (at - i))).join(",")})`;
  }

  function colours(column, key) {
    key.replaceChildren();
    if (column === 1 || worded.includes(column)) {
      const kinds = kindsOf(column);
      if (column === 1) kinds.sort((a, b) => (b === "ok") - (a === "ok"));  // the colour of those to be believed
      const few = kinds.length <= KIND_COLOURS.length;
      const colour = (i) => (few ? KIND_COLOURS[i] : shade(i / (kinds.length - 1)));
      if (few) kinds.forEach((kind, i) => key.append(make("span", { class: "chip", style: `background:${colour(i)}` }), ` ${kind} `));
      else key.append(`${kinds[0]} `, make("span", { class: "ramp" }), ` ${kinds[kinds.length - 1]}`);
      return (index) => colour(kinds.indexOf(cells[column][index].text));
    }
    const known = cells[column].map((cell) => cell.v).filter((v) => v !== null).sort((a, b) => a - b);
    const low = known[Math.floor(0.02 * known.length)], high = known[Math.floor(0.98 * (known.length - 1))];
    key.append(low.toPrecision(3) + " ", make("span", { class: "ramp" }), " " + high.toPrecision(3) + " ",
      make("span", { class: "chip", style: `background:${UNKNOWN}` }), " not identifiable");
    return (index) => {
      const { v } = cells[column][index];
      return v === null ? UNKNOWN : shade(high > low ? (v - low) / (high - low) : 0.5);
    };
  }

  // a path for all points of a colour: thousands of devices stay a few nodes
  function drawPoints(colour) {
    const radius = points.length > 1000 ? 2 : 3.5, groups = new Map();
    for (const p of points) {
      [p.px, p.py] = [plot.x(p.x), plot.y(p.y)];
      const name = `${p.limit ? "hollow" : "full"} ${colour(p.index)}`;
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(p.limit
        ? `M${(p.px - radius).toFixed(1)} ${p.py.toFixed(1)}a${radius} ${radius} 0 1 0 ${2 * radius} 0a${radius} ${radius} 0 1 0 ${-2 * radius} 0`
        : `M${p.px.toFixed(1)} ${p.py.toFixed(1)}h0`);
    }
    for (const [name, parts] of groups) {
      const [kind, ink] = name.split(" ");
      plot.svg.append(make("path", { d: parts.join(""), class: `point ${kind}`, stroke: ink,
        "stroke-width": kind === "full" ? 2 * radius : 1 }));
    }
  }

  function draw() {
    const [cx, cy, cc] = picks.map((pick) => Number(pick.value));
    points = [];
    rows.forEach((_, index) => {
      const x = cells[cx][index], y = cells[cy][index];
      if (x.v !== null && y.v !== null) points.push({ index, x: x.v, y: y.v, limit: x.limit || y.limit });
    });
    const colour = colours(cc, $("map-key"));
    const left = rows.length - points.length, limits = points.filter((p) => p.limit).length;
    $("map-note").textContent = `${points.length} devices.` + (limits ? ` Hollow: ${limits} upper limits.` : "")
      + (left ? ` Not on the map: ${left} without both numbers.` : "");
    plot = axes(`${heads[cy]} against ${heads[cx]}`, points.length ? points.map((p) => p.x) : [0, 1],
      points.length ? points.map((p) => p.y) : [0, 1], [heads[cx], heads[cy]], 640, 320);
    drawPoints(colour);
    ring = make("circle", { r: 7, class: "ring" });
    plot.svg.append(ring);
    $("map-plot").replaceChildren(plot.svg);
    mark(marked);
  }

  function mark(index) {
    marked = index;
    if (!ring) return;
    const point = points.find((p) => p.index === index);
    ring.style.display = point ? "" : "none";
    if (point) { ring.setAttribute("cx", point.px); ring.setAttribute("cy", point.py); }
  }

  $("map-plot").addEventListener("click", (event) => {
    const box = plot.svg.getBoundingClientRect(), scale = 640 / box.width;
    const x = (event.clientX - box.left) * scale, y = (event.clientY - box.top) * scale;
    let best = null, least = 20 ** 2;
    for (const p of points) {
      const far = (p.px - x) ** 2 + (p.py - y) ** 2;
      if (far < least) { least = far; best = p; }
    }
    if (best) choose(best.index, true);
  });

  const usual = ["m1", "t_star"].map((name) => numeric.find((i) => heads[i].startsWith(name)));
  const first = [usual[0] ?? numeric[0], usual[1] ?? numeric[1] ?? numeric[0], 1];
  picks.forEach((pick, k) => {
    for (const i of k === 2 ? [1, ...numeric, ...worded] : numeric) pick.append(make("option", { value: i }, heads[i]));
    pick.value = String(first[k]);
    pick.addEventListener("change", draw);
  });
  if (numeric.length) draw(); else $("map").hidden = true;
  return { mark };
};
