// Exchanges the token in the fragment, which no server sees, for a cookie that no script sees.
"use strict";

async function enter() {
  const token = location.hash.slice(1);
  history.replaceState(null, "", "/");
  const answer = await fetch("/enter", {
    method: "POST",
    headers: { "Content-Type": "application/json" },
    body: JSON.stringify({ token }),
  });
  const said = await answer.json();
  if (answer.ok) location.replace(said.go);
  else show(`${said.error} Open the window again from claude-sync's icon, or type claude-sync open.`);
}

function show(text) {
  document.getElementById("message").textContent = text;
}

if (location.hash.length > 1) enter().catch(() => show("claude-sync doesn't answer any more."));
else show("Open this window from claude-sync's icon, or type claude-sync open.");
