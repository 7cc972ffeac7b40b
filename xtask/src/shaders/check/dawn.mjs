// Compiles shaders with Dawn on its null device, which has every feature and runs nothing.
// node dawn.mjs PACKAGE SHADERS: PACKAGE is npm's `webgpu`, SHADERS a JSON file of [{name, file, needs}]. Prints a line of JSON a shader: {name, error}.
import { readFileSync, writeSync } from 'node:fs';
import { pathToFileURL } from 'node:url';

const [folder, list] = process.argv.slice(2);
const description = JSON.parse(readFileSync(`${folder}/package.json`, 'utf8'));
const { create, globals } = await import(pathToFileURL(`${folder}/${description.main ?? 'index.js'}`).href);
Object.assign(globalThis, globals);
// Kept for as long as the program runs: Dawn fails once this is collected as garbage.
globalThis.gpu = create(['backend=null']);
const adapter = await globalThis.gpu.requestAdapter();
const features = ['shader-f16', 'subgroups'].filter(name => adapter.features.has(name));
const device = await adapter.requestDevice({ requiredFeatures: features });
for (const { name, file, needs } of JSON.parse(readFileSync(list, 'utf8'))) {
  let error = 'skipped';
  if (needs.every(feature => features.includes(feature))) {
    device.pushErrorScope('validation');
    const module = device.createShaderModule({ code: readFileSync(file, 'utf8') });
    const messages = (await module.getCompilationInfo()).messages.filter(message => message.type === 'error');
    await device.popErrorScope();
    error = messages.map(message => `line ${message.lineNum}: ${message.message}`).join(' ');
  }
  writeSync(1, JSON.stringify({ name, error }) + '\n');
}
// Dawn's threads keep node running, and an orderly exit fails now and then while they end.
process.kill(process.pid, 'SIGKILL');
