// The answer to a query as a table.

const NUMBERS = /#(integer|decimal|double|float)$/;
const SHOWN = 1000;

/** Make a table of W3C's SPARQL results in JSON. */
export function tableOf(results) {
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
    for (const name of "boolean" in results ? ["answer"] : columns) fill(line.insertCell(), row[name]);
  }
  return { table, rows: rows.length, shown: Math.min(rows.length, SHOWN) };
}

function fill(cell, term) {
  if (!term) return;
  if (term.type === "uri") {
    const link = document.createElement("a");
    link.href = `/resource?iri=${encodeURIComponent(term.value)}`;
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
