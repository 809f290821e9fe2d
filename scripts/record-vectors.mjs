// Runs every vector through Segment's own packages; see scripts/record-vectors.
import { createRequire } from 'node:module'
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { CROSSINGS, KINDS, PAYLOAD, kindsOf } from './liquid-crossings.mjs'

const [root, folder, write] = process.argv.slice(2)
const require = createRequire(resolve(root))
// The package's index leaves transformBatch out.
const { transform, transformBatch } = require(
  resolve(root, '../node_modules/@segment/actions-core/dist/cjs/mapping-kit/index.js')
)
const { parseFql, validate } = require('@segment/destination-subscriptions')

const EXPECTED = ['expect', 'expect_undefined', 'undefined_in_array', 'error', 'errors', 'ast', 'parse_error']

function holed(value) {
  if (Array.isArray(value)) return value.some((item) => item === undefined || holed(item))
  return value !== null && typeof value === 'object' && Object.values(value).some(holed)
}

function failed(error) {
  const errors = error[Symbol.iterator] ? [...error].map((one) => one.message) : [error.message]
  return { error: errors.join(' | '), errors }
}

function mapped(vector) {
  const mapping = structuredClone(vector.mapping)
  const run = vector.kind === 'map_batch' ? transformBatch : transform
  try {
    const result = run(mapping, structuredClone(vector.input))
    if (result === undefined) return { expect_undefined: true }
    return { expect: JSON.parse(JSON.stringify(result)), ...(holed(result) && { undefined_in_array: true }) }
  } catch (error) {
    return failed(error)
  }
}

function matched(vector) {
  const ast = parseFql(vector.fql)
  const read = ast.error ? { parse_error: ast.error.message } : { ast }
  try {
    return { expect: validate(ast, vector.event), ...JSON.parse(JSON.stringify(read)) }
  } catch (error) {
    return failed(error)
  }
}

function sorted(value) {
  if (Array.isArray(value)) return value.map(sorted)
  if (value === null || typeof value !== 'object') return value
  return Object.fromEntries(Object.keys(value).sort().map((key) => [key, sorted(value[key])]))
}

function rendered(template, kind) {
  try {
    return transform({ text: { '@liquid': template } }, structuredClone({ ...PAYLOAD, v: KINDS[kind] })).text
  } catch (error) {
    return { error: error.message }
  }
}

function crossed(template) {
  return { template, results: Object.fromEntries(kindsOf(template).map((kind) => [kind, rendered(template, kind)])) }
}

let different = 0
for (const [name, record] of [['mapping', mapped], ['fql', matched]]) {
  const file = resolve(folder, `${name}.jsonl`)
  const vectors = readFileSync(file, 'utf8').split('\n').filter(Boolean).map((line) => JSON.parse(line))
  const lines = vectors.map((vector) => {
    const results = record(vector)
    const before = Object.fromEntries(EXPECTED.filter((key) => key in vector).map((key) => [key, vector[key]]))
    if (JSON.stringify(sorted(before)) !== JSON.stringify(sorted(results))) {
      different += 1
      console.log(`${name} ${vector.id}: recorded ${JSON.stringify(before)}, now ${JSON.stringify(results)}`)
    }
    const rest = Object.fromEntries(Object.entries(vector).filter(([key]) => !EXPECTED.includes(key)))
    return JSON.stringify({ ...rest, ...results })
  })
  if (write === '--write') writeFileSync(file, lines.join('\n') + '\n')
  console.log(`${name}: ${vectors.length} vectors`)
}
const file = resolve(folder, 'liquid.jsonl')
const recorded = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : []
const crossings = [{ payload: PAYLOAD }, ...CROSSINGS.map(crossed)].map((line) => JSON.stringify(line))
for (const [place, line] of crossings.entries()) {
  if (line !== recorded[place]) {
    different += 1
    console.log(`liquid line ${place + 1} differs: ${line.slice(0, 100)}`)
  }
}
if (write === '--write') writeFileSync(file, crossings.join('\n') + '\n')
console.log(`liquid: ${CROSSINGS.flatMap(kindsOf).length} crossings`)
console.log(different ? `${different} differ` : 'all as recorded')
process.exit(different && write !== '--write' ? 1 : 0)
