/** @file One sentence that says what went wrong. */
import type { JSX } from "preact";
import { pageWords } from "../page-words.ts";

/** Shows a failure, and has it read aloud. */
export function Failure({ message }: { readonly message: string }): JSX.Element {
  return (
    <p class="failure" role="alert">
      {pageWords(message)}
    </p>
  );
}
