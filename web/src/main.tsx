/** @file Opens the page: reads what purifies, and draws it. */
import { render } from "preact";
import { App } from "./app.tsx";
import { readConfig } from "./page-config.ts";
import { Failure } from "./parts/failure.tsx";

const page = document.getElementById("page");
if (page === null) throw new Error("internal: expected an element #page.");
const fail = (message: string): void => render(<Failure message={message} />, page);
readConfig().then(
  (config) => {
    if (config.engine === "tab") render(<App config={config} />, page);
    else fail("page.json: expected the files of a site, got the page alone. Do write one with npm run site -- FOLDER.");
  },
  (error: unknown) => fail(error instanceof Error ? error.message : String(error)),
);
