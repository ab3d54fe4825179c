// The table of sessions. Every row is in the page, so that searching in it, screen readers and
// scrolling work as everywhere. They stand in groups: one that isn't in view costs neither layout
// nor paint (content-visibility), and a browser minds hundreds of them, but not thousands. What
// isn't in view comes and goes between two frames, after what is.
"use strict";

(() => {
  const known = JSON.parse(document.querySelector("[data-known]").textContent);
  const body = document.querySelector("[data-body]");
  const table = document.querySelector("[data-table]");
  const filters = document.querySelector("[data-filters]");
  const find = filters.elements.find;
  const bar = document.querySelector("[data-bar]");
  const menu = document.querySelector("[data-menu]");
  const chooseAll = document.querySelector("[data-choose-all]");
  const ROWS_OF_GROUP = 20; // more than a screen's
  const GROUPS_AT_ONCE = 16;
  const GROUPS_GONE_AT_ONCE = 64;
  const ROW_PIXELS = 58;
  const NUMBERS = new Intl.NumberFormat(); // made once: a number's own method makes it each time

  const VERBS = {
    "pull-and-resume": "Pull and resume",
    pull: "Pull",
    replace: "Pull all the same…",
    push: "Push",
    resume: "Resume",
    compare: "Compare",
    restore: "Restore",
    read: "Read",
    versions: "Earlier versions",
    "copy-command": "Copy resume command",
    "open-project": "Open project folder",
    "add-project-folder": "Choose its folder…",
    undo: "Undo the last pull",
    forget: "Remove from shared folder…",
  };
  const DOING = {
    "pull-and-resume": "Pulling…", pull: "Pulling…", replace: "Pulling…", push: "Pushing…",
    resume: "Opening…", forget: "Removing…", undo: "Undoing…",
  };
  const PAGES = { compare: "conflict", restore: "versions", read: "session", versions: "versions" };
  const STATES = {
    waiting: "Waiting to be pulled",
    newer: "Newer elsewhere", elsewhere: "Only elsewhere", conflict: "Conflict", changed: "Changed here",
    open: "Open here", arriving: "Still arriving", unplaced: "Needs a folder", unknown: "Can't be read",
    synced: "In sync", gone: "Deleted here", ignored: "Not shared",
  };

  const WAITING = new Set(["pull", "pull-and-resume", "replace"]);

  /** Each session by its id: its data, its element, what is said of the last click. */
  const sessions = new Map();
  let order = [];
  let chosen = new Set();
  let found = null; // ids that the search over what was said gave, with the line; null without
  let active = "";
  let fitting = []; // ids of what is shown
  const groups = []; // of rows: the ids in each, and its element
  const left = []; // elements of groups that aren't needed any more, and go when there is time
  let isStarted = known.started;

  // --- one row -----------------------------------------------------------------------------

  function element(name, className, text) {
    const made = document.createElement(name);
    if (className) made.className = className;
    if (text !== undefined) made.textContent = text;
    return made;
  }

  function cell(className, text) {
    const made = element("span", className, text);
    made.setAttribute("role", "gridcell");
    return made;
  }

  /** Where a session is read: where the words were said that are looked for. */
  function pageOf(id) {
    const hit = found?.get(id);
    const place = hit ? `?${new URLSearchParams({ at: hit.at, find: find.value.trim() })}` : "";
    return link(`/session/${id}${place}`);
  }

  function verbsOf(row) {
    const can = row.do.filter((verb) => !PAGES[verb] || known.pages.includes(PAGES[verb]));
    for (const verb of ["read", "versions"]) if (known.pages.includes(PAGES[verb])) can.push(verb);
    // What takes something away stands last.
    return can.sort((a, b) => (a === "forget") - (b === "forget"));
  }

  function build(session) {
    const { row } = session;
    const made = element("div", "row");
    made.setAttribute("role", "row");
    made.dataset.id = row.id;
    made.tabIndex = row.id === active ? 0 : -1;

    const choose = cell("choose");
    const box = element("input");
    box.type = "checkbox";
    box.tabIndex = -1;
    box.checked = chosen.has(row.id);
    box.setAttribute("aria-label", `Choose ${row.title}`);
    choose.append(box);
    made.setAttribute("aria-selected", box.checked);

    const title = cell("session");
    const name = known.pages.includes("session") ? element("a", "title", row.title) : element("span", "title", row.title);
    if (name.tagName === "A") {
      name.href = pageOf(row.id);
      name.tabIndex = -1;
    }
    const under = element("span", "under");
    const project = element("span", "project", row.project || "No project");
    if (row.directory || row.key) project.title = row.directory || row.key;
    under.append(project, element("span", "machines-inline", ` · ${row.machines.join(", ")}`),
      element("span", "when-inline", ` · ${ago(row.when)}`));
    if (row.turns) {
      const words = row.turns === 1 ? "1 turn" : `${NUMBERS.format(row.turns)} turns`;
      under.append(element("span", "turns-inline", ` · ${words}`));
    }
    title.append(name, under);
    const hit = found?.get(row.id);
    if (hit) title.append(marked(hit.line));
    if (row.detail && row.state !== "synced") title.append(element("span", "detail", row.detail));

    const machines = cell("machines", row.machines.join(", "));
    const when = cell("when");
    const time = element("time", "", ago(row.when));
    time.dateTime = new Date(row.when).toISOString();
    when.append(time);
    const size = cell("size number-column", row.sized);
    // The index of what was said counts them: there is no number where it hasn't got yet.
    const turns = cell("turns number-column", row.turns ? NUMBERS.format(row.turns) : "");
    const state = cell("state");
    if (!row.open || row.state !== "synced") {
      const badge = element("span", `badge ${row.tone}`, row.label);
      badge.title = row.label;
      state.append(badge);
    }
    if (row.open) state.append(element("span", "badge", "Open here"));

    made.append(choose, title, machines, when, size, turns, state, buttons(row));
    if (session.said) made.append(result(session.said));
    session.element = made;
    return made;
  }

  function buttons(row) {
    const cellOfVerbs = cell("verbs");
    const can = verbsOf(row);
    const first = can.includes(row.main) ? row.main : can.find((verb) => verb === "resume");
    if (first) {
      const button = element("button", first.startsWith("pull") || first === "compare" ? "soft" : "", VERBS[first]);
      button.type = "button";
      button.tabIndex = -1;
      button.dataset.do = first;
      button.setAttribute("aria-label", `${VERBS[first]}: ${row.title}`);
      cellOfVerbs.append(button);
    }
    const more = element("button", "quiet more", "⋯");
    more.type = "button";
    more.tabIndex = -1;
    more.dataset.more = "";
    more.setAttribute("aria-label", `More for ${row.title}`);
    more.setAttribute("aria-haspopup", "menu");
    cellOfVerbs.append(more);
    return cellOfVerbs;
  }

  function result({ text, isError }) {
    const made = cell(isError ? "said error" : "said", text);
    return made;
  }

  /** A line with the words that were searched for, which the server set apart. */
  function marked(parts) {
    const line = element("span", "hit");
    for (const [text, isHit] of parts) line.append(isHit ? element("mark", "", text) : text);
    return line;
  }

  function rebuild(session) {
    const before = session.element;
    const hadFocus = before.contains(document.activeElement);
    const made = build(session);
    before.replaceWith(made);
    if (hadFocus) made.focus();
  }

  function say(id, text, isError) {
    const session = sessions.get(id);
    if (!session || !text) return;
    session.said = { text, isError };
    rebuild(session);
  }

  // --- ages ----------------------------------------------------------------------------------

  /** As `claude_sync.wording.ago` says it. */
  function ago(when) {
    const seconds = Math.floor((Date.now() - when) / 1000);
    const count = (number, one) => `${number} ${one}${number === 1 ? "" : "s"} ago`;
    if (seconds < 60) return "just now";
    if (seconds < 3600) return count(Math.floor(seconds / 60), "minute");
    if (seconds < 86400) return count(Math.floor(seconds / 3600), "hour");
    if (seconds < 14 * 86400) return count(Math.floor(seconds / 86400), "day");
    const day = new Date(when);
    const two = (number) => String(number).padStart(2, "0");
    return `${day.getFullYear()}-${two(day.getMonth() + 1)}-${two(day.getDate())}`;
  }

  // Of which only a pointer asks: a browser takes 10 ms to get ready to say the first one.
  body.addEventListener("pointerover", ({ target }) => {
    const { row } = sessions.get(target.closest("[data-id]")?.dataset.id) ?? {};
    if (row && target.matches("time")) target.title = new Date(row.when).toLocaleString();
  });

  setInterval(() => {
    for (const { row, element: made } of sessions.values()) {
      const time = made?.querySelector("time");
      const text = ago(row.when);
      if (time && time.textContent !== text) time.textContent = text;
    }
  }, 30000);

  // --- all rows ------------------------------------------------------------------------------

  /** Take over what is known of all sessions; what is shown of them already is shown anew. */
  function take(rows) {
    const before = order;
    order = rows.map((row) => row.id);
    const kept = new Set(order);
    for (const id of before) {
      if (kept.has(id)) continue;
      sessions.get(id).element?.remove();
      sessions.delete(id);
      chosen.delete(id);
    }
    const changed = [];
    for (const row of rows) {
      const session = sessions.get(row.id);
      if (!session) sessions.set(row.id, { row, element: null, said: null });
      else if (JSON.stringify(session.row) !== JSON.stringify(row)) {
        session.row = row;
        if (session.element) changed.push(session);
      }
    }
    if (!sessions.has(active)) active = order[0] ?? "";
    changed.forEach(rebuild);
  }

  /** Show the rows that fit, in their order: the first ones now, the others between two frames. */
  function placeFitting() {
    fitting = order.filter((id) => fits(sessions.get(id)));
    for (const { element: made } of groups.splice(Math.ceil(fitting.length / ROWS_OF_GROUP))) leave(made);
    place(0, 2);
    count();
    if (fitting.length && !fitting.includes(active)) activate(fitting[0]);
  }

  let placing = 0;
  function place(from, number) {
    const turn = ++placing;
    const all = Math.ceil(fitting.length / ROWS_OF_GROUP);
    const end = Math.min(all, from + number);
    for (let index = from; index < end; index++) placeGroup(index);
    if (end === all && !left.length) return;
    afterFrame(() => {
      if (turn !== placing) return;
      if (end === all) for (const made of left.splice(0, GROUPS_GONE_AT_ONCE)) made.remove();
      place(end, GROUPS_AT_ONCE);
    });
  }

  function afterFrame(work) {
    if (document.hidden) setTimeout(work); // there are no frames then
    else requestAnimationFrame(() => setTimeout(work));
  }

  /** Have a group be there no more for anybody; to take it out of the page takes its time. */
  function leave(made) {
    made.classList.add("left");
    made.style.containIntrinsicSize = "";
    left.push(made);
  }

  /** Have all groups up to one in the page, without waiting for their turn. */
  function placeGroups(last) {
    for (let index = groups.length; index <= last; index++) placeGroup(index);
  }

  function placeGroup(index) {
    const ids = fitting.slice(index * ROWS_OF_GROUP, (index + 1) * ROWS_OF_GROUP);
    const key = ids.join();
    if (groups[index]?.key === key) return;
    const focused = body.contains(document.activeElement) ? document.activeElement : null;
    const made = element("div", "rows");
    made.setAttribute("role", "rowgroup");
    // Until it was in view once, it is taken for this high.
    made.style.containIntrinsicSize = `auto ${ids.length * ROW_PIXELS}px`;
    made.append(...ids.map((id) => sessions.get(id).element ?? build(sessions.get(id))));
    if (groups[index]) groups[index].element.replaceWith(made);
    else body.append(made);
    groups[index] = { key, element: made };
    if (focused?.isConnected && document.activeElement !== focused) focused.focus({ preventScroll: true });
  }

  // --- filters ---------------------------------------------------------------------------------

  function statesOf(row) {
    const states = [row.state];
    if (row.open) states.push("open");
    if (row.ignored) states.push("ignored");
    if (row.do.some((verb) => WAITING.has(verb))) states.push("waiting");
    return states;
  }

  let wanted = {};
  function readFilters() {
    const value = (name) => filters.elements[name].value;
    wanted = {
      words: find.value.trim().toLocaleLowerCase().split(/\s+/).filter(Boolean),
      project: value("project"), machine: value("machine"), state: value("state"),
      since: value("age") ? Date.now() - Number(value("age")) * 86400000 : 0,
    };
    filters.querySelector("[data-clear]").hidden = !isFiltered();
  }

  function isFiltered() {
    return Boolean(wanted.words.length || wanted.project || wanted.machine || wanted.state || wanted.since);
  }

  function fits(session) {
    const { row } = session;
    if (wanted.project && row.key !== wanted.project) return false;
    if (wanted.machine && !row.machines.includes(wanted.machine)) return false;
    if (wanted.state && !statesOf(row).includes(wanted.state)) return false;
    if (wanted.since && row.when < wanted.since) return false;
    if (!wanted.words.length || found?.has(row.id)) return true; // found anew as words change
    session.text ??= `${row.title} ${row.project} ${row.machines.join(" ")}`.toLocaleLowerCase();
    return wanted.words.every((word) => session.text.includes(word) || row.id.startsWith(word));
  }

  function filter() {
    readFilters();
    placeFitting();
  }

  function count() {
    const number = fitting.length;
    const of = number === order.length ? "" : ` of ${order.length.toLocaleString()}`;
    const words = number === 1 && !of ? "1 session" : `${number.toLocaleString()}${of} sessions`;
    const place = document.querySelector("[data-shown]");
    if (place.textContent !== words) place.textContent = order.length ? words : "";
    table.hidden = number === 0;
    table.setAttribute("aria-rowcount", number + 1);
    filters.hidden = order.length === 0;
    const why = order.length ? "unfit" : isStarted ? "none" : "looking";
    for (const empty of document.querySelectorAll("[data-empty]")) {
      empty.hidden = number > 0 || empty.dataset.empty !== why;
    }
    showBar();
  }

  function fillFilters() {
    const projects = new Map();
    const machines = new Map();
    const states = new Map();
    for (const { row } of sessions.values()) {
      if (row.key) projects.set(row.key, row.project);
      for (const machine of row.machines) machines.set(machine, machine);
      for (const state of statesOf(row)) states.set(state, STATES[state]);
    }
    const names = [...projects.values()];
    for (const [key, name] of projects) {
      // Two projects of one name are told apart by where they are from.
      if (names.filter((other) => other === name).length > 1) projects.set(key, `${name} (${key})`);
    }
    fill("project", projects);
    fill("machine", machines);
    fill("state", new Map(Object.entries(STATES).filter(([state]) => states.has(state))), false);
  }

  function fill(name, options, sorted = true) {
    const select = filters.elements[name];
    const before = select.value;
    const entries = [...options];
    if (sorted) entries.sort(([, a], [, b]) => a.localeCompare(b));
    const same = [...select.options].slice(1).map((one) => `${one.value}\n${one.text}`).join("\n\n");
    if (same === entries.map(([value, text]) => `${value}\n${text}`).join("\n\n")) return;
    while (select.options.length > 1) select.remove(1);
    for (const [value, text] of entries) select.add(new Option(text, value));
    select.value = options.has(before) ? before : "";
  }

  filters.addEventListener("change", filter);
  filters.addEventListener("reset", () => setTimeout(() => showFound(null)));
  filters.addEventListener("submit", (event) => event.preventDefault());
  find.addEventListener("input", () => { filter(); searchSoon(); });
  document.querySelector("[data-clear-filters]").addEventListener("click", () => { filters.reset(); find.focus(); });

  // --- what was said in them ---------------------------------------------------------------

  let searching = 0;
  function searchSoon() {
    clearTimeout(searching);
    if (!known.search) return;
    searching = setTimeout(search, 120);
  }

  async function search() {
    const words = find.value.trim();
    if (words.length < 2) {
      showFound(null);
      return;
    }
    let answer = null;
    try {
      answer = await (await fetch(link(`/sessions/search?${new URLSearchParams({ words })}`))).json();
    } catch {
      // said below
    }
    if (words !== find.value.trim()) return;
    const { hits = [], note = "What was said can't be searched now." } = answer ?? {};
    showFound(new Map(hits.map((hit) => [hit.id, hit])), note);
  }

  /** Show what was found, with what is to be known of it; null where nothing is looked for. */
  function showFound(now, note = "") {
    const before = found;
    found = now;
    const place = document.querySelector("[data-found]");
    place.textContent = note;
    place.hidden = !note;
    for (const id of new Set([...(before?.keys() ?? []), ...(found?.keys() ?? [])])) {
      const session = sessions.get(id);
      if (session?.element) rebuild(session);
    }
    filter();
  }

  // --- moving with the keyboard --------------------------------------------------------------

  function activate(id, focus = false) {
    const before = sessions.get(active)?.element;
    if (before) before.tabIndex = -1;
    active = id ?? "";
    const index = fitting.indexOf(active);
    if (index >= 0) placeGroups(Math.floor(index / ROWS_OF_GROUP));
    const made = sessions.get(active)?.element;
    if (!made) return;
    made.tabIndex = 0;
    if (focus) {
      made.focus();
      made.scrollIntoView({ block: "nearest" });
    }
  }

  function move(by) {
    const at = fitting.indexOf(active);
    activate(fitting[Math.min(Math.max(at + by, 0), fitting.length - 1)], true);
  }

  const MOVES = { ArrowDown: 1, ArrowUp: -1, PageDown: 10, PageUp: -10, Home: -Infinity, End: Infinity };

  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const isTyping = event.target.matches("input:not([type=checkbox]), select, textarea");
    if (event.key === "/" && !isTyping) {
      event.preventDefault();
      find.focus();
      find.select();
    } else if (event.target === find && event.key === "ArrowDown") {
      event.preventDefault();
      activate(fitting.includes(active) ? active : fitting[0], true);
    } else if (event.target === find && event.key === "Escape" && find.value) {
      event.preventDefault();
      find.value = "";
      showFound(null);
    }
  });

  body.addEventListener("keydown", (event) => {
    const made = event.target.closest("[data-id]");
    if (!made || event.ctrlKey || event.metaKey || event.altKey) return;
    const inRow = [made, ...made.querySelectorAll("a, input, button")];
    const at = inRow.indexOf(event.target);
    if (event.key in MOVES) move(MOVES[event.key]);
    else if (event.key === "ArrowRight") inRow[Math.min(at + 1, inRow.length - 1)].focus();
    else if (event.key === "ArrowLeft") inRow[Math.max(at - 1, 0)].focus();
    else if (event.key === "Enter" && event.target === made) open(made.dataset.id);
    else if (event.key === " " && event.target === made) choose(made.dataset.id, event.shiftKey);
    else if (event.key === "Escape" && event.target !== made) made.focus();
    else return;
    event.preventDefault();
  });

  body.addEventListener("focusin", (event) => {
    const made = event.target.closest("[data-id]");
    if (made && made.dataset.id !== active) activate(made.dataset.id);
  });

  /** Read it; where it can't be read here, do the likeliest. */
  function open(id) {
    if (known.pages.includes("session")) location.assign(pageOf(id));
    else sessions.get(id).element.querySelector("[data-do]")?.click();
  }

  // --- choosing several --------------------------------------------------------------------------

  let lastChosen = "";
  function choose(id, toLast) {
    const on = !chosen.has(id);
    const [from, to] = [fitting.indexOf(lastChosen), fitting.indexOf(id)].sort((a, b) => a - b);
    for (const one of toLast && from >= 0 ? fitting.slice(from, to + 1) : [id]) mark(one, on);
    lastChosen = id;
    showBar();
  }

  function mark(id, on) {
    if (on) chosen.add(id);
    else chosen.delete(id);
    const made = sessions.get(id)?.element;
    if (!made) return;
    made.querySelector(".choose input").checked = on;
    made.setAttribute("aria-selected", on);
  }

  function showBar() {
    const ids = [...chosen].filter((id) => sessions.has(id));
    bar.hidden = ids.length === 0;
    document.querySelector("[data-chosen]").textContent = `${ids.length.toLocaleString()} chosen`;
    for (const button of bar.querySelectorAll("[data-bulk]")) {
      const number = able(button.dataset.bulk).length;
      button.disabled = number === 0;
      button.dataset.label ??= button.textContent;
      button.textContent = number && number < ids.length ? `${button.dataset.label} (${number})` : button.dataset.label;
    }
    const marked = fitting.filter((id) => chosen.has(id)).length;
    chooseAll.checked = fitting.length > 0 && marked === fitting.length;
    chooseAll.indeterminate = marked > 0 && marked < fitting.length;
  }

  function able(verb) {
    return [...chosen].filter((id) => sessions.get(id)?.row.do.includes(verb));
  }

  chooseAll.addEventListener("change", () => {
    for (const id of fitting) mark(id, chooseAll.checked);
    showBar();
  });

  bar.addEventListener("click", async (event) => {
    const button = event.target.closest("button");
    if (!button) return;
    if ("bulkClear" in button.dataset) {
      for (const id of [...chosen]) mark(id, false);
      showBar();
      return;
    }
    const ids = able(button.dataset.bulk);
    const before = button.textContent;
    button.textContent = DOING[button.dataset.bulk];
    const done = button.dataset.bulk === "forget" ? await forget(ids) : await send(button.dataset.bulk, ids);
    button.textContent = before;
    if (!done) return;
    tell(done.message, done.is_error);
    if (!done.is_error) for (const id of ids) mark(id, false);
    showBar();
  });

  // --- doing something ---------------------------------------------------------------------------

  async function send(verb, ids, detail = "") {
    return post("/do", { verb, subject: ids.join(" "), detail });
  }

  async function forget(ids) {
    const what = ids.length === 1 ? "this session" : `these ${ids.length} sessions`;
    const yes = await ask(
      `Remove ${what} from the shared folder?`,
      "What this machine pushed of it is removed there, and isn't pushed again until you push it " +
        "by hand. Here, and on machines that pulled it already, nothing is removed.",
      "Remove",
    );
    return yes ? post("/sessions/forget", { sessions: ids }) : null;
  }

  async function act(id, verb, button) {
    const session = sessions.get(id);
    if (PAGES[verb]) {
      location.assign(link(`/${PAGES[verb]}/${id}`));
      return;
    }
    let detail = "";
    if (verb === "add-project-folder") {
      detail = await askFolder(`Where is ${session.row.project} on this machine?`);
      if (!detail) return;
    }
    if (verb === "replace" && !(await ask("Replace what is here?", session.row.replaces, "Replace it"))) return;
    session.element.setAttribute("aria-busy", "true");
    if (button) button.textContent = DOING[verb] ?? VERBS[verb];
    const sent = verb === "forget" ? await forget([id]) : await send(verb, [id], detail);
    const answer = await agreed(sent, id);
    session.element.removeAttribute("aria-busy");
    if (answer?.go) location.assign(link(answer.go));
    else if (answer?.message) say(id, answer.message, answer.is_error);
    else rebuild(session);
  }

  body.addEventListener("click", (event) => {
    const made = event.target.closest("[data-id]");
    if (!made) return;
    const { id } = made.dataset;
    const button = event.target.closest("button");
    if (button?.dataset.do) act(id, button.dataset.do, button);
    else if (button) openMenu(id, button);
    else if (event.target.closest(".choose")) {
      // A click beside the box is meant for it.
      if (!event.target.matches("input")) event.preventDefault();
      choose(id, event.shiftKey);
    } else if (!event.target.closest("a") && !getSelection().toString()) {
      activate(id, true);
      if (known.pages.includes("session")) open(id);
    }
  });

  // --- the other things that can be done ------------------------------------------------------------

  let menuOf = "";
  let menuButton = null;
  function openMenu(id, button) {
    menuOf = id;
    menuButton = button;
    const { row } = sessions.get(id);
    menu.replaceChildren();
    menu.setAttribute("aria-label", `What can be done with ${row.title}`);
    for (const verb of verbsOf(row)) {
      const item = element("button", verb === "forget" ? "danger" : "", VERBS[verb]);
      item.type = "button";
      item.tabIndex = -1;
      item.setAttribute("role", "menuitem");
      item.dataset.item = verb;
      menu.append(item);
    }
    if (!menu.children.length) {
      const item = element("button", "", "Nothing can be done with it here yet");
      item.disabled = true;
      item.setAttribute("role", "menuitem");
      menu.append(item);
    }
    menu.showPopover();
    const at = button.getBoundingClientRect();
    const { width, height } = menu.getBoundingClientRect();
    menu.style.left = `${Math.max(8, Math.min(at.right - width, innerWidth - width - 8))}px`;
    menu.style.top = `${at.bottom + height + 8 > innerHeight ? Math.max(8, at.top - height - 4) : at.bottom + 4}px`;
    menu.firstElementChild.focus();
  }

  menu.addEventListener("keydown", (event) => {
    const items = [...menu.children];
    const at = items.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (event.key === "Tab") menu.hidePopover();
    if (to === undefined) return;
    event.preventDefault();
    items[(to + items.length) % items.length].focus();
  });
  menu.addEventListener("toggle", (event) => {
    if (event.newState === "closed" && menuButton?.isConnected) menuButton.focus();
  });
  menu.addEventListener("click", (event) => {
    const { item } = event.target.dataset;
    if (!item) return;
    menu.hidePopover();
    act(menuOf, item, null);
  });
  addEventListener("scroll", () => { if (menu.matches(":popover-open")) menu.hidePopover(); }, { passive: true });

  // --- following the Status ----------------------------------------------------------------------

  let { revision } = known;
  document.addEventListener("status", async ({ detail }) => {
    if (detail.revision === undefined || detail.revision === revision) return;
    const answer = await fetch(link("/sessions/rows"));
    if (!answer.ok) return;
    const newest = await answer.json();
    ({ started: isStarted, revision } = newest);
    for (const session of sessions.values()) session.text = undefined;
    take(newest.rows);
    fillFilters();
    placeFitting();
    if (found) search(); // more may be found by now
  });

  take(known.rows);
  const asked = new URLSearchParams(location.search);
  if (location.search) fillFilters();
  else afterFrame(fillFilters); // nobody chooses one before the rows are seen
  for (const name of ["project", "machine", "state", "age"]) {
    if (asked.has(name)) filters.elements[name].value = asked.get(name);
  }
  filter();
})();
