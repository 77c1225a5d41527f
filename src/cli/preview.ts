/** @file Pictures in the terminal: which kind it can show, judged by what it says about itself, and showing them. */
import { fitPicture } from "../images/fit.ts";
import { encodePng } from "../images/node.ts";
import type { Picture } from "../images/picture.ts";
import { halfBlocks, itermImage, kittyImage } from "../images/terminal.ts";
import type { Console } from "./console.ts";

/** What a terminal can show, best first. */
export type Graphics = "kitty" | "iterm" | "blocks";

/** Height of a preview in lines of text. */
const previewRows = 6;

/** What the terminal can show; undefined when it cannot, or when stdout is no terminal. */
export function detectGraphics({ stdout, env }: Pick<Console, "stdout" | "env">): Graphics | undefined {
  const { TERM = "", TERM_PROGRAM = "", COLORTERM = "" } = env;
  if (!stdout.isTerminal || TERM === "dumb" || (env["NO_COLOR"] ?? "") !== "") return undefined;
  const multiplexed = TERM.startsWith("screen") || TERM.startsWith("tmux") || env["TMUX"] !== undefined;
  if (!multiplexed) {
    const kitty = env["KITTY_WINDOW_ID"] !== undefined || TERM === "xterm-kitty" || TERM === "xterm-ghostty";
    if (kitty || TERM_PROGRAM === "ghostty" || env["KONSOLE_VERSION"] !== undefined) return "kitty";
    if (["iTerm.app", "WezTerm", "mintty"].includes(TERM_PROGRAM) || env["LC_TERMINAL"] === "iTerm2") return "iterm";
  }
  const truecolor = COLORTERM === "truecolor" || COLORTERM === "24bit" || env["WT_SESSION"] !== undefined;
  return truecolor || TERM.endsWith("-direct") ? "blocks" : undefined;
}

/** A picture as text for the terminal. @param columns the most characters in a line, for half blocks. */
export async function previewText(picture: Picture, graphics: Graphics, columns: number): Promise<string> {
  if (graphics === "kitty") return kittyImage(await encodePng(picture), previewRows);
  if (graphics === "iterm") return itermImage(await encodePng(picture), previewRows);
  const scale = Math.min((4 * previewRows) / picture.height, columns / picture.width, 1);
  const height = Math.max(Math.round(picture.height * scale), 1);
  return halfBlocks(fitPicture(picture, height, Math.max(Math.floor(picture.width * scale), 1)));
}
