"use strict";
// Draws one device of the table, and the map of all devices. Text enters the page by textContent only.
(() => {
  const table = document.querySelector("table.devices");
  const store = JSON.parse(document.getElementById("device-data").textContent);
  const rows = Array.from(table.tBodies[0].rows);
  const panel = document.getElementById("device");
  const $ = (id) => document.getElementById(id);
  const word = (index) => typeof index === "number" ? store.words[index] : index;
  let chosen = -1;

  function make(tag, attributes, text) {
    const svg = ["svg", "g", "path", "circle", "line", "rect", "text"].includes(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
  }

  const unpack = (text) => Uint8Array.from(atob(text), (sign) => sign.charCodeAt(0));

  function positions(column) {
    if (column.length === 3) return decode(column, 2);
    let at = column[0];
    return Array.from(unpack(column[1]), (step) => at += step);
  }

  function decode([low, high, text], bytes) {
    const raw = unpack(text);
    const top = 256 ** bytes - 1;
    return Array.from({ length: raw.length / bytes }, (_, i) => {
      const level = bytes === 1 ? raw[i] : raw[2 * i] + 256 * raw[2 * i + 1];
      return low + (high - low) * level / top;
    });
  }

  function ticks(low, high, about) {
    const rough = (high - low) / about;
    const size = 10 ** Math.floor(Math.log10(rough));
    const step = [1, 2, 5, 10].map((f) => f * size).find((s) => s >= rough);
    const found = [];
    for (let i = Math.ceil(low / step - 1e-9); i * step <= high + 1e-9 * step; i++) found.push(i * step);
    const small = Math.max(Math.abs(low), Math.abs(high)) < 1e-3;
    const places = Math.max(0, -Math.floor(Math.log10(step) + 1e-9));
    return found.map((v) => [v, small && v ? v.toExponential(1).replace("-", "−") : v.toFixed(small ? 0 : places).replace("-", "−")]);
  }

  // an empty pair of axes: svg, functions from data to the drawing and back
  function axes(title, xs, ys, labels, width = 640, height = 260) {
    const box = { left: 62, right: width - 12, top: 12, bottom: height - 42 };
    const range = (values) => {
      let low = Infinity, high = -Infinity;
      for (const v of values) { if (v < low) low = v; if (v > high) high = v; }
      const pad = high > low ? 0.04 * (high - low) : Math.abs(high) * 0.1 || 1;
      return [low - pad, high + pad];
    };
    const [x0, x1] = range(xs), [y0, y1] = range(ys);
    const x = (v) => box.left + (box.right - box.left) * (v - x0) / (x1 - x0);
    const y = (v) => box.bottom - (box.bottom - box.top) * (v - y0) / (y1 - y0);
    const svg = make("svg", { viewBox: `0 0 ${width} ${height}`, role: "img", "aria-label": title, class: "plot" });
    for (const [v, text] of ticks(x0, x1, width > 400 ? 7 : 4)) {
      svg.append(make("line", { x1: x(v), x2: x(v), y1: box.top, y2: box.bottom, class: "grid" }),
        make("text", { x: x(v), y: box.bottom + 16, "text-anchor": "middle" }, text));
    }
    for (const [v, text] of ticks(y0, y1, Math.ceil(height / 60))) {
      svg.append(make("line", { x1: box.left, x2: box.right, y1: y(v), y2: y(v), class: "grid" }),
        make("text", { x: box.left - 6, y: y(v) + 4, "text-anchor": "end" }, text));
    }
    svg.append(make("text", { x: (box.left + box.right) / 2, y: height - 6, "text-anchor": "middle" }, labels[0]),
      make("text", { transform: `translate(13 ${(box.top + box.bottom) / 2}) rotate(-90)`, "text-anchor": "middle" }, labels[1]));
    return { svg, x, y, box };
  }

  function line(plot, xs, ys, kind, steps) {
    const points = xs.map((v, i) => {
      const at = plot.x(v).toFixed(1), height = plot.y(ys[i]).toFixed(1);
      return i && steps ? `H${at}V${height}` : `${i ? "L" : "M"}${at} ${height}`;
    });
    plot.svg.append(make("path", { d: points.join(""), class: kind }));
  }

  // every value where all are here; a line through the extremes where they stand for the values between them
  function reads(plot, xs, ys, n) {
    if (n > xs.length) { line(plot, xs, ys, "reads thinned"); return; }
    const path = xs.map((v, i) => `M${plot.x(v).toFixed(1)} ${plot.y(ys[i]).toFixed(1)}h0`).join("");
    plot.svg.append(make("path", { d: path, class: "reads" }));
  }

  function drift(device, at) {
    const [xs, ys] = device.curve;
    let i = 1;
    while (i < xs.length - 1 && xs[i] < at) i++;
    return xs.length < 2 ? ys[0] : ys[i - 1] + (ys[i] - ys[i - 1]) * (at - xs[i - 1]) / (xs[i] - xs[i - 1]);
  }

  function telegraph(device) {
    const [start, steps, sizes] = device.rtn;
    const last = device.curve[0].at(-1);
    const levels = [start];
    for (const size of sizes) levels.push(levels.at(-1) + size);
    return { levels, edges: [device.curve[0][0], ...steps, last] };
  }

  function drawTrace(device) {
    const xs = positions(device.x), ys = decode(device.y, 2);
    const plot = axes(`Trace and fit of ${device.name}`, xs, device.curve ? ys.concat(device.curve[1]) : ys,
      ["RESET pulses since SET", "ln(R/R0)"], 640, 300);
    const { left, right, top, bottom } = plot.box;
    if (device.knee) {
      const [value, low, high] = device.knee;
      const inside = (v) => Math.min(right, Math.max(left, plot.x(v)));
      if (low !== null && high !== null) {
        plot.svg.append(make("rect", { x: inside(low), width: Math.max(1, inside(high) - inside(low)), y: top,
          height: bottom - top, class: "interval" }));
      }
      plot.svg.append(make("line", { x1: inside(value), x2: inside(value), y1: top, y2: bottom, class: "knee" }));
    }
    reads(plot, xs, ys, device.n);
    if (!device.curve) return plot.svg;
    line(plot, ...device.curve, "drift");
    if (device.rtn) {
      const { levels, edges } = telegraph(device);
      const cx = [], cy = [];
      levels.forEach((level, i) => {
        const inner = device.curve[0].filter((p) => p > edges[i] && p < edges[i + 1]);
        for (const p of [edges[i], ...inner, edges[i + 1]]) { cx.push(p); cy.push(drift(device, p) + level); }
      });
      line(plot, cx, cy, "states");
    }
    return plot.svg;
  }

  function switches(device) {
    const steps = device.rtn[1];
    return steps.length ? `switches at pulse ${steps.slice(0, 12).join(", ")}${steps.length > 12 ? ", …" : ""}` : "no switch seen";
  }

  function drawStates(device) {
    const { levels, edges } = telegraph(device);
    const plot = axes(`Telegraph states of ${device.name}`, edges, [...levels, 0], ["RESET pulses since SET", "RTN (ln R)"], 640, 150);
    line(plot, edges, [...levels, levels.at(-1)], "states", true);
    return plot.svg;
  }

  function drawResiduals(device) {
    const xs = positions(device.rx), ys = decode(device.ry, 1);
    const plot = axes(`Whitened residuals of ${device.name}`, xs, [...ys, 0], ["RESET pulses since SET", "whitened residual (σ)"], 640, 220);
    line(plot, [xs[0], xs.at(-1)], [0, 0], "zero");
    reads(plot, xs, ys, device.rn);
    return plot.svg;
  }

  function drawAutocorrelation(device) {
    const band = 1.96 / Math.sqrt(device.rn), acf = decode(device.acf, 1), lags = acf.map((_, i) => i + 1);
    const plot = axes(`Autocorrelation of the whitened residuals of ${device.name}`, [0, ...lags],
      [...acf, 1.5 * band, -1.5 * band], ["lag (reads)", "autocorrelation"], 640, 200);
    const y = [plot.y(band), plot.y(-band)], { left, right } = plot.box;
    plot.svg.append(make("rect", { x: left, width: right - left, y: y[0], height: y[1] - y[0], class: "band" }));
    const bars = lags.map((lag, i) => `M${plot.x(lag).toFixed(1)} ${plot.y(0)}V${plot.y(acf[i]).toFixed(1)}`);
    plot.svg.append(make("path", { d: bars.join(""), class: "bars" }));
    line(plot, [0, lags.length], [0, 0], "zero");
    return plot.svg;
  }

  function figure(caption, svg, keys) {
    const node = make("figure"), text = make("figcaption", {}, caption);
    for (const [kind, name] of keys || []) text.append(" ", make("span", { class: "key " + kind }), " " + name);
    node.append(text, svg);
    return node;
  }

  function grid(head, lines) {
    const node = make("table"), top = make("tr"), body = make("tbody"), thead = make("thead");
    for (const text of head) top.append(make("th", { scope: "col" }, text));
    for (const texts of lines) {
      const row = make("tr");
      texts.forEach((text, i) => row.append(make(i ? "td" : "th", i ? {} : { scope: "row" }, text)));
      body.append(row);
    }
    thead.append(top);
    node.append(thead, body);
    const scroll = make("div", { class: "scroll", tabindex: "0", role: "region", "aria-label": head[0] });
    scroll.append(node);
    return scroll;
  }

  function lmfitTables([shape, names, values, related, redchi, nfev]) {
    const parts = word(names).split(" ");
    const pairs = parts.flatMap((a, i) => parts.slice(i + 1).map((b) => `${a}, ${b}`));
    const lines = pairs.map((pair, i) => [pair, related[i] === null ? "–" : related[i].toFixed(2).replace("-", "−")]);
    const made = [make("h4", {}, "lmfit"),
      make("p", { class: "soft" }, `${word(shape)}, reduced χ² ${redchi}, ${nfev} evaluations; the knee is local here, the interval above is not`),
      grid(["parameter", "value ± stderr"], parts.map((name, i) => [name, values[i]]))];
    return lines.length ? [...made, grid(["pair", "correlation"], lines)] : made;
  }

  function pictures(device) {
    if (!device.x) return [make("p", { class: "soft" }, "No reads of this device are left to draw.")];
    const keys = [["reads", "reads"]];
    if (device.curve) keys.push(["drift", "fitted drift"]);
    if (device.rtn) keys.push(["states", "with telegraph steps"]);
    if (device.knee) keys.push(["interval", "knee, 95 % interval"]);
    const made = [figure(`${device.n} reads${device.n > store.points ? ", thinned; extremes kept" : ""}.`, drawTrace(device), keys)];
    if (device.rtn) made.push(figure(`Telegraph states; ${switches(device)}.`, drawStates(device)));
    if (device.rx) made.push(figure("Whitened residuals: white and of unit variance if the model holds.", drawResiduals(device)));
    if (device.acf) made.push(figure("Their autocorrelation; band: 95 % for each lag of white noise.", drawAutocorrelation(device)));
    return made;
  }

  function show(index, scroll) {
    const device = store.devices[index];
    if (!device) return;
    if (rows[chosen]) { rows[chosen].removeAttribute("aria-current"); rows[chosen].tabIndex = -1; }
    chosen = index;
    rows[index].setAttribute("aria-current", "true");
    rows[index].tabIndex = 0;
    $("device-name").textContent = device.name;
    $("device-status").textContent = `${word(device.status)}. ${word(device.sentence)}`;
    $("device-plots").replaceChildren(...pictures(device));
    const lines = device.numbers.map(([name, value, interval, why]) => [word(name), word(value) + (word(why) ? ` (${word(why)})` : ""), interval || "–"]);
    $("device-numbers").replaceChildren(...(lines.length ? [grid(["number", "value ± stderr", "95 % interval"], lines)] : []),
      ...(device.lmfit ? lmfitTables(device.lmfit) : []));
    mark();
    if (scroll) panel.scrollIntoView({ block: "nearest" });
  }

  function choose(index, scroll) {
    show(index, scroll);
    history.replaceState(null, "", "#device=" + encodeURIComponent(store.devices[index].name));
  }

  // next or previous device in the order and selection that the table shows
  function move(by) {
    const visible = Array.from(table.tBodies[0].rows).filter((row) => !row.hidden);
    const at = visible.indexOf(rows[chosen]);
    const row = visible[Math.min(visible.length - 1, Math.max(0, at + by))];
    if (row) choose(rows.indexOf(row), false);
    return row;
  }

  const STEPS = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

  table.tBodies[0].addEventListener("click", (event) => {
    const row = event.target.closest("tr");
    if (row && !String(getSelection())) { choose(rows.indexOf(row), true); row.focus({ preventScroll: true }); }
  });
  table.tBodies[0].addEventListener("keydown", (event) => {
    if (event.key === "Enter") { choose(rows.indexOf(event.target.closest("tr")), true); panel.focus(); }
    if (!(event.key in STEPS)) return;
    event.preventDefault();
    const row = move(STEPS[event.key]);
    if (row) row.focus();
  });
  panel.addEventListener("keydown", (event) => { if (event.key === "Escape") rows[chosen].focus(); });
  $("device-next").addEventListener("click", () => move(1));
  $("device-back").addEventListener("click", () => move(-1));

  // the map: a scatter of two columns of the table
  const heads = Array.from(table.tHead.rows[0].cells, (head) => head.textContent.trim());
  const numeric = heads.map((_, i) => i).filter((i) => rows.some((row) => row.cells[i].dataset.v !== undefined));
  const picks = ["map-x", "map-y", "map-colour"].map($);
  const STATUS_COLOURS = ["#0072b2", "#e69f00", "#d55e00", "#8c8c8c"];
  const SCALE = [[68, 1, 84], [59, 82, 139], [33, 145, 140], [94, 201, 98], [253, 231, 37]];
  let map = null, points = [], ring = null;

  function shade(share) {
    const at = Math.min(3.999, Math.max(0, share * 4)), i = Math.floor(at);
    return `rgb(${SCALE[i].map((v, k) => Math.round(v + (SCALE[i + 1][k] - v) * (at - i))).join(",")})`;
  }

  function colours(column, key) {
    key.replaceChildren();
    if (column === 1) {
      const kinds = [...new Set(rows.map((row) => row.cells[1].textContent))].sort();
      kinds.forEach((kind, i) => key.append(make("span", { class: "chip", style: `background:${STATUS_COLOURS[i % 4]}` }), ` ${kind} `));
      return (row) => STATUS_COLOURS[kinds.indexOf(row.cells[1].textContent) % 4];
    }
    const known = rows.map((row) => row.cells[column].dataset.v).filter((v) => v !== undefined).map(Number).sort((a, b) => a - b);
    const low = known[Math.floor(0.02 * known.length)], high = known[Math.floor(0.98 * (known.length - 1))];
    key.append(low.toPrecision(3) + " ", make("span", { class: "ramp" }), " " + high.toPrecision(3) + " ",
      make("span", { class: "chip", style: "background:#8c8c8c" }), " not identifiable");
    return (row) => {
      const v = row.cells[column].dataset.v;
      return v === undefined ? "#8c8c8c" : shade(high > low ? (v - low) / (high - low) : 0.5);
    };
  }

  function drawMap() {
    const [cx, cy, cc] = picks.map((pick) => Number(pick.value));
    points = [];
    rows.forEach((row, index) => {
      const x = row.cells[cx].dataset.v, y = row.cells[cy].dataset.v;
      const limit = [cx, cy].some((i) => row.cells[i].textContent.startsWith("<"));
      if (x !== undefined && y !== undefined) points.push({ index, x: Number(x), y: Number(y), limit });
    });
    const colour = colours(cc, $("map-key"));
    const left = rows.length - points.length, limits = points.filter((p) => p.limit).length;
    $("map-note").textContent = `${points.length} devices.` + (limits ? ` Hollow: ${limits} upper limits.` : "")
      + (left ? ` Not on the map: ${left} without both numbers.` : "");
    map = axes(`${heads[cy]} against ${heads[cx]}`, points.length ? points.map((p) => p.x) : [0, 1],
      points.length ? points.map((p) => p.y) : [0, 1], [heads[cx], heads[cy]], 640, 320);
    for (const p of points) {
      [p.px, p.py] = [map.x(p.x), map.y(p.y)];
      const fill = colour(rows[p.index]);
      map.svg.append(make("circle", { cx: p.px.toFixed(1), cy: p.py.toFixed(1), r: points.length > 1000 ? 2 : 3.5,
        fill: p.limit ? "none" : fill, stroke: p.limit ? fill : "none" }));
    }
    ring = make("circle", { r: 7, class: "ring" });
    map.svg.append(ring);
    $("map-plot").replaceChildren(map.svg);
    mark();
  }

  function mark() {
    const point = points.find((p) => p.index === chosen);
    if (!ring) return;
    ring.style.display = point ? "" : "none";
    if (point) { ring.setAttribute("cx", point.px); ring.setAttribute("cy", point.py); }
  }

  $("map-plot").addEventListener("click", (event) => {
    const box = map.svg.getBoundingClientRect(), scale = 640 / box.width;
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
    for (const i of k === 2 ? [1, ...numeric] : numeric) pick.append(make("option", { value: i }, heads[i]));
    pick.value = String(first[k]);
    pick.addEventListener("change", drawMap);
  });

  function fromAddress() {
    if (!location.hash.startsWith("#device=")) return false;
    let name = location.hash.slice(8);
    try { name = decodeURIComponent(name); } catch { return false; }
    const index = store.devices.findIndex((device) => device.name === name);
    if (index >= 0) { show(index, false); panel.scrollIntoView(); }
    return index >= 0;
  }

  for (const row of rows) row.tabIndex = -1;
  for (const node of document.querySelectorAll(".live")) node.hidden = false;
  document.documentElement.classList.add("has-script");
  if (numeric.length) drawMap(); else $("map").hidden = true;
  addEventListener("hashchange", fromAddress);
  if (!fromAddress()) show(Math.max(0, store.devices.findIndex((device) => device.curve)), false);
})();
