/** @file `untrigger/client` against a real gateway. */
import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { createClient, GatewayError } from "../../src/client/index.ts";
import { decodePicture } from "../../src/images/node.ts";
import { FASHION, gateway, QUICK } from "../support/gateway.ts";

const pictures = Object.fromEntries(
  ["00000.png", "00001.png"].map((name) => [name, readFileSync(`${FASHION.classifier}/images/${name}`)]),
);

test("fetches evidence of each picture where it is wanted", async () => {
  const served = await gateway({ models: { m: { ...FASHION, ...QUICK } } });
  const named = { "a.png": pictures["00000.png"]!, "a.b.png": pictures["00001.png"]! };
  const options = { t1: 20, t2: 40, sampler: "ddim", grid: "lin", snap: true };
  const { images } = await createClient(served.address).purify(named, { method: "sampdetox", options, maps: true });
  for (const { name, maps } of images) {
    expect(Object.keys(maps), name).toEqual(["difference", "level", "similarity"]);
    expect(await decodePicture(maps["level"]!, name)).toMatchObject({ channels: 1, height: 28, width: 28 });
  }
  expect(images[0]!.maps["difference"]).not.toEqual(images[1]!.maps["difference"]);
});

test("purifies in three lines, tells refusals in the gateway's words, and leaves nothing behind", async () => {
  const served = await gateway({ models: { m: { ...FASHION, ...QUICK } }, keys: [{ name: "a", key: "a-good-key" }] });
  const client = createClient(served.address, { key: "a-good-key" });
  const seen: number[] = [];
  const { answer, images } = await client.purify(pictures, { seed: 3, progress: (done) => seen.push(done) });
  expect(answer).toMatchObject({ method: "diffpure", preset: "fast", seed: 3, count: 2 });
  expect(images.map(({ name, label }) => [name, label])).toEqual([
    ["00000", expect.any(Number)],
    ["00001", expect.any(Number)],
  ]);
  expect(await decodePicture(images[0]!.png, "a")).toMatchObject({ channels: 1, height: 28, width: 28 });
  expect(images[0]!.maps).toEqual({});
  const jobs = await fetch(`${served.address}/api/jobs`, { headers: { "x-api-key": "a-good-key" } });
  expect(await jobs.json()).toEqual({ jobs: [] });

  await expect(client.purify(pictures, { method: "difpure" })).rejects.toThrow('Did you mean "diffpure"?');
  await expect(client.purify({ "a.png": Uint8Array.of(1) })).rejects.toThrow("a: expected a PNG");
  await expect(createClient(served.address).purify(pictures)).rejects.toMatchObject({
    status: 401,
    code: "unauthorised",
  });
  await expect(createClient(served.address).purify(pictures)).rejects.toBeInstanceOf(GatewayError);
  const leaving = AbortSignal.timeout(1);
  await expect(client.purify(pictures, { signal: leaving })).rejects.toThrow();
});
