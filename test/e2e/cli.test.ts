/** @file The command line as a user calls it: help, exit codes, files, and one sentence for everything that is wrong. */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import sharp from "sharp";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { attacks } from "../../src/attacks/registry.ts";
import { decodePicture, encodePng } from "../../src/images/node.ts";
import { purifiers } from "../../src/purify/registry.ts";
import { repairs } from "../../src/repair/registry.ts";
import { purifyRow, purifySummary } from "../../src/results/purify-row.ts";
import { type CliResult, runCli, runInside, startCli } from "../support/cli.ts";
import { serve } from "../support/http-server.ts";

const images = "models/fashion-mnist-badnets/images";
const classifier = ["--classifier", "models/fashion-mnist-badnets/model.onnx"];
const prior = ["--prior", "models/fashion-mnist-prior"];
const fast = [...prior, ...classifier, "--preset", "fast", "--threads", "1"];

let root: string;
const at = (name: string): string => join(root, name);
beforeAll(async () => {
  root = mkdtempSync(join(tmpdir(), "untrigger-cli-"));
  const png = readFileSync(`${images}/00000.png`);
  writeFileSync(at("good.png"), png);
  writeFileSync(at("truncated.png"), png.subarray(0, 200));
  writeFileSync(at("empty.png"), "");
  writeFileSync(at("renamed.png"), "print('hello')\n");
  writeFileSync(at("jpeg-called.png"), await sharp(png).toColourspace("b-w").jpeg().toBuffer());
  const flat = (channels: 1 | 3, height: number, width: number): Promise<Uint8Array> =>
    encodePng({ name: "flat", channels, height, width, pixels: new Uint8Array(channels * height * width).fill(90) });
  writeFileSync(at("one-pixel.png"), await flat(1, 1, 1));
  writeFileSync(at("wide.png"), await flat(1, 28, 40_000));
  writeFileSync(at("huge.png"), await flat(1, 2000, 40_000));
  writeFileSync(at("colour.png"), await flat(3, 28, 28));
  mkdirSync(at("twins"));
  writeFileSync(at("twins/a.png"), png);
  writeFileSync(at("twins/a.jpg"), readFileSync(at("jpeg-called.png")));
  mkdirSync(at("nothing"));
});
afterAll(() => {
  rmSync(root, { recursive: true, force: true });
});

/** Exit code and one sentence in one line on stderr, and nothing on stdout. */
function expectRefusal({ code, stdout, stderr }: CliResult, exit: number, sentence: string): void {
  expect(stderr).toContain(sentence);
  expect(stderr).toMatch(/^untrigger: [^\n]+\.\n$/);
  expect(stdout).toBe("");
  expect(code).toBe(exit);
}

describe("help", () => {
  test.each(["", "purify", "attack", "attack apply", "repair", "methods", "data"])(
    "untrigger %s --help",
    async (verb) => {
      const { code, stdout, stderr } = await runInside([...verb.split(" ").filter((word) => word !== ""), "--help"]);
      expect([code, stderr]).toEqual([0, ""]);
      expect(stdout).toMatchSnapshot();
    },
  );

  test("--version is the package's; no command is a usage error that shows the help", async () => {
    const { version } = JSON.parse(readFileSync("package.json", "utf8")) as { version: string };
    expect(await runCli(["--version"])).toEqual({ code: 0, stdout: `${version}\n`, stderr: "" });
    const { code, stdout, stderr } = await runCli([]);
    expect([code, stdout]).toEqual([2, ""]);
    expect(stderr).toContain("Usage: untrigger");
  });
});

describe("methods", () => {
  test("--json prints every registry, with options as JSON Schema", async () => {
    const { code, stdout, stderr } = await runCli(["methods", "--json"]);
    expect([code, stderr]).toEqual([0, ""]);
    const document = JSON.parse(stdout) as Record<string, { name: string; options: { properties: object } }[]>;
    for (const kind of ["attacks", "purifiers", "inverters", "repairs", "auditors"])
      expect(document).toHaveProperty(kind);
    const registries: Record<string, Record<string, { options: { shape: object } }>> = {
      attacks,
      purifiers,
      repairs,
    };
    for (const [kind, registry] of Object.entries(registries)) {
      const listed = document[kind] ?? [];
      expect(listed.map(({ name }) => name)).toEqual(Object.keys(registry));
      for (const { name, options } of listed) {
        expect(Object.keys(options.properties)).toEqual(Object.keys(registry[name]!.options.shape));
      }
    }
  });

  test("a name shows presets and options; an unknown one suggests the nearest", async () => {
    expect((await runInside(["methods", "sampdetox"])).stdout).toMatch(
      /preset official.*[\s\S]*options \(--set name=value\)/,
    );
    expectRefusal(await runInside(["methods", "zpi"]), 2, 'Unknown method "zpi". Did you mean "zip"? Known: badnets,');
  });
});

