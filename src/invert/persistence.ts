/**
 * @file The bright components of a map and how long each lives while the map is flooded from its brightest pixel down:
 * 0-dimensional persistent homology of superlevel sets, by union-find.
 * @source Edelsbrunner and Harer 2010, "Computational Topology", sections VII.1 and VII.2 (elder rule)
 */

/** A component: born at a maximum, dead where it meets an older one. */
export interface Component {
  /** Index of the pixel where it begins, its maximum. */
  readonly birth: number;
  /** Index of the pixel where it meets a component with a higher maximum; of the last one, the darkest pixel. */
  readonly death: number;
  /** Difference of the values there, 0 or more. */
  readonly persistence: number;
}

/**
 * The components of a map [H, W] with neighbours along edges, the most persistent first: that is the component of the
 * highest maximum. Of equal values the pixel that comes first counts as brighter.
 */
export function brightComponents(values: ArrayLike<number>, width: number): Component[] {
  const at = (pixel: number): number => values[pixel] ?? Number.NaN;
  const order = Array.from({ length: values.length }, (_, i) => i).sort((a, b) => at(b) - at(a) || a - b);
  const rank = new Int32Array(values.length);
  for (const [position, pixel] of order.entries()) rank[pixel] = position;
  // Roots are the maxima of their components; -1 is dry land.
  const parent = new Int32Array(values.length).fill(-1);
  const rootOf = (pixel: number): number => {
    let root = pixel;
    while (parent[root] !== root) root = parent[root] ?? root;
    for (let i = pixel; i !== root; ) {
      const next = parent[i] ?? root;
      parent[i] = root;
      i = next;
    }
    return root;
  };
  const components: Component[] = [];
  for (const pixel of order) {
    parent[pixel] = pixel;
    for (const neighbour of besides(pixel, width, values.length)) {
      if (parent[neighbour] === -1) continue;
      const [own, other] = [rootOf(pixel), rootOf(neighbour)];
      if (own === other) continue;
      const [older, younger] = (rank[own] ?? 0) < (rank[other] ?? 0) ? [own, other] : [other, own];
      parent[younger] = older;
      // A pixel that joins at once was never a component.
      if (younger !== pixel) components.push({ birth: younger, death: pixel, persistence: at(younger) - at(pixel) });
    }
  }
  const [first, last] = [order[0], order.at(-1)];
  if (first !== undefined && last !== undefined) {
    components.push({ birth: first, death: last, persistence: at(first) - at(last) });
  }
  return components.sort((a, b) => b.persistence - a.persistence || (rank[a.birth] ?? 0) - (rank[b.birth] ?? 0));
}

/** Neighbours along edges. */
function besides(pixel: number, width: number, count: number): number[] {
  const column = pixel % width;
  return [
    ...(pixel >= width ? [pixel - width] : []),
    ...(column > 0 ? [pixel - 1] : []),
    ...(column < width - 1 ? [pixel + 1] : []),
    ...(pixel + width < count ? [pixel + width] : []),
  ];
}
