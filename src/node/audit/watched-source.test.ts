import { describe, expect, it } from "vitest";
import type { ByteSource } from "../../core/byte-source.ts";
import { auditedSource, watchedSource } from "./watched-source.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("a folder that changes while it is read", () => {
  it("is refused, at the second reading or at the end", async () => {
    let now = "first";
    const source: ByteSource = async () => bytes(now);
    const watched = watchedSource(source, "prior");
    await watched.source("unet/config.json");
    await watched.verify();
    now = "later!";
    const words =
      /prior: expected files that stay as they are, got unet\/config\.json with SHA-256 .* \(5 bytes\) first .* \(6 bytes\) later/;
    await expect(watched.source("unet/config.json")).rejects.toThrow(words);
    await expect(watched.verify()).rejects.toThrow(words);
    expect(watched.files().map(({ name, bytes: size }) => [name, size])).toEqual([["unet/config.json", 5]]);
  });
});

describe("an audited prior", () => {
  it("gives what was audited and nothing else", async () => {
    const watched = watchedSource(async (name) => bytes(name), "prior");
    await watched.source("a");
    const audited = auditedSource(async (name) => bytes(name), watched.files(), "prior");
    expect(await audited("a")).toEqual(bytes("a"));
    await expect(audited("b")).rejects.toThrow(/\(b: no such file\), got b with SHA-256/);
    const other = auditedSource(async () => bytes("other"), watched.files(), "prior");
    await expect(other("a")).rejects.toThrow(/\(a: SHA-256 ca978112ca1b…\), got a/);
  });
});
