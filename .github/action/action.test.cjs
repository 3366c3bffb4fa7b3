// Run with: node --test .github/action/*.test.cjs
'use strict'

const assert = require('node:assert/strict')
const { spawnSync } = require('node:child_process')
const fs = require('node:fs')
const os = require('node:os')
const path = require('node:path')
const { test } = require('node:test')

const report = require('./report.cjs')

const root = path.resolve(__dirname, '../..')

// temporary is a directory that goes with the test.
function temporary(t) {
  const dir = fs.mkdtempSync(path.join(os.tmpdir(), 'syncsources-action-'))
  t.after(() => fs.rmSync(dir, { recursive: true }))
  return dir
}

// script runs one of the action's scripts as the runner would, with no more
// environment than the runner gives, and returns what it wrote as outputs.
function script(t, name, env, cwd) {
  const dir = temporary(t)
  const output = path.join(dir, 'output')
  const summary = path.join(dir, 'summary')
  fs.writeFileSync(output, '')
  fs.writeFileSync(summary, '')
  const run = spawnSync(path.join(__dirname, name), {
    cwd: cwd ?? root,
    encoding: 'utf8',
    env: {
      PATH: process.env.PATH,
      HOME: process.env.HOME,
      GOFLAGS: process.env.GOFLAGS ?? '',
      GOPROXY: process.env.GOPROXY ?? '',
      GOPATH: process.env.GOPATH ?? '',
      GOMODCACHE: process.env.GOMODCACHE ?? '',
      GOCACHE: process.env.GOCACHE ?? '',
      RUNNER_TEMP: dir,
      RUNNER_OS: 'Linux',
      RUNNER_ARCH: 'X64',
      ACTION_PATH: root,
      GITHUB_ACTIONS: 'true',
      GITHUB_OUTPUT: output,
      GITHUB_STEP_SUMMARY: summary,
      ...env,
    },
  })
  if (run.error) throw run.error
  const outputs = {}
  for (const line of fs.readFileSync(output, 'utf8').split('\n').filter(Boolean)) {
    const at = line.indexOf('=')
    outputs[line.slice(0, at)] = line.slice(at + 1)
  }
  return { ...run, outputs, summary: fs.readFileSync(summary, 'utf8') }
}

// program writes a stand-in for syncsources that records its arguments, one a
// line, and ends with the given code.
function program(t, code, body = '') {
  const dir = temporary(t)
  const file = path.join(dir, 'syncsources')
  fs.writeFileSync(file, `#!/bin/sh\nprintf '%s\\n' "$@" >"${dir}/arguments"\n${body}\nexit ${code}\n`, { mode: 0o755 })
  return { file, arguments: () => fs.readFileSync(path.join(dir, 'arguments'), 'utf8').trimEnd().split('\n') }
}

const inputs = { INPUT_COMMAND: 'plan', INPUT_PATHS: 'manifests', INPUT_FLAGS: '', INPUT_CHECKSUM: '' }

test('every line of paths and flags is one argument and nothing is expanded', (t) => {
  const p = program(t, 0)
  const hostile = '$(touch pwned) `id` ; echo "x" * ?'
  const { status, stdout } = script(t, 'run', {
    ...inputs,
    BINARY: p.file,
    INPUT_PATHS: `  a b.yaml  \r\n\n${hostile}\n--help`,
    INPUT_FLAGS: '--target=crm\n--max-changes=10%\n',
  })
  assert.equal(status, 0, stdout)
  const args = p.arguments()
  assert.deepEqual(args.slice(0, 3), ['plan', '-o', 'github'])
  assert.deepEqual(args.slice(9), ['--target=crm', '--max-changes=10%', '--', 'a b.yaml', hostile, '--help'])
})

test('the exit code is an output and not that of the step', (t) => {
  const { status, outputs } = script(t, 'run', { ...inputs, BINARY: program(t, 4).file })
  assert.equal(status, 0)
  assert.deepEqual(outputs, { 'exit-code': '4' })
})

test('a checksum is handed over to apply and to nothing else', (t) => {
  const p = program(t, 0)
  const run = script(t, 'run', { ...inputs, BINARY: p.file, INPUT_COMMAND: 'apply', INPUT_CHECKSUM: 'abc' })
  assert.equal(run.status, 0, run.stdout)
  assert.ok(p.arguments().includes('--checksum=abc'))
  const refused = script(t, 'run', { ...inputs, BINARY: p.file, INPUT_CHECKSUM: 'abc' })
  assert.equal(refused.status, 1)
  assert.match(refused.stdout, /^::error::"checksum" is for apply only$/m)
})

