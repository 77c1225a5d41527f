import fc from "fast-check";
import { expect, test } from "vitest";
import { hrefOf, pathHref, pngAddress } from "./address.ts";

const strange = fc.oneof(
  fc.string({ unit: "binary" }),
  fc.string({ unit: fc.constantFrom(..."/\\:.#?%()javscript \t\n".split("")) }),
);

test("no path leaves the host or names a scheme", () => {
  const page = "https://here.example/report/index.html";
  fc.assert(
    fc.property(strange, (path) => {
      const url = new URL(pathHref(path), page);
      expect(url.origin).toBe("https://here.example");
      expect(url.search + url.hash).toBe("");
      expect(pathHref(path)).toMatch(/^[\w.~%/-]*$/);
    }),
    { numRuns: 500 },
  );
});

test("links lead to the web, to a heading, or to a file, and to nothing else", () => {
  const page = "https://here.example/report/index.html";
  fc.assert(
    fc.property(
      fc.constantFrom("", "http://", "https://", "#", "javascript:", "data:", "//"),
      strange,
      (start, rest) => {
        const href = hrefOf(start + rest);
        expect(href).not.toMatch(/[\s<>()"'`]/);
        if (URL.canParse(href, page)) expect(new URL(href, page).protocol).toMatch(/^https?:$/);
      },
    ),
    { numRuns: 500 },
  );
  expect(hrefOf("https://a.example/b(c)?d=e&f#g")).toBe("https://a.example/b%28c%29?d=e&f#g");
  expect(hrefOf("#größe")).toBe("#gr%C3%B6%C3%9Fe");
  expect(hrefOf("images/a b.png")).toBe("images/a%20b.png");
});

test("bytes of a PNG come back from its address", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: 60_000 }), (length) => {
      const png = Uint8Array.from({ length }, (_, i) => (i * 7) % 256);
      const [head, body = ""] = pngAddress(png).split(",");
      expect(head).toBe("data:image/png;base64");
      expect(Buffer.from(body, "base64").equals(png)).toBe(true);
    }),
    { numRuns: 20 },
  );
});
