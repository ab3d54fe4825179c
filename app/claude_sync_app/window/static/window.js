// What every page of the window does: follows the Status, sends what a button asks for, says what
// came of it. A page asks for it with attributes, and needs no script of its own:
//
//   data-verb, data-subject, data-detail   a button that asks for a verb
//   data-post="/path", data-body='{…}'     a button or a form that asks for something else
//   data-ask, data-ask-text, data-ask-yes  what is asked first, and the label of the button for yes
//   data-number, data-if                   shows a number of the Status, is there while it isn't 0
//   data-stale="3", data-stale-of          is there once that number is another: "revision" counts the
//                                          changes of sessions, "checkup" those of what the doctor finds
//   data-again                             shows the page anew
//   data-reload                            on such a button: the page shows something else after it
//   data-result                            inside [data-answers]: where the answer is shown
//
// Nothing becomes markup here: texts are set as texts.
"use strict";

const root = document.documentElement.dataset.root;

function link(path) {
  return root + path;
}

// --- asking for something ----------------------------------------------------------------------

/** Send something; the answer is {message, is_error, go, reload, more}. */
async function post(path, body) {
  try {
    const answer = await fetch(link(path), {
      method: "POST",
      headers: { "Content-Type": "application/json" },
      body: JSON.stringify(body),
    });
    if (answer.headers.get("content-type")?.startsWith("application/json")) return await answer.json();
  } catch {
    // said below
  }
  return { message: "claude-sync doesn't answer any more. Open the window again.", is_error: true };
}

/** Show a sentence: where the click was made if there is a place for it, else at the edge. */
function tell(message, isError, near) {
  if (!message) return;
  const place = near?.closest("[data-answers]")?.querySelector("[data-result]");
  if (place) {
    place.textContent = message;
    place.classList.toggle("error", Boolean(isError));
    place.hidden = false;
    return;
  }
  const toasts = document.querySelector("[data-toasts]");
  const toast = document.createElement("div");
  toast.className = isError ? "toast error" : "toast";
  const text = document.createElement("span");
  text.textContent = message;
  const close = document.createElement("button");
  close.type = "button";
  close.className = "quiet";
  close.setAttribute("aria-label", "Close this message");
  close.textContent = "×";
  close.addEventListener("click", () => toast.remove());
  toast.append(text, close);
  toasts.append(toast);
  while (toasts.children.length > 3) toasts.firstElementChild.remove();
  if (!isError) setTimeout(() => toast.remove(), 8000);
}

/** Ask first, in a dialog; whether the person said yes. */
function ask(title, text, yes) {
  const dialog = document.querySelector("[data-asking]");
  dialog.querySelector("[data-asking-title]").textContent = title;
  dialog.querySelector("[data-asking-text]").textContent = text;
  const yesButton = dialog.querySelector("[data-asking-yes]");
  yesButton.textContent = yes;
  return new Promise((resolve) => {
    const end = (answer) => {
      dialog.removeEventListener("close", no);
      yesButton.onclick = null;
      if (dialog.open) dialog.close();
      resolve(answer);
    };
    const no = () => end(false);
    dialog.addEventListener("close", no);
    dialog.querySelector("[data-asking-no]").onclick = no;
    yesButton.onclick = () => end(true);
    dialog.showModal();
  });
}

/** Ask for a folder of this machine; "" for Cancel. */
function askFolder(title, path = "") {
  const dialog = document.querySelector("[data-asking-folder]");
  const field = dialog.querySelector("input");
  dialog.querySelector("[data-asking-title]").textContent = title;
  dialog.querySelector("[data-folder-problem]").hidden = true;
  field.value = path;
  dialog.returnValue = "";
  dialog.querySelector("[data-asking-no]").onclick = () => dialog.close("");
  dialog.querySelector("[data-browse]").onclick = (event) => browse(event.target, field, title);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => resolve(dialog.returnValue ? field.value.trim() : ""), { once: true });
    dialog.showModal();
  });
}

/** Have the desktop's own dialog for folders fill a field. */
async function browse(button, field, title) {
  button.disabled = true;
  const answer = await post("/folder", { title, start: field.value });
  button.disabled = false;
  if (answer.more?.path) field.value = answer.more.path;
  const problem = field.form.querySelector("[data-folder-problem]");
  if (!problem) return;
  problem.hidden = !answer.is_error;
  problem.textContent = answer.is_error ? answer.message : "";
}

