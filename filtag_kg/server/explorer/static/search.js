// A text field with a list of what the server finds: the combobox of the ARIA Authoring Practices Guide.

const PAUSE = 120; // ms after a key before the server is asked
let lists = 0;

/** Offer things while somebody types; `choose` is called with the one that is taken, `keep` says which are offered. */
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
  let asked = 0;
  let at = -1;

  const close = () => {
    asked++;
    clearTimeout(timer);
    list.hidden = true;
    at = -1;
    input.setAttribute("aria-expanded", "false");
    input.removeAttribute("aria-activedescendant");
  };
  const mark = (place) => {
    const options = [...list.children];
    if (!options.length) return;
    at = (place + options.length) % options.length;
    options.forEach((option, i) => option.setAttribute("aria-selected", String(i === at)));
    input.setAttribute("aria-activedescendant", options[at].id);
    options[at].scrollIntoView({ block: "nearest" });
  };
  const show = (found) => {
    list.replaceChildren(...found.map((thing, i) => {
      const option = document.createElement("li");
      option.id = `${list.id}-${i}`;
      option.setAttribute("role", "option");
      option.setAttribute("aria-selected", "false");
      option.append(thing.label);
      const detail = document.createElement("small");
      detail.textContent = `${thing.kind} · ${thing.detail}`;
      option.append(detail);
      // Before the field loses the focus, which closes the list.
      option.addEventListener("mousedown", (event) => { event.preventDefault(); close(); choose(thing); });
      option.thing = thing;
      return option;
    }));
    at = -1;
    input.removeAttribute("aria-activedescendant");
    list.hidden = !found.length;
    input.setAttribute("aria-expanded", String(found.length > 0));
  };
  const ask = async () => {
    const text = input.value.trim();
    const mine = ++asked;
    if (!text) return close();
    const answer = await fetch(`/search?format=json&q=${encodeURIComponent(text)}`).catch(() => null);
    if (!answer?.ok) return;
    const found = (await answer.json()).filter(keep);
    if (mine === asked && document.activeElement === input) show(found);
  };
  input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(ask, PAUSE); });
  input.addEventListener("blur", close);
  input.addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !list.hidden) { event.preventDefault(); close(); }
    if (list.hidden) return;
    if (event.key === "ArrowDown") { event.preventDefault(); mark(at + 1); }
    if (event.key === "ArrowUp") { event.preventDefault(); mark(at < 0 ? -1 : at - 1); }
    if (event.key === "Enter" && at >= 0) { event.preventDefault(); const { thing } = list.children[at]; close(); choose(thing); }
  });
}

/** The search of every page: what is taken is gone to. "/" leads to it. */
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
