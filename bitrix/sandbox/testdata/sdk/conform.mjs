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

report('error at the root', await call(hook, 'nosuch.method', {}))
report('error inside result', await call(hook, 'biconnector.source.update', { id: 999, fields: { title: 'T' } }))
report('profile', await call(app, 'profile', {}))
