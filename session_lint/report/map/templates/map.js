"use strict";
(() => {
  const get = (id) => document.getElementById(id);
  const all = (selector, root = document) => [...root.querySelectorAll(selector)];
  const view = get("view"), svg = view.querySelector("svg"), find = get("find");
  const members = new Map(Object.entries(JSON.parse(get("boxes").textContent)));
  const modules = all(".module"), definitions = all(".definition");
  const boxes = all(".box[data-box]", svg), marks = all(".def[data-definition]", svg), wires = all(".wire[data-from]", svg);
  const full = { width: svg.viewBox.baseVal.width, height: svg.viewBox.baseVal.height };
  let scale = 1, picked = null;

  const resize = (next) => {
    const middle = [(view.scrollLeft + view.clientWidth / 2) / scale, (view.scrollTop + view.clientHeight / 2) / scale];
    scale = Math.min(4, Math.max(0.1, next));
    svg.setAttribute("width", full.width * scale);
    svg.setAttribute("height", full.height * scale);
    view.scrollTo(middle[0] * scale - view.clientWidth / 2, middle[1] * scale - view.clientHeight / 2);
  };
  const fit = () => { resize(Math.min(1, view.clientWidth / full.width)); view.scrollTo(0, 0); };

  const reaches = (module, key) => all("li[data-through]", module).some((row) => row.dataset.through === key);

  const show = () => {
    const words = find.value.trim().toLowerCase();
    const inside = picked && picked.box ? new Set(members.get(picked.box)) : null;
    const found = new Set();
    for (const module of modules) {
      const chosen = !picked || (inside ? inside.has(module.dataset.name) : reaches(module, picked.key));
      const hit = chosen && module.textContent.toLowerCase().includes(words);
      module.hidden = !hit;
      if (hit) found.add(module.dataset.name);
      module.querySelector("details").open = hit && (picked !== null || words !== "") && (!inside || inside.size < 30);
    }
    for (const one of definitions) one.hidden = !one.textContent.toLowerCase().includes(words);
    const lit = new Set(boxes.filter((box) => members.get(box.dataset.box).some((name) => found.has(name))).map((box) => box.dataset.box));
    for (const box of boxes) {
      box.classList.toggle("dim", !lit.has(box.dataset.box));
      box.classList.toggle("picked", picked !== null && picked.box === box.dataset.box);
    }
    const used = new Set();
    for (const wire of wires) {
      const on = lit.has(wire.dataset.from) && (!picked || !picked.key || picked.key === wire.dataset.to);
      wire.classList.toggle("dim", !on);
      if (on) used.add(wire.dataset.to);
    }
    for (const mark of marks) {
      mark.classList.toggle("dim", (picked !== null || words !== "") && !used.has(mark.dataset.definition));
      mark.classList.toggle("picked", picked !== null && picked.key === mark.dataset.definition);
    }
    get("heading").textContent = picked ? `Modules: ${picked.box || picked.key}` : "Modules";
    get("count").textContent = `${found.size} of ${modules.length} modules`;
  };
  const pick = (next) => {
    picked = next;
    show();
    if (next) get("heading").scrollIntoView({ block: "nearest" });
  };

  const press = (element, name, action) => {
    element.setAttribute("tabindex", "0");
    element.setAttribute("role", "button");
    element.setAttribute("aria-label", name);
    element.addEventListener("click", action);
    element.addEventListener("keydown", (event) => {
      if (event.key === "Enter" || event.key === " ") { event.preventDefault(); action(); }
    });
  };
  for (const box of boxes) press(box, box.dataset.box, () => { if (!moved) pick({ box: box.dataset.box }); });
  for (const mark of marks) press(mark, mark.dataset.definition, () => { if (!moved) pick({ key: mark.dataset.definition }); });
  for (const one of definitions) one.querySelector("button").addEventListener("click", () => pick({ key: one.dataset.key }));

  let from = null, moved = false;
  view.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.pointerType === "mouse" && event.button === 0) from = { x: event.clientX, y: event.clientY, left: view.scrollLeft, top: view.scrollTop };
  });
  window.addEventListener("pointermove", (event) => {
    if (!from) return;
    const x = event.clientX - from.x, y = event.clientY - from.y;
    if (Math.hypot(x, y) > 4) { moved = true; view.classList.add("held"); }
    if (moved) view.scrollTo(from.left - x, from.top - y);
  });
  window.addEventListener("pointerup", () => { from = null; view.classList.remove("held"); });
  view.addEventListener("wheel", (event) => {
    if (!event.ctrlKey && !event.metaKey) return;
    event.preventDefault();
    resize(scale * (event.deltaY < 0 ? 1.15 : 1 / 1.15));
  }, { passive: false });

  get("in").addEventListener("click", () => resize(scale * 1.25));
  get("out").addEventListener("click", () => resize(scale / 1.25));
  get("fit").addEventListener("click", fit);
  get("all").addEventListener("click", () => { find.value = ""; pick(null); });
  get("theme").addEventListener("click", () => {
    const dark = document.documentElement.dataset.theme ? document.documentElement.dataset.theme === "dark" : matchMedia("(prefers-color-scheme: dark)").matches;
    document.documentElement.dataset.theme = dark ? "light" : "dark";
  });
  find.addEventListener("input", show);
  document.addEventListener("keydown", (event) => {
    if (event.key === "Escape") { find.value = ""; pick(null); }
    if (event.target === find || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.key === "/") { event.preventDefault(); find.focus(); }
    if (event.key === "+") resize(scale * 1.25);
    if (event.key === "-") resize(scale / 1.25);
    if (event.key === "0") fit();
  });
  fit();
  show();
})();
