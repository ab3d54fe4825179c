// Settings: saved as they are changed and checked as they are typed; choosing where sessions meet.
"use strict";

(() => {
  // --- preferences -------------------------------------------------------------------------

  function valueOf(field) {
    return field.type === "checkbox" ? String(field.checked) : field.value;
  }

  function showResult(field, message, isError) {
    const place = field.closest("[data-answers]").querySelector("[data-result]");
    place.textContent = message;
    place.classList.toggle("error", Boolean(isError));
    place.hidden = !message;
    field.setAttribute("aria-invalid", Boolean(isError));
  }

  async function save(field) {
    clearTimeout(checking.get(field));
    const answer = await post("/settings/set", { key: field.dataset.preference, value: valueOf(field) });
    showResult(field, answer.message, answer.is_error);
    if (answer.is_error && field.type === "checkbox") field.checked = !field.checked;
  }

  const checking = new Map();
  function checkSoon(field) {
    clearTimeout(checking.get(field));
    checking.set(field, setTimeout(async () => {
      const value = valueOf(field);
      const answer = await post("/settings/check", { key: field.dataset.preference, value });
      if (value === valueOf(field)) showResult(field, answer.is_error ? answer.message : "", answer.is_error);
    }, 250));
  }

  for (const field of document.querySelectorAll("[data-preference]")) {
    field.addEventListener("change", () => save(field));
    if (field.matches("input:not([type=checkbox]), textarea")) field.addEventListener("input", () => checkSoon(field));
  }

  for (const field of document.querySelectorAll("[data-switch]")) {
    field.addEventListener("change", async () => {
      field.disabled = true;
      const answer = await post(field.dataset.switch, { on: field.checked, project: field.dataset.project ?? "" });
      field.disabled = false;
      if (answer.is_error) field.checked = !field.checked;
      showResult(field, answer.message, answer.is_error);
    });
  }

  // --- where sessions meet --------------------------------------------------------------------

  const form = document.querySelector("[data-store]");
  if (!form) return;
  const fields = form.elements;
  const step = (name) => form.querySelector(`[data-step="${name}"]`);
  let chosen = null; // what the check said

  function go(name) {
    for (const one of form.querySelectorAll("[data-step]")) one.hidden = one.dataset.step !== name;
    for (const mark of document.querySelectorAll("[data-mark]")) {
      if (mark.dataset.mark === name) mark.setAttribute("aria-current", "step");
      else mark.removeAttribute("aria-current");
    }
    const after = document.querySelector("[data-after-done]");
    if (after) after.hidden = name !== "done";
    const later = document.querySelector("[data-later]");
    if (later) later.hidden = name === "done";
    step(name).querySelector("[data-step-title]")?.focus();
  }

  function problem(name, message) {
    const place = step(name).querySelector("[data-problem]");
    place.textContent = message;
    place.hidden = !message;
  }

  function location() {
    const place = fields.place.value;
    if (place.startsWith("folder:")) return place.slice("folder:".length);
    if (place === "folder") return fields.folder.value.trim();
    if (place === "host") return fields.host.value.trim();
    if (place === "cloud") return `rclone:${fields.remote.value}:${fields.cloud.value.trim()}`;
    return "";
  }

  async function check(where, exact = false) {
    if (!where) {
      problem("place", fields.place.value ? "Say where first." : "Choose one first.");
      return;
    }
    problem("place", "");
    const button = form.querySelector("[data-step=place] button.main");
    const before = button.textContent;
    button.textContent = "Looking…";
    form.setAttribute("aria-busy", "true");
    const answer = await post("/settings/store/check", { location: where, exact });
    form.removeAttribute("aria-busy");
    button.textContent = before;
    if (answer.is_error) {
      go("place");
      problem("place", answer.message);
      return;
    }
    show(answer.more);
  }

  function show(found) {
    chosen = found;
    const part = step("readers");
    part.querySelector("[data-where]").textContent = found.where;
    part.querySelector("[data-shared]").textContent = found.shared;
    part.querySelector("[data-older]").textContent = found.older;
    part.querySelector("[data-choose-encryption]").hidden = found.kind !== "none" || found.private;
    part.querySelector("[data-is-plain]").hidden = found.kind !== "plain" || found.private;
    part.querySelector("[data-key]").hidden = found.kind !== "encrypted";
    part.querySelector("[data-name]").hidden = true;
    const others = part.querySelector("[data-others]");
    others.hidden = found.others.length === 0 || found.kind !== "none";
    const buttons = part.querySelector("[data-other-buttons]");
    buttons.replaceChildren(...found.others.map(([path, shown]) => {
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = `Use ${shown}`;
      button.addEventListener("click", () => check(path, true));
      return button;
    }));
    problem("readers", "");
    sayReaders();
    go("readers");
  }

  function isEncrypted() {
    if (chosen.private) return false;
    return chosen.kind === "none" ? fields.encryption.value === "encrypted" : chosen.kind === "encrypted";
  }

  function sayReaders() {
    step("readers").querySelector("[data-readers]").textContent = isEncrypted()
      ? "your machines that have its key, and by nobody else"
      : chosen.readers;
  }

  async function share() {
    const body = { location: chosen.location, encrypt: isEncrypted() };
    if (fields.key.value) body.key = fields.key.value;
    if (!step("readers").querySelector("[data-name]").hidden) {
      body.name = fields.name.value;
      body.take_over = fields.take_over.checked;
    }
    const button = form.querySelector("[data-share]");
    button.disabled = true;
    button.textContent = "Setting up…";
    const answer = await post("/settings/store/choose", body);
    button.disabled = false;
    button.textContent = "Share there";
    const more = answer.more ?? {};
    if (more.made_key) showKey(more.made_key); // also where it failed after that: it may count already
    if (answer.is_error) {
      problem("readers", answer.message);
      if (more.needs_key) {
        step("readers").querySelector("[data-key]").hidden = false;
        fields.key.focus();
      }
      if (more.name_taken) {
        step("readers").querySelector("[data-name]").hidden = false;
        fields.name.value ||= more.name_taken;
        fields.name.focus();
      }
      return;
    }
    fields.key.value = "";
    form.querySelector("[data-done]").textContent = answer.message;
    const left = form.querySelector("[data-left]");
    left.hidden = !more.left;
    left.querySelector("[data-left-text]").textContent = more.left ?? "";
    go("done");
  }

  function showKey(key) {
    const place = form.querySelector("[data-made-key]");
    place.querySelector("[data-key-text]").textContent = key;
    place.hidden = false;
  }

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    if (step("place").hidden) share();
    else check(location());
  });
  form.addEventListener("change", (event) => {
    if (event.target.name === "encryption") sayReaders();
  });
  form.addEventListener("focusin", (event) => {
    // Who types into the field of an option means that option.
    const option = event.target.closest(".option");
    if (option && event.target.type !== "radio") option.querySelector("input[type=radio]").checked = true;
  });
  form.querySelector("[data-back]").addEventListener("click", () => go("place"));
  form.querySelector("[data-browse-folder]").addEventListener("click", async (event) => {
    const answer = await post("/folder", { title: "Choose the shared folder", start: fields.folder.value });
    if (answer.more?.path) fields.folder.value = answer.more.path;
    problem("place", answer.is_error ? answer.message : "");
    event.target.focus();
  });
  form.querySelector("[data-left]").addEventListener("answered", (event) => {
    if (event.detail.is_error) return;
    event.currentTarget.hidden = true;
    step("done").querySelector("[data-step-title]").focus(); // what had it is gone
  });
  form.querySelector("[data-show-key]").addEventListener("change", (event) => {
    fields.key.type = event.target.checked ? "text" : "password";
  });
  form.querySelector("[data-copy-key]").addEventListener("click", async (event) => {
    await navigator.clipboard.writeText(form.querySelector("[data-key-text]").textContent);
    event.target.textContent = "Copied";
  });
  if (document.querySelector("[data-change]") && window.location.pathname.endsWith("/settings/store")) {
    const change = document.querySelector("[data-change]");
    change.open = true;
    change.scrollIntoView({ block: "nearest" });
  }
})();
