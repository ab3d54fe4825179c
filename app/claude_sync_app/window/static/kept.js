// The page of what is kept: choosing several sessions, to restore them at once.
"use strict";

(() => {
  const boxes = [...document.querySelectorAll("[data-choose]")];
  const all = document.querySelector("[data-choose-all]");
  const bar = document.querySelector("[data-bar]");
  if (!all) return;

  function show() {
    const number = boxes.filter((box) => box.checked).length;
    bar.hidden = number === 0;
    bar.querySelector("[data-chosen]").textContent = `${number.toLocaleString()} chosen`;
    all.checked = number === boxes.length;
    all.indeterminate = number > 0 && number < boxes.length;
  }

  function choose(on) {
    for (const box of boxes) box.checked = on;
    show();
  }

  for (const box of boxes) box.addEventListener("change", show);
  all.addEventListener("change", () => choose(all.checked));
  bar.querySelector("[data-clear]").addEventListener("click", () => choose(false));
  bar.querySelector("[data-restore]").addEventListener("click", (event) => {
    const sessions = boxes.filter((box) => box.checked).map((box) => box.value);
    act(event.target, "/kept", { sessions });
  });
  show(); // a page that is gone back to may still have some checked
})();
