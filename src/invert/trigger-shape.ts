/** @file What a blob of opacity should be like: faint, small, compact, in one piece. Each as a cost with its derivative. */
import { brightComponents } from "./persistence.ts";

/** Height and width of a map. */
export interface MapSize {
  readonly height: number;
  readonly width: number;
}

/** A cost with its derivative by the map. */
export interface MapCost {
  readonly cost: number;
  /** [H * W] */
  readonly gradient: Float64Array;
}

/** The root of the mean: of opacity its energy, of a steeper curve of it its area. */
export function rootMean(map: ArrayLike<number>): MapCost {
  const count = map.length;
  let sum = 0;
  for (let i = 0; i < count; i++) sum += map[i] ?? 0;
  const cost = Math.sqrt(sum / count);
  return { cost, gradient: new Float64Array(count).fill(cost === 0 ? 0 : 1 / (2 * cost * count)) };
}

/** How far the map's mass lies apart: its standard deviations along both axes, in sides of the image, summed. */
export function spread(map: ArrayLike<number>, { height, width }: MapSize): MapCost {
  const gradient = new Float64Array(map.length);
  let mass = 0;
  for (let i = 0; i < map.length; i++) mass += map[i] ?? 0;
  if (mass === 0) return { cost: 0, gradient };
  const along = (place: (i: number) => number): number => {
    let mean = 0;
    for (let i = 0; i < map.length; i++) mean += ((map[i] ?? 0) * place(i)) / mass;
    let variance = 0;
    for (let i = 0; i < map.length; i++) variance += ((map[i] ?? 0) * (place(i) - mean) ** 2) / mass;
    const deviation = Math.sqrt(variance);
    for (let i = 0; i < map.length && deviation > 0; i++) {
      gradient[i] = (gradient[i] ?? 0) + ((place(i) - mean) ** 2 - variance) / (2 * deviation * mass);
    }
    return deviation;
  };
  const cost = along((i) => (i % width) / width) + along((i) => Math.floor(i / width) / height);
  return { cost, gradient };
}

/** Components that live shorter are noise. */
const LEAST_PERSISTENCE = 0.001;

/**
 * How far a map is from one component in each window: the sum of the squared persistences of all but the most persistent,
 * which go away when their maximum sinks to the saddle. The derivative moves maxima alone.
 * @param window side of the square windows that the map is cut into.
 * @source Hu et al. 2022, "Trigger Hunting with a Topological Prior for Trojan Detection", section 3.2. https://arxiv.org/abs/2110.08335
 * @deviation the authors' code (topoloss.py) pads windows with a bright frame, dims the component that is to stay, and reads
 * saddles at the wrong place; here is what the paper describes.
 */
export function scattered(map: ArrayLike<number>, { height, width }: MapSize, window: number): MapCost {
  const gradient = new Float64Array(map.length);
  let cost = 0;
  for (let top = 0; top < height; top += window) {
    for (let left = 0; left < width; left += window) {
      const [rows, columns] = [Math.min(window, height - top), Math.min(window, width - left)];
      const place = (i: number): number => (top + Math.floor(i / columns)) * width + left + (i % columns);
      const part = Float64Array.from({ length: rows * columns }, (_, i) => map[place(i)] ?? 0);
      for (const { birth, persistence } of brightComponents(part, columns).slice(1)) {
        if (persistence < LEAST_PERSISTENCE) continue;
        cost += persistence ** 2;
        gradient[place(birth)] = (gradient[place(birth)] ?? 0) + 2 * persistence;
      }
    }
  }
  return { cost, gradient };
}
