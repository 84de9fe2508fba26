"use strict";
// Pictures and numbers of one device, from its line of the data.
weakreset.device = (() => {
  const { make, axes, line, reads } = weakreset;
  let head = { points: 0, words: [] };
  const word = (index) => typeof index === "number" ? head.words[index] : index;
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
    const made = [figure(`${device.n} reads${device.n > head.points ? ", thinned; extremes kept" : ""}.`, drawTrace(device), keys)];
    if (device.rtn) made.push(figure(`Telegraph states; ${switches(device)}.`, drawStates(device)));
    if (device.rx) made.push(figure("Whitened residuals: white and of unit variance if the model holds.", drawResiduals(device)));
    if (device.acf) made.push(figure("Their autocorrelation; band: 95 % for each lag of white noise.", drawAutocorrelation(device)));
    return made;
  }

  function numbers(device) {
    const lines = device.numbers.map(([name, value, interval, why]) =>
      [word(name), word(value) + (word(why) ? ` (${word(why)})` : ""), interval || "–"]);
    const table = lines.length ? [grid(["number", "value ± stderr", "95 % interval"], lines)] : [];
    return [...table, ...(device.lmfit ? lmfitTables(device.lmfit) : [])];
  }

  const sentence = (device) => `Status: ${word(device.status)}. ${word(device.sentence)}`;

  return { pictures, numbers, sentence, setHead: (made) => { head = made; } };
})();
