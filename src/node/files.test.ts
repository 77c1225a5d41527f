import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { InputError } from "../core/errors.ts";
import { folderSource } from "./folder-source.ts";
import { prepareOutput } from "./output-folder.ts";
import { readJsonIfThere } from "./read-json.ts";
import { readWhole } from "./read-whole.ts";
import { writeWhole } from "./write-whole.ts";

let root: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), "untrigger-"));
});
afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

describe("folderSource", () => {
  test("reads by relative name, links inside the folder included", async () => {
    mkdirSync(join(root, "unet"));
    writeFileSync(join(root, "unet/config.json"), "{}");
    symlinkSync("unet/config.json", join(root, "link.json"));
    const source = folderSource(root);
    expect(new TextDecoder().decode(await source("unet/config.json"))).toBe("{}");
    expect(new TextDecoder().decode(await source("link.json"))).toBe("{}");
  });

  test("never leaves the folder", async () => {
    mkdirSync(join(root, "inner"));
    writeFileSync(join(root, "secret"), "x");
    symlinkSync(join(root, "secret"), join(root, "inner/link"));
    symlinkSync(root, join(root, "inner/up"));
    const source = folderSource(join(root, "inner"));
    for (const name of ["../secret", join(root, "secret"), "link", "up/secret", "a/../../secret", ".."]) {
      await expect(source(name), name).rejects.toThrow("that leaves it");
    }
  });

  test("follows the links of the Hugging Face cache, and of nothing that looks like it", async () => {
    for (const folder of ["hub/model/snapshots/abc", "hub/model/blobs", "hub/other/snapshots"]) {
      mkdirSync(join(root, folder), { recursive: true });
    }
    writeFileSync(join(root, "hub/model/blobs/hash"), "weights");
    writeFileSync(join(root, "hub/secret"), "x");
    symlinkSync("../../blobs/hash", join(root, "hub/model/snapshots/abc/weights"));
    symlinkSync("../../../secret", join(root, "hub/model/snapshots/abc/secret"));
    symlinkSync("../../model/blobs/hash", join(root, "hub/other/snapshots/weights"));
    const source = folderSource(join(root, "hub/model/snapshots/abc"));
    expect(new TextDecoder().decode(await source("weights"))).toBe("weights");
    await expect(source("secret")).rejects.toThrow("that leaves it");
    await expect(folderSource(join(root, "hub/other/snapshots"))("weights")).rejects.toThrow("that leaves it");
  });

  test("a folder whose name begins with dots is no way out", async () => {
    mkdirSync(join(root, "..odd"));
    writeFileSync(join(root, "..odd/file"), "x");
    expect((await folderSource(root)("..odd/file")).length).toBe(1);
  });

  test("what is missing, and what is no file, is an InputError with its path", async () => {
    mkdirSync(join(root, "sub"));
    const source = folderSource(root);
    await expect(source("nothing.json")).rejects.toThrow(
      `${join(root, "nothing.json")}: expected a file, got nothing there.`,
    );
    await expect(source("sub")).rejects.toThrow("expected a file, got a folder");
    await expect(source("sub")).rejects.toBeInstanceOf(InputError);
    await expect(folderSource(join(root, "none"))("x")).rejects.toThrow("got nothing there");
  });
});

describe("readWhole", () => {
  test("reads, limits, and never waits for a device", async () => {
    writeFileSync(join(root, "a"), "hello");
    expect(new TextDecoder().decode(await readWhole(join(root, "a")))).toBe("hello");
    await expect(readWhole(join(root, "a"), { maxBytes: 4 })).rejects.toThrow("expected at most 4 bytes, got 5");
    await expect(readWhole("/dev/zero")).rejects.toThrow("/dev/zero: expected a file, got a device.");
    await expect(readWhole(join(root, "a"), { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
  });
});

describe("readJsonIfThere", () => {
  test("tells apart what is missing and what is broken", async () => {
    writeFileSync(join(root, "good.json"), "[1]");
    writeFileSync(join(root, "bad.json"), "<html>");
    expect(await readJsonIfThere(folderSource(root), "good.json")).toEqual([1]);
    expect(await readJsonIfThere(folderSource(root), "none.json")).toBeUndefined();
    await expect(readJsonIfThere(folderSource(root), "bad.json")).rejects.toThrow(
      "bad.json: expected JSON, got other text",
    );
  });
});

describe("writeWhole", () => {
  test("makes folders, replaces what was there, leaves nothing else", async () => {
    const path = join(root, "a/b/file.txt");
    await writeWhole(path, "one");
    await writeWhole(path, Uint8Array.of(50), { sync: true });
    expect(readFileSync(path, "utf8")).toBe("2");
    expect(readdirSync(join(root, "a/b"))).toEqual(["file.txt"]);
  });

  test("when it fails, nothing is left and the path is named", async () => {
    mkdirSync(join(root, "taken"));
    await expect(writeWhole(join(root, "taken"), "x")).rejects.toThrow(
      /taken: expected a file that can be written, got/,
    );
    writeFileSync(join(root, "file"), "x");
    await expect(writeWhole(join(root, "file/inner"), "x")).rejects.toThrow("a path that leads through a file");
    await expect(writeWhole(join(root, "late"), "x", { signal: AbortSignal.abort() })).rejects.toThrow(/aborted/);
    expect(readdirSync(root).sort()).toEqual(["file", "taken"]);
  });
});

describe("prepareOutput", () => {
  test("makes the folder, and takes it back when nothing was written", async () => {
    const output = await prepareOutput(join(root, "a/b/c"));
    expect(readdirSync(output.path)).toEqual([]);
    await output.discard();
    expect(existsSync(join(root, "a"))).toBe(false);
    await output.discard();
  });

  test("keeps what was there before, and what was written since", async () => {
    const kept = await prepareOutput(root);
    await kept.discard();
    expect(existsSync(root)).toBe(true);
    const used = await prepareOutput(join(root, "x/y"));
    writeFileSync(join(root, "x/y/file"), "");
    await used.discard();
    expect(existsSync(join(root, "x/y/file"))).toBe(true);
  });

  test("refuses a path that is or leads through a file", async () => {
    writeFileSync(join(root, "file"), "x");
    for (const name of ["file", "file/inner"]) {
      await expect(prepareOutput(join(root, name))).rejects.toThrow(
        /file.*: expected a folder that can be written, got /,
      );
    }
  });

  test.skipIf(!existsSync("/proc/self"))(
    "refuses a file system of the kernel (where there is none, there is nothing to refuse)",
    async () => {
      await expect(prepareOutput("/proc/untrigger/x")).rejects.toThrow(
        "/proc/untrigger/x: expected a folder that can be written",
      );
    },
  );

  test.skipIf(process.getuid?.() === 0)("refuses a folder without permission (not for root, who may all)", async () => {
    chmodSync(root, 0o500);
    await expect(prepareOutput(join(root, "x"))).rejects.toThrow("got no permission");
    chmodSync(root, 0o700);
  });
});
