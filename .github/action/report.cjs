// What the action and the workflows make of a report: outputs, one comment on
// the pull request, one issue about drift. Run by actions/github-script, which
// hands over an authenticated client; see report.test.cjs for its use.
'use strict'

const fs = require('node:fs')

const counts = ['total', 'unchanged', 'planned', 'updated', 'failed', 'skipped']

// outputs sets the step's outputs from the JSON report at path. Without a
// report there is nothing to tell but that.
function outputs({ core, path }) {
  if (!path) {
    core.warning('syncsources wrote no report')
    return
  }
  const report = JSON.parse(fs.readFileSync(path, 'utf8'))
  core.setOutput('outcome', report.outcome)
  core.setOutput('checksum', report.checksum ?? '')
  for (const name of counts) core.setOutput(name, report.summary[name])
}

// markerOf is the hidden first line by which a later run finds the text again.
function markerOf(body) {
  const [first] = body.split('\n', 1)
  if (!/^<!-- syncsources:[\w-]+ -->$/.test(first)) {
    throw new Error('the markdown report does not begin with its marker')
  }
  return first
}

// mine reports whether a comment or an issue is one that this marker names and
// that a workflow wrote: anybody can write the marker into a comment.
function mine(item, marker) {
  return item.user?.type === 'Bot' && (item.body ?? '').startsWith(marker)
}

// comment writes the markdown report at path as a comment on the pull request,
// in place of the one that an earlier run wrote. A token that may not comment
// (that of a fork's pull request) is no failure of the run.
async function comment({ github, context, core, path }) {
  const number = context.payload.pull_request?.number
  if (!number || !path) return
  const body = fs.readFileSync(path, 'utf8')
  const marker = markerOf(body)
  const { owner, repo } = context.repo
  try {
    const all = await github.paginate(github.rest.issues.listComments, { owner, repo, issue_number: number, per_page: 100 })
    const existing = all.find((c) => mine(c, marker))
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

// drift keeps one open issue while the portal differs from the manifests: it
// is opened, brought up to date, and closed once a run finds no difference.
// outcome is that of the plan; path is its markdown report.
async function drift({ github, context, outcome, path, title }) {
  const { owner, repo } = context.repo
  const marker = '<!-- syncsources:drift -->'
  const all = await github.paginate(github.rest.issues.listForRepo, { owner, repo, state: 'open', per_page: 100 })
  const existing = all.find((i) => !i.pull_request && mine(i, marker))
  if (outcome === 'ok') {
    if (!existing) return
    await github.rest.issues.createComment({ owner, repo, issue_number: existing.number, body: 'The portal is as the manifests declare again.' })
    await github.rest.issues.update({ owner, repo, issue_number: existing.number, state: 'closed', state_reason: 'completed' })
    return
  }
  if (outcome !== 'changes') return // a failed run says nothing about drift
  const plan = fs.readFileSync(path, 'utf8')
  const body = plan.replace(markerOf(plan), marker)
  if (!existing) {
    await github.rest.issues.create({ owner, repo, title, body })
  } else if (existing.body !== body) {
    await github.rest.issues.update({ owner, repo, issue_number: existing.number, body })
  }
}

module.exports = { outputs, comment, drift }
