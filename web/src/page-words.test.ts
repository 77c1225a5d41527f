import { openPurifier, preparePicture } from "untrigger/jobs";
import { expect, test } from "vitest";
import { pageWords } from "./page-words.ts";

test("the toolkit's own sentences name no flag on the page", async () => {
  const picture = { name: "photo", channels: 3, height: 30, width: 40, pixels: new Uint8Array(3600) } as const;
  const sentences = [{ channels: 1 }, { height: 28, width: 28 }].map((needs) => {
    try {
      return String(preparePicture(picture, needs, {}).name);
    } catch (error) {
      return (error as Error).message;
    }
  });
  sentences.push((await openPurifier("diffpure", {}, {}).catch((error: Error) => error.message)) as string);
  expect(sentences.filter((sentence) => sentence.includes("--"))).toHaveLength(3);
  expect(sentences.map(pageWords)).toEqual([
    "photo: expected 1 channel (grey), got 3 channels (colour). Tick “Make pictures fit”.",
    "photo: expected 28 x 28 pixels, got 40 x 30. Tick “Make pictures fit”.",
    "diffpure: expected a prior, got none.",
  ]);
});
