/**
 * Prints `N passed, N failed, N skipped` from a vitest JSON report, as its last line.
 * Fails if a test failed, a test file did not load, or no test ran at all.
 *
 *     node tools/count-tests.js report.json
 */
import { readFileSync } from 'node:fs';

/** @typedef {{ status: string, assertionResults: { status: string }[] }} TestFile */

/** @returns {TestFile[]} */
function read() {
  try {
    return JSON.parse(readFileSync(process.argv[2], 'utf8')).testResults;
  } catch (error) {
    console.error(`no test report: ${error instanceof Error ? error.message : error}`);
    return [];
  }
}

const files = read();
/** @param {string} status */
const count = (status) =>
  files.flatMap((file) => file.assertionResults).filter((test) => test.status === status).length;

const passed = count('passed');
const total = files.reduce((sum, file) => sum + file.assertionResults.length, 0);
// a file that does not load fails without a test of its own
const broken = files.filter(
  (file) => file.status === 'failed' && file.assertionResults.every((t) => t.status !== 'failed'),
).length;
const failed = count('failed') + broken;
const skipped = total - passed - count('failed');

console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ''}`);
process.exitCode = failed > 0 || passed === 0 ? 1 : 0;
