"use strict";

const rows = JSON.parse(document.querySelector("[data-rows]").textContent);
for (const row of rows) {
  const line = document.createElement("p");
  line.textContent = `${row.title} — ${row.project} — ${row.label}`;
  document.querySelector("[data-sessions]").append(line);
}
