/** @file Examples of Fashion-MNIST, clean and with the trigger of the backdoored classifier that ships. */
import type { JSX } from "preact";
import { useState } from "preact/hooks";
import type { NamedFile } from "./named-file.ts";

const things = ["ankle-boot", "pullover", "trouser", "sandal", "dress", "bag"];

/** Buttons with the examples. */
export function Examples({ add }: { readonly add: (files: readonly NamedFile[]) => void }): JSX.Element {
  const [refusal, setRefusal] = useState<string>();
  const take = async (names: readonly string[]): Promise<void> => {
    try {
      setRefusal(undefined);
      add(await Promise.all(names.map(fetchExample)));
    } catch (error) {
      setRefusal(error instanceof Error ? error.message : String(error));
    }
  };
  const group = (title: string, names: readonly string[]): JSX.Element => (
    <fieldset class="examples">
      <legend>{title}</legend>
      {names.map((name) => (
        <button type="button" key={name} title={wordsOf(name)} onClick={() => void take([name])}>
          <img src={addressOf(name)} alt={wordsOf(name)} width="48" height="48" />
        </button>
      ))}
      <button type="button" onClick={() => void take(names)} aria-label={`All ${names.length}: ${title}`}>
        All
      </button>
    </fieldset>
  );
  return (
    <>
      {group(
        "Examples with a trigger: a chequered corner",
        things.map((thing) => `${thing}-triggered`),
      )}
      {group("The same, clean", things)}
      <p class="failure" role="alert">
        {refusal}
      </p>
    </>
  );
}

async function fetchExample(name: string): Promise<NamedFile> {
  const response = await fetch(addressOf(name));
  if (!response.ok) throw new Error(`${name}: expected an example, got HTTP ${response.status}.`);
  return { name, file: await response.blob() };
}

function addressOf(name: string): string {
  return `examples/${name}.png`;
}

function wordsOf(name: string): string {
  const [thing = "", triggered] = name.split("-triggered");
  return `${thing.replace("-", " ")}${triggered === undefined ? "" : " with a trigger"}`;
}
