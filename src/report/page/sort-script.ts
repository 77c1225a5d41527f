/**
 * @file The only script of a page: headings of sortable tables become buttons. Without it the tables are as they were
 * written, and nothing is missing. The page's content security policy allows it by its hash and no other.
 */

/** The script's text. Cells are ordered by their `data-sort`, else by their text; empty ones come last both ways. */
export const sortScript = `
for (const table of document.querySelectorAll("table.sortable")) {
  const body = table.tBodies[0];
  const heads = [...table.tHead.rows[0].cells];
  heads.forEach((head, column) => {
    const button = document.createElement("button");
    button.type = "button";
    button.append(...head.childNodes);
    head.append(button);
    button.addEventListener("click", () => {
      const sign = head.getAttribute("aria-sort") === "ascending" ? -1 : 1;
      for (const other of heads) other.removeAttribute("aria-sort");
      head.setAttribute("aria-sort", sign === 1 ? "ascending" : "descending");
      const keyed = [...body.rows].map((row) => {
        const cell = row.cells[column];
        return { row, key: cell.dataset.sort ?? cell.textContent };
      });
      const numeric = keyed.every(({ key }) => key === "" || Number.isFinite(Number(key)));
      const words = new Intl.Collator("en", { numeric: true });
      keyed.sort((a, b) => {
        if (a.key === "" || b.key === "") return (a.key === "") - (b.key === "");
        return sign * (numeric ? a.key - b.key : words.compare(a.key, b.key));
      });
      body.append(...keyed.map(({ row }) => row));
    });
  });
}
`;
