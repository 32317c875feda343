// The query page: a named query's form, its SPARQL, and the answer to either.
import { tableOf } from "./results.js";
import { ROOT } from "./root.js";

const JSON_RESULTS = "application/sparql-results+json";
// What a page can hold; more is for programs.
const MOST_ROWS = 10000;

export function queryPage(page) {
  const status = page.querySelector("[data-status]");
  const links = page.querySelector("[data-links]");
  const rows = page.querySelector("[data-rows]");
  const form = page.querySelector("[data-form]");
  const sparql = page.querySelector("[data-sparql]");
  let running = new AbortController();

  async function ask(address, options, shared, csv, urls = {}) {
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
        const result = tableOf(await answer.json(), urls);
        rows.replaceChildren(result.table);
        const part = result.shown < result.rows ? `, the first ${result.shown.toLocaleString("en")} shown` : "";
        status.textContent =
          `${result.rows.toLocaleString("en")} ${result.rows === 1 ? "row" : "rows"} in ${seconds(performance.now() - started)}${part}`;
      } else {
        const text = document.createElement("pre");
        text.textContent = await answer.text();
        rows.replaceChildren(text);
        status.textContent = `A graph, in ${seconds(performance.now() - started)}`;
      }
      if (note) status.textContent += ` · ${note}`;
      offer(shared, csv);
    } catch (error) {
      if (error.name !== "AbortError") fail("The server cannot be reached: is it still running?");
    }
  }

  function fail(line) {
    status.className = "error";
    status.textContent = line;
  }

  function offer(shared, csv) {
    const download = document.createElement("a");
    download.href = csv;
    download.textContent = "CSV";
    download.setAttribute("download", "answer.csv");
    const link = document.createElement("a");
    link.href = shared;
    link.textContent = "Link to this query";
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

  function parameters() {
    return new URLSearchParams([...new FormData(form)].filter(([, value]) => value.trim() !== ""));
  }

  async function showText() {
    const answer = await fetch(`${ROOT}query/text?name=${page.dataset.named}&${parameters()}`).catch(() => null);
    if (answer?.ok) sparql.elements.query.value = await answer.text();
  }

  function askNamed() {
    const inputs = parameters();
    const address = `${ROOT}queries/${page.dataset.named}`;
    const csv = `${address}?${new URLSearchParams([...inputs, ["format", "csv"]])}`;
    const shared = `${ROOT}query?${new URLSearchParams([["name", page.dataset.named], ...inputs])}`;
    showText();
    ask(`${address}?${new URLSearchParams([...inputs, ["maxrows", MOST_ROWS]])}`, { headers: { Accept: JSON_RESULTS } }, shared, csv, pageUrls());
  }

  /** URLs that the pages of the form's layers and classes begin with: a run is about one network. */
  function pageUrls() {
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
    ask(`${ROOT}sparql?maxrows=${MOST_ROWS}`, options, `${ROOT}query?sparql=${encodeURIComponent(query)}`, `${ROOT}sparql?format=csv&query=${encodeURIComponent(query)}`);
  }

  form?.addEventListener("submit", (event) => { event.preventDefault(); askNamed(); });
  sparql.addEventListener("submit", (event) => { event.preventDefault(); askSparql(); });
  sparql.elements.query.addEventListener("keydown", (event) => {
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) { event.preventDefault(); askSparql(); }
  });
  // A shared link says what to ask.
  if (page.dataset.error !== undefined) return;
  const inputs = new URLSearchParams(location.search);
  if (inputs.has("sparql")) askSparql();
  else if (form && (inputs.size > 1 || form.checkValidity())) askNamed();
}
