/** @file A Redis server that keeps nothing on disk, for as long as a test needs it. */
import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { connect, createServer } from "node:net";
import { tmpdir } from "node:os";

/** Whether this machine has the server (Debian: `redis-server`). */
export const hasRedis = spawnSync("redis-server", ["--version"]).status === 0;

/** A server on a port of its own. */
export interface RedisServer {
  readonly url: string;
  /** Ends it at once; everything it held is lost. */
  kill(): Promise<void>;
  /** Starts it again on the same port, empty. */
  start(): Promise<void>;
  /** Stops answering without closing anything, and goes on later. */
  freeze(): void;
  thaw(): void;
}

/** Starts a server. */
export async function startRedis(): Promise<RedisServer> {
  const port = await freePort();
  let child: ChildProcess;
  const start = async (): Promise<void> => {
    const settings = ["--bind", "127.0.0.1", "--save", "", "--appendonly", "no", "--dir", tmpdir()];
    child = spawn("redis-server", ["--port", String(port), ...settings, "--maxmemory-policy", "noeviction"], {
      stdio: "ignore",
    });
    while (!(await answers(port))) await new Promise((resolve) => setTimeout(resolve, 10));
  };
  await start();
  return {
    url: `redis://127.0.0.1:${port}`,
    start,
    kill: () =>
      new Promise((resolve) => {
        if (child.exitCode !== null || child.signalCode !== null) return resolve();
        child.once("exit", () => resolve());
        child.kill("SIGKILL");
      }),
    freeze: () => void child.kill("SIGSTOP"),
    thaw: () => void child.kill("SIGCONT"),
  };
}

function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const address = server.address();
      server.close(() => resolve(typeof address === "object" && address !== null ? address.port : 0));
    });
  });
}

function answers(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, "127.0.0.1");
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
}
