/** @file A picture on its way in. */

/** A file with its name. */
export interface NamedFile {
  readonly name: string;
  readonly file: Blob;
}
