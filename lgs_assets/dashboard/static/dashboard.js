// The pages work without this: it saves figures as pictures, prints, copies the address, and closes a filter's list on
// a click elsewhere.
document.documentElement.classList.add("with-js");

document.addEventListener("click", async (event) => {
  for (const list of document.querySelectorAll("details.pick[open]")) {
    if (!list.contains(event.target)) list.open = false;
  }
  if (event.target.closest("[data-print]")) window.print();
  const copy = event.target.closest("[data-copy]");
  if (copy && navigator.clipboard) {
    await navigator.clipboard.writeText(location.href);
    copy.textContent = "Copied";
  } else if (copy) {
    window.prompt("The address of this view:", location.href); // without HTTPS a browser lets no page use the clipboard
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
