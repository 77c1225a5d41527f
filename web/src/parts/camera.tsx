/** @file A picture from the camera, where there is one that the person lets the page use. */
import type { JSX } from "preact";
import { useRef, useState } from "preact/hooks";
import type { NamedFile } from "./named-file.ts";

/** A button that opens the camera in a dialog. */
export function Camera({ add }: { readonly add: (files: readonly NamedFile[]) => void }): JSX.Element | null {
  const dialog = useRef<HTMLDialogElement>(null);
  const video = useRef<HTMLVideoElement>(null);
  const [refusal, setRefusal] = useState<string>();
  // Before its first frame a camera has no picture, and no size.
  const [sees, setSees] = useState(false);
  // Browsers hide cameras from pages that come without encryption.
  if (navigator.mediaDevices === undefined) return null;

  const open = async (): Promise<void> => {
    setRefusal(undefined);
    setSees(false);
    try {
      const stream = await navigator.mediaDevices.getUserMedia({ video: { facingMode: "environment" } });
      if (video.current === null) return;
      video.current.srcObject = stream;
      dialog.current?.showModal();
      await video.current.play();
    } catch (error) {
      setRefusal(`Camera: ${error instanceof Error ? error.message : String(error)}.`);
    }
  };
  const close = (): void => {
    const stream = video.current?.srcObject;
    if (stream instanceof MediaStream) for (const track of stream.getTracks()) track.stop();
  };
  const shoot = async (): Promise<void> => {
    const { current } = video;
    if (current === null) return;
    const canvas = new OffscreenCanvas(current.videoWidth, current.videoHeight);
    canvas.getContext("2d")?.drawImage(current, 0, 0);
    add([{ name: "camera.png", file: await canvas.convertToBlob() }]);
    dialog.current?.close();
  };
  return (
    <>
      <p>
        <button type="button" onClick={() => void open()}>
          Take a picture
        </button>
      </p>
      <p class="failure" role="alert">
        {refusal}
      </p>
      <dialog ref={dialog} aria-label="Camera" onClose={close}>
        <video ref={video} muted playsInline aria-label="What the camera sees" onLoadedData={() => setSees(true)} />
        <p class="row">
          <button type="button" class="main" disabled={!sees} onClick={() => void shoot()}>
            Take it
          </button>
          <button type="button" onClick={() => dialog.current?.close()}>
            Close
          </button>
        </p>
      </dialog>
    </>
  );
}
