// What GitLab makes of a report, beyond JUnit, which it reads by itself:
//
//   node gitlab.cjs note report.md                         one note on the merge request, kept up to date
//   node gitlab.cjs codequality report.json OUTPUT.json    findings and failures in the merge request's widget
'use strict'

const { createHash } = require('node:crypto')
const fs = require('node:fs')

// codequality returns GitLab's code quality report of a JSON report.
function codequality(report) {
  const reports = report.portals ? report.portals.map((p) => p.report) : [report]
  const issues = []
  const add = (rule, message, place, severity) => {
    const { file = '', line } = place
    const fingerprint = createHash('sha256').update(JSON.stringify([rule, message, file, place.name])).digest('hex')
    issues.push({ description: message, check_name: rule, severity, fingerprint, location: { path: file, lines: { begin: line || 1 } } })
  }
  for (const one of [report, ...(report.portals ? reports : [])]) {
    for (const f of one.findings ?? []) add(f.rule, f.message, f, 'blocker')
    for (const o of one.objects ?? []) {
      if (o.status === 'failed') add(o.error.code, `${o.name || `#${o.id}`}: ${o.error.message}`, o, 'major')
    }
  }
  return issues
}

// note writes the markdown report as a note on the merge request, in place of
// the one that an earlier pipeline wrote with the same token: anybody can write
// the marker into a note.
async function note(body, env, request = fetch) {
  const [marker] = body.split('\n', 1)
  if (!marker.startsWith('<!-- syncsources:')) throw new Error('the markdown report does not begin with its marker')
  const call = async (path, method = 'GET', json) => {
    const response = await request(`${env.CI_API_V4_URL}${path}`, {
      method,
      headers: { 'PRIVATE-TOKEN': env.NOTE_TOKEN, 'Content-Type': 'application/json' },
      body: json && JSON.stringify(json),
    })
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status}`)
    return response
  }
  const notes = `/projects/${env.CI_PROJECT_ID}/merge_requests/${env.CI_MERGE_REQUEST_IID}/notes`
  const me = await (await call('/user')).json()
  for (let page = '1'; page;) {
    const response = await call(`${notes}?per_page=100&page=${page}`)
    for (const n of await response.json()) {
      if (n.author.id !== me.id || n.body.split(/\r?\n/, 1)[0] !== marker) continue
      if (n.body !== body) await call(`${notes}/${n.id}`, 'PUT', { body })
      return
    }
    page = response.headers.get('x-next-page')
  }
  await call(notes, 'POST', { body })
}

async function main([command, from, to], env) {
  if (!fs.existsSync(from)) return // the program did not get far enough to write it
  if (command === 'note') {
    if (!env.NOTE_TOKEN) return console.error('NOTE_TOKEN is not set: no note')
    return note(fs.readFileSync(from, 'utf8'), env)
  }
  if (command === 'codequality') return fs.writeFileSync(to, JSON.stringify(codequality(JSON.parse(fs.readFileSync(from, 'utf8'))), null, 2))
  throw new Error('usage: gitlab.cjs note REPORT.md | codequality REPORT.json OUTPUT.json')
}

module.exports = { codequality, note }
if (require.main === module) {
  main(process.argv.slice(2), process.env).catch((error) => {
    console.error(error.message)
    process.exitCode = 1
  })
}
