/** @file Real gateways on 127.0.0.1 for tests, with the models of this repository. */
import { onTestFinished } from "vitest";
import { createNodeRuntime } from "../../src/runtime/node.ts";
import { type GatewayInput, parseConfig } from "../../src/server/config.ts";
import { type RunningGateway, startGateway } from "../../src/server/start.ts";

/** The shipped classifier with a backdoor, behind its prior. */
export const FASHION = { classifier: "models/fashion-mnist-badnets", prior: "models/fashion-mnist-prior" } as const;

/** How the command line is started from its sources. */
const COMMAND = [process.execPath, "--import", "tsx", "--conditions=untrigger-source", "src/cli/main.ts"];

/** DiffPure in four steps. */
export const QUICK = { method: "diffpure", preset: "fast" } as const;

/** Starts a gateway on a free port; it ends with the running test. */
export async function gateway(config: Omit<GatewayInput, "listen">): Promise<RunningGateway> {
  const running = await lastingGateway(config);
  onTestFinished(() => running.close());
  return running;
}

/** Starts a gateway that its caller closes. @param grpcPort 0 speaks gRPC, too, on a free port. @param page folder of a built page. */
export async function lastingGateway({
  grpcPort,
  page,
  ...config
}: Omit<GatewayInput, "listen"> & { readonly grpcPort?: number; readonly page?: string }): Promise<RunningGateway> {
  const runtime = await createNodeRuntime({ threads: 1 });
  return await startGateway(parseConfig({ ...config, listen: { port: 0, grpcPort } }), {
    runtime,
    version: "0.0.0",
    page,
    command: COMMAND,
  });
}
