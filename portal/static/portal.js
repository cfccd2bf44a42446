// What a keyboard and a glance need beyond links and forms; without this script every page still works.
(() => {
  const $ = (query, from = document) => from.querySelector(query);
  const all = (query, from = document) => [...from.querySelectorAll(query)];
  const typing = (target) => /^(input|textarea|select)$/i.test(target.tagName) && target.type !== "checkbox";
  const rows = () => all("[data-row]");
  let at = -1;

  function move(step) {
    const list = rows();
    if (!list.length) return;
    at = Math.max(0, Math.min(list.length - 1, at + step));
    const link = $("[data-row-link]", list[at]);
    if (link) link.focus();
  }

  function counted() {
    const picked = all("input[name=ids]:checked").length;
    all("[data-picked]").forEach((each) => { each.textContent = String(picked); });
    all("[data-bulk]").forEach((each) => { each.dataset.any = picked ? "yes" : "no"; });
  }

  document.addEventListener("keydown", (event) => {
    const palette = (event.metaKey || event.ctrlKey) && event.key.toLowerCase() === "k";
    if (palette || (event.key === "/" && !typing(event.target))) {
      const box = $("[data-search]");
      if (box) { event.preventDefault(); box.focus(); box.select(); }
      return;
    }
    if (event.key === "Escape") {
      if (typing(event.target)) { event.target.blur(); return; }
      const close = $("[data-close]");
      if (close) close.click();
      return;
    }
    if (typing(event.target) || event.metaKey || event.ctrlKey || event.altKey) return;
    if (event.key === "j") move(1);
    if (event.key === "k") move(-1);
    if (event.key === "x" && rows()[at]) {
      const box = $("input[name=ids]", rows()[at]);
      if (box) { box.checked = !box.checked; counted(); }
    }
    if (event.key === "?") { const help = $("#keys"); if (help) help.showModal(); }
  });

  document.addEventListener("focusin", (event) => {
    const row = event.target.closest && event.target.closest("[data-row]");
    if (row) at = rows().indexOf(row);
  });

  document.addEventListener("change", (event) => {
    const box = event.target;
    if (box.matches("[data-pick-all]")) {
      all("input[name=ids]").forEach((each) => { each.checked = box.checked; });
    }
    if (box.matches("input[name=ids],[data-pick-all]")) counted();
    if (box.matches("[data-submit-on-change]")) box.form.requestSubmit();
  });

  document.addEventListener("click", (event) => {
    const copy = event.target.closest("[data-copy]");
    if (copy && navigator.clipboard) {
      navigator.clipboard.writeText(copy.dataset.copy);
      copy.dataset.done = "yes";
    }
    const tick = event.target.closest("dialog [data-dismiss]");
    if (tick) tick.closest("dialog").close();
  });

  // "Live" must never be a promise that is not kept: after a failed look it says so.
  let failed = false;
  function live(isGood) {
    failed = !isGood;
    all("[data-live]").forEach((each) => { each.dataset.state = failed ? "paused" : "live"; });
  }
  document.addEventListener("htmx:after:request", (event) => {
    const answer = event.detail && event.detail.ctx && event.detail.ctx.response;
    if (answer) live(answer.status < 500);
  });
  document.addEventListener("htmx:error", () => live(false));
  document.addEventListener("htmx:after:swap", counted);
  document.addEventListener("DOMContentLoaded", counted);
})();
