/** @file A certificate of this machine's own names, signed by itself, made by `openssl` where that is installed. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** Why no certificate can be made here; undefined where one can. */
export const withoutOpenssl =
  spawnSync("openssl", ["version"]).status === 0 ? undefined : "openssl is not installed here";

/** Paths of a certificate and of its key, PEM. */
export interface Certificate {
  readonly cert: string;
  readonly key: string;
}

/** Makes a certificate for `localhost` and `127.0.0.1` that is its own authority, in a folder of its own. */
export function makeCertificate(): Certificate {
  const folder = mkdtempSync(join(tmpdir(), "untrigger-tls-"));
  const [cert, key] = [join(folder, "cert.pem"), join(folder, "key.pem")];
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const names = ["-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1"];
  execFileSync("openssl", ["req", "-x509", ...curve, ...names, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return { cert, key };
}
