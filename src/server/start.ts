/** @file A gateway from a configuration to a listening server, and its end without losing what it took. */
import type { FastifyBaseLogger } from "fastify";
import { InputError, messageOf } from "../core/errors.ts";
import { type OpenRedis, openRedis } from "../node/redis.ts";
import type { Runtime } from "../runtime/runtime.ts";
import { createSessionCache } from "../runtime/session-cache.ts";
import { createAccess } from "./access.ts";
import { createApp, type Log } from "./app.ts";
import type { GatewayConfig } from "./config.ts";
import { openState } from "./gateway-state.ts";
import { startService } from "./grpc/service.ts";
import type { JobHost, JobStore } from "./jobs/job.ts";
import { createJobWork } from "./jobs/job-work.ts";
import { createMemoryJobs } from "./jobs/memory-jobs.ts";
import type { CommandLine } from "./jobs/run-command.ts";
import { createSharedJobs } from "./jobs/shared-jobs.ts";
import { createMetrics } from "./metrics.ts";
import { apiRoutes } from "./routes/api.ts";
import { jobRoutes } from "./routes/jobs.ts";
import { openInferenceRoutes } from "./routes/open-inference.ts";
import { operationsRoutes } from "./routes/operations.ts";
import { otherProtocolRoutes } from "./routes/other-protocols.ts";
import { pageRoutes, readPage } from "./routes/page.ts";
import { readTlsFiles } from "./tls-files.ts";
import { openTracing } from "./tracing.ts";

/** What a gateway is lent. */
export interface GatewayHost {
  readonly runtime: Runtime;
  /** Of this package. */
  readonly version: string;
  /** Folder of the built page; there is none without. */
  readonly page?: string | undefined;
  /** How the command line is started, for jobs that are commands; they are refused without. */
  readonly command?: CommandLine | undefined;
  /** Nothing is logged when left out. */
  readonly log?: Log | undefined;
}

/** A gateway that listens. */
export interface RunningGateway {
  /** `http://127.0.0.1:8080` */
  readonly address: string;
  /** Port of gRPC, where that is spoken. */
  readonly grpcPort: number | undefined;
  /** Takes another configuration; `listen`, `tls` and `tracing` stay as they are. @throws what opening a model throws; nothing changes then. */
  reload(config: GatewayConfig): Promise<void>;
  /** Takes nothing more, finishes what it took within the time of grace, and closes all models. */
  close(): Promise<void>;
}

/**
 * Opens all models and listens.
 * @throws what opening a model throws; InputError when the address cannot be listened on.
 */
export async function startGateway(config: GatewayConfig, host: GatewayHost): Promise<RunningGateway> {
  const { version, log, command } = host;
  const { listen, tls } = config;
  const files = tls && (await readTlsFiles(tls));
  const tracing = config.tracing && (await openTracing(config.tracing, version));
  const giveUp = async (error: unknown): Promise<never> => {
    await tracing?.close();
    throw error;
  };
  const { redis: address } = config.jobs;
  const redis = address === undefined ? undefined : await openRedis(address).catch(giveUp);
  const runtime = createSessionCache(host.runtime);
  const state = await openState(config, runtime).catch((error: unknown) => {
    redis?.close();
    return giveUp(error);
  });
  const metrics = createMetrics(() => [...state.models].map(([name, { depth }]) => [name, depth] as const));
  // One for both doors, so that a key's rate counts what it asks at either.
  const access = createAccess(
    () => state.config.keys,
    () => performance.now() / 1000,
  );
  const parts = { state, metrics, access, tracing };
  let logged: FastifyBaseLogger | undefined;
  const jobs = await openJobs(redis, config, {
    most: () => state.config.limits.jobs,
    work: createJobWork(state, command),
    failed: (error) => logged?.error({ err: error }, "a job failed"),
  });
  const page = host.page === undefined ? [] : await readPage(host.page);
  const app = await createApp({
    ...parts,
    tls: files,
    log,
    routes: [
      (each) => operationsRoutes(each, parts),
      (each) => openInferenceRoutes(each, parts, version),
      (each) => otherProtocolRoutes(each, parts),
      (each) => apiRoutes(each, parts, version),
      (each) => pageRoutes(each, page),
      (each) => jobRoutes(each, jobs),
    ],
  });
  logged = app.log;
  try {
    const address = await app.listen({ host: listen.host, port: listen.port }).catch((cause: unknown) => {
      throw new InputError(
        `${listen.host}:${listen.port}: expected an address to listen on, got ${messageOf(cause)}.`,
        {
          cause,
        },
      );
    });
    const service =
      listen.grpcPort === undefined
        ? undefined
        : await startService({ ...parts, version }, { host: listen.host, port: listen.grpcPort, tls: files });
    return {
      address,
      grpcPort: service?.port,
      reload: (next) => state.reload(next),
      async close() {
        let end = (): void => undefined;
        const over = new Promise<void>((resolve) => {
          end = resolve;
        });
        const grace = setTimeout(() => {
          end();
          app.server.closeAllConnections();
          service?.force();
        }, state.config.limits.graceMs);
        try {
          await Promise.all([app.close(), service?.close(), jobs.close(over)]);
        } finally {
          clearTimeout(grace);
        }
        redis?.close();
        await tracing?.close();
        await state.dispose();
        await runtime.dispose();
      },
    };
  } catch (error) {
    await jobs.close(Promise.resolve());
    redis?.close();
    await app.close();
    await tracing?.close();
    await state.dispose();
    throw error;
  }
}

async function openJobs(redis: OpenRedis | undefined, { jobs }: GatewayConfig, host: JobHost): Promise<JobStore> {
  return redis === undefined
    ? createMemoryJobs(host)
    : await createSharedJobs(redis, host, { bytes: jobs.sharedBytes });
}
