// Runs the reference's transform for as long as it is told, one request a line: {"case": 0, "seconds": 0.3}.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { readFileSync } from 'node:fs'

const require = createRequire(process.argv[2])
const { transform } = require('@segment/actions-core')
const cases = JSON.parse(readFileSync(process.argv[3], 'utf8'))

function measure({ mapping, payload }, seconds) {
  let count = 0
  const start = performance.now()
  const end = start + seconds * 1000
  let now = start
  while (now < end) {
    for (let index = 0; index < 500; index++) transform(mapping, payload)
    count += 500
    now = performance.now()
  }
  return (count * 1000) / (now - start)
}

for await (const line of createInterface({ input: process.stdin })) {
  const request = JSON.parse(line)
  const { mapping, payload } = cases[request.case]
  const answer = request.seconds ? measure({ mapping, payload }, request.seconds) : transform(mapping, payload)
  process.stdout.write(JSON.stringify(answer) + '\n')
}
