"use strict";
// Tables that sort and filter. A long one shows a part of its rows, and more as one scrolls, so that it opens at once.
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = Array.from(table.tHead.rows[0].cells);
  const rows = Array.from(body.rows);
  const filter = document.getElementById(table.dataset.filter);
  const count = document.getElementById(table.dataset.count);
  const more = document.getElementById(table.dataset.more);
  const step = Number(table.dataset.step);
  let order = rows, matching = rows, shown = Math.min(step, rows.length);

  const value = (row, column) => {
    const cell = row.cells[column];
    if (cell.dataset.v !== undefined) return Number(cell.dataset.v);
    return cell.textContent.trim() === "–" ? null : cell.textContent.trim();
  };

  // rows that match and have their turn; the others are not laid out
  function show(least) {
    shown = Math.min(matching.length, Math.max(step, least));
    table.classList.add("live-rows");
    const visible = new Set(matching.slice(0, shown));
    for (const row of rows) if (row.hidden === visible.has(row)) row.hidden = !visible.has(row);
    if (more) {
      more.hidden = shown === matching.length;
      more.querySelector("span").textContent = `${shown} of ${matching.length} devices are shown here.`;
    }
  }

  function match() {
    const wanted = filter ? filter.value.trim().toLowerCase() : "";
    const text = (row) => (row.cells[0].textContent + " " + row.cells[1].textContent).toLowerCase();
    matching = wanted ? order.filter((row) => text(row).includes(wanted)) : order;
    if (count) count.textContent = wanted ? `${matching.length} of ${rows.length} devices` : "";
    show(step);
  }

  heads.forEach((head, column) => {
    head.querySelector("button").addEventListener("click", () => {
      const down = head.getAttribute("aria-sort") === "ascending";
      for (const other of heads) other.setAttribute("aria-sort", "none");
      head.setAttribute("aria-sort", down ? "descending" : "ascending");
      const keyed = rows.map((row) => [value(row, column), row]);
      keyed.sort(([a], [b]) => {
        if (a === null || b === null) return (a === null) - (b === null);
        const order = typeof a === "number" && typeof b === "number"
          ? a - b : String(a).localeCompare(String(b), undefined, { numeric: true });
        return down ? -order : order;
      });
      order = keyed.map(([, row]) => row);
      body.append(...order);
      match();
    });
  });

  if (filter) {
    filter.closest(".filter").hidden = false;
    filter.addEventListener("input", match);
  }
  if (more) more.querySelector("button").addEventListener("click", () => show(shown + 5 * step));
  const scroll = table.closest(".scroll");
  scroll.addEventListener("scroll", () => {
    if (shown < matching.length && scroll.scrollTop + 2 * scroll.clientHeight > scroll.scrollHeight) show(shown + step);
  });
  table.view = {
    rows,
    matching: () => matching,
    reveal: (row) => { const at = matching.indexOf(row); if (at >= shown) show(at + step); },
  };
  show(step);
}
