// What a page has decides what is loaded.
import { searchBox, suggestions } from "./search.js";

for (const form of document.querySelectorAll("[data-search]")) searchBox(form);
for (const input of document.querySelectorAll("[data-suggest]")) suggestions(input);
const query = document.querySelector("[data-query]");
if (query) import("./query.js").then(({ queryPage }) => queryPage(query));
const drop = document.querySelector("[data-drop]");
if (drop) import("./explain.js").then(({ dropPage }) => dropPage(drop));
