// Writes dist/: index.html, and what it refers to below assets/, with a hash of the content in each name.
import { readFile, rm, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { build } from 'esbuild';

/** Where everything but index.html is served. */
const BASE = '/app/';

const root = new URL('.', import.meta.url);
await rm(new URL('dist/', root), { recursive: true, force: true });

const { metafile } = await build({
  absWorkingDir: fileURLToPath(root),
  entryPoints: ['src/main.ts', 'src/style/app.css', 'src/style/icon.svg'],
  outdir: 'dist',
  entryNames: 'assets/[name]-[hash]',
  loader: { '.svg': 'copy' },
  bundle: true,
  minify: true,
  format: 'esm',
  target: 'es2022',
  metafile: true,
  logLevel: 'info',
});

const page = await readFile(new URL('index.html', root), 'utf8');
const built = Object.entries(metafile.outputs).reduce((text, [output, { inputs, entryPoint }]) => {
  const source = entryPoint ?? Object.keys(inputs)[0];
  return text.replace(`"/${source}"`, `"${BASE}${output.slice('dist/'.length)}"`);
}, page);
// A reference that no output stands for would be a page without its program.
if (built.includes('"/src/')) throw new Error('index.html refers to a file that was not built');
await writeFile(new URL('dist/index.html', root), built);
