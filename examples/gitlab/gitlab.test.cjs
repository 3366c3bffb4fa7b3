// Run with: node --test examples/gitlab/*.test.cjs
'use strict'

const assert = require('node:assert/strict')
const { test } = require('node:test')

const { codequality, note } = require('./gitlab.cjs')

test('findings and failures become code quality issues with stable fingerprints', () => {
  const failed = {
    status: 'failed', name: 'crm', id: 4, file: 'manifests/crm.yaml', line: 5,
    error: { code: 'SOURCE_NOT_FOUND', message: 'Source was not found.' },
  }
  const issues = codequality({
    findings: [{ file: 'm.yaml', line: 2, rule: 'unknown-key', message: 'unknown key "titel"' }],
    objects: [failed, { status: 'unchanged', name: 'x' }],
  })
  assert.deepEqual(issues.map((i) => [i.check_name, i.severity, i.description, i.location]), [
    ['unknown-key', 'blocker', 'unknown key "titel"', { path: 'm.yaml', lines: { begin: 2 } }],
    ['SOURCE_NOT_FOUND', 'major', 'crm: Source was not found.', { path: 'manifests/crm.yaml', lines: { begin: 5 } }],
  ])
  const moved = codequality({ objects: [{ ...failed, line: 9 }] })
  assert.equal(moved[0].fingerprint, issues[1].fingerprint)
  const fleet = codequality({ portals: [{ name: 'acme', report: { objects: [failed] } }] })
  assert.equal(fleet.length, 1)
  assert.deepEqual(codequality({}), [])
})

const env = { CI_API_V4_URL: 'https://gitlab.example/api/v4', CI_PROJECT_ID: '1', CI_MERGE_REQUEST_IID: '7', NOTE_TOKEN: 'secret' }

// gitlab is a stand-in with the given pages of notes, for the user 5.
function gitlab(...pages) {
  const writes = []
  const request = async (url, { method, headers, body }) => {
    assert.equal(headers['PRIVATE-TOKEN'], 'secret')
    const answer = (json, next = '') => ({ ok: true, json: async () => json, headers: new Map([['x-next-page', next]]) })
    if (method !== 'GET') {
      writes.push([method, url.slice(env.CI_API_V4_URL.length), JSON.parse(body).body])
      return answer({})
    }
    if (url.endsWith('/user')) return answer({ id: 5 })
    const page = Number(new URL(url).searchParams.get('page'))
    return answer(pages[page - 1] ?? [], page < pages.length ? String(page + 1) : '')
  }
  return { request, writes }
}

const marker = '<!-- syncsources:plan acme.bitrix24.com -->'
const notes = '/projects/1/merge_requests/7/notes'

test('one note, created and then kept up to date', async () => {
  const first = gitlab([
    { id: 1, author: { id: 9 }, body: `${marker}\nstranger` },
    { id: 2, author: { id: 5 }, body: '<!-- syncsources:plan beta.bitrix24.com -->\nother portal' },
  ])
  await note(`${marker}\nnew`, env, first.request)
  assert.deepEqual(first.writes, [['POST', notes, `${marker}\nnew`]])

  const next = gitlab([], [{ id: 3, author: { id: 5 }, body: `${marker}\nold` }])
  await note(`${marker}\nnew`, env, next.request)
  assert.deepEqual(next.writes, [['PUT', `${notes}/3`, `${marker}\nnew`]])

  const same = gitlab([{ id: 3, author: { id: 5 }, body: `${marker}\nnew` }])
  await note(`${marker}\nnew`, env, same.request)
  assert.deepEqual(same.writes, [])
})

test('a refusal is an error without the token in it', async () => {
  const refused = async () => ({ ok: false, status: 403 })
  await assert.rejects(note(`${marker}\nnew`, env, refused), /^Error: GET \/user: 403$/)
  await assert.rejects(note('no marker', env, refused), /marker/)
})
