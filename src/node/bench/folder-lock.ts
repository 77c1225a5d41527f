/** @file One owner for a folder: a file that says which process it is, and that outlives nobody. */
import { readFileSync } from "node:fs";
import { link, readFile, rm, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { join } from "node:path";
import { z } from "zod";
import { InputError } from "../../core/errors.ts";
import { fileError, systemCode } from "../file-error.ts";

const NAME = "bench.lock";

const owner = z.object({ host: z.string(), pid: z.int(), started: z.string() });

/**
 * Takes a folder. A lock whose process has died is taken over.
 * @returns gives the folder back. @throws InputError when another process has it.
 */
export async function lockFolder(folder: string): Promise<() => Promise<void>> {
  const path = join(folder, NAME);
  const own = { host: hostname(), pid: process.pid, started: startOf(process.pid) ?? "" };
  for (let attempt = 0; ; attempt++) {
    if (await place(path, JSON.stringify(own))) return () => rm(path, { force: true });
    const other = parsed(await readFile(path, "utf8").catch(() => ""));
    if (attempt > 0 || (other !== undefined && isAlive(other))) {
      const who = other === undefined ? "another process" : `process ${other.pid} on ${other.host}`;
      throw new InputError(
        `${folder}: expected a folder that no other bench writes to, got one that ${who} has. Do wait for it, or choose another folder; if it is gone for good, delete ${NAME}.`,
      );
    }
    await rm(path, { force: true });
  }
}

/** Puts a file where none is, with its content at once. @returns false where there is one. */
async function place(path: string, content: string): Promise<boolean> {
  const temporary = `${path}.${process.pid}`;
  try {
    await writeFile(temporary, content);
    await link(temporary, path);
    return true;
  } catch (cause) {
    if (systemCode(cause) === "EEXIST") return false;
    throw fileError(path, "a file that can be written", cause);
  } finally {
    await rm(temporary, { force: true });
  }
}

function parsed(text: string): z.output<typeof owner> | undefined {
  try {
    return owner.parse(JSON.parse(text));
  } catch {
    // It was killed while it wrote this.
    return undefined;
  }
}

/** On another machine nobody can tell: whoever has it keeps it. */
function isAlive({ host, pid, started }: z.output<typeof owner>): boolean {
  if (host !== hostname()) return true;
  try {
    process.kill(pid, 0);
  } catch (error) {
    return systemCode(error) === "EPERM";
  }
  // Numbers of processes are given anew, soonest in containers.
  return (startOf(pid) ?? "") === started;
}

/** When a process began, in ticks since the machine did; `undefined` where the system does not say. */
function startOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, "utf8");
    return text.slice(text.lastIndexOf(")") + 2).split(" ")[19];
  } catch {
    return undefined;
  }
}
