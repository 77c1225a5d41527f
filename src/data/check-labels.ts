/** @file Are the class ids of a file those of its data set? */
import { FormatError } from "../core/errors.ts";

/** @throws FormatError naming file, id and place of the first id that is no class. */
export function checkLabels(name: string, ids: ArrayLike<number>, classes: number): void {
  for (let i = 0; i < ids.length; i++) {
    const id = ids[i] ?? -1;
    if (!(Number.isInteger(id) && id >= 0 && id < classes)) {
      throw new FormatError(`${name}: expected class ids below ${classes}, got ${id} at ${i}.`);
    }
  }
}
