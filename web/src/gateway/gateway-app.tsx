/** @file The page in front of a gateway: asks what it serves, for a key where it wants one, and checks it. */

import { methods } from "virtual:methods";
import type { JSX } from "preact";
import { useEffect, useMemo, useState } from "preact/hooks";
import { App } from "../app.tsx";
import { Failure } from "../parts/failure.tsx";
import { SelectField } from "../parts/select-field.tsx";
import { type Api, createApi, type GatewayFacts, Refused, type ServedModel } from "./api.ts";
import { Checks } from "./checks.tsx";
import { createGatewayEngine } from "./engine.ts";
import { KeyForm } from "./key-form.tsx";

/** The page until the gateway has said what it serves, and then {@link ServedApp}. */
export function GatewayApp(): JSX.Element | null {
  const [key, setKey] = useState<string>();
  const api = useMemo(() => createApi(key), [key]);
  const [facts, setFacts] = useState<GatewayFacts>();
  const [error, setError] = useState<Error>();
  useEffect(() => {
    setError(undefined);
    api.json<GatewayFacts>("").then(setFacts, setError);
  }, [api]);
  if (facts !== undefined) return <ServedApp api={api} facts={facts} hasKey={key !== undefined} />;
  if (error instanceof Refused && error.status === 401)
    return <KeyForm refusal={key === undefined ? undefined : error.message} use={setKey} />;
  return error === undefined ? null : <Failure message={error.message} />;
}

function ServedApp({
  api,
  facts,
  hasKey,
}: {
  readonly api: Api;
  readonly facts: GatewayFacts;
  readonly hasKey: boolean;
}): JSX.Element {
  const [name, setName] = useState(facts.models[0]?.name ?? "");
  const model = facts.models.find((one) => one.name === name);
  if (model === undefined) return <Failure message="The gateway serves no model." />;
  const choices = facts.models.map((one) => [one.name, one.name] as const);
  return (
    <ModelApp key={name} api={api} facts={facts} model={model} hasKey={hasKey}>
      {(busy) => <SelectField label="Model" choices={choices} value={name} change={setName} disabled={busy} />}
    </ModelApp>
  );
}

function ModelApp({
  api,
  facts,
  model,
  hasKey,
  children,
}: {
  readonly api: Api;
  readonly facts: GatewayFacts;
  readonly model: ServedModel;
  readonly hasKey: boolean;
  readonly children: (busy: boolean) => JSX.Element;
}): JSX.Element {
  const engine = useMemo(() => createGatewayEngine(api, facts, model), [api, facts, model]);
  const usable = methods.filter(
    ({ needs }) => (model.prior || !needs.prior) && (model.source === "classifier" || !needs.classifier),
  );
  return (
    <App
      engine={engine}
      methods={usable}
      start={{ method: model.method, ...(model.preset === null ? {} : { preset: model.preset }) }}
      place={() => (
        <p class="place">
          <span class="badge unsure">At {location.host}</span> Pictures are sent to this gateway, which forgets them
          when their result is here. untrigger {facts.version}.
        </p>
      )}
      controls={children}
    >
      <Checks api={api} facts={facts} model={model} hasKey={hasKey} />
    </App>
  );
}