for (const [name, env] of Object.entries({
  'a command that would serve or print': { INPUT_COMMAND: 'export' },
  'no path': { INPUT_PATHS: ' \n ' },
  'a path among the flags': { INPUT_FLAGS: 'manifests' },
})) {
  test(`refused: ${name}`, (t) => {
    const { status, stdout } = script(t, 'run', { ...inputs, BINARY: program(t, 0).file, ...env })
    assert.equal(status, 1)
    assert.match(stdout, /^::error::/)
  })
}

test('a version that is no version is refused before anything is fetched', (t) => {
  for (const version of ['latest', 'v1', 'v1.2.3;id', 'v1.2.3/../../x']) {
    const { status, stdout } = script(t, 'install', { INPUT_BINARY: '', INPUT_VERSION: version, ACTION_REPOSITORY: 'o/r', GH_TOKEN: '' })
    assert.equal(status, 1, version)
    assert.match(stdout, /^::error::"version"/)
  }
})

test('a release is taken only with the right checksum', (t) => {
  const dir = temporary(t)
  const archive = 'syncsources_1.2.3_linux_amd64.tar.gz'
  program(t, 0)
  fs.mkdirSync(path.join(dir, 'release'))
  fs.writeFileSync(path.join(dir, 'syncsources'), '#!/bin/sh\necho v1.2.3\n', { mode: 0o755 })
  spawnSync('tar', ['-czf', path.join(dir, 'release', archive), '-C', dir, 'syncsources'])
  const sum = require('node:crypto').createHash('sha256').update(fs.readFileSync(path.join(dir, 'release', archive))).digest('hex')
  // A stand-in for the GitHub command line that "downloads" into the working directory.
  fs.mkdirSync(path.join(dir, 'bin'))
  fs.writeFileSync(path.join(dir, 'bin', 'gh'), `#!/bin/sh\ncp "${dir}/release/"* .\n`, { mode: 0o755 })
  const env = {
    INPUT_BINARY: '', INPUT_VERSION: 'v1.2.3', ACTION_REPOSITORY: 'o/r', GH_TOKEN: '', PATH: `${dir}/bin:${process.env.PATH}`,
  }
  const checksums = path.join(dir, 'release', 'checksums.txt')

  fs.writeFileSync(checksums, `${sum}  ${archive}\n${'0'.repeat(64)}  other\n`)
  const good = script(t, 'install', env)
  assert.equal(good.status, 0, good.stdout + good.stderr)
  assert.match(good.stdout, /^v1\.2\.3$/m)
  assert.equal(path.basename(good.outputs.binary), 'syncsources')

  fs.writeFileSync(checksums, `${'0'.repeat(64)}  ${archive}\n`)
  assert.equal(script(t, 'install', env).status, 1)
  fs.writeFileSync(checksums, `${sum}  other\n`)
  assert.equal(script(t, 'install', env).status, 1)
})

test('built from source, the program validates and reports what is wrong', (t) => {
  const { status, stdout, stderr, outputs } = script(t, 'install', { INPUT_BINARY: '', INPUT_VERSION: '' })
  assert.equal(status, 0, stdout + stderr)
  const manifest = path.join(temporary(t), 'bad.yaml')
  fs.writeFileSync(manifest, 'version: 1\nsources:\n  - id: 4\n    titel: New\n')
  const run = script(t, 'run', {
    ...inputs, BINARY: outputs.binary, INPUT_COMMAND: 'validate', INPUT_PATHS: manifest, RUNNER_TEMP: temporary(t),
  })
  assert.equal(run.status, 0, run.stderr)
  assert.equal(run.outputs['exit-code'], '3')
  assert.match(run.stdout, /^::error .*file=.*bad\.yaml,line=4,col=5/m)
  assert.match(run.summary, /unknown key/)

  const set = outputsOf(run.outputs.report)
  assert.equal(set.outcome, 'invalid')
  assert.equal(set.checksum, '')
  assert.match(fs.readFileSync(run.outputs.markdown, 'utf8'), /^<!-- syncsources:validate -->\n/)
  assert.match(fs.readFileSync(run.outputs.junit, 'utf8'), /<testsuites?/)
})

// outputsOf collects what outputs sets.
function outputsOf(file) {
  const set = {}
  report.outputs({ core: { setOutput: (name, value) => { set[name] = value }, warning: () => {} }, path: file })
  return set
}

test('outputs are the counts of the report', (t) => {
  const file = path.join(temporary(t), 'report.json')
  fs.writeFileSync(file, JSON.stringify({
    outcome: 'changes', checksum: 'abc', summary: { total: 5, unchanged: 3, planned: 2, updated: 0, failed: 0, skipped: 0 },
  }))
  assert.deepEqual(outputsOf(file), {
    outcome: 'changes', checksum: 'abc', total: 5, unchanged: 3, planned: 2, updated: 0, failed: 0, skipped: 0,
  })
})

