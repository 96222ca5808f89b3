import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import "mpegts.js";
const require = createRequire(import.meta.url);
console.log(require.resolve("mpegts.js"));
