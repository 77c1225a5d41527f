/** @file What `deploy/` says fits the package: versions, paths, ports. Building the image itself wants a daemon. */
import { existsSync, readFileSync } from "node:fs";
import { basename } from "node:path";
import { describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { parseConfig } from "../../src/server/config.ts";
import { readSources } from "./imports.ts";

const manifest = JSON.parse(readFileSync("package.json", "utf8")) as {
  readonly workspaces: readonly string[];
  readonly files: readonly string[];
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly peerDependencies: Readonly<Record<string, string>>;
};
const read = (name: string) => parse(readFileSync(`deploy/${name}`, "utf8"));

describe("the Dockerfile", () => {
  const text = readFileSync("deploy/Dockerfile", "utf8").replaceAll("\\\n", " ");
  const lines = text.split("\n");

  test("installs what the gateway loads on use, in the versions that are tested here", () => {
    const pinned = Object.fromEntries(
      [...text.matchAll(/ ((?:@[\w-]+\/)?[\w-]+)@(\d+\.\d+\.\d+)/g)].map(([, name, version]) => [name, version]),
    );
    const loaded = readSources("src")
      .filter(({ path }) => path.startsWith("server/"))
      .flatMap(({ packages }) => packages)
      .filter((name) => name in manifest.peerDependencies);
    const wanted = Object.fromEntries([...new Set(loaded)].map((name) => [name, manifest.devDependencies[name]]));
    expect(Object.keys(wanted).length).toBeGreaterThan(5);
    expect(pinned).toEqual(wanted);
  });

  test("copies what there is, and the manifest of every workspace before it installs", () => {
    const copies = lines.filter((line) => /^COPY (?!--from)/.test(line)).map((line) => line.split(" ").slice(1, -1));
    for (const path of copies.flat()) expect(existsSync(path), path).toBe(true);
    const before = lines.slice(0, lines.indexOf("RUN npm ci")).join("\n");
    for (const workspace of manifest.workspaces)
      expect(before).toContain(`COPY ${workspace}/package.json ${workspace}/`);
  });
});

test("compose mounts the configuration and the priors that it names", () => {
  const { gateway, triton } = read("compose.yaml").services;
  expect(gateway.build).toEqual({ context: "..", dockerfile: "deploy/Dockerfile" });
  const mounts = new Map(gateway.volumes.map((line: string) => line.split(":").slice(0, 2).reverse()));
  const config = parseConfig(read(basename(String(mounts.get("/etc/untrigger/gateway.yaml")))));
  expect(gateway.ports).toEqual([`8080:${config.listen.port}`]);
  const prior = config.models["classifier"]?.prior ?? "";
  expect(existsSync(prior.replace("/priors", `deploy/${mounts.get("/priors")}`)), prior).toBe(true);
  expect(config.upstreams).toEqual({ triton: "http://triton:8000" });
  expect(triton.command).toContain("--model-repository=/models");
});

test("Kubernetes' objects belong together, and their prior is in the package", () => {
  const objects = parseAllDocuments(readFileSync("deploy/kubernetes.yaml", "utf8")).map((document) => {
    expect(document.errors).toEqual([]);
    return document.toJS();
  });
  const of = (kind: string) => objects.find((object) => object.kind === kind);
  expect(objects.map(({ kind, apiVersion }) => [kind, apiVersion])).toEqual([
    ["ConfigMap", "v1"],
    ["Deployment", "apps/v1"],
    ["Service", "v1"],
    ["NetworkPolicy", "networking.k8s.io/v1"],
  ]);
  const config = parseConfig(parse(of("ConfigMap").data["gateway.yaml"]));
  const { template, selector } = of("Deployment").spec;
  const [container] = template.spec.containers;
  const { port } = config.listen;
  expect(container.ports).toEqual([{ containerPort: port }]);
  for (const probe of ["readinessProbe", "livenessProbe"]) expect(container[probe].httpGet.port).toBe(port);
  expect(of("Service").spec.ports[0].targetPort).toBe(port);
  expect(template.metadata.labels).toEqual(selector.matchLabels);
  expect(of("Service").spec.selector).toEqual(selector.matchLabels);
  expect(of("NetworkPolicy").spec.ingress[0].from[0].podSelector.matchLabels).toEqual(selector.matchLabels);
  // Kubernetes asks a pod to end and waits: longer than the gateway waits for what it took.
  expect(1000 * template.spec.terminationGracePeriodSeconds).toBeGreaterThan(config.limits.graceMs);
  const volumes = template.spec.volumes.map(({ name }: { name: string }) => name);
  expect(container.volumeMounts.map(({ name }: { name: string }) => name).sort()).toEqual(volumes.sort());
  const prior = config.models["*"]?.prior ?? "";
  const inPackage = prior.replace("/app/node_modules/untrigger/", "");
  expect(existsSync(inPackage), prior).toBe(true);
  expect(manifest.files).toContain(inPackage.split("/")[0]);
});
