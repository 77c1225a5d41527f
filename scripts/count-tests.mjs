/** Prints the runner's own counts as one plain line: `N passed, N failed, N skipped`. Takes the path of its JSON report. */
import { readFileSync } from "node:fs";

const report = JSON.parse(readFileSync(process.argv[2], "utf8"));
// A suite that could not even be loaded counts as one failure.
const broken = report.testResults.filter((suite) => suite.status === "failed" && suite.assertionResults.length === 0);
const skipped = report.numPendingTests + (report.numTodoTests ?? 0);
console.log(`${report.numPassedTests} passed, ${report.numFailedTests + broken.length} failed, ${skipped} skipped`);
