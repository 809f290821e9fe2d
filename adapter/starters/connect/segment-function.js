// Sends Segment's messages to the Behaviour Discounts adapter: a Destination Function, written by
// `adapter connect segment --function`. Settings of the function: `url` (text, https://HOST/webhooks/segment),
// `sharedSecret` (sensitive text, one of ADAPTER_SEGMENT_SHARED_SECRETS), `authorization` (sensitive text, may be empty).
//
// The signature covers the whole body, so every message of a batch is authenticated. What the adapter answers with 429
// or 5xx is sent again by Segment; what it refuses is dropped, because it would be refused again.
async function post(events, settings) {
  const body = JSON.stringify(events)
  const headers = {
    'Content-Type': 'application/json',
    'X-Signature': crypto.createHmac('sha1', settings.sharedSecret).update(body, 'utf8').digest('hex')
  }
  if (settings.authorization) headers.Authorization = settings.authorization
  let response
  try {
    response = await fetch(settings.url, { method: 'POST', headers, body })
  } catch (error) {
    throw new RetryError(`the adapter cannot be reached: ${error.message}`)
  }
  if (response.status === 429 || response.status >= 500) throw new RetryError(`the adapter answered ${response.status}`)
  if (!response.ok) throw new ValidationError(`the adapter refused the messages: ${response.status}`)
}

async function onBatch(events, settings) {
  await post(events, settings)
  return events.map(() => ({ status: 200 }))
}

async function onTrack(event, settings) { await post([event], settings) }
async function onIdentify(event, settings) { await post([event], settings) }
async function onPage(event, settings) { await post([event], settings) }
async function onScreen(event, settings) { await post([event], settings) }
async function onGroup(event, settings) { await post([event], settings) }
async function onAlias(event, settings) { await post([event], settings) }
async function onDelete(event, settings) { await post([event], settings) }
