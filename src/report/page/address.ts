/** @file Where links and pictures may lead: addresses are data too, and none may run code. */
import { printableText } from "../escape.ts";

/** A link's address: http and https as they are, `#heading`, and everything else as a path beside the page. */
export function hrefOf(href: string): string {
  if (/^https?:\/\//i.test(href)) {
    return printableText(href).replaceAll(/[\s<>()"'`\\]/g, (character) => percent(character));
  }
  return href.startsWith("#") ? `#${encodePart(href.slice(1))}` : pathHref(href);
}

/** A file's path as the address of a file beside the page: never another host, never a scheme. */
export function pathHref(path: string): string {
  return path
    .replaceAll("\\", "/")
    .replaceAll(/\/{2,}/g, "/")
    .split("/")
    .map(encodePart)
    .join("/");
}

/** A PNG file as an address that holds it. */
export function pngAddress(png: Uint8Array): string {
  const pieces: string[] = [];
  // 3 bytes are 4 characters: pieces of a multiple of three can stand one after the other.
  for (let at = 0; at < png.length; at += 24_576) {
    pieces.push(btoa(String.fromCharCode(...png.subarray(at, at + 24_576))));
  }
  return `data:image/png;base64,${pieces.join("")}`;
}

function encodePart(part: string): string {
  return encodeURIComponent(printableText(part)).replaceAll(/['()*!]/g, (character) => percent(character));
}

function percent(character: string): string {
  return encodeURIComponent(character) === character
    ? `%${character.charCodeAt(0).toString(16).toUpperCase().padStart(2, "0")}`
    : encodeURIComponent(character);
}
