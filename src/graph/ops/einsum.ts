/** @file The gradient of Einsum: the operand's subscripts and the output's change places. */

import { stringOf } from "../attributes.ts";
import { string } from "../builder.ts";
import type { ValueName } from "../ir.ts";
import { at } from "./at.ts";
import type { Operators, Site } from "./operator.ts";

/** Sums of products by subscripts. */
export const sumsOfProducts = {
  Einsum: {
    vjp: (site, dy) => {
      const { terms, output } = readEquation(site);
      return terms.map((_, i) => (site.needs(i) ? operandGradient(site, dy, { terms, output, i }) : undefined));
    },
  },
} satisfies Operators;

interface Equation {
  readonly terms: readonly string[];
  readonly output: string;
}

/** An equation without spaces, ellipses or implied output. */
function readEquation(site: Site): Equation {
  const text = stringOf(site.node, "equation", "").replaceAll(" ", "");
  const [inputs = "", right] = text.split("->");
  const raw = inputs.split(",");
  const spare = [..."ABCDEFGHIJKLMNOPQRSTUVWXYZ"].filter((letter) => !text.includes(letter));
  const hidden = Math.max(
    0,
    ...raw.map((term, i) => (term.includes("...") ? site.dims(i).length - term.length + 3 : 0)),
  );
  const fill = (term: string, count: number): string =>
    term.replace("...", spare.slice(hidden - count, hidden).join(""));
  const terms = raw.map((term, i) => fill(term, site.dims(i).length - term.length + 3));
  if (right !== undefined) return { terms, output: fill(right, hidden) };
  const letters = terms.join("");
  const single = [...letters].filter((letter) => letters.split(letter).length === 2).sort();
  return { terms, output: single.join("") };
}

function operandGradient(site: Site, dy: ValueName, { terms, output, i }: Equation & { i: number }): ValueName {
  const { w } = site;
  const own = at(terms, i);
  if (new Set(own).size < own.length) throw site.refuse(`each subscript once in "${own}", got a diagonal`);
  const others = terms.filter((_, k) => k !== i);
  const dimOf = new Map<string, number>();
  terms.forEach((term, k) => {
    [...term].forEach((letter, axis) => {
      dimOf.set(letter, Math.max(dimOf.get(letter) ?? 1, at(site.dims(k), axis)));
    });
  });
  const dims = [...own].map((letter) => dimOf.get(letter) ?? 1);
  // A subscript that occurs here alone was summed over: its gradient is the same all along.
  const known = [...own].filter((letter) => output.includes(letter) || others.some((term) => term.includes(letter)));
  const operands = [dy, ...site.x.filter((_, k) => k !== i)];
  const equation = `${[output, ...others].join(",")}->${known.join("")}`;
  const partial = w.op("Einsum", operands, { equation: string(equation) });
  const kept = [...own].map((letter, axis) => (known.includes(letter) ? at(dims, axis) : 1));
  const full = w.expand(w.reshape(partial, kept), dims, kept);
  return w.unbroadcast(full, dims, site.dims(i));
}
