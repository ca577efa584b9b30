/** The browser: Chromium as the npm package @sparticuz/chromium brings it, compressed, or the one that CHROMIUM_BIN names. */

import { spawnSync } from 'node:child_process';
import { createReadStream, createWriteStream } from 'node:fs';
import { chmod, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { fileURLToPath } from 'node:url';
import { createBrotliDecompress } from 'node:zlib';

/** A machine that is not to blame: the tests are skipped there. */
export class Unavailable extends Error {}

/** The package's own names folders of AWS Lambda. */
const FONTS_CONF = `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir prefix="relative">fonts</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/**
 * @typedef {object} Chromium
 * @property {string} executable
 * @property {Record<string, string>} environment what it needs beside our own
 * @property {string} version
 */

/**
 * A Chromium that starts here. The first time it is decompressed, which takes some seconds and 210 MB.
 *
 * @returns {Promise<Chromium>}
 */
export async function findChromium() {
  const named = process.env['CHROMIUM_BIN'];
  if (named) {
    const chromium = start(named, {});
    if (chromium instanceof Unavailable) {
      throw new Error(`CHROMIUM_BIN: ${chromium.message}`);
    }
    return chromium;
  }
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new Unavailable(
      `the Chromium of @sparticuz/chromium is for Linux on x86-64, and this is ${process.platform} on ${process.arch}; name another by CHROMIUM_BIN`,
    );
  }
  const folder = await unpacked(packageFolder());
  const executable = path.join(folder, 'chromium');
  /** @type {Record<string, string>} */
  const fonts = (await hasFonts()) ? {} : { FONTCONFIG_PATH: path.join(folder, 'fonts') };
  const plain = start(executable, fonts);
  if (!(plain instanceof Unavailable)) {
    return plain;
  }
  // The package brings libraries that a machine without a desktop lacks. They are Amazon Linux's, so the machine's own come first.
  const second = start(executable, { ...fonts, LD_LIBRARY_PATH: path.join(folder, 'libraries', 'lib') });
  if (second instanceof Unavailable) {
    throw second;
  }
  return second;
}

/**
 * @param {string} executable
 * @param {Record<string, string>} environment
 * @returns {Chromium | Unavailable}
 */
function start(executable, environment) {
  const child = spawnSync(executable, ['--version'], {
    env: { ...process.env, ...environment },
    encoding: 'utf8',
    timeout: 30_000,
  });
  if (child.status !== 0) {
    const reason = child.error?.message ?? child.stderr.trim().split('\n').at(-1);
    return new Unavailable(`${executable} does not start: ${reason || `status ${child.status}`}`);
  }
  return { executable, environment, version: child.stdout.trim() };
}

function packageFolder() {
  try {
    return path.dirname(path.dirname(fileURLToPath(import.meta.resolve('@sparticuz/chromium'))));
  } catch {
    throw new Unavailable('@sparticuz/chromium is not installed: run `npm ci` in examples/timesheets');
  }
}

/**
 * The folder with everything that is compressed in the package. It appears under its name when all of it is there, so what a killed
 * run left half-written is never used.
 *
 * @param {string} from
 */
async function unpacked(from) {
  const { version } = JSON.parse(await readFile(path.join(from, 'package.json'), 'utf8'));
  const cache =
    process.env['EXAMPLE_CHROMIUM_FOLDER'] ?? fileURLToPath(new URL('../../../target/tools/chromium', import.meta.url));
  const folder = path.join(cache, version);
  if (await isWhole(folder)) {
    return folder;
  }
  await mkdir(cache, { recursive: true });
  const half = await mkdtemp(path.join(cache, 'partial-'));
  try {
    const bin = path.join(from, 'bin');
    const executable = path.join(half, 'chromium');
    await decompress(path.join(bin, 'chromium.br'), executable);
    await chmod(executable, 0o755);
    await extract(path.join(bin, 'fonts.tar.br'), path.join(half, 'fonts'));
    await writeFile(path.join(half, 'fonts', 'fonts.conf'), FONTS_CONF);
    await extract(path.join(bin, 'al2023.tar.br'), path.join(half, 'libraries'));
    await writeFile(path.join(half, 'whole.json'), JSON.stringify({ bytes: (await stat(executable)).size }));
    // Another test file may have been faster: what it is using stays.
    if (!(await isWhole(folder))) {
      await rm(folder, { recursive: true, force: true });
      await rename(half, folder).catch(() => undefined);
    }
  } finally {
    await rm(half, { recursive: true, force: true });
  }
  if (!(await isWhole(folder))) {
    throw new Error(`Chromium could not be put into ${folder}`);
  }
  return folder;
}

/**
 * A disk that ran full, or a hand that tidied up, leaves the size as a trace.
 *
 * @param {string} folder
 */
async function isWhole(folder) {
  try {
    const { bytes } = JSON.parse(await readFile(path.join(folder, 'whole.json'), 'utf8'));
    return (await stat(path.join(folder, 'chromium'))).size === bytes;
  } catch {
    return false;
  }
}

/**
 * @param {string} from
 * @param {string} to
 */
async function decompress(from, to) {
  await pipeline(createReadStream(from), createBrotliDecompress(), createWriteStream(to));
}

/**
 * @param {string} from
 * @param {string} folder
 */
async function extract(from, folder) {
  await mkdir(folder);
  const archive = path.join(folder, 'archive.tar');
  await decompress(from, archive);
  const tar = spawnSync('tar', ['-xf', archive, '-C', folder, '--no-same-owner'], { encoding: 'utf8' });
  if (tar.status !== 0) {
    throw new Unavailable(`${from} cannot be unpacked: ${tar.error?.message ?? tar.stderr.trim()}`);
  }
  await rm(archive);
}

/** Without any, pages have no letters. */
async function hasFonts() {
  const lists = await Promise.all(
    ['/etc/fonts', '/usr/share/fonts'].map((folder) => readdir(folder).catch(() => [])),
  );
  return lists.every((list) => list.length > 0);
}
