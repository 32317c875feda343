// A text field with a list of matches from the server: the combobox of the ARIA Authoring Practices Guide.

import { ROOT } from "./root.js";

const PAUSE = 120; // ms between a key and the request
let lists = 0;

/** Suggest things while somebody types: those for which `keep` is true. `choose` gets the one that is chosen. */
function combobox(input, choose, keep = () => true) {
  const list = document.createElement("ul");
  list.className = "options";
  list.id = `options-${++lists}`;
  list.setAttribute("role", "listbox");
  list.setAttribute("aria-label", "Suggestions");
  list.hidden = true;
  input.after(list);
  input.setAttribute("role", "combobox");
  input.setAttribute("aria-autocomplete", "list");
  input.setAttribute("aria-controls", list.id);
  input.setAttribute("aria-expanded", "false");
  let timer = 0;
  let request = 0;
  let marked = -1;

  const close = () => {
    request++;
    clearTimeout(timer);
    list.hidden = true;
    marked = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (index) => {
    const options = [...list.children];
    if (!options.length) return;
    marked = (index + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === marked)));
    input.setAttribute("aria-activedescendant", options[marked].id);
    options[marked].scrollIntoView({ block: "nearest" });
  };
  const show = (things) => {
    list.replaceChildren(...things.map((thing, i) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.append(thing.label);
      const detail = document.createElement("small");
      detail.textContent = [thing.kind, thing.detail, thing.is_near ? `near: ${thing.why}` : thing.why].filter(Boolean).join(" · ");
      option.append(detail);
      // Before the field loses the focus, which closes the list.
      option.addEventListener("mousedown", (event) => { event.preventDefault(); close(); choose(thing); });
      option.thing = thing;
      return option;
    }));
    marked = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = !things.length;
    input.setAttribute("aria-expanded", String(things.length > 0));
  };
  const ask = async () => {
    const text = input.value.trim();
    const mine = ++request;
    if (!text) return close();
    const answer = await fetch(`${ROOT}search?format=json&q=${encodeURIComponent(text)}`).catch(() => null);
    if (!answer?.ok) return;
    const things = (await answer.json()).filter(keep);
    if (mine === request && document.activeElement === input) show(things);
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); }
    if (list.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(marked + 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); mark(marked < 0 ? -1 : marked - 1); }
    if (event.key === "Enter" && marked >= 0) { event.preventDefault(); const { thing } = list.children[marked]; close(); choose(thing); }
  });
}

/** The search of every page: choosing a thing opens its page. The key "/" moves to the field. */
export function searchBox(form) {
  const input = form.elements.q;
  combobox(input, (thing) => { location.href = thing.address; });
  document.addEventListener("keydown", (event) => {
    if (event.key !== "/" || event.ctrlKey || event.metaKey || event.altKey) return;
    if (event.target.closest("input, textarea, select")) return;
    event.preventDefault();
    input.focus();
    input.select();
  });
}

/** A field of a form that names a class, a concept or a filter. */
export function suggestions(input) {
  const kind = input.dataset.suggest;
  combobox(
    input,
    (thing) => {
      if (kind === "filter") input.value = thing.label.replace(/ (\d+)$/, "/$1");
      else if (kind === "class") input.value = thing.detail;
      else input.value = thing.iri;
    },
    (thing) => thing.kind === kind,
  );
}