describe("data", () => {
  test("list says where things are; check and get refuse what there is not", async () => {
    const env = { UNTRIGGER_DATA: at("nothing") };
    const { code, stdout } = await runCli(["data", "list", "--json"], env);
    expect(code).toBe(0);
    const { datasets } = JSON.parse(stdout) as { datasets: { name: string; found: boolean; path: string | null }[] };
    expect(datasets.find(({ name }) => name === "mnist")).toMatchObject({ found: false, path: null, items: 70_000 });
    expectRefusal(await runCli(["data", "check", "mnist"], env), 2, 'Do run "untrigger data get mnist".');
    expectRefusal(await runCli(["data", "get", "fashion-mist"], env), 2, 'Did you mean "fashion-mnist"?');
  });

  test("get and check of a set that is made on the spot", async () => {
    expect((await runInside(["data", "get", "shapes"])).stdout).toMatch(/^shapes +12000 +CC0-1\.0 +made on the spot$/m);
    const { code, stdout } = await runInside(["data", "check", "shapes", "--json", "--quiet"]);
    expect(code).toBe(0);
    const [shapes] = JSON.parse(stdout).datasets;
    expect(shapes).toMatchObject({ name: "shapes", found: true, path: null, items: 12_000 });
    expect(shapes.splits.map(({ split, items }: { split: string; items: number }) => [split, items])).toEqual([
      ["train", 9000],
      ["validation", 1000],
      ["test", 2000],
      ["train+validation", 10_000],
    ]);
  });

  test("check names a damaged file", async () => {
    const folder = at("data/mnist");
    mkdirSync(folder, { recursive: true });
    for (const name of ["train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"]) {
      writeFileSync(join(folder, `${name}-ubyte`), Uint8Array.of(0, 0, 8, 1, 0, 0, 0, 1, 7));
    }
    const { code, stdout, stderr } = await runCli(["data", "check", "mnist", "--json"], { UNTRIGGER_DATA: at("data") });
    expect(code).toBe(2);
    expect(stderr).toMatch(/^untrigger: train-images-idx3-ubyte.gz: expected the content with SHA-256 ba89[^\n]+\n$/);
    expect(JSON.parse(stdout).datasets[0]).toMatchObject({ name: "mnist", found: true, path: folder });
  });
});

