// What the action and the workflows make of a report: outputs, one comment on
// the pull request, one issue about drift. Run by actions/github-script, which
// hands over an authenticated client; see action.test.cjs for its use.
'use strict'

const fs = require('node:fs')

const counts = ['total', 'unchanged', 'planned', 'created', 'updated', 'deleted', 'failed', 'skipped']

// outputs sets the step's outputs from the JSON report at path. A report of
// several portals has no checksum of its own; one that was selected has.
function outputs({ core, path }) {
  if (!path) {
    core.warning('syncsources wrote no report')
    return
  }
  const report = JSON.parse(fs.readFileSync(path, 'utf8'))
  const only = report.portals?.length === 1 ? report.portals[0].report : report
  core.setOutput('outcome', report.outcome)
  core.setOutput('checksum', only.checksum ?? '')
  for (const name of counts) core.setOutput(name, report.summary[name])
}

// markerOf is the hidden first line by which a later run finds the text again.
// It names the command, the portal's host and the comment's id, if there are.
function markerOf(body) {
  const [first] = body.split('\n', 1)
  if (!/^<!-- syncsources:\w[^<>]* -->$/.test(first)) {
    throw new Error('the markdown report does not begin with its marker')
  }
  return first
}

// login is the name of the account that the token belongs to. Unlike the REST
// API, this query answers the tokens of workflows and applications too.
async function login(github) {
  const { viewer } = await github.graphql('query { viewer { login } }')
  return viewer.login
}

// find returns the item that begins with the marker and that this token's
// account wrote: anybody can write the marker into a comment.
function find(items, marker, author) {
  const authors = [author, `${author}[bot]`]
  return items.find((item) => authors.includes(item.user?.login) && (item.body ?? '').split(/\r?\n/, 1)[0] === marker)
}

// comment writes the markdown report at path as a comment on the pull request,
// in place of the one that an earlier run wrote. A token that may not comment
// (that of a fork's pull request) does not fail the run.
async function comment({ github, context, core, path }) {
  const number = context.payload.pull_request?.number
  if (!number || !path) return
  const body = fs.readFileSync(path, 'utf8')
  const marker = markerOf(body)
  const { owner, repo } = context.repo
  try {
    const all = await github.paginate(github.rest.issues.listComments, { owner, repo, issue_number: number, per_page: 100 })
    const existing = find(all, marker, await login(github))
    if (!existing) {
      await github.rest.issues.createComment({ owner, repo, issue_number: number, body })
    } else if (existing.body !== body) {
      await github.rest.issues.updateComment({ owner, repo, comment_id: existing.id, body })
    }
  } catch (error) {
    if (error.status !== 403 && error.status !== 404) throw error
    core.warning('no comment written: the token needs the permission "pull-requests: write", which pull requests of forks do not get')
  }
}

// titleOf is the title of the issue about a JSON report's portal or portals.
function titleOf(report) {
  const portals = report.portals ? report.portals.map((p) => p.report) : [report]
  if (portals.length !== 1) return `${portals.length} portals: drift from their manifests`
  return `${new URL(portals[0].portal).host}: drift from its manifests`
}

// drift keeps one open issue for each portal that differs from its manifests:
// it opens it, brings it up to date, and closes it once a plan finds no
// difference. Only a report says whether there is drift: an exit code of 2 is
// also what a crashed Go program leaves. report and markdown are paths.
async function drift({ github, context, report: reportPath, markdown }) {
  if (!reportPath || !markdown) return
  const report = JSON.parse(fs.readFileSync(reportPath, 'utf8'))
  if (report.outcome !== 'ok' && report.outcome !== 'changes') return // a failed plan does not know
  const { owner, repo } = context.repo
  const plan = fs.readFileSync(markdown, 'utf8')
  const marker = markerOf(plan).replace(/:\w+/, ':drift')
  const body = plan.replace(markerOf(plan), () => marker)
  const all = await github.paginate(github.rest.issues.listForRepo, { owner, repo, state: 'open', per_page: 100 })
  const existing = find(all.filter((i) => !i.pull_request), marker, await login(github))
  if (report.outcome === 'ok') {
    if (!existing) return
    await github.rest.issues.createComment({ owner, repo, issue_number: existing.number, body: 'As declared again.' })
    await github.rest.issues.update({ owner, repo, issue_number: existing.number, state: 'closed', state_reason: 'completed' })
    return
  }
  const title = titleOf(report)
  if (!existing) {
    await github.rest.issues.create({ owner, repo, title, body })
  } else if (existing.body !== body) {
    await github.rest.issues.update({ owner, repo, issue_number: existing.number, title, body })
  }
}

module.exports = { outputs, comment, drift }