test('without a report there is a warning and no output', () => {
  const warnings = []
  report.outputs({ core: { setOutput: () => assert.fail('an output'), warning: (w) => warnings.push(w) }, path: '' })
  assert.equal(warnings.length, 1)
})

// forge is a stand-in for GitHub with the calls that report.cjs makes.
function forge(items = [], status = 0) {
  const calls = []
  const call = (name) => async (parameters) => {
    if (status) throw Object.assign(new Error('refused'), { status })
    calls.push([name, parameters])
    return { data: items }
  }
  const names = ['listComments', 'createComment', 'updateComment', 'listForRepo', 'create', 'update']
  const issues = Object.fromEntries(names.map((name) => [name, call(name)]))
  return {
    calls,
    writes: () => calls.filter(([name]) => !name.startsWith('list')),
    github: { rest: { issues }, paginate: async (method, parameters) => (await method(parameters)).data },
  }
}

const context = { repo: { owner: 'o', repo: 'r' }, payload: { pull_request: { number: 7 } } }
const bot = { type: 'Bot' }
const core = { warning: () => {} }

function markdown(t, text = 'One to update.') {
  const file = path.join(temporary(t), 'report.md')
  fs.writeFileSync(file, `<!-- syncsources:plan -->\n${text}\n`)
  return file
}

test('the first comment is created, the next one replaces it', async (t) => {
  const file = markdown(t)
  const body = fs.readFileSync(file, 'utf8')
  const first = forge([{ id: 1, user: bot, body: 'something else' }, { id: 2, user: { type: 'User' }, body }])
  await report.comment({ ...first, context, core, path: file })
  assert.deepEqual(first.writes(), [['createComment', { owner: 'o', repo: 'r', issue_number: 7, body }]])

  const next = forge([{ id: 3, user: bot, body: '<!-- syncsources:plan -->\nold' }])
  await report.comment({ ...next, context, core, path: file })
  assert.deepEqual(next.writes(), [['updateComment', { owner: 'o', repo: 'r', comment_id: 3, body }]])

  const same = forge([{ id: 3, user: bot, body }])
  await report.comment({ ...same, context, core, path: file })
  assert.deepEqual(same.writes(), [])
})

test('a comment of another command is left alone', async (t) => {
  const f = forge([{ id: 3, user: bot, body: '<!-- syncsources:validate -->\nold' }])
  await report.comment({ ...f, context, core, path: markdown(t) })
  assert.deepEqual(f.writes().map(([name]) => name), ['createComment'])
})

test('no comment outside of a pull request or without a report', async (t) => {
  const f = forge()
  await report.comment({ ...f, context: { repo: context.repo, payload: {} }, core, path: markdown(t) })
  await report.comment({ ...f, context, core, path: '' })
  assert.deepEqual(f.calls, [])
})

test('a token that may not comment is a warning, everything else an error', async (t) => {
  const warnings = []
  await report.comment({ ...forge([], 403), context, core: { warning: (w) => warnings.push(w) }, path: markdown(t) })
  assert.match(warnings[0], /pull-requests: write/)
  await assert.rejects(report.comment({ ...forge([], 500), context, core, path: markdown(t) }), /refused/)
})

test('drift opens an issue, keeps it up to date and closes it', async (t) => {
  const title = 'The portal differs from its manifests'
  const open = forge([{ number: 1, user: bot, body: 'other' }])
  await report.drift({ ...open, context, outcome: 'changes', path: markdown(t), title })
  const [[name, created]] = open.writes()
  assert.equal(name, 'create')
  assert.equal(created.title, title)
  assert.match(created.body, /^<!-- syncsources:drift -->\nOne to update\.\n$/)

  const existing = { number: 9, user: bot, body: created.body }
  const same = forge([existing])
  await report.drift({ ...same, context, outcome: 'changes', path: markdown(t), title })
  assert.deepEqual(same.writes(), [])

  const more = forge([existing])
  await report.drift({ ...more, context, outcome: 'changes', path: markdown(t, 'Two to update.'), title })
  assert.deepEqual(more.writes().map(([n, p]) => [n, p.issue_number]), [['update', 9]])

  const gone = forge([existing])
  await report.drift({ ...gone, context, outcome: 'ok', path: markdown(t), title })
  assert.deepEqual(gone.writes().map(([n, p]) => [n, p.state]), [['createComment', undefined], ['update', 'closed']])

  const unknown = forge([existing])
  await report.drift({ ...unknown, context, outcome: 'stopped', path: markdown(t), title })
  assert.deepEqual(unknown.writes(), [])
})
