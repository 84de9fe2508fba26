"use strict";
// Small drawings in SVG, shared by the device panel and the map. Text enters the page by textContent only.
const weakreset = (() => {
  function make(tag, attributes, text) {
    const svg = ["svg", "g", "path", "circle", "line", "rect", "text"].includes(tag);
    const node = svg ? document.createElementNS("http://www.w3.org/2000/svg", tag) : document.createElement(tag);
    for (const [key, value] of Object.entries(attributes || {})) node.setAttribute(key, value);
    if (text !== undefined) node.textContent = text;
    return node;
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
    const box = { left: 62, right: width - 24, top: 12, bottom: height - 42 };
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

  return { make, axes, line, reads };
})();
