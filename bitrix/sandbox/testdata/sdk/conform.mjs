// Drives a sandbox with the portal's own SDK and writes what the SDK made of
// the answers, a line of JSON for each case. The test that starts this script
// compares them with the sandbox's own log and state.
//
//   SANDBOX_URL       https://127.0.0.1:PORT
//   SANDBOX_WEBHOOK   the code of the inbound webhook
//   SANDBOX_APP       client id, secret, access token and refresh token, by spaces

import { B24Hook, B24OAuth } from '@bitrix24/b24jssdk'

const url = process.env.SANDBOX_URL
const [clientId, clientSecret, accessToken, refreshToken] = process.env.SANDBOX_APP.split(' ')

const hook = B24Hook.fromWebhookUrl(`${url}/rest/1/${process.env.SANDBOX_WEBHOOK}/`)
const app = new B24OAuth(
  {
    applicationToken: '', userId: 1, memberId: 'member', accessToken, refreshToken,
    expires: Math.floor(Date.now() / 1000) + 3600, expiresIn: 3600, scope: 'biconnector', domain: new URL(url).host,
    clientEndpoint: `${url}/rest/`, serverEndpoint: `${url}/rest/`, status: 'L', issuer: 'store'
  },
  { clientId, clientSecret }
)
hook.offClientSideWarning()
app.offClientSideWarning()

function report(name, value) {
  process.stdout.write(JSON.stringify({ case: name, value }) + '\n')
}

async function attempt(f) {
  try {
    return await f()
  } catch (error) {
    return { thrown: { code: error.code, status: error.status, message: error.message } }
  }
}

const call = (b24, method, params) => attempt(async () => {
  const response = await b24.actions.v2.call.make({ method, params })
  return { success: response.isSuccess, errors: response.getErrorMessages(), result: response.getData()?.result, time: response.getData()?.time }
})

const batch = (calls, isHaltOnError) => attempt(async () => {
  const response = await hook.actions.v2.batch.make({ calls, options: { isHaltOnError, returnAjaxResult: false } })
  return { success: response.isSuccess, errors: response.getErrorMessages(), result: response.getData() }
})

// A token that has expired is renewed by the SDK, and the call repeated.
let renewed = null
app.setCallbackRefreshAuth(async ({ authData, b24OAuthParams }) => {
  renewed = { access: authData.access_token, refresh: authData.refresh_token, endpoint: b24OAuthParams.clientEndpoint }
})
report('expired token', {
  answer: await call(app, 'biconnector.source.update', {
    id: 4,
    fields: { title: 'New source name', description: 'Updated source description', active: false, settings: { login: 'new_admin', password: 'new_password' } }
  }),
  renewed
})

report('single call', await call(hook, 'biconnector.source.get', { id: 4 }))

const awkward = 'Zoë & Co = 100% [x]+?#/\\"\'\n\t€ 🚀'
report('batch as a map', await batch({
  first: { method: 'biconnector.source.update', params: { id: 5, fields: { title: awkward, settings: { password: awkward } } } },
  second: { method: 'biconnector.source.get', params: { id: 5 } }
}, true))

report('batch as a list', await batch([
  ['biconnector.source.update', { id: 6, fields: { title: 'Six' } }],
  ['biconnector.source.list', { filter: { '@id': [6, 7, 999] }, select: ['id', 'title'] }]
], true))

report('a reference', await batch({
  from: { method: 'biconnector.source.get', params: { id: 7 } },
  to: { method: 'biconnector.source.update', params: { id: '$result[from][item][connection][id]', fields: { title: '$result[from][item][settings][0][value]' } } }
}, true))

report('errors in a batch', await batch({
  inside: { method: 'biconnector.source.update', params: { id: 999, fields: { title: 'T' } } },
  root: { method: 'nosuch.method', params: {} },
  boolean: { method: 'biconnector.source.update', params: { id: 8, fields: { title: 'T', active: true } } },
  after: { method: 'biconnector.source.update', params: { id: 8, fields: { title: 'Eight' } } }
}, false))

report('halt', await batch({
  root: { method: 'nosuch.method', params: {} },
  after: { method: 'biconnector.source.update', params: { id: 9, fields: { title: 'Nine' } } }
}, true))

report('batch by chunk', await attempt(async () => {
  const calls = Array.from({ length: 120 }, (_, i) => ['biconnector.source.update', { id: 101 + i, fields: { title: `Chunk ${101 + i}` } }])
  const response = await hook.actions.v2.batchByChunk.make({ calls, options: { isHaltOnError: false } })
  return { success: response.isSuccess, results: response.getData() }
}))

