// Prints the official JSON schemas of all revisions as one JSON object, {"2025-11-25": {…}, …}.
//
// They are inside the conformance suite's bundle, as object literals and a map from revisions to them; the newest
// revision's key is a constant there. Nothing of them is kept in the repository.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import vm from 'node:vm';

const manifest = createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json');
const bundle = readFileSync(join(dirname(manifest), 'dist/index.js'), 'utf8');

/** The object literal that begins at `start`; braces inside of texts do not count. */
function literal(start) {
  let depth = 0;
  let quote = null;
  for (let at = start; at < bundle.length; at += 1) {
    const letter = bundle[at];
    if (quote) {
      if (letter === '\\') at += 1;
      else if (letter === quote) quote = null;
    } else if ('`"\''.includes(letter)) quote = letter;
    else if (letter === '{') depth += 1;
    else if (letter === '}' && (depth -= 1) === 0) return bundle.slice(start, at + 1);
  }
  throw new Error('a schema has no end');
}

const map = /\{"2025-03-26":\w+,"2025-06-18":\w+,"2025-11-25":\w+,\[\w+\]:\w+\}/.exec(bundle);
if (!map) throw new Error('the bundle has no map of schemas: another version of the suite?');
const schemas = {};
for (const [, revision, name] of map[0].matchAll(/(?:"([\d-]+)"|\[\w+\]):(\w+)/g)) {
  const begin = bundle.indexOf(`${name}={$schema:`);
  if (begin < 0) throw new Error(`no schema is called ${name}`);
  const text = literal(begin + name.length + 1);
  schemas[revision ?? '2026-07-28'] = vm.runInNewContext(`(${text})`);
}
process.stdout.write(JSON.stringify(schemas));
