// The pages work without this: it saves figures as pictures, prints, copies the address, keeps the filters' fields at
// what a page is filtered by, and closes a filter's list on a click elsewhere.
document.documentElement.classList.add("with-js");

// What somebody has changed, and no request has told yet: the answer to an earlier one leaves it as it is.
const untold = new Set();

// An exchanged page brings attributes, and a field that was touched does not follow them any more.
function follow() {
  for (const field of document.querySelectorAll(".filters :is(input, select)")) {
    const isBox = field.type === "checkbox";
    if (untold.has(field) || (field.matches("input:focus") && !isBox)) continue;
    if (isBox) field.checked = field.defaultChecked;
    else if (field.options) for (const option of field.options) option.selected = option.defaultSelected;
    else field.value = field.defaultValue;
  }
}

document.addEventListener("change", (event) => {
  if (event.target.closest(".filters")) untold.add(event.target);
});
document.addEventListener("htmx:config:request", (event) => {
  if (event.target.matches(".filters")) untold.clear();
});
document.addEventListener("htmx:after:swap", follow);
window.addEventListener("pageshow", follow);

// A list that somebody has opened stays open when what they tick there changes the page.
htmx.registerExtension("open-lists", {
  htmx_before_morph_attr: (element, { attrName }) => attrName !== "open" || !element.matches("details.pick"),
});

document.addEventListener("click", async (event) => {
  for (const list of document.querySelectorAll("details.pick[open]")) {
    if (!list.contains(event.target)) list.open = false;
  }
  if (event.target.closest("[data-print]")) window.print();
  const copy = event.target.closest("[data-copy]");
  if (copy && navigator.clipboard) {
    await navigator.clipboard.writeText(copy.dataset.copy || location.href);
    copy.textContent = "Copied";
  } else if (copy?.dataset.copy) { // without HTTPS a browser lets no page use the clipboard; a prompt has but one line
    getSelection().selectAllChildren(document.getElementById("audience-file"));
    if (document.execCommand("copy")) copy.textContent = "Copied";
  } else if (copy) {
    window.prompt("Copy this:", location.href);
  }
  const button = event.target.closest("[data-png]");
  if (!button) return;
  const answer = await fetch(button.dataset.png);
  if (!answer.ok) return;
  const picture = new Image();
  picture.src = URL.createObjectURL(new Blob([await answer.text()], { type: "image/svg+xml" }));
  await picture.decode();
  const canvas = document.createElement("canvas");
  canvas.width = picture.naturalWidth * 2;
  canvas.height = picture.naturalHeight * 2;
  canvas.getContext("2d").drawImage(picture, 0, 0, canvas.width, canvas.height);
  URL.revokeObjectURL(picture.src);
  const link = document.createElement("a");
  link.href = canvas.toDataURL("image/png");
  link.download = answer.headers.get("content-disposition").match(/filename="(.*)svg"/)[1] + "png";
  link.click();
});

document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  for (const list of document.querySelectorAll("details.pick[open]")) {
    list.open = false;
    list.querySelector("summary").focus();
  }
});