describe("purify", () => {
  test("computes in 8 bits when asked, and says so", async () => {
    const runs = [[], ["--precision", "int8"]].map((flags) =>
      runInside(["purify", at("good.png"), ...fast, ...flags, "--json", "-o", at(`precision${flags.length}`)]),
    );
    const [float, int8] = (await Promise.all(runs)).map(({ stdout }) => JSON.parse(stdout));
    expect([float.precision, int8.precision]).toEqual(["f32", "int8"]);
    expect(int8.priorHash).not.toBe(float.priorHash);
    expect(int8.images[0].label).toBe(float.images[0].label);
    expect(int8.images[0].suspicion).not.toBe(float.images[0].suspicion);
  });

  test("writes pictures, evidence and rows, and prints one document", async () => {
    const out = at("out");
    const inputs = ["good.png", "jpeg-called.png"].map(at);
    const { code, stdout, stderr } = await runCli([
      "purify",
      ...inputs,
      ...fast,
      "--calibrate",
      images,
      "--json",
      "-o",
      out,
    ]);
    expect([code, stderr]).toEqual([0, ""]);
    const document = JSON.parse(stdout);
    expect(document).toMatchObject({ schema: "untrigger/purify@1", method: "diffpure", count: 2, seed: 0 });
    expect(document.threshold).toBeGreaterThan(0);
    expect(document.seconds).toBeGreaterThan(0);
    expect(() => purifySummary.parse(document)).not.toThrow();
    expect(document.images.map(({ name }: { name: string }) => name)).toEqual(["good", "jpeg-called"]);
    const lines = readFileSync(join(out, "results.jsonl"), "utf8").trimEnd().split("\n");
    expect(lines.map((line) => purifyRow.parse(JSON.parse(line)))).toEqual(document.images);
    expect(readdirSync(out).sort()).toEqual(["evidence", "images", "results.jsonl", "run.json"]);
    for (const row of document.images) {
      const purified = await decodePicture(readFileSync(join(out, row.output)), row.output);
      expect([purified.channels, purified.height, purified.width]).toEqual([1, 28, 28]);
      expect(existsSync(join(out, "evidence", `${row.name}.png`))).toBe(true);
    }
  });

  test("one picture alone equals the same picture in a folder, at any batch size and number of threads", async () => {
    const whole = [...fast.slice(0, -1), "2", "--batch", "7", "--quiet", "-o", at("whole")];
    expect(await runCli(["purify", images, ...whole])).toEqual({ code: 0, stdout: "", stderr: "" });
    await runInside(["purify", `${images}/00031.png`, ...fast, "-o", at("alone")]);
    for (const folder of ["images", "evidence"]) {
      expect(readFileSync(at(`alone/${folder}/00031.png`))).toEqual(readFileSync(at(`whole/${folder}/00031.png`)));
    }
    expect(readdirSync(at("whole/images")).length).toBe(64);
  });

  test("--fit and --channels do what was refused without them", async () => {
    const shapes = ["one-pixel.png", "wide.png", "colour.png"].map(at);
    const { code, stdout } = await runCli([
      "purify",
      ...shapes,
      ...fast,
      "--fit",
      "--channels",
      "1",
      "-o",
      at("fitted"),
    ]);
    expect(code).toBe(0);
    expect(stdout).toContain("3 pictures purified by diffpure (fast)");
    expect(readdirSync(at("fitted/images")).sort()).toEqual(["colour.png", "one-pixel.png", "wide.png"]);
  });

  test("--fail-on flagged ends with 1 when there is a finding", async () => {
    // Block means leave a flat picture as it is: its suspicion is 0, and so is the threshold.
    const flags = [
      "--method",
      "zip-transform",
      "--calibrate",
      at("one-pixel.png"),
      "--fpr",
      "0.6",
      "--fail-on",
      "flagged",
    ];
    const flat = await runInside(["purify", at("one-pixel.png"), ...flags, "-o", at("flat")]);
    expect([flat.code, flat.stderr]).toEqual([0, ""]);
    expect((await runCli(["purify", at("good.png"), ...flags, "-o", at("judged")])).code).toBe(1);
    expect(existsSync(at("judged/images/good.png"))).toBe(true);
  });

  test("--answer verdict leaves what is not flagged as it came, and takes its first label from what is", async () => {
    const flags = [...fast, "--calibrate", images, "--fpr", "0.5", "--answer", "verdict", "--json"];
    const { code, stdout } = await runInside(["purify", images, ...flags, "-o", at("verdict")]);
    const {
      answer,
      flagged,
      changed,
      images: rows,
    } = purifySummary.extend({ images: purifyRow.array() }).parse(JSON.parse(stdout));
    expect([code, answer, changed]).toEqual([0, "verdict", flagged]);
    expect(flagged).toBeGreaterThan(20);
    for (const row of rows) {
      if (row.flagged === true)
        expect([row.label === row.labelBefore, row.scores?.[row.labelBefore ?? -1]]).toEqual([false, 0]);
      else expect([row.label, row.scores]).toEqual([row.labelBefore, row.scoresBefore]);
    }
  });

  test("a reader that goes away is no failure", async () => {
    const run = startCli(["methods", "--json"]);
    run.process.stdout?.destroy();
    expect(await run.result).toMatchObject({ code: 0, stderr: "" });
  });

  test("Ctrl-C stops within a second, with whole files only", async () => {
    const out = at("interrupted");
    const run = startCli(["purify", images, ...prior, "--preset", "paper", "--batch", "2", "-o", out]);
    while (!existsSync(join(out, "results.jsonl"))) await new Promise((resolve) => setTimeout(resolve, 50));
    const from = performance.now();
    run.process.kill("SIGINT");
    const { code, stdout, stderr } = await run.result;
    expect(performance.now() - from).toBeLessThan(1000);
    expect([code, stdout]).toEqual([130, ""]);
    expect(stderr).toBe("untrigger: Interrupted; files that were written are whole.\n");
    const lines = readFileSync(join(out, "results.jsonl"), "utf8");
    expect(lines.endsWith("\n")).toBe(true);
    for (const line of lines.trimEnd().split("\n")) purifyRow.parse(JSON.parse(line));
    const files = readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".png"));
    for (const file of files) await decodePicture(readFileSync(join(out, file)), file);
    expect(readdirSync(out, { recursive: true, encoding: "utf8" }).filter((name) => name.endsWith(".tmp"))).toEqual([]);
  });
});

