"use strict";
// Sorting, filtering, searching and copying for a page that is complete without them.
(() => {
  const number = new Intl.NumberFormat("en");

  function value(row, column) {
    const cell = row.cells[column];
    return cell.dataset.v === undefined ? cell.textContent.trim() : Number(cell.dataset.v);
  }

  function sortBy(table, column, status) {
    const heading = table.tHead.rows[0].cells[column];
    const numeric = heading.dataset.sort === "number";
    const now = heading.getAttribute("aria-sort");
    const down = now ? now === "ascending" : numeric;
    for (const other of table.tHead.rows[0].cells) other.removeAttribute("aria-sort");
    heading.setAttribute("aria-sort", down ? "descending" : "ascending");
    const body = table.tBodies[0];
    const rows = [...body.rows].sort((a, b) => {
      const [x, y] = [value(a, column), value(b, column)];
      const order = numeric ? x - y : String(x).localeCompare(String(y), "en", { numeric: true });
      return down ? -order : order;
    });
    body.append(...rows);
    status.textContent = `Sorted by ${heading.textContent.trim()}, ${heading.getAttribute("aria-sort")}.`;
  }

  function filter(table, tools, status) {
    const words = tools.querySelector("input").value.toLowerCase().split(/\s+/).filter(Boolean);
    const chosen = [...tools.querySelectorAll("select")].filter((list) => list.value);
    let seen = 0;
    for (const row of table.tBodies[0].rows) {
      const text = row.textContent.toLowerCase();
      const fits = words.every((word) => text.includes(word)) &&
        chosen.every((list) => row.dataset[list.dataset.filter] === list.value);
      row.hidden = !fits;
      const account = document.getElementById(row.dataset.account)?.closest("details");
      if (account) account.hidden = !fits;
      seen += fits ? 1 : 0;
    }
    status.textContent = `${number.format(seen)} of ${number.format(table.tBodies[0].rows.length)} bundles shown.`;
  }

  // Text that a spreadsheet would run as a formula gets an apostrophe, as in plan.csv.
  function plain(cell) {
    if (cell.dataset.v !== undefined) return cell.dataset.v;
    const text = cell.textContent.replace(/[\u2066-\u2069]/g, "").replace(/\s+/g, " ").trim();
    return /^'*[=+\-@]/.test(text) ? `'${text}` : text;
  }

  function asText(table) {
    const rows = [table.tHead.rows[0], ...[...table.tBodies[0].rows].filter((row) => !row.hidden)];
    return rows.map((row) => [...row.cells].map(plain).join("\t")).join("\n") + "\n";
  }

  async function copy(table, status) {
    const text = asText(table);
    const put = (event) => {
      event.clipboardData.setData("text/plain", text);
      event.preventDefault();
    };
    document.addEventListener("copy", put, { once: true });
    const done = document.execCommand("copy");
    document.removeEventListener("copy", put);
    try {
      if (!done) await navigator.clipboard.writeText(text);
      status.textContent = "Copied: paste it into a spreadsheet.";
    } catch {
      status.textContent = "The browser does not let the page copy.";
    }
  }

  for (const table of document.querySelectorAll("table[data-tools]")) {
    const tools = document.getElementById(table.dataset.tools);
    const status = tools.querySelector("[role=status]");
    [...table.tHead.rows[0].cells].forEach((heading, column) => {
      if (!heading.dataset.sort) return;
      const button = document.createElement("button");
      button.type = "button";
      button.append(...heading.childNodes);
      button.addEventListener("click", () => sortBy(table, column, status));
      heading.append(button);
    });
    for (const field of tools.querySelectorAll("input, select")) {
      field.addEventListener("input", () => filter(table, tools, status));
    }
    tools.querySelector("[data-copy]").addEventListener("click", () => copy(table, status));
    tools.hidden = false;
  }

  const accounts = [...document.querySelectorAll("details.account")];
  for (const button of document.querySelectorAll("[data-all]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const open = button.dataset.all === "open";
      for (const account of accounts) account.open = open;
    });
  }

  function reveal() {
    const target = document.getElementById(decodeURIComponent(location.hash.slice(1)));
    const account = target?.closest("details");
    if (!account) return;
    account.open = true;
    account.querySelector("summary").focus({ preventScroll: true });
    account.scrollIntoView();
  }
  addEventListener("hashchange", reveal);
  reveal();

  // Paper cannot open an account: browsers that lack the style rule for it are helped here.
  let closed = [];
  addEventListener("beforeprint", () => {
    closed = [...document.querySelectorAll("details:not([open])")];
    for (const account of closed) account.open = true;
  });
  addEventListener("afterprint", () => {
    for (const account of closed) account.open = false;
  });
})();
