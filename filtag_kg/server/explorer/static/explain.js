// Drop an image, and see how the network classifies it.

import { ROOT } from "./root.js";

export function dropPage(form) {
  const input = form.elements.image;
  const status = document.querySelector("[data-status]");
  const preview = document.querySelector("[data-preview]");
  const output = document.querySelector("[data-explanation]");
  let last = null;

  async function explain(file) {
    last = file;
    output.replaceChildren();
    URL.revokeObjectURL(preview.src);
    preview.src = URL.createObjectURL(file);
    preview.hidden = false;
    status.className = "quiet";
    status.textContent = `Explaining ${file.name} … the first image takes a while, as the network is loaded.`;
    const rule = form.elements.rule ? `?rule=${encodeURIComponent(form.elements.rule.value)}` : "";
    const answer = await fetch(`${ROOT}explain${rule}`, {
      method: "POST",
      headers: { "Content-Type": "application/octet-stream", "X-File-Name": encodeURIComponent(file.name) },
      body: file,
    }).catch(() => null);
    if (file !== last) return;
    if (!answer?.ok) {
      status.className = "error";
      preview.hidden = true;
      status.textContent = answer ? (await answer.text()).trim() : "The server cannot be reached: is it still running?";
      return;
    }
    status.textContent = file.name;
    // The network may see images squashed; pages show them as they are.
    if (preview.naturalHeight) output.style.setProperty("--aspect", preview.naturalWidth / preview.naturalHeight);
    // The server's own template, in which every name is escaped.
    output.innerHTML = await answer.text();
  }

  const take = (files) => { if (files?.length) explain(files[0]); };
  input.addEventListener("change", () => take(input.files));
  form.elements.rule?.addEventListener("change", () => { if (last) explain(last); });
  form.addEventListener("submit", (event) => event.preventDefault());
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => { event.preventDefault(); form.classList.add("over"); });
  }
  form.addEventListener("dragleave", () => form.classList.remove("over"));
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    take(event.dataTransfer.files);
  });
  // The image may have been chosen before this script ran, or remembered by the browser.
  take(input.files);
}
