import sharp, { type Sharp } from "sharp";
import { describe, expect, test } from "vitest";
import { decodePicture, encodePng } from "./node.ts";
import type { Picture } from "./picture.ts";

const [height, width] = [12, 20];
const rgb: Picture = {
  name: "rgb",
  channels: 3,
  height,
  width,
  pixels: Uint8Array.from({ length: 3 * height * width }, (_, i) => (i * i + 7 * i) % 256),
};
const grey: Picture = { ...rgb, name: "grey", channels: 1, pixels: rgb.pixels.subarray(0, height * width) };

function sharpOf(picture: Picture): Sharp {
  const { channels, pixels } = picture;
  const plane = pixels.length / channels;
  const samples = pixels.map((_, i) => pixels[(i % channels) * plane + Math.floor(i / channels)] ?? 0);
  const image = sharp(samples, { raw: { width: picture.width, height: picture.height, channels } });
  return channels === 1 ? image.toColourspace("b-w") : image;
}

describe("decodePicture", () => {
  test.each([rgb, grey])("a codec reads our PNG as we do: $name", async (picture) => {
    const png = await encodePng(picture);
    expect(await decodePicture(png, picture.name)).toEqual(picture);
    const { data, info } = await sharp(png)
      .toColourspace(picture.channels === 1 ? "b-w" : "srgb")
      .raw()
      .toBuffer({ resolveWithObject: true });
    expect(info.channels).toBe(picture.channels);
    expect(data.equals(await sharpOf(picture).raw().toBuffer())).toBe(true);
  });

  test("large pictures are packed on another thread into the same pixels", async () => {
    const pixels = Uint8Array.from({ length: 3 * 300 * 300 }, (_, i) => (i >> 4) % 256);
    const large: Picture = { name: "large", channels: 3, height: 300, width: 300, pixels };
    expect(await decodePicture(await encodePng(large), "large")).toEqual(large);
  });

  test.each([
    ["interlaced", (image: Sharp) => image.png({ progressive: true })],
    ["deeply compressed", (image: Sharp) => image.png({ compressionLevel: 9, adaptiveFiltering: true })],
    ["opaque alpha", (image: Sharp) => image.ensureAlpha().png()],
    ["lossless WebP", (image: Sharp) => image.webp({ lossless: true })],
    ["TIFF", (image: Sharp) => image.tiff({ compression: "lzw" })],
  ])("keeps every pixel: %s", async (_, encode) => {
    const bytes = await encode(sharpOf(rgb)).toBuffer();
    expect(await decodePicture(bytes, "rgb")).toEqual(rgb);
  });

  test.each(["png", "jpeg"] as const)("ignores the colour profile of a %s", async (format) => {
    const tagged = await sharpOf(rgb).withIccProfile("p3")[format]().toBuffer();
    const { data } = await sharp(tagged, { ignoreIcc: true }).raw().toBuffer({ resolveWithObject: true });
    expect(tagged.length).toBeGreaterThan((await sharpOf(rgb)[format]().toBuffer()).length);
    const { pixels } = await decodePicture(tagged, "tagged");
    expect([0, 1, 2].map((c) => pixels[c * height * width])).toEqual([...data.subarray(0, 3)]);
  });

  test("grey stays one channel, whatever the container", async () => {
    for (const bytes of [
      await sharpOf(grey).jpeg().toBuffer(),
      await sharpOf(grey).tiff().toBuffer(),
      await sharpOf(grey).png({ progressive: true }).toBuffer(),
    ]) {
      expect((await decodePicture(bytes, "grey")).channels).toBe(1);
    }
  });

  test("the content decides, not the name", async () => {
    const decoded = await decodePicture(await sharpOf(rgb).jpeg({ quality: 100 }).toBuffer(), "jpeg-called.png");
    expect([decoded.channels, decoded.height, decoded.width]).toEqual([3, height, width]);
  });

  test("16 bits are cut to the upper 8", async () => {
    const words = Uint16Array.from({ length: 256 }, (_, i) => Math.max(257 * i - 100, 0));
    const raw = { width: 16, height: 16, channels: 1 } as const;
    const bytes = await sharp(words, { raw }).toColourspace("grey16").png().toBuffer();
    expect((await sharp(bytes).metadata()).depth).toBe("ushort");
    const decoded = await decodePicture(bytes, "deep");
    expect([...decoded.pixels]).toEqual([...words].map((word) => word >> 8));
  });

  test("EXIF orientation is applied", async () => {
    const decoded = await decodePicture(
      await sharpOf(rgb).withMetadata({ orientation: 6 }).jpeg().toBuffer(),
      "turned",
    );
    expect([decoded.height, decoded.width]).toEqual([width, height]);
  });

  test("transparency is refused", async () => {
    const bytes = await sharpOf(rgb).ensureAlpha(0.5).png().toBuffer();
    await expect(decodePicture(bytes, "ghost.png")).rejects.toThrow(
      "ghost.png: expected an opaque picture, got transparent pixels. Do flatten it first.",
    );
  });

  test("with a background it is laid on that colour, grey pictures too", async () => {
    const bytes = await sharpOf(rgb).ensureAlpha(0.4).png().toBuffer();
    const alpha = Math.floor(0.4 * 255);
    const { pixels } = await decodePicture(bytes, "ghost.png", { background: [255, 0, 100] });
    const plane = width * height;
    const ground = [255, 0, 100];
    expect([...pixels]).toEqual(
      [...rgb.pixels].map((value, i) =>
        Math.round((value * alpha + (ground[Math.floor(i / plane)] ?? 0) * (255 - alpha)) / 255),
      ),
    );
    const shade = await sharp(Buffer.from([10, 0, 200, 255]), { raw: { width: 2, height: 1, channels: 2 } })
      .toColourspace("b-w")
      .png()
      .toBuffer();
    const grey = await decodePicture(shade, "shade.png", { background: [1, 2, 3] });
    expect([...grey.pixels]).toEqual([1, 200, 2, 200, 3, 200]);
  });

  test.each(["jpeg", "webp", "tiff", "png"] as const)("a truncated %s is refused in one line", async (format) => {
    const whole = await sharpOf(rgb)
      [format](format === "png" ? { progressive: true } : {})
      .toBuffer();
    for (const share of [0.2, 0.5, 0.9]) {
      const cut = whole.subarray(0, Math.floor(whole.length * share));
      await expect(decodePicture(cut, "cut")).rejects.toThrow(/^cut: expected a whole (picture|PNG), got .*\.$/);
    }
  });

  test("what is no picture is refused with its first bytes", async () => {
    const text = new TextEncoder().encode("not a picture");
    await expect(decodePicture(text, "x.png")).rejects.toThrow(
      "x.png: expected a PNG, JPEG, WebP or TIFF picture, got 13 bytes that start with 6e 6f 74 20 61 20 70 69.",
    );
    await expect(decodePicture(new Uint8Array(), "x.png")).rejects.toThrow("got an empty file");
    await expect(decodePicture(await sharpOf(rgb).gif().toBuffer(), "x")).rejects.toThrow("47 49 46 38");
  });

  test("limits hold for bytes and pixels", async () => {
    const bytes = await sharpOf(rgb).jpeg().toBuffer();
    await expect(decodePicture(bytes, "x", { maxBytes: 100 })).rejects.toThrow("expected at most 100 bytes, got");
    await expect(decodePicture(bytes, "x", { maxPixels: 239 })).rejects.toThrow(
      "expected at most 239 pixels, got 20 x 12 = 240.",
    );
    const wide = await sharp({ create: { width: 40_000, height: 2000, channels: 3, background: "red" } })
      .png({ compressionLevel: 1 })
      .toBuffer();
    await expect(decodePicture(wide, "wide")).rejects.toThrow("got 40000 x 2000 = 80000000");
  });
});