test("without the native engine the portable one runs, says so, and makes the same picture", async () => {
  const hook = `export async function resolve(s,c,n){if(s==="onnxruntime-node")throw new Error("not installed");return n(s,c)}`;
  const register = `import{register}from"node:module";register("data:text/javascript,${encodeURIComponent(hook)}")`;
  const env = { NODE_OPTIONS: `--import=data:text/javascript,${encodeURIComponent(register)}` };
  const flags = [...prior, "--preset", "fast", "--quiet"];
  const { code, stdout } = await runCli(["purify", at("good.png"), ...flags, "-o", at("portable")], env);
  expect([code, stdout]).toEqual([0, ""]);
  await runInside(["purify", at("good.png"), ...flags, "-o", at("native")]);
  const [portable, native] = await Promise.all(
    ["portable", "native"].map((name) => decodePicture(readFileSync(at(`${name}/images/good.png`)), name)),
  );
  expect(portable?.pixels).toBeAllclose(native?.pixels ?? [], { atol: 1 });
  const loud = await runCli(["purify", at("good.png"), ...flags.slice(0, -1), "-o", at("portable")], env);
  expect(loud.stderr).toMatch(
    /^onnxruntime-web \S+ runs the models, since onnxruntime-node is not installed; it is slower\.\n$/,
  );
});

