"use strict";
// Which device is shown: by a click on the table or the map, by the keyboard, or by the address.
(() => {
  const table = document.querySelector("table.devices");
  const { rows, matching, reveal } = table.view;
  // a line for all devices, then a line for each; a line is read when its device is shown
  const [head, ...lines] = document.getElementById("device-data").textContent.split("\n");
  const panel = document.getElementById("device");
  const $ = (id) => document.getElementById(id);
  weakreset.device.setHead(JSON.parse(head));
  let chosen = -1;

  function show(index, scroll) {
    if (!lines[index]) return;
    const device = JSON.parse(lines[index]);
    if (rows[chosen]) { rows[chosen].removeAttribute("aria-current"); rows[chosen].tabIndex = -1; }
    chosen = index;
    reveal(rows[index]);
    rows[index].setAttribute("aria-current", "true");
    rows[index].tabIndex = 0;
    $("device-name").textContent = device.name;
    $("device-status").textContent = weakreset.device.sentence(device);
    $("device-plots").replaceChildren(...weakreset.device.pictures(device));
    $("device-numbers").replaceChildren(...weakreset.device.numbers(device));
    map.mark(index);
    if (scroll) panel.scrollIntoView({ block: "nearest" });
  }

  function choose(index, scroll) {
    show(index, scroll);
    const address = "#device=" + encodeURIComponent(rows[index].cells[0].textContent);
    try { history.replaceState(null, "", address); } catch { /* a frame in a notebook has no address of its own */ }
  }

  // next or previous device in the order and selection of the table
  function move(by) {
    const at = matching().indexOf(rows[chosen]);
    const row = matching()[Math.min(matching().length - 1, Math.max(0, at + by))];
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

  function fromAddress() {
    if (!location.hash.startsWith("#device=")) return false;
    let name = location.hash.slice(8);
    try { name = decodeURIComponent(name); } catch { return false; }
    const index = rows.findIndex((row) => row.cells[0].textContent === name);
    if (index >= 0) { show(index, false); panel.scrollIntoView(); }
    return index >= 0;
  }

  for (const row of rows) row.tabIndex = -1;
  for (const node of document.querySelectorAll(".live")) node.hidden = false;
  document.documentElement.classList.add("has-script");
  const map = weakreset.map(table, rows, choose);
  addEventListener("hashchange", fromAddress);
  if (!fromAddress()) show(Math.max(0, lines.findIndex((text) => text.includes('"curve":'))), false);
})();
