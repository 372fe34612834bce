// Fails where the page weighs more than it may: everything of the build as it travels, scripts and styles gzipped.
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";

const LIMIT_KB = 250;
const FOLDER = join(import.meta.dirname, "../../musicgen/web/page");

const files = readdirSync(FOLDER, { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile())
  .map((entry) => join(entry.parentPath, entry.name));
const sizes = files.map((path) => ({ path, kb: gzipSync(readFileSync(path)).length / 1000 }));
const total = sizes.reduce((sum, { kb }) => sum + kb, 0);

for (const { path, kb } of sizes.sort((a, b) => b.kb - a.kb)) {
  console.log(`${kb.toFixed(1).padStart(7)} kB  ${path.slice(FOLDER.length + 1)}`);
}
console.log(`${total.toFixed(1).padStart(7)} kB  in all, gzipped, of ${LIMIT_KB} kB`);
if (total > LIMIT_KB) process.exit(1);
