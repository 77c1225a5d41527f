/** @file The gateway's own addresses, relative to the page; docs/design/0007 says what they answer. */

/** One model of a gateway. */
export interface ServedModel {
  readonly name: string;
  readonly method: string;
  readonly preset: string | null;
  readonly input: { readonly channels: number | null };
  readonly labels: readonly string[] | null;
  readonly prior: boolean;
  readonly source: "classifier" | "upstream";
  /** Whether it runs here, so that it can be looked into. */
  readonly scan: boolean;
}

/** What a gateway says about itself. */
export interface GatewayFacts {
  readonly version: string;
  readonly models: readonly ServedModel[];
  readonly jobs: readonly string[];
  readonly limits: { readonly bodyBytes: number; readonly jobImages: number };
}

/** Work that a gateway does or did. */
export interface Job {
  readonly id: string;
  readonly kind: string;
  readonly state: "waiting" | "running" | "done" | "failed" | "cancelled";
  readonly progress: { readonly phase: string; readonly done: number; readonly total: number | null } | null;
  readonly error: { readonly error: string } | null;
  /** ISO time. */
  readonly created: string;
}

/** Whether nothing more happens to a job. */
export function isOver({ state }: Job): boolean {
  return state !== "waiting" && state !== "running";
}

/** A refusal of the gateway, in its own words. */
export class Refused extends Error {
  override readonly name = "Refused";
  readonly status: number;

  constructor(status: number, message: string) {
    super(message);
    this.status = status;
  }
}

/** Asks the gateway, with the person's key where it wants one. */
export interface Api {
  /** @param path below `api`, without a slash at its beginning. @throws Refused */
  ask(path: string, request?: RequestInit): Promise<Response>;
  json<T>(path: string, request?: RequestInit): Promise<T>;
}

/** The addresses with a key; it stays in the page's memory. */
export function createApi(key: string | undefined): Api {
  const ask: Api["ask"] = async (path, request = {}) => {
    const response = await fetch(`api${path === "" ? "" : `/${path}`}`, {
      ...request,
      headers: key === undefined ? {} : { authorization: `Bearer ${key}` },
    });
    if (response.ok) return response;
    const told = (await response.json().catch(() => undefined)) as { error?: string } | undefined;
    throw new Refused(response.status, told?.error ?? `The gateway answered with HTTP ${response.status}.`);
  };
  return {
    ask,
    json: async <T>(path: string, request?: RequestInit) => (await (await ask(path, request)).json()) as T,
  };
}
