/** @file Pictures on their way to the gateway: the body of a job, refused here where it would be refused there. */
import { checkSize } from "../limits.ts";
import type { GatewayFacts } from "./api.ts";

/** A picture for a job. */
export interface SentPicture {
  /** As the person calls it, for refusals. */
  readonly title: string;
  /** As the gateway calls it: a name that every file system takes. */
  readonly name: string;
  readonly file: Blob;
}

/**
 * The JSON of a job's request.
 * @param what the pictures are called together in a refusal.
 * @throws Error when a picture is too large, or all of them together are.
 */
export async function jobBody(
  what: string,
  fields: object,
  pictures: readonly SentPicture[],
  { bodyBytes }: GatewayFacts["limits"],
): Promise<string> {
  const images: { name: string; data: string }[] = [];
  for (const { title, name, file } of pictures) {
    checkSize(title, file);
    images.push({ name, data: await base64(file) });
  }
  const body = JSON.stringify({ ...fields, images });
  if (body.length > bodyBytes) {
    const advice = pictures.length === 1 ? "Do make it smaller first." : "Do choose fewer.";
    throw new Error(
      `${what}: expected at most ${bodyBytes} bytes as the gateway takes them, got ${body.length}. ${advice}`,
    );
  }
  return body;
}

function base64(file: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result).replace(/^[^,]*,/, ""));
    reader.onerror = () => reject(reader.error);
    reader.readAsDataURL(file);
  });
}