/** Ask, where a session is resumed only if a person says so; the answer that counts then. */
async function agreed(answer, session) {
  if (!answer?.more?.all_the_same) return answer;
  if (!(await ask("Resume it all the same?", answer.message, "Resume all the same"))) return answer;
  return post("/do", { verb: "resume", subject: session, detail: "all-the-same" });
}

/** Do what an element asks for, and say what came of it; returns the answer, null for Cancel. */
async function act(element, path, body) {
  const { ask: title, askText = "", askYes = "Yes" } = element.dataset;
  if (title && !(await ask(title, askText, askYes))) return null;
  if (element.getAttribute("aria-busy") === "true") return null;
  element.setAttribute("aria-busy", "true");
  try {
    const answer = await agreed(await post(path, body), body.subject);
    follow(answer, element);
    return answer;
  } finally {
    element.removeAttribute("aria-busy");
  }
}

function follow(answer, element) {
  const reload = answer.reload || ("reload" in element.dataset && !answer.is_error);
  if ((answer.go || reload) && answer.message) {
    sessionStorage.setItem("told", JSON.stringify([answer.message, answer.is_error]));
  }
  if (answer.go) location.assign(link(answer.go));
  else if (reload) location.reload();
  else tell(answer.message, answer.is_error, element);
  element.dispatchEvent(new CustomEvent("answered", { bubbles: true, detail: answer }));
}

document.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-verb], button[data-post]");
  if (!button || button.type === "submit") return;
  const { verb, subject = "", detail = "", post: path, body = "{}" } = button.dataset;
  if (verb) act(button, "/do", { verb, subject, detail });
  else act(button, path, JSON.parse(body));
});

document.addEventListener("click", (event) => {
  if (event.target.closest("[data-again]")) location.reload();
});

document.addEventListener("submit", (event) => {
  const form = event.target.closest("form[data-post]");
  if (!form) return;
  event.preventDefault();
  const body = JSON.parse(form.dataset.body ?? "{}");
  for (const field of form.elements) {
    if (!field.name || field.disabled) continue;
    if (field.type === "checkbox") body[field.name] = field.checked;
    else if (field.type !== "radio" || field.checked) body[field.name] = field.value;
  }
  act(form, form.dataset.post, body);
});

// --- following the Status ----------------------------------------------------------------------

let events = null;
let failures = 0;

function followStatus() {
  if (events) return;
  events = new EventSource(link("/events"));
  events.addEventListener("status", (event) => {
    failures = 0;
    showStatus(JSON.parse(event.data));
  });
  events.addEventListener("rest", stopFollowing);
  events.addEventListener("error", () => {
    failures += 1;
    if (failures > 3) {
      stopFollowing();
      showStatus({ state: "error", text: "This window isn't connected any more: open it again.", warnings: 0 });
    }
  });
}

function stopFollowing() {
  events?.close();
  events = null;
}

function showStatus(summary) {
  for (const place of document.querySelectorAll("[data-status]")) {
    place.dataset.state = summary.state;
    const text = place.querySelector("[data-status-text]");
    if (text.textContent !== summary.text) text.textContent = summary.text;
    const progress = place.querySelector("[data-status-progress]");
    progress.hidden = !summary.is_busy;
    if (summary.total) {
      progress.max = summary.total;
      progress.value = summary.done;
    } else progress.removeAttribute("value");
  }
  for (const place of document.querySelectorAll("[data-number]")) {
    const number = summary[place.dataset.number] ?? 0;
    place.textContent = number;
    place.hidden = number === 0;
  }
  for (const place of document.querySelectorAll("[data-if]")) place.hidden = !summary[place.dataset.if];
  const stale = document.querySelector("[data-stale]");
  const number = summary[stale?.dataset.staleOf];
  if (number !== undefined && String(number) !== stale.dataset.stale) stale.hidden = false;
  document.dispatchEvent(new CustomEvent("status", { detail: summary }));
}

document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") followStatus();
});
// A page that is left isn't kept by the browser with its stream open.
addEventListener("pagehide", stopFollowing);
addEventListener("pageshow", followStatus);

const told = sessionStorage.getItem("told");
if (told) {
  sessionStorage.removeItem("told");
  tell(...JSON.parse(told));
}

// Where the names of the pages need more room than there is, that of this one is in view. With the
// first frame: a page's own script comes first, so that nothing is laid out twice.
requestAnimationFrame(() => {
  document.querySelector(".top nav [aria-current]")?.scrollIntoView({ block: "nearest", inline: "center" });
});
