// The answer to a query as a table.

import { ROOT } from "./root.js";

const NUMBERS = /#(integer|decimal|double|float)$/;
const SHOWN = 1000;

/** Make a table of W3C's SPARQL results in JSON; with `urls`, cells link to the pages of what they name. */
export function tableOf(results, urls = {}) {
  const columns = results.head?.vars ?? ["answer"];
  const rows = "boolean" in results
    ? [{ answer: { type: "literal", value: String(results.boolean) } }]
    : results.results.bindings;
  const table = document.createElement("table");
  const head = table.createTHead().insertRow();
  for (const name of "boolean" in results ? ["answer"] : columns) {
    const cell = document.createElement("th");
    cell.scope = "col";
    cell.textContent = name;
    head.append(cell);
  }
  const body = table.createTBody();
  for (const row of rows.slice(0, SHOWN)) {
    const line = body.insertRow();
    for (const name of "boolean" in results ? ["answer"] : columns) fill(line.insertCell(), row[name], address(name, row, urls));
  }
  return { table, rows: rows.length, shown: Math.min(rows.length, SHOWN) };
}

/** The URL of the layer, filter or class that a cell names, or null. */
function address(name, row, urls) {
  const [, other, what] = name.match(/^(other_)?(layer|filter)$/) ?? [];
  const layer = row[`${other ?? ""}layer`];
  // A column "filters" may count; one called "filter" is an index only beside its layer.
  if (what && layer && urls.layers && row[name]) {
    const layerUrl = urls.layers + encodeURIComponent(layer.value);
    return what === "layer" ? layerUrl : `${layerUrl}/filter/${encodeURIComponent(row[name].value)}`;
  }
  if (name === "class_id" && row[name] && urls.classes) return urls.classes + encodeURIComponent(row[name].value);
  return null;
}

function fill(cell, term, url) {
  if (!term) return;
  if (url) {
    const link = document.createElement("a");
    link.href = url;
    link.textContent = term.value;
    if (NUMBERS.test(term.datatype ?? "")) cell.className = "number";
    cell.append(link);
    return;
  }
  if (term.type === "uri") {
    const link = document.createElement("a");
    link.href = `${ROOT}resource?iri=${encodeURIComponent(term.value)}`;
    link.textContent = term.value.replace(/^.*\/(?=[^/]*\/[^/]*$)/, "…/");
    link.title = term.value;
    cell.append(link);
  } else if (term.datatype && NUMBERS.test(term.datatype)) {
    cell.className = "number";
    const number = Number(term.value);
    cell.textContent = term.datatype.endsWith("integer") ? term.value : String(Number(number.toPrecision(3)));
    cell.title = term.value;
  } else {
    cell.textContent = term.value ?? JSON.stringify(term);
  }
}
