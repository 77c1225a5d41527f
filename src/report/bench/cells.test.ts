import { expect, test } from "vitest";
import { doneRow, failedRow, share } from "../../../test/support/bench-rows.ts";
import { rate } from "../../metrics/count.ts";
import { benchOf, cellShare } from "./cells.ts";

test("rows become a grid for each data set, in the order of their first row", () => {
  const rows = [
    doneRow({ attack: "wanet", defence: "none" }),
    doneRow({ attack: "badnets", defence: "none" }),
    doneRow({ attack: "wanet", defence: "zip" }),
    failedRow({ attack: "wanet", defence: "zip", seed: 1 }),
    doneRow({ attack: "sig", defence: "none", data: "gtsrb" }),
  ];
  const { grids, undefended } = benchOf(rows);
  expect(grids.map(({ data, attacks, defences }) => [data, attacks, defences])).toEqual([
    ["fashion-mnist test", ["wanet", "badnets"], ["none", "zip recommended"]],
    ["gtsrb test", ["sig"], ["none"]],
  ]);
  const cell = grids[0]?.cell("wanet", "zip recommended");
  expect([cell?.done.length, cell?.failed.length]).toEqual([1, 1]);
  expect(grids[0]?.cell("badnets", "zip recommended")).toBeUndefined();
  expect([...undefended]).toEqual(["none"]);
});

test("cells that saw different numbers of images are not taken together", () => {
  const few = { ...doneRow({ attack: "sig" }), cell: "0".repeat(64), images: 40 };
  const { grids } = benchOf([doneRow({ attack: "sig" }), few, failedRow({ attack: "wanet" })]);
  const all = doneRow().images;
  expect(grids.map(({ data, attacks }) => [data, attacks])).toEqual([
    [`fashion-mnist test, ${all} images`, ["sig", "wanet"]],
    ["fashion-mnist test, 40 images", ["sig"]],
  ]);
});

test("a cell that was computed again counts once", () => {
  const { cells } = benchOf([doneRow(), doneRow(), failedRow()]);
  expect(cells).toHaveLength(1);
  expect(cells[0]?.done).toHaveLength(1);
  expect(cells[0]?.failed).toHaveLength(0);
});

test("several seeds are their mean, as sure as the images of one", () => {
  const rows = [10, 20, 60].map((hits, seed) => {
    const row = doneRow({ seed });
    return { ...row, counts: { ...row.counts, attackSuccess: share(hits, 100), floor: null } };
  });
  const [cell] = benchOf(rows).cells;
  const mean = cellShare(cell, "attackSuccess");
  expect(mean).toEqual({ ...share(30, 100), hits: 30 });
  expect(cellShare(cell, "floor")).toBeNull();
  expect(cellShare(undefined, "floor")).toBeNull();
  const [one] = benchOf(rows.slice(0, 1)).cells;
  expect(cellShare(one, "attackSuccess")).toEqual(share(10, 100));
  expect(rate(cellShare(benchOf(rows.slice(0, 2)).cells[0], "attackSuccess") ?? share(0, 1))).toBeCloseTo(0.15);
});
