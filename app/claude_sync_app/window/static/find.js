// Finding on a page that the server looks through: in a transcript, among what is kept.
"use strict";

(() => {
  const form = document.querySelector("[data-find]");
  const field = form.querySelector("input[type=search]");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    location.assign(link(`${form.dataset.find}?${new URLSearchParams(new FormData(form))}`));
  });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    field.focus();
    field.select();
  });
})();
