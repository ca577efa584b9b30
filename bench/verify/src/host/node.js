// The module in V8, asked line by line as the native program is.
'use strict';
const module_ = new WebAssembly.Module(require('fs').readFileSync(process.argv[1]));

let guest;
const imports = {};
for (const { module, name } of WebAssembly.Module.imports(module_)) {
  imports[module] ??= {};
  // What else Rust's library may ask for, it asks only on its way out.
  imports[module][name] = () => { throw new Error(`the module calls ${name}`); };
}
// The seed of hash tables. Nothing that is measured depends on it.
if (imports.wasi_snapshot_preview1?.random_get) {
  imports.wasi_snapshot_preview1.random_get = (start, length) => {
    new Uint8Array(guest.memory.buffer, start, length).fill(7);
    return 0;
  };
}
guest = new WebAssembly.Instance(module_, imports).exports;
guest._initialize?.();

function prepare(order) {
  const text = new TextEncoder().encode(JSON.stringify(order));
  const place = guest.reserve(text.length);
  new Uint8Array(guest.memory.buffer, place, text.length).set(text);
  const number = guest.prepare_order();
  if (number >= 0) return { number };
  return { error: new TextDecoder().decode(new Uint8Array(guest.memory.buffer, guest.text(), -number)) };
}

function run({ number, times }) {
  const started = process.hrtime.bigint();
  const good = guest.run(number, times);
  return { good, nanoseconds: Number(process.hrtime.bigint() - started) };
}

require('readline').createInterface({ input: process.stdin }).on('line', (line) => {
  let answer;
  try {
    const question = JSON.parse(line);
    answer = question.prepare ? prepare(question.prepare) : run(question.run);
  } catch (error) {
    answer = { error: String(error) };
  }
  process.stdout.write(JSON.stringify(answer) + '\n');
});
