/** @file Where pictures come in: files, drop, paste, camera, examples. */
import type { JSX } from "preact";
import { useEffect, useState } from "preact/hooks";
import { Camera } from "./camera.tsx";
import { Examples } from "./examples.tsx";
import type { NamedFile } from "./named-file.ts";

/** More at once would only fill the tab's memory. */
const MOST_FILES = 1000;

/** The part of the page that takes pictures. Dropping and pasting work on all of it. */
export function Intake({ add }: { readonly add: (files: readonly NamedFile[]) => void }): JSX.Element {
  const [over, setOver] = useState(false);
  const [refusal, setRefusal] = useState<string>();
  const take = (list: FileList | null | undefined): void => {
    const files = [...(list ?? [])];
    if (files.length === 0) return;
    const many = files.length > MOST_FILES;
    setRefusal(
      many ? `Expected at most ${MOST_FILES} pictures at once, got ${files.length}. Do add fewer.` : undefined,
    );
    if (!many) add(files.map((file) => ({ name: file.name, file })));
  };
  useDropAndPaste(take, setOver);
  return (
    <section class={over ? "intake over" : "intake"} aria-labelledby="pictures">
      <h2 id="pictures">Pictures</h2>
      <label class="drop">
        <input
          type="file"
          class="hidden"
          accept="image/png,image/jpeg,image/webp,image/tiff"
          multiple
          onChange={({ currentTarget }) => {
            take(currentTarget.files);
            // The same file may be chosen again.
            currentTarget.value = "";
          }}
        />
        <b>Choose pictures</b>
        <span>or drop or paste them anywhere on this page. PNG, JPEG, WebP.</span>
      </label>
      <Camera add={add} />
      <p class="failure" role="alert">
        {refusal}
      </p>
      <Examples add={add} />
    </section>
  );
}

function useDropAndPaste(take: (list: FileList | null | undefined) => void, setOver: (over: boolean) => void): void {
  useEffect(() => {
    const control = new AbortController();
    const { signal } = control;
    const on = (kind: "dragover" | "dragleave" | "drop", act: (event: DragEvent) => void): void =>
      document.addEventListener(
        kind,
        (event) => {
          // Else the browser would open the picture instead of this page.
          event.preventDefault();
          act(event);
        },
        { signal },
      );
    on("dragover", () => setOver(true));
    on("dragleave", ({ relatedTarget }) => setOver(relatedTarget !== null));
    on("drop", ({ dataTransfer }) => {
      setOver(false);
      take(dataTransfer?.files);
    });
    document.addEventListener("paste", ({ clipboardData }) => take(clipboardData?.files), { signal });
    return () => control.abort();
  }, []);
}
