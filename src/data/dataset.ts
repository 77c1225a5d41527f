/** @file What a data set is: facts about it, the files that it is made of, and how its images are read. */
import type { ByteSource } from "../core/byte-source.ts";
import type { TensorOf } from "../tensor/tensor.ts";
import type { Decoders } from "./decoders.ts";

/** The two parts that authors publish. Ours, with a validation split, are made of them in `splits.ts`. */
export type Part = "train" | "test";

/** Both parts, training first. */
export const parts: readonly Part[] = ["train", "test"];

/** One file of a data set as its authors publish it. */
export interface DatasetFile {
  /** File name. */
  readonly name: string;
  /** Where it can be downloaded, best first; none for a package. */
  readonly urls: readonly string[];
  /** The package that this file is, for those that a package manager fetches. */
  readonly package?: { readonly manager: "npm"; readonly name: string; readonly version: string };
  /** Size of the published file. */
  readonly bytes: number;
  /** SHA-256 of the published file, where it is known. */
  readonly sha256?: string;
  /** MD5 of the published file, for those whose authors give nothing better. */
  readonly md5?: string;
  /** SHA-256 of what is inside a `.gz`, which is the same however often somebody packed it anew. */
  readonly contentSha256?: string;
  /** For an archive: what its files are called inside it, and where they lie once somebody unpacked it. */
  readonly contents?: ArchiveContents;
}

/** The files of an archive. */
export interface ArchiveContents {
  /** What their names begin with inside, with a slash at the end unless it is empty. */
  readonly inside: string;
  /** What they begin with once unpacked, likewise. */
  readonly unpacked: string;
  /** Files (without those beginnings) by which an unpacked archive is known. */
  readonly marks: readonly string[];
}

/** One way in which a data set is published: all files that it then takes. */
export interface Packing {
  readonly name: string;
  readonly files: readonly DatasetFile[];
}

/** Size of every image. */
export interface ImageDims {
  readonly channels: number;
  readonly height: number;
  readonly width: number;
}

/** Images with their classes. */
export interface LabelledImages {
  /** [N, C, H, W] */
  readonly images: TensorOf<"uint8">;
  /** N class ids. */
  readonly labels: Uint16Array;
}

/** What is known of the images of a part before one of them is decoded. */
export interface ImageIndex {
  readonly labels: Uint16Array;
  /**
   * N numbers, equal for images that show the same thing (a sign filmed thirty times, one picture by two artists) and
   * so must not be divided among splits. Left out where every image stands alone.
   */
  readonly groups?: Int32Array | undefined;
}

/** How a part is read. */
export interface ReadOptions {
  readonly signal?: AbortSignal | undefined;
  /** Decoders of pictures and pickles, for the data sets that hold such. */
  readonly decoders?: Decoders | undefined;
  /** Chooses images by their index, in the order that is wanted; all of them when left out. */
  readonly rows?: ((index: ImageIndex) => ArrayLike<number>) | undefined;
  /** Called with images decoded so far and in all, by data sets that decode one after the other. */
  readonly onProgress?: ((done: number, total: number) => void) | undefined;
}

/** A data set as plain data, and the one function that reads it. */
export interface Dataset {
  /** kebab-case. */
  readonly name: string;
  /** One sentence. */
  readonly summary: string;
  readonly homepage: string;
  /** Paper. */
  readonly source: string;
  /** SPDX identifier where there is one. */
  readonly licence: string;
  /** Names of the classes; the index is the id. */
  readonly classes: readonly string[];
  readonly dims: ImageDims;
  /** Images of each part. */
  readonly items: Readonly<Record<Part, number>>;
  /** Ways in which it is published, the one to download first; none when it is made on the spot. */
  readonly packings: readonly Packing[];
  /** Folders where packages of operating systems put it. */
  readonly folders: readonly string[];
  /** {@link contentHash} of each part, where it is known. */
  readonly hashes?: Readonly<Record<Part, string>>;
  /**
   * Reads one part into memory.
   * @param source the folder of its files, packed or unpacked.
   * @throws InputError when a file is missing, FormatError that names the one that is not what it should be,
   * MissingDependencyError when it takes a decoder that was not given.
   */
  read(source: ByteSource, part: Part, options?: ReadOptions): Promise<LabelledImages>;
}

/** The files that are downloaded for a data set, those of the training part first. */
export function filesOf(dataset: Pick<Dataset, "packings">): readonly DatasetFile[] {
  return dataset.packings[0]?.files ?? [];
}
