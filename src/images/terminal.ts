/** @file Pictures as text that a terminal shows. Which of these a terminal understands is for the command line to find out. */
import type { Picture } from "./picture.ts";

/** Longest piece of base64 in one escape sequence of kitty's protocol. */
const kittyChunk = 4096;

/**
 * A PNG for terminals with kitty's graphics protocol (kitty, Ghostty, WezTerm, Konsole).
 * @param rows height in lines of text; the width follows.
 * @source https://sw.kovidgoyal.net/kitty/graphics-protocol/, "Remote client".
 */
export function kittyImage(png: Uint8Array, rows: number): string {
  const text = base64(png);
  let out = "";
  for (let from = 0; from < text.length; from += kittyChunk) {
    const more = from + kittyChunk < text.length ? 1 : 0;
    // Quiet (q=2): an answer of the terminal would land in the user's shell.
    const keys = from === 0 ? `f=100,a=T,q=2,r=${rows},m=${more}` : `m=${more}`;
    out += `\x1b_G${keys};${text.slice(from, from + kittyChunk)}\x1b\\`;
  }
  return `${out}\n`;
}

/**
 * A PNG for terminals with iTerm2's inline images (iTerm2, WezTerm, VS Code).
 * @param rows height in lines of text; the width follows. @source https://iterm2.com/documentation-images.html
 */
export function itermImage(png: Uint8Array, rows: number): string {
  return `\x1b]1337;File=inline=1;size=${png.length};height=${rows}:${base64(png)}\x07\n`;
}

/** Half-block characters in 24-bit colours: one column for each pixel, one line for each two rows. */
export function halfBlocks({ channels, height, width, pixels }: Picture): string {
  const plane = height * width;
  const colour = (x: number, y: number): string => {
    const at = y * width + x;
    const [r = 0, g = r, b = r] = Array.from({ length: channels }, (_, c) => pixels[c * plane + at]);
    return `${r};${g};${b}`;
  };
  let out = "";
  for (let y = 0; y < height; y += 2) {
    for (let x = 0; x < width; x++) {
      const lower = y + 1 < height ? `\x1b[48;2;${colour(x, y + 1)}m` : "\x1b[49m";
      out += `\x1b[38;2;${colour(x, y)}m${lower}▀`;
    }
    out += "\x1b[0m\n";
  }
  return out;
}

/** Base64 without a host's help: three bytes at a time stay three bytes, so pieces may be joined. */
function base64(bytes: Uint8Array): string {
  const piece = 3 * 8192;
  let out = "";
  for (let from = 0; from < bytes.length; from += piece) {
    out += btoa(String.fromCharCode(...bytes.subarray(from, from + piece)));
  }
  return out;
}
