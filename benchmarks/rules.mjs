// Evaluates a rule book for as long as it is told, one request a line: {"engine": "json_logic", "size": 10, "seconds": 1}.
// Without seconds it answers with the rules that hold of each event.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'

const require = createRequire(process.argv[2])
const { Engine } = require('json-rules-engine')
const { LogicEngine } = require('json-logic-engine')
const { json_rules, json_logic, events } = JSON.parse(readFileSync(process.argv[3], 'utf8'))

const books = {
  json_rules(size) {
    const engine = new Engine([], { allowUndefinedFacts: true })
    json_rules.slice(0, size).forEach((conditions, place) => engine.addRule({ conditions, event: { type: `${place}` } }))
    return async (event) => (await engine.run(event)).events.map(({ type }) => Number(type))
  },
  json_logic(size) {
    const engine = new LogicEngine()
    const tests = json_logic.slice(0, size).map((logic) => engine.build(logic))
    return (event) => tests.flatMap((test, place) => (test(event) ? [place] : []))
  },
}

async function measure(run, seconds) {
  let count = 0
  const start = performance.now()
  let now = start
  while (now < start + seconds * 1000) {
    await run(events[count++ % events.length])
    now = performance.now()
  }
  return ((now - start) * 1000) / count
}

for await (const line of createInterface({ input: process.stdin })) {
  const { engine, size, seconds } = JSON.parse(line)
  const run = books[engine](size)
  let answer
  if (seconds) {
    await measure(run, seconds / 4) // lets V8 warm up
    answer = await measure(run, seconds)
  } else {
    answer = []
    for (const event of events) answer.push((await run(event)).sort((one, other) => one - other))
  }
  process.stdout.write(JSON.stringify(answer) + '\n')
}
