"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const root = document.documentElement;

  const theme = $("theme");
  const remembered = () => { try { return localStorage.getItem("session-lint-theme") || ""; } catch { return ""; } };
  const dress = (name) => { if (name) { root.dataset.theme = name; } else { delete root.dataset.theme; } };
  theme.parentElement.hidden = false;
  theme.value = remembered();
  dress(theme.value);
  theme.addEventListener("change", () => {
    dress(theme.value);
    try { localStorage.setItem("session-lint-theme", theme.value); } catch { /* it holds for this page */ }
  });

  const form = $("filter");
  if (!form) { return; }
  const findings = [...document.querySelectorAll(".finding")];
  const groups = $("groups");
  const byRule = [...groups.children];
  const home = new Map(findings.map((one) => [one, one.parentElement]));
  const words = new Map(findings.map((one) => {
    return [one, (one.querySelector("summary").textContent + " " + one.dataset.words).toLowerCase()];
  }));
  let byFile = null;
  let printed = [];

  // A graph that is wider than its window is shown where it begins.
  const centre = (pan) => {
    const start = pan.querySelector(".start").getBoundingClientRect();
    const window = pan.getBoundingClientRect();
    pan.scrollLeft += start.left + start.width / 2 - window.left - window.width / 2;
  };

  // What is inside of a finding is text to a browser that runs scripts, until the finding is opened.
  const fill = (details) => {
    const inside = details.querySelector(":scope > noscript");
    if (!inside) { return; }
    inside.outerHTML = inside.textContent;
    for (const pan of details.querySelectorAll(".pan")) { requestAnimationFrame(() => centre(pan)); }
  };

  const FIELDS = ["rule", "file", "fix"];
  const state = () => {
    const data = new FormData(form);
    const found = { q: $("q").value.trim(), severity: data.getAll("severity"), group: data.get("group") };
    for (const name of FIELDS) { found[name] = data.get(name) || ""; }
    return found;
  };

  const write = (now) => {
    const hash = new URLSearchParams();
    for (const name of [...FIELDS, "q"]) { if (now[name]) { hash.set(name, now[name]); } }
    if (now.severity.length) { hash.set("severity", now.severity.join(",")); }
    if (now.group === "file") { hash.set("group", "file"); }
    const text = String(hash);
    history.replaceState(null, "", text ? "#" + text : location.pathname + location.search);
  };

  const read = (hash) => {
    const given = new URLSearchParams(hash);
    $("q").value = given.get("q") || "";
    const severities = (given.get("severity") || "").split(",");
    for (const box of form.querySelectorAll("[name=severity]")) { box.checked = severities.includes(box.value); }
    for (const name of FIELDS) {
      const field = form.elements[name];
      if (field) { field.value = given.get(name) || ""; if (field.selectedIndex < 0) { field.value = ""; } }
    }
    const group = given.get("group") === "file" ? "file" : "rule";
    form.querySelector(`[name=group][value=${group}]`).checked = true;
  };

  const fits = (one, now, sought) => {
    const has = one.dataset;
    if (now.severity.length && !now.severity.includes(has.severity)) { return false; }
    if (now.rule && has.rule !== now.rule) { return false; }
    if (now.file && has.file !== now.file) { return false; }
    if (now.fix && !(now.fix === "any" ? has.fix : now.fix === "none" ? !has.fix : has.fix === now.fix)) { return false; }
    return sought.every((word) => words.get(one).includes(word));
  };

  const filesOf = () => {
    const sections = new Map();
    for (const one of [...findings].sort((a, b) => (a.dataset.file < b.dataset.file ? -1 : a.dataset.file > b.dataset.file ? 1 : 0))) {
      const file = one.dataset.file;
      if (!sections.has(file)) {
        const section = document.createElement("section");
        section.className = "group files";
        section.setAttribute("aria-label", file);
        const head = document.createElement("h3");
        const tally = document.createElement("span");
        tally.className = "tally";
        head.append(file + " ", tally);
        const list = document.createElement("ol");
        list.className = "list";
        section.append(head, list);
        sections.set(file, section);
      }
    }
    return sections;
  };

  const regroup = (by) => {
    if (groups.dataset.by === by) { return; }
    groups.dataset.by = by;
    if (by === "file") {
      byFile = byFile || filesOf();
      const places = new Map(findings.map((one) => {
        return [one, one.querySelector(".at").textContent.slice(one.dataset.file.length).match(/\d+/g).slice(0, 3).map(Number)];
      }));
      const before = (a, b) => a.map((n, i) => n - b[i]).find((n) => n) || 0;
      for (const one of [...findings].sort((a, b) => before(places.get(a), places.get(b)))) { byFile.get(one.dataset.file).lastChild.append(one); }
      groups.replaceChildren(...byFile.values());
    } else {
      for (const one of findings) { home.get(one).append(one); }
      groups.replaceChildren(...byRule);
    }
  };

  const show = () => {
    const now = state();
    regroup(now.group);
    const sought = now.q.toLowerCase().split(/\s+/).filter(Boolean);
    let count = 0;
    for (const one of findings) {
      one.hidden = !fits(one, now, sought);
      count += !one.hidden;
    }
    for (const group of groups.children) {
      const shown = group.querySelectorAll(".finding:not([hidden])").length;
      group.hidden = !shown;
      group.querySelector(".tally").textContent = shown;
    }
    $("nothing").hidden = count > 0;
    $("count").textContent = count === findings.length ? `${count} shown` : `${count} of ${findings.length} shown`;
    return now;
  };

  const follow = () => {
    const hash = location.hash.slice(1);
    const aim = hash.includes("=") ? null : $(hash);
    if (aim && aim.classList.contains("finding")) {
      if (aim.hidden) { read(""); show(); }
      fill(aim.firstElementChild);
      aim.firstElementChild.open = true;
      aim.scrollIntoView();
      aim.querySelector("summary").focus({ preventScroll: true });
    } else if (!aim) {
      read(hash);
      show();
    }
  };

  const clear = () => { read(""); write(show()); $("q").focus(); };
  const all = (open) => { for (const one of findings) { if (!one.hidden) { one.firstElementChild.open = open; } } };

  form.hidden = false;
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("input", () => write(show()));
  form.addEventListener("reset", (event) => { event.preventDefault(); clear(); });
  $("clear").addEventListener("click", clear);
  $("open").addEventListener("click", () => all(true));
  $("close").addEventListener("click", () => all(false));
  for (const link of document.querySelectorAll("a.pick")) {
    link.addEventListener("click", () => { requestAnimationFrame(() => $("findings").scrollIntoView()); });
  }
  addEventListener("hashchange", follow);
  addEventListener("toggle", (event) => { if (event.target.open) { fill(event.target); } }, true);
  addEventListener("keydown", (event) => {
    const typing = /^(INPUT|SELECT|TEXTAREA)$/.test(event.target.tagName || "");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      $("q").focus();
      $("q").select();
    } else if (event.key === "Escape" && event.target === $("q") && $("q").value) {
      $("q").value = "";
      write(show());
    }
  });
  addEventListener("beforeprint", () => {
    printed = findings.filter((one) => !one.hidden && !one.firstElementChild.open);
    for (const one of findings) { if (!one.hidden) { fill(one.firstElementChild); } }
    for (const one of printed) { one.firstElementChild.open = true; }
  });
  addEventListener("afterprint", () => { for (const one of printed) { one.firstElementChild.open = false; } });

  read("");
  show();
  follow();
})();
