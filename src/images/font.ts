/** @file A 5 x 7 pixel font for sheets: capitals, digits and a little punctuation. */

/** Pixels of a letter across and down. */
export const glyphWidth = 5;
export const glyphHeight = 7;

/** Seven rows of five pixels each, a base-32 digit a row, the leftmost pixel its highest bit. */
const glyphs: Readonly<Record<string, string>> = {
  " ": "0000000",
  A: "ehhvhhh",
  B: "uhhuhhu",
  C: "ehggghe",
  D: "uhhhhhu",
  E: "vgguggv",
  F: "vgguggg",
  G: "ehgnhhf",
  H: "hhhvhhh",
  I: "e44444e",
  J: "72222ic",
  K: "hikokih",
  L: "ggggggv",
  M: "hrllhhh",
  N: "hpljhhh",
  O: "ehhhhhe",
  P: "uhhuggg",
  Q: "ehhhlid",
  R: "uhhukih",
  S: "fgge11u",
  T: "v444444",
  U: "hhhhhhe",
  V: "hhhhha4",
  W: "hhhllrh",
  X: "hha4ahh",
  Y: "hha4444",
  Z: "v1248gv",
  0: "ehjlphe",
  1: "4c4444e",
  2: "eh168gv",
  3: "v2421he",
  4: "26aiv22",
  5: "vgu11he",
  6: "68guhhe",
  7: "v124888",
  8: "ehhehhe",
  9: "ehhf12c",
  ".": "00000cc",
  ",": "0000c48",
  ":": "0cc0cc0",
  "-": "000v000",
  "+": "044v440",
  "/": "11248gg",
  "%": "pp248jj",
  "=": "00v0v00",
  ">": "8421248",
  "<": "248g842",
  "(": "2488842",
  ")": "8422248",
  "?": "eh12404",
  "!": "4444404",
  "'": "4480000",
  _: "000000v",
};

/** Rows of a letter from top to bottom as bits; small letters are shown as capitals, unknown ones as "?". */
export function glyphRows(letter: string): number[] {
  const capital = letter.toUpperCase();
  const code = (Object.hasOwn(glyphs, capital) ? glyphs[capital] : glyphs["?"]) ?? "";
  return [...code].map((digit) => Number.parseInt(digit, 32));
}
