// Lists on a phone are cards: each cell says what it is, for the head of the table is hidden there. See console.css.
const list = document.getElementById("result_list");
const labels = [...(list?.tHead.rows[0].cells ?? [])].map((cell) => cell.querySelector(".text")?.textContent.trim() ?? "");
for (const row of list?.tBodies[0].rows ?? []) {
  for (const cell of row.cells) {
    const label = labels[cell.cellIndex];
    if (label && cell.tagName === "TD") cell.dataset.label = label;
    cell.classList.toggle("is-empty", ["", "-"].includes(cell.textContent.trim()) && !cell.firstElementChild);
  }
}
