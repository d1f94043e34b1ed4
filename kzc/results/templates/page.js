// SPDX-License-Identifier: GPL-2.0-only
// Comfort only: buttons that copy, a filter over the cases, and details that open where they are meant.
(() => {
  "use strict";
  const all = (what, where) => Array.from((where || document).querySelectorAll(what));

  for (const button of all("button[data-copy]")) {
    button.hidden = false;
    button.addEventListener("click", () => {
      const text = document.getElementById(button.dataset.copy).textContent;
      const done = (ok) => {
        button.textContent = ok ? "copied" : "press Ctrl-C";
        setTimeout(() => { button.textContent = "copy"; }, 1600);
      };
      const chosen = () => {
        const range = document.createRange();
        range.selectNodeContents(document.getElementById(button.dataset.copy));
        getSelection().removeAllRanges();
        getSelection().addRange(range);
        done(document.execCommand("copy"));
      };
      if (navigator.clipboard) navigator.clipboard.writeText(text).then(() => done(true), chosen);
      else chosen();
    });
  }

  const open = () => {
    const at = location.hash && document.getElementById(decodeURIComponent(location.hash.slice(1)));
    for (let each = at; each; each = each.parentElement) if (each.tagName === "DETAILS") each.open = true;
    if (at) at.scrollIntoView();
  };
  addEventListener("hashchange", open);
  open();

  const lists = all("details.suite");
  const field = document.getElementById("find");
  if (field && lists.length) {
    field.closest("form").hidden = false;
    field.closest("form").addEventListener("submit", (event) => event.preventDefault());
    const said = document.getElementById("found");
    let waiting = 0;
    const find = () => {
      const words = field.value.toLowerCase().split(/\s+/).filter(Boolean);
      let number = 0;
      for (const list of lists) {
        let here = 0;
        for (const row of all("tbody tr", list)) {
          const text = row.textContent.toLowerCase();
          row.hidden = !words.every((word) => text.includes(word));
          here += row.hidden ? 0 : 1;
        }
        list.open = words.length > 0 && here > 0;
        number += here;
      }
      said.textContent = words.length ? number + " found" : "";
    };
    field.addEventListener("input", () => { clearTimeout(waiting); waiting = setTimeout(find, 120); });
    addEventListener("keydown", (event) => {
      if (event.key === "/" && !/INPUT|SELECT|TEXTAREA/.test(document.activeElement.tagName)) {
        event.preventDefault();
        field.focus();
      }
    });
  }
})();
