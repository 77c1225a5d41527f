/** @file From the body of a request to the work it asks for, with what this gateway serves and allows. */
import type { z } from "zod";
import { OptionError } from "../../core/errors.ts";
import type { GatewayState } from "../gateway-state.ts";
import { Refusal } from "../refusal.ts";
import type { ServedModel } from "../served-model.ts";
import { auditJob, auditJobBody } from "./audit-job.ts";
import { benchJob, benchJobBody } from "./bench-job.ts";
import type { JobKind, JobRequest, JobWork } from "./job.ts";
import { type JobPicture, readJobImages } from "./job-images.ts";
import { purifyJob, purifyJobBody } from "./purify-job.ts";
import type { CommandLine } from "./run-command.ts";
import { scanJob, scanJobBody } from "./scan-job.ts";

/**
 * How requests become work. All is checked at once; a model is the one that is served when its turn comes.
 * @param command how the command line is started; jobs that need it are refused without.
 * @returns throws Refusal `denied` for a kind that is not allowed, `unknown` for a model that is not served, and
 * OptionError, ShapeError or FormatError for a body of another form.
 */
export function createJobWork(
  state: GatewayState,
  command: CommandLine | undefined,
): (request: Pick<JobRequest, "kind" | "body">) => JobWork {
  const commandLine = (): CommandLine => {
    if (command !== undefined) return command;
    throw new Refusal("denied", "jobs: expected a gateway that untrigger serve started, got another.");
  };

  const kinds: Readonly<Record<JobKind, (body: unknown) => JobWork>> = {
    purify(body) {
      const { model: asked, request, images } = parseBody(body, purifyJobBody);
      const pictures = picturesOf(images);
      const name = modelName(asked);
      const work = (model: ServedModel): JobWork => purifyJob(request, pictures, model, state.config.limits.pixels);
      withModel(name, work);
      return async (context) => {
        const { model, giveBack } = state.borrow(name);
        try {
          return await work(model)(context);
        } finally {
          giveBack();
        }
      };
    },
    scan(body) {
      const parsed = parseBody(body, scanJobBody);
      const pictures = picturesOf(parsed.images);
      const name = modelName(parsed.model);
      const { classifier, prior } = withModel(name, ({ config }) => config);
      if (classifier === undefined) {
        throw new OptionError(
          "scan: expected a model that runs here, got one of an upstream; because triggers are found by gradients.",
        );
      }
      return scanJob(parsed, pictures, { command: commandLine(), name, classifier, prior });
    },
    audit(body) {
      const parsed = parseBody(body, auditJobBody);
      const { images = [] } = parsed;
      const pictures = images.length === 0 ? [] : picturesOf(images);
      const name = modelName(parsed.model);
      const { prior, references } = withModel(name, ({ config }) => config);
      if (prior === undefined) {
        throw new OptionError(
          "audit: expected a model with a prior, got one without. Do name it in the configuration.",
        );
      }
      return auditJob(parsed, pictures, { command: commandLine(), name, prior, references });
    },
    bench: (body) => benchJob(parseBody(body, benchJobBody), commandLine()),
  };

  function picturesOf(images: Parameters<typeof readJobImages>[0]): JobPicture[] {
    return readJobImages(images, state.config.limits.jobImages);
  }

  function modelName(asked: string | undefined): string {
    if (asked !== undefined) return asked;
    const all = Object.keys(state.config.models);
    // Of every other name nobody knows what they are called.
    const names = all.filter((name) => name !== "*");
    const [only] = names;
    if (all.length === 1 && only !== undefined) return only;
    const known = names.length === 0 ? "a name that the model server knows" : `one of ${names.join(", ")}`;
    throw new OptionError(`model: expected ${known}, got none.`);
  }

  function withModel<T>(name: string, look: (model: ServedModel) => T): T {
    const { model, giveBack } = state.borrow(name);
    try {
      return look(model);
    } finally {
      giveBack();
    }
  }

  return ({ kind, body }) => {
    if (state.config.jobs[kind]) return kinds[kind](body);
    throw new Refusal("denied", `jobs: expected a kind that is allowed here, got ${kind}.`);
  };
}

function parseBody<Schema extends z.ZodType>(value: unknown, schema: Schema): z.output<Schema> {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new OptionError(`body: ${issue?.path.join(".") || "root"}: ${issue?.message}.`);
}