report('paging', await attempt(async () => {
  const pages = []
  for (let page = 1; ; page++) {
    const response = await app.actions.v2.call.make({ method: 'biconnector.source.list', params: { select: ['id'], order: { id: 'DESC' }, page } })
    const items = response.getData().result
    pages.push(items.map((item) => item.id))
    if (items.length < 50) return pages
  }
}))

// From nothing to a table, and back, with the SDK's batches and calls.
const endpoints = { urlCheck: 'https://erp.example/check', urlData: 'https://erp.example/data', urlTableList: 'https://erp.example/tables', urlTableDescription: 'https://erp.example/describe' }
report('from nothing', await batch({
  connector: {
    method: 'biconnector.connector.add',
    params: { fields: { title: 'ERP', logo: 'data:,', ...endpoints, settings: [{ code: 'host', name: 'Host', type: 'STRING' }] } }
  },
  source: { method: 'biconnector.source.add', params: { fields: { title: 'CRM', connectorId: '$result[connector][id]', settings: { host: 'db.example' } } } },
  table: {
    method: 'biconnector.table.add',
    params: {
      fields: {
        sourceId: '$result[source][id]', name: 'crm_deals', externalName: 'Deals', externalCode: 'deals',
        fields: [{ name: 'ID', externalCode: 'id', type: 'int' }, { name: 'AMOUNT', externalCode: 'amount', type: 'double' }]
      }
    }
  },
  get: { method: 'biconnector.table.get', params: { id: '$result[table][id]' } }
}, true))
report('hide a column', await (async () => {
  const before = await call(app, 'biconnector.table.get', { id: 1 })
  const amount = before.result.item.fields.find((column) => column.name === 'AMOUNT')
  return {
    alone: await call(app, 'biconnector.table.fields.update', { id: 1, update: [{ id: amount.id, visible: false }] }),
    after: await call(app, 'biconnector.dataset.get', { id: 1 })
  }
})())
report('the other way round', await batch([
  ['biconnector.connector.delete', { id: 2 }], // refused: its source is there
  ['biconnector.source.delete', { id: 221 }], // refused: its table is there
  ['biconnector.table.delete', { id: 1 }], ['biconnector.source.delete', { id: 221 }], ['biconnector.connector.delete', { id: 2 }]
], false))

// The six ways in which the page of biconnector.source.update writes its
// example. The JSON ones say false; the form-encoded ones have no types, so that
// "active" arrives as a text and is refused, and the rest goes through.
const id = 10
const fields = { title: 'New source name', description: 'Updated source description', active: false, settings: { login: 'new_admin', password: 'new_password' } }
const { active, ...formFields } = fields
const token = renewed.access

async function post(path, contentType, body) {
  const response = await fetch(url + path, { method: 'POST', headers: { 'Content-Type': contentType, Accept: 'application/json' }, body })
  return { status: response.status, ...(await response.json()) }
}

// Both form-encoded libraries flatten names with brackets. JavaScript writes a
// boolean as true and false, PHP's http_build_query as 1 and 0.
function form(value, boolean, name = '') {
  return Object.entries(value).flatMap(([key, v]) => {
    const path = name === '' ? key : `${name}[${key}]`
    return v !== null && typeof v === 'object' ? form(v, boolean, path) : [`${encodeURIComponent(path)}=${encodeURIComponent(typeof v === 'boolean' ? boolean(v) : v)}`]
  })
}
const bx24 = (params) => form(params, String).join('&')
const crest = (params) => form(params, Number).join('&').replaceAll('%20', '+')

report('1 curl, webhook', await post(`/rest/1/${process.env.SANDBOX_WEBHOOK}/biconnector.source.update`, 'application/json', JSON.stringify({ id, fields })))
report('2 curl, application', await post('/rest/biconnector.source.update', 'application/json', JSON.stringify({ id, fields, auth: token })))
report('3 callMethod of the JavaScript SDK', await attempt(async () => {
  const response = await app.callMethod('biconnector.source.update', { id, fields })
  return { result: response.getData().result }
}))
report('4 the PHP SDK', await post('/rest/biconnector.source.update', 'application/json', JSON.stringify({ id, fields, auth: token }).replaceAll('/', '\\/')))
for (const [name, encode] of [['5 BX24.callMethod', bx24], ['6 CRest', crest]]) {
  const send = (params) => post('/rest/biconnector.source.update.json', 'application/x-www-form-urlencoded', encode({ ...params, auth: token }))
  report(name, { whole: await send({ id, fields }), withoutActive: await send({ id, fields: formFields }) })
}

report('error at the root', await call(hook, 'nosuch.method', {}))
report('error inside result', await call(hook, 'biconnector.source.update', { id: 999, fields: { title: 'T' } }))
report('profile', await call(app, 'profile', {}))
