// Has the code of Segment's own Voucherify destination read our calls. Install it, and name the folder:
//
//   npm install --prefix /tmp/actions @segment/action-destinations@3.497.0
//   node tests/destinations/verify_segment_calls.cjs /tmp/actions
//
// Another folder may hold `destinations/voucherify` of that package, as a second argument.
const { readFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')

const [folder, code] = process.argv.slice(2)
const load = createRequire(join(folder, 'x.js'))
const { actions } = load(code ?? '@segment/action-destinations/dist/destinations/voucherify').default
const { defaultValues, fieldsToJsonSchema, transform, validateSchema } = load('@segment/actions-core')
const settings = { customURL: 'https://segmentio.voucherify.io', apiKey: 'a', secretKey: 's' }
const lines = readFileSync(join(__dirname, 'cases', 'segment_calls.jsonl'), 'utf8').trim().split('\n')
for (const call of lines.map(line => JSON.parse(line))) {
  const action = call.type === 'identify' ? actions.upsertCustomer : actions.addCustomEvent
  // As docs/destinations.md says: the preset reads `properties.metadata`, and our properties are flat.
  const metadata = call.type === 'track' ? { metadata: { '@path': '$.properties' } } : {}
  const payload = transform({ ...defaultValues(action.fields), ...metadata }, call)
  validateSchema(payload, fieldsToJsonSchema(action.fields), { throwIfInvalid: true, schemaKey: call.type })
  action.perform((url, { json }) => {
    const expected = [call.userId, call.event]
    const read = call.type === 'identify' ? [json.source_id, undefined] : [json.customer.source_id, json.event]
    if (JSON.stringify(read) !== JSON.stringify(expected)) throw new Error(`${read} instead of ${expected}`)
    const lost = Object.keys(call.properties ?? {}).filter(
      name => JSON.stringify(json.metadata[name]) !== JSON.stringify(call.properties[name])
    )
    if (lost.length) throw new Error(`${call.event}: lost ${lost}`)
    console.log(url, JSON.stringify(json))
  }, { settings, payload })
}
