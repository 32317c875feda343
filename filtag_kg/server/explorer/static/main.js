// What a page has decides what is started.
import { dropPage } from "./explain.js";
import { queryPage } from "./query.js";
import { searchBox, suggestions } from "./search.js";

for (const [what, start] of [
  ["[data-search]", searchBox],
  ["[data-suggest]", suggestions],
  ["[data-query]", queryPage],
  ["[data-drop]", dropPage],
]) {
  for (const element of document.querySelectorAll(what)) start(element);
}
