/** @file What the page knows, and the only way in which it changes. */
import type { PurifyRequest } from "untrigger/jobs";
import type { PurifySummary } from "untrigger/results";
import type { Facts, PurifiedPng } from "./engine.ts";

/** A picture of the person's, and how far it is. */
export interface Item {
  readonly id: number;
  /** Name without extension, different for every picture. */
  readonly name: string;
  readonly file: Blob;
  readonly status: "waiting" | "running" | "stopped" | "done" | "refused";
  /** What came of it: of a refused picture, why. */
  readonly message?: string;
  readonly purified?: PurifiedPng;
  /** The run that purified it: a place in {@link State.runs}. */
  readonly run?: number;
}

/** One run: what was asked for, and what belongs to all of its pictures. */
export interface Run {
  readonly request: PurifyRequest;
  /** Missing while it runs, and when it was stopped. */
  readonly summary?: PurifySummary | undefined;
  readonly seconds?: number;
}

/** How pictures are purified; what is left out is the preset's. */
export interface Settings {
  readonly method: string;
  readonly preset: string;
  readonly votes?: number | undefined;
  readonly seed: number;
  /** Resize and convert pictures to what the model takes. */
  readonly fit: boolean;
  readonly options: Readonly<Record<string, unknown>>;
}

/** Everything that is shown. */
export interface State {
  readonly items: readonly Item[];
  readonly nextId: number;
  readonly selected: number | undefined;
  readonly settings: Settings;
  readonly runs: readonly Run[];
  /** Set while the engine works. */
  readonly progress: { readonly what: string; readonly done: number; readonly total: number } | undefined;
  /** Why the last run stopped. */
  readonly failure: string | undefined;
  readonly facts: Facts | undefined;
}

/** Everything that can happen. */
export type Action =
  | { readonly kind: "add"; readonly files: readonly { readonly name: string; readonly file: Blob }[] }
  | { readonly kind: "remove"; readonly id: number }
  | { readonly kind: "clear" }
  | { readonly kind: "again" }
  | { readonly kind: "select"; readonly id: number }
  | { readonly kind: "settings"; readonly change: Partial<Settings> }
  | { readonly kind: "option"; readonly name: string; readonly value: unknown }
  | { readonly kind: "start"; readonly ids: ReadonlySet<number> }
  | { readonly kind: "opened"; readonly facts: Facts; readonly request: PurifyRequest }
  | { readonly kind: "progress"; readonly what: string; readonly done: number; readonly total: number }
  | { readonly kind: "picture"; readonly purified: PurifiedPng }
  | { readonly kind: "refused"; readonly id: number; readonly message: string }
  | { readonly kind: "end"; readonly summary: PurifySummary | undefined; readonly seconds: number }
  | { readonly kind: "stop"; readonly failure?: string };

/** The page as it opens. */
export const initialState: State = {
  items: [],
  nextId: 1,
  selected: undefined,
  settings: { method: "diffpure", preset: "recommended", seed: 0, fit: true, options: {} },
  runs: [],
  progress: undefined,
  failure: undefined,
  facts: undefined,
};

/** The state after something happened. */
export function reduce(state: State, action: Action): State {
  switch (action.kind) {
    case "add":
      return added(state, action.files);
    case "remove":
      return {
        ...state,
        items: state.items.filter(({ id }) => id !== action.id),
        selected: state.selected === action.id ? undefined : state.selected,
      };
    case "clear":
      return { ...state, items: [], selected: undefined, runs: [], failure: undefined };
    case "again":
      return { ...state, failure: undefined, items: state.items.map(({ id, name, file }) => waiting(id, name, file)) };
    case "select":
      return { ...state, selected: action.id };
    case "settings":
      return { ...state, settings: { ...state.settings, ...action.change } };
    case "option": {
      const { [action.name]: _, ...others } = state.settings.options;
      const options = action.value === undefined ? others : { ...others, [action.name]: action.value };
      return { ...state, settings: { ...state.settings, options } };
    }
    case "start":
      return {
        ...state,
        progress: { what: "Starting", done: 0, total: 1 },
        failure: undefined,
        // Those alone that the run knows: others may have come since, and wait for the next.
        items: state.items.map((item) => (action.ids.has(item.id) ? { ...item, status: "running" } : item)),
      };
    case "opened":
      return { ...state, facts: action.facts, runs: [...state.runs, { request: action.request }] };
    case "progress":
      return { ...state, progress: { what: action.what, done: action.done, total: action.total } };
    case "picture":
      return {
        ...withItem(state, action.purified.id, {
          status: "done",
          purified: action.purified,
          run: state.runs.length - 1,
        }),
        selected: state.selected ?? action.purified.id,
      };
    case "refused":
      return withItem(state, action.id, { status: "refused", message: action.message });
    case "end":
      return {
        ...state,
        progress: undefined,
        runs: state.runs.map((run, i) =>
          i === state.runs.length - 1 ? { ...run, summary: action.summary, seconds: action.seconds } : run,
        ),
      };
    case "stop":
      return {
        ...state,
        progress: undefined,
        failure: action.failure,
        // Those that came meanwhile stop too, or a failure would start the next run at once.
        items: state.items.map((item) =>
          item.status === "running" || item.status === "waiting" ? { ...item, status: "stopped" } : item,
        ),
      };
  }
}

function added(state: State, files: readonly { readonly name: string; readonly file: Blob }[]): State {
  const names = new Set(state.items.map(({ name }) => name));
  const items = files.map(({ name, file }, i) => waiting(state.nextId + i, unique(name, names), file));
  return { ...state, items: [...state.items, ...items], nextId: state.nextId + files.length };
}

/** Results are files named after their pictures: two of one name would be one file. */
function unique(name: string, taken: Set<string>): string {
  const stem = name.replace(/\.[^.]*$/, "") || "picture";
  let free = stem;
  for (let n = 2; taken.has(free); n++) free = `${stem}-${n}`;
  taken.add(free);
  return free;
}

function waiting(id: number, name: string, file: Blob): Item {
  return { id, name, file, status: "waiting" };
}

function withItem(state: State, id: number, change: Partial<Item>): State {
  return { ...state, items: state.items.map((item) => (item.id === id ? { ...item, ...change } : item)) };
}

/** The request that the settings make of this engine. */
export function requestOf(
  { method, preset, votes, seed, fit, options }: Settings,
  { channels }: Pick<Facts, "channels">,
): PurifyRequest {
  return {
    method,
    preset,
    seed,
    ...(fit ? { fit, channels } : {}),
    // Small, so that the first results are there soon and Cancel is heard; results do not depend on it.
    batch: 4,
    ...(votes === undefined ? {} : { votes }),
    ...(Object.keys(options).length === 0 ? {} : { options }),
  };
}