describe("bad input: one sentence, exit code 2 or 3, nothing half-written", () => {
  test.each([
    ["missing.png", "expected a picture, a folder or a pattern, got nothing there."],
    ["empty.png", "empty.png: expected a picture, got an empty file."],
    ["truncated.png", "truncated.png: expected a whole PNG, got an end after 200 of at least 382 bytes."],
    ["renamed.png", "renamed.png: expected a PNG, JPEG, WebP or TIFF picture, got 15 bytes that start with 70 72"],
    ["one-pixel.png", "one-pixel: expected 28 x 28 pixels, got 1 x 1. Resize it with --fit."],
    ["wide.png", "wide: expected 28 x 28 pixels, got 40000 x 28. Resize it with --fit."],
    ["huge.png", "huge.png: expected at most 64000000 pixels, got 40000 x 2000 = 80000000."],
    ["colour.png", "colour: expected 1 channel (grey), got 3 channels (colour). Convert it with --channels 1."],
    ["nothing", "nothing: expected files in this folder of PNG, JPEG"],
    ["twins", 'expected a name of its own for its results, got "a" like'],
  ])("picture: %s", async (name, sentence) => {
    const out = at("refused");
    expectRefusal(await runInside(["purify", at(name), ...fast, "-o", out]), 2, sentence);
    expect(existsSync(out)).toBe(false);
  });

  test("the process itself ends so", async () => {
    const refused = ["purify", at("truncated.png"), ...fast, "-o", at("refused")];
    expectRefusal(await runCli(refused), 2, "truncated.png: expected a whole PNG, got an end after 200");
    expectRefusal(
      await runCli(["purify", "x", "--metod", "zip"]),
      2,
      'Unknown option "--metod". Did you mean "--method"?',
    );
    const down = ["--classifier", "http://127.0.0.1:1/x", "-o", at("refused")];
    expectRefusal(
      await runCli(["purify", at("good.png"), ...prior, ...down]),
      3,
      "http://127.0.0.1:1/x: expected an answer",
    );
    expect(existsSync(at("refused"))).toBe(false);
  });

  test("an endpoint that answers with a page, or with the wrong number of scores", async () => {
    const page = await serve((_, response) => {
      response.setHeader("content-type", "text/html").end("<title>Sign in</title>");
    });
    const short = await serve(() => ({ predictions: [[0.1, 0.9]] }));
    const labels = at("ten.txt");
    writeFileSync(labels, "0\n1\n2\n3\n4\n5\n6\n7\n8\n9\n");
    const run = (url: string) =>
      runInside([
        "purify",
        at("good.png"),
        "--method",
        "zip-transform",
        "--classifier",
        url,
        "--labels",
        labels,
        "-o",
        at("refused"),
      ]);
    expectRefusal(await run(`${page.url}/classify`), 3, "Sign in");
    expectRefusal(await run(`${short.url}/v1/models/m:predict`), 3, "got");
    expect(existsSync(at("refused"))).toBe(false);
  });

  test.each([
    ["unknown option", ["--metod", "zip"], 2, 'Unknown option "--metod". Did you mean "--method"? Known: --out,'],
    ["unknown method", ["--method", "difpure"], 2, 'Unknown purifier "difpure". Did you mean "diffpure"?'],
    ["unknown preset", ["--preset", "fst"], 2, 'Unknown preset of diffpure "fst". Did you mean "fast"?'],
    ["unknown setting", ["--set", "stpes=3"], 2, 'unknown option "stpes". Did you mean "steps"?'],
    ["setting out of range", ["--set", "t=0"], 2, 'diffpure: option "t":'],
    ["no votes", ["--votes", "0"], 2, '--votes: expected an integer of at least 1, got "0".'],
    ["no prior", [], 2, "diffpure: expected a prior, got none."],
    [
      "missing prior",
      ["--prior", "no/such"],
      2,
      "no/such: expected a prior's folder, .pt or .onnx file, got nothing there.",
    ],
    ["wrong prior", ["--prior", images], 2, "prior: expected model_index.json (diffusers)"],
    [
      "wrong classifier",
      [...prior, "--classifier", "package.json"],
      2,
      "package.json: ONNX model: expected a ModelProto",
    ],
    [
      "endpoint that is down",
      [...prior, "--classifier", "http://127.0.0.1:1/x"],
      3,
      "http://127.0.0.1:1/x: expected an answer",
    ],
    ["unknown device", ["--device", "gpu"], 2, 'Unknown value of --device "gpu". Did you mean "cpu"?'],
    ["a gate without threshold", [...prior, "--fail-on", "flagged"], 2, "--fail-on flagged: expected a threshold"],
    ["a verdict without threshold", [...prior, "--answer", "verdict"], 2, "--answer verdict: expected a classifier"],
    ["an answer that is none", ["--answer", "both"], 2, 'Unknown value of --answer "both"'],
    ["a precision that is not there", ["--precision", "int4"], 2, 'Unknown value of --precision "int4"'],
  ])("flags: %s", async (_, flags, exit, sentence) => {
    const out = at("refused");
    expectRefusal(await runInside(["purify", at("good.png"), ...flags, "-o", out]), exit, sentence);
    expect(existsSync(out)).toBe(false);
  });

  test("an output that cannot be written", async () => {
    const cheap = ["--method", "shrink-pad"];
    for (const out of [at("good.png"), at("good.png/inside")]) {
      const result = await runInside(["purify", at("good.png"), ...cheap, "-o", out]);
      expectRefusal(result, 2, "expected a folder that can be written, got");
    }
    expectRefusal(
      await runInside(["purify", at("good.png"), ...cheap]),
      2,
      "purify: expected a folder for the results, got none.",
    );
  });

  test("unknown and missing commands and arguments", async () => {
    expectRefusal(await runInside(["purfy"]), 2, 'Unknown command "purfy". Did you mean "purify"?');
    expectRefusal(await runInside(["purify", "-o", at("x")]), 2, "purify: expected IMAGES, got none.");
    expectRefusal(await runInside(["methods", "zip", "zip"]), 2, "methods: expected at most 1 argument, got 2.");
  });

  test("--debug adds where it happened", async () => {
    const { stderr } = await runCli(["methods", "zpi", "--debug"]);
    expect(stderr).toMatch(/^untrigger: Unknown method[^\n]+\nOptionError: [\s\S]+\n {4}at /);
  });
});
