// fastify, Segment's mapping kit, json-rules-engine and better-sqlite3: one synchronous transaction a request.
import { createRequire } from 'node:module'
import { readFileSync } from 'node:fs'
import { randomBytes } from 'node:crypto'
import { resolve } from 'node:path'

const [modules, port, store, rulesFile] = process.argv.slice(2)
const require = createRequire(resolve(modules, 'package.json'))
const Fastify = require('fastify')
const Database = require('better-sqlite3')
const { Engine } = require('json-rules-engine')
const { transform } = require(resolve(modules, 'node_modules/@segment/actions-core/dist/cjs/mapping-kit/index.js'))

const MAPPING = {
  user: { '@path': '$.userId' },
  id: { '@path': '$.messageId' },
  name: { '@path': '$.event' },
  at: { '@path': '$.timestamp' },
  attributes: { '@path': '$.properties' },
  traits: { '@path': '$.context.traits' }
}
const RULES = JSON.parse(readFileSync(rulesFile, 'utf8'))

const db = new Database(store)
db.pragma('journal_mode = WAL')
db.pragma('synchronous = FULL')
db.exec(`
  CREATE TABLE IF NOT EXISTS messages (id TEXT PRIMARY KEY, answer TEXT);
  CREATE TABLE IF NOT EXISTS customers (id TEXT PRIMARY KEY, traits TEXT);
  CREATE TABLE IF NOT EXISTS events (customer TEXT, id TEXT, name TEXT, at TEXT, attributes TEXT, PRIMARY KEY (customer, id));
  CREATE TABLE IF NOT EXISTS counters (key TEXT PRIMARY KEY, used INTEGER NOT NULL);
  CREATE TABLE IF NOT EXISTS discounts (code TEXT PRIMARY KEY, customer TEXT, rule TEXT, action TEXT, status TEXT);
`)
const sql = {
  message: db.prepare('INSERT INTO messages VALUES (?, ?) ON CONFLICT DO NOTHING'),
  answer: db.prepare('UPDATE messages SET answer = ? WHERE id = ?'),
  customer: db.prepare('INSERT INTO customers VALUES (?, ?) ON CONFLICT DO NOTHING'),
  orders: db.prepare("SELECT count(*) AS n FROM events WHERE customer = ? AND name = 'order_completed'"),
  event: db.prepare('INSERT INTO events VALUES (?, ?, ?, ?, ?) ON CONFLICT DO NOTHING'),
  counter: db.prepare('INSERT INTO counters VALUES (?, 0) ON CONFLICT DO NOTHING'),
  count: db.prepare('UPDATE counters SET used = used + 1 WHERE key = ? AND used < ?'),
  discount: db.prepare("INSERT INTO discounts VALUES (?, ?, ?, ?, 'issued')")
}

const engine = new Engine([], { allowUndefinedFacts: true })
for (const rule of RULES) engine.addRule({ conditions: rule.conditions, event: { type: rule.name, params: rule } })

function within(key, most) {
  sql.counter.run(key)
  return sql.count.run(key, most).changes === 1
}

const settle = db.transaction((event, won) => {
  if (!sql.message.run(event.id, '[]').changes) return null
  sql.customer.run(event.user, JSON.stringify(event.traits ?? {}))
  sql.event.run(event.user, event.id, event.name, event.at, JSON.stringify(event.attributes))
  const day = new Date().toISOString().slice(0, 10)
  const issued = []
  for (const rule of won) {
    if (!within(`${rule.name}|${event.user}`, rule.per_user) || !within(`${rule.name}|${day}`, rule.daily)) continue
    const code = rule.prefix + randomBytes(4).toString('hex').toUpperCase()
    sql.discount.run(code, event.user, rule.name, JSON.stringify(rule.action))
    issued.push({ code, action: rule.action, status: 'issued' })
  }
  if (issued.length) sql.answer.run(JSON.stringify(issued), event.id)
  return issued
})

const app = Fastify({ bodyLimit: 5 << 20 })
app.post('/webhooks/segment', async (request) => {
  const event = transform(MAPPING, request.body)
  event.name = event.name.toLowerCase().replaceAll(' ', '_')
  const { results } = await engine.run({
    event: event.name,
    cart_value: Number(event.attributes.value ?? 0),
    country: event.attributes.shipping_country ?? '',
    coupon: event.attributes.coupon ?? '',
    orders: sql.orders.get(event.user).n
  })
  const issued = settle(event, results.map((result) => result.event.params))
  const outcome = issued === null ? 'duplicate' : 'processed'
  return { results: [{ message_id: event.id, outcome, discounts: issued ?? [] }] }
})
await app.listen({ host: '127.0.0.1', port: Number(port) })
