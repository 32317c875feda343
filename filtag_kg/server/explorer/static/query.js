// The query page: a named query's form, its SPARQL, and the answer to either.
import { tableOf } from "./results.js";

const JSON_RESULTS = "application/sparql-results+json";

export function queryPage(page) {
  const status = page.querySelector("[data-status]");
  const links = page.querySelector("[data-links]");
  const rows = page.querySelector("[data-rows]");
  const form = page.querySelector("[data-form]");
  const sparql = page.querySelector("[data-sparql]");
  let running = new AbortController();

  async function ask(address, options, shared, csv, addresses = {}) {
    running.abort();
    running = new AbortController();
    const { signal } = running;
    status.className = "quiet";
    status.textContent = "Asking …";
    links.hidden = true;
    rows.replaceChildren();
    history.replaceState(null, "", shared);
    const started = performance.now();
    try {
      const answer = await fetch(address, { ...options, signal });
      if (!answer.ok) return fail((await answer.text()).trim() || `The server answered ${answer.status}.`);
      const note = answer.headers.get("Filtag-Note");
      const seconds = (ms) => `${(ms / 1000).toFixed(2)} s`;
      if (answer.headers.get("Content-Type")?.startsWith(JSON_RESULTS)) {
        const found = tableOf(await answer.json(), addresses);
        rows.replaceChildren(found.table);
        const part = found.shown < found.rows ? `, the first ${found.shown.toLocaleString("en")} shown` : "";
        status.textContent =
          `${found.rows.toLocaleString("en")} ${found.rows === 1 ? "row" : "rows"} in ${seconds(performance.now() - started)}${part}`;
      } else {
        const text = document.createElement("pre");
        text.textContent = await answer.text();
        rows.replaceChildren(text);
        status.textContent = `A graph, in ${seconds(performance.now() - started)}`;
      }
      if (note) status.textContent += ` · ${note}`;
      offer(shared, csv);
    } catch (error) {
      if (error.name !== "AbortError") fail("The server cannot be reached: is filtag serve still running?");
    }
  }

  function fail(line) {
    status.className = "mistake";
    status.textContent = line;
  }

  function offer(shared, csv) {
    const download = document.createElement("a");
    download.href = csv;
    download.textContent = "CSV";
    download.setAttribute("download", "answer.csv");
    const link = document.createElement("a");
    link.href = shared;
    link.textContent = "Link to this question";
    const copy = document.createElement("button");
    copy.type = "button";
    copy.className = "plain";
    copy.textContent = "Copy the link";
    copy.addEventListener("click", async () => {
      await navigator.clipboard.writeText(new URL(shared, location.href).href);
      copy.textContent = "Copied";
    });
    links.replaceChildren(download, link, copy);
    links.hidden = false;
  }

  function given() {
    return new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
  }

  async function showText() {
    const answer = await fetch(`/query/text?name=${page.dataset.named}&${given()}`).catch(() => null);
    if (answer?.ok) sparql.elements.query.value = await answer.text();
  }

  function askNamed() {
    const parameters = given();
    const address = `/queries/${page.dataset.named}`;
    const csv = `${address}?${new URLSearchParams([...parameters, ["format", "csv"]])}`;
    const shared = `/query?${new URLSearchParams([["name", page.dataset.named], ...parameters])}`;
    showText();
    ask(`${address}?${parameters}`, { headers: { Accept: JSON_RESULTS } }, shared, csv, places());
  }

  /** Where the pages of the layers and classes are that the form asks about: a run is about one network. */
  function places() {
    const run = form.querySelector("option[data-network]:checked") ?? page;
    return { layers: run.dataset.network, classes: page.dataset.class };
  }

  function askSparql() {
    const query = sparql.elements.query.value;
    const options = {
      method: "POST",
      headers: { "Content-Type": "application/sparql-query", Accept: `${JSON_RESULTS}, text/turtle;q=0.8` },
      body: query,
    };
    ask("/sparql", options, `/query?sparql=${encodeURIComponent(query)}`, `/sparql?format=csv&query=${encodeURIComponent(query)}`);
  }

  form?.addEventListener("submit", (event) => { event.preventDefault(); askNamed(); });
  sparql.addEventListener("submit", (event) => { event.preventDefault(); askSparql(); });
  sparql.elements.query.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); askSparql(); }
  });
  // A link that was shared says what to ask.
  if (page.dataset.mistake !== undefined) return;
  const asked = new URLSearchParams(location.search);
  if (asked.has("sparql")) askSparql();
  else if (form && (asked.size > 1 || form.checkValidity())) askNamed();
}
