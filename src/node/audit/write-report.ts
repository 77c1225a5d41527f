/** @file The folder that an audit leaves behind: pictures, `audit.json`, `results.jsonl`, and the page. */
import { join } from "node:path";
import { encodePng } from "../../images/node.ts";
import type { Picture } from "../../images/picture.ts";
import type { AuditResult } from "../../jobs/audit/audit.ts";
import { sampleSheet } from "../../jobs/audit/sample-sheet.ts";
import { auditPage } from "../../report/audit-page.ts";
import { pageFiles } from "../../report/page/files.ts";
import type { PagePicture } from "../../report/page/tree.ts";
import { type AuditRecord, auditRows } from "../../results/audit-record.ts";
import { affine } from "../../tensor/arithmetic.ts";
import { type Float32Tensor, float32 } from "../../tensor/tensor.ts";
import { writeWhole } from "../write-whole.ts";

/** Writes an audit's report. @returns the record with its pictures. @throws InputError when a file cannot be written. */
export async function writeAuditReport(
  folder: string,
  { record, measured }: AuditResult,
  { title, seconds }: { readonly title: string; readonly seconds: number },
): Promise<AuditRecord> {
  const { shift, guess, target, plain, shifted } = measured;
  const asImage = ({ dims, data }: Float32Tensor): Float32Tensor => affine(float32([1, ...dims], data), 0.5, 0.5);
  const sheets: Readonly<Record<string, Picture>> = {
    found: sampleSheet([
      { title: "shift", samples: asImage(shift) },
      { title: "target, by gradients", samples: asImage(guess) },
      { title: "mean of the samples", samples: target },
    ]),
    samples: sampleSheet([
      { title: "plain", samples: plain },
      { title: "shifted", samples: shifted },
    ]),
  };
  const shown = new Map<string, PagePicture>();
  for (const [name, sheet] of Object.entries(sheets)) {
    const path = `pictures/${name}.png`;
    const png = await encodePng(sheet);
    await writeWhole(join(folder, path), png);
    shown.set(name, { path, alt: "", width: sheet.width, height: sheet.height, png });
  }
  const files = Object.fromEntries([...shown].map(([name, { path }]) => [name, path]));
  const whole: AuditRecord = { ...record, pictures: files };
  await writeWhole(join(folder, "audit.json"), `${JSON.stringify({ ...whole, seconds }, undefined, 2)}\n`);
  await writeWhole(
    join(folder, "results.jsonl"),
    auditRows(whole)
      .map((row) => `${JSON.stringify(row)}\n`)
      .join(""),
  );
  const page = auditPage(whole, {
    title,
    seconds,
    picture: (name, alt) => {
      const picture = shown.get(name);
      return picture && { ...picture, alt };
    },
  });
  for (const [path, text] of Object.entries(pageFiles(page))) await writeWhole(join(folder, path), text);
  return whole;
}
