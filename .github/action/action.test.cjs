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

const inputs = {
  INPUT_COMMAND: 'plan', INPUT_PATHS: 'manifests', INPUT_PORTALS: '', INPUT_PORTAL: '', INPUT_FLAGS: '', INPUT_CHECKSUM: 'none', INPUT_COMMENT_ID: '',
}

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
  assert.deepEqual(args.slice(11), ['--target=crm', '--max-changes=10%', '--', 'a b.yaml', hostile, '--help'])
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
  const without = script(t, 'run', { ...inputs, BINARY: p.file, INPUT_COMMAND: 'apply' })
  assert.equal(without.status, 0, without.stdout)
  assert.ok(!p.arguments().some((a) => a.startsWith('--checksum')))
})

test('portals and the comment id are handed over, one flag for each portal', (t) => {
  const p = program(t, 0)
  const { status, stdout } = script(t, 'run', {
    ...inputs, BINARY: p.file, INPUT_PATHS: '', INPUT_PORTALS: 'portals.yaml', INPUT_PORTAL: 'acme\nde-*', INPUT_COMMENT_ID: 'nightly',
  })
  assert.equal(status, 0, stdout)
  assert.deepEqual(p.arguments().slice(11), ['--portals=portals.yaml', '--portal=acme', '--portal=de-*', '--comment-id=nightly', '--'])
})

for (const [name, env] of Object.entries({
  'an empty checksum for apply, as a skipped plan leaves it': { INPUT_COMMAND: 'apply', INPUT_CHECKSUM: '' },
  'a checksum for plan': { INPUT_CHECKSUM: 'abc' },
  'paths beside portals': { INPUT_PORTALS: 'portals.yaml' },
  'a portal without portals': { INPUT_PORTAL: 'acme' },
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

test('what is not a version is refused before anything is fetched', (t) => {
  for (const version of ['latest', 'v1', 'v1.2.3;id', 'v1.2.3/../../x']) {
    const { status, stdout } = script(t, 'install', { INPUT_BINARY: '', INPUT_VERSION: version, ACTION_REPOSITORY: 'o/r', GH_TOKEN: '' })
    assert.equal(status, 1, version)
    assert.match(stdout, /^::error::"version"/)
  }
})

// releases is a stand-in for GitHub's command line, in a repository o/r with
// one release, v1.2.3. With it come the environment that finds it, the file of
// checksums and a good content for that.
function releases(t) {
  const dir = temporary(t)
  const archive = 'syncsources_1.2.3_linux_amd64.tar.gz'
  fs.mkdirSync(path.join(dir, 'release'))
  fs.writeFileSync(path.join(dir, 'syncsources'), '#!/bin/sh\necho v1.2.3\n', { mode: 0o755 })
  spawnSync('tar', ['-czf', path.join(dir, 'release', archive), '-C', dir, 'syncsources'])
  const sum = require('node:crypto').createHash('sha256').update(fs.readFileSync(path.join(dir, 'release', archive))).digest('hex')
  fs.mkdirSync(path.join(dir, 'bin'))
  fs.writeFileSync(path.join(dir, 'tags'), `v1 ${'a'.repeat(40)}\nv1.3.0-rc.1 ${'b'.repeat(40)}\nv1.2.3 ${'a'.repeat(40)}\n`)
  fs.writeFileSync(path.join(dir, 'bin', 'gh'), `#!/bin/sh
case "$*" in
"api --paginate repos/o/r/tags"*) cat "${dir}/tags" ;;
"release download v1.2.3 --repo o/r "*) cp "${dir}/release/"* . ;;
*) echo "HTTP 404" >&2; exit 1 ;;
esac
`, { mode: 0o755 })
  const checksums = path.join(dir, 'release', 'checksums.txt')
  const content = `${sum}  ${archive}\n${'0'.repeat(64)}  other\n`
  fs.writeFileSync(checksums, content)
  const env = {
    INPUT_BINARY: '', INPUT_VERSION: '', ACTION_PATH: dir, ACTION_REPOSITORY: 'o/r', GH_TOKEN: '', PATH: `${dir}/bin:${process.env.PATH}`,
  }
  return { dir, archive, checksums, content, env }
}

test('the release of the action\'s own tag is used, and a build where there is none', (t) => {
  const { dir, env } = releases(t)
  for (const ref of ['v1.2.3', 'v1', 'a'.repeat(40)]) {
    const { status, stdout, stderr, outputs } = script(t, 'install', { ...env, ACTION_REF: ref })
    assert.equal(status, 0, stdout + stderr)
    assert.equal(path.basename(outputs.binary ?? ''), 'syncsources', ref)
    assert.equal(outputs.build, undefined)
  }
  // A branch, a commit without a tag, a release that is not there (yet), and no repository at all.
  for (const more of [{ ACTION_REF: 'main' }, { ACTION_REF: 'c'.repeat(40) }, { ACTION_REF: 'b'.repeat(40) }, { ACTION_REPOSITORY: '', ACTION_REF: '' }]) {
    const { status, stdout, stderr, outputs } = script(t, 'install', { ...env, ...more })
    assert.equal(status, 0, stdout + stderr)
    assert.deepEqual(outputs, { build: 'true' }, JSON.stringify(more))
  }
  // Checked out by a workflow, its git directory says what it is.
  const git = (...args) => {
    const run = spawnSync('git', ['-C', dir, '-c', 'user.name=n', '-c', 'user.email=e@example.com', ...args], { encoding: 'utf8' })
    assert.equal(run.status, 0, run.stderr)
    return run.stdout.trim()
  }
  git('init', '-q')
  git('commit', '-q', '--allow-empty', '-m', 'c')
  git('remote', 'add', 'origin', 'https://github.example/o/r.git')
  const local = { ...env, ACTION_REPOSITORY: '', ACTION_REF: '' }
  assert.deepEqual(script(t, 'install', local).outputs, { build: 'true' })
  fs.writeFileSync(path.join(dir, 'tags'), `v1.2.3 ${git('rev-parse', 'HEAD')}\n`)
  assert.equal(path.basename(script(t, 'install', local).outputs.binary ?? ''), 'syncsources')
})

test('a release is taken only with the right checksum', (t) => {
  const { archive, checksums, content, env: found } = releases(t)
  const env = { ...found, INPUT_VERSION: 'v1.2.3' }
  const good = script(t, 'install', env)
  assert.equal(good.status, 0, good.stdout + good.stderr)
  assert.match(good.stdout, /^v1\.2\.3$/m)
  assert.equal(path.basename(good.outputs.binary), 'syncsources')

  for (const bad of [`${'0'.repeat(64)}  ${archive}\n`, content.replace(archive, 'another')]) {
    fs.writeFileSync(checksums, bad)
    assert.equal(script(t, 'install', env).status, 1)
    // A wrong checksum of its own release is no reason to build something else instead, unseen.
    assert.match(script(t, 'install', { ...found, ACTION_REF: 'v1.2.3' }).stdout, /^::error::/m)
  }
})

test('built from source, the program validates and reports what is wrong', (t) => {
  const { status, stdout, stderr, outputs } = script(t, 'build', {})
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
  assert.match(fs.readFileSync(run.outputs.markdown, 'utf8'), /^<!-- syncsources:validate\b[^<>]* -->\n/)
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
    outcome: 'changes', checksum: 'abc', summary: { ...summary, unmanaged: 7 },
  }))
  assert.deepEqual(outputsOf(file), { outcome: 'changes', checksum: 'abc', ...summary })
})

const summary = { total: 5, unchanged: 3, planned: 2, created: 0, updated: 0, deleted: 0, failed: 0, skipped: 0 }

test('the checksum of a portal that was selected, and none of several', (t) => {
  const file = path.join(temporary(t), 'report.json')
  const portals = [{ name: 'acme', report: { checksum: 'abc' } }]
  fs.writeFileSync(file, JSON.stringify({ outcome: 'ok', summary, portals }))
  assert.equal(outputsOf(file).checksum, 'abc')
  fs.writeFileSync(file, JSON.stringify({ outcome: 'ok', summary, portals: [...portals, ...portals] }))
  assert.equal(outputsOf(file).checksum, '')
})

test('without a report there is a warning and no output', () => {
  const warnings = []
  report.outputs({ core: { setOutput: () => assert.fail('an output'), warning: (w) => warnings.push(w) }, path: '' })
  assert.equal(warnings.length, 1)
})

// forge is a stand-in for GitHub with the calls that report.cjs makes, for a
// token of the account me.
function forge(items = [], { status = 0, me = 'github-actions[bot]' } = {}) {
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
    github: {
      rest: { issues },
      paginate: async (method, parameters) => (await method(parameters)).data,
      graphql: async () => ({ viewer: { login: me } }),
    },
  }
}

const context = { repo: { owner: 'o', repo: 'r' }, payload: { pull_request: { number: 7 } } }
const bot = { login: 'github-actions[bot]' }
const core = { warning: () => {} }
const acme = 'acme.bitrix24.com'

// written writes the report of a plan in both formats and returns their paths.
function written(t, { host = acme, outcome = 'changes', text = 'One to update.', portals } = {}) {
  const dir = temporary(t)
  const file = path.join(dir, 'report.md')
  const json = path.join(dir, 'report.json')
  fs.writeFileSync(file, `<!-- syncsources:plan ${host} -->\n${text}\n`)
  fs.writeFileSync(json, JSON.stringify({ outcome, portals, portal: portals ? undefined : `https://${host}` }))
  return { markdown: file, report: json, body: fs.readFileSync(file, 'utf8') }
}

test('the first comment is created, the next one replaces it', async (t) => {
  const { markdown: file, body } = written(t)
  const first = forge([{ id: 1, user: bot, body: 'something else' }, { id: 2, user: { login: 'stranger' }, body }])
  await report.comment({ ...first, context, core, path: file })
  assert.deepEqual(first.writes(), [['createComment', { owner: 'o', repo: 'r', issue_number: 7, body }]])

  // GitHub's REST API calls an application "name[bot]", its viewer may lack the brackets.
  for (const me of [undefined, 'github-actions', 'jane']) {
    const user = me === 'jane' ? { login: 'jane' } : bot
    const next = forge([{ id: 3, user, body: body.replace('One', 'Two') }], { me })
    await report.comment({ ...next, context, core, path: file })
    assert.deepEqual(next.writes(), [['updateComment', { owner: 'o', repo: 'r', comment_id: 3, body }]])
  }

  const same = forge([{ id: 3, user: bot, body }])
  await report.comment({ ...same, context, core, path: file })
  assert.deepEqual(same.writes(), [])
})

test('a comment of another command, another portal or another account is left alone', async (t) => {
  for (const item of [
    { id: 3, user: bot, body: `<!-- syncsources:validate ${acme} -->\nold` },
    { id: 3, user: bot, body: '<!-- syncsources:plan beta.bitrix24.com -->\nold' },
    { id: 3, user: bot, body: `<!-- syncsources:plan ${acme} nightly -->\nold` },
    { id: 3, user: { login: 'jane' }, body: `<!-- syncsources:plan ${acme} -->\nold` },
  ]) {
    const f = forge([item])
    await report.comment({ ...f, context, core, path: written(t).markdown })
    assert.deepEqual(f.writes().map(([name]) => name), ['createComment'], item.body)
  }
})

test('no comment outside of a pull request or without a report', async (t) => {
  const f = forge()
  await report.comment({ ...f, context: { repo: context.repo, payload: {} }, core, path: written(t).markdown })
  await report.comment({ ...f, context, core, path: '' })
  assert.deepEqual(f.calls, [])
})

test('a token that may not comment is a warning, everything else an error', async (t) => {
  const warnings = []
  const { markdown: file } = written(t)
  await report.comment({ ...forge([], { status: 403 }), context, core: { warning: (w) => warnings.push(w) }, path: file })
  assert.match(warnings[0], /pull-requests: write/)
  await assert.rejects(report.comment({ ...forge([], { status: 500 }), context, core, path: file }), /refused/)
})

test('drift opens an issue, keeps it up to date and closes it', async (t) => {
  const open = forge([{ number: 1, user: bot, body: 'other' }])
  await report.drift({ ...open, context, ...written(t) })
  const [[name, created]] = open.writes()
  assert.equal(name, 'create')
  assert.equal(created.title, 'acme.bitrix24.com: drift from its manifests')
  assert.equal(created.body, `<!-- syncsources:drift ${acme} -->\nOne to update.\n`)

  const existing = { number: 9, user: bot, body: created.body }
  const same = forge([existing])
  await report.drift({ ...same, context, ...written(t) })
  assert.deepEqual(same.writes(), [])

  const more = forge([existing])
  await report.drift({ ...more, context, ...written(t, { text: 'Two to update.' }) })
  assert.deepEqual(more.writes().map(([n, p]) => [n, p.issue_number]), [['update', 9]])

  const gone = forge([existing])
  await report.drift({ ...gone, context, ...written(t, { outcome: 'ok' }) })
  assert.deepEqual(gone.writes().map(([n, p]) => [n, p.state]), [['createComment', undefined], ['update', 'closed']])
})

test('the drift of another portal is another issue', async (t) => {
  const existing = { number: 9, user: bot, body: `<!-- syncsources:drift ${acme} -->\nOne to update.\n` }
  const other = forge([existing])
  await report.drift({ ...other, context, ...written(t, { host: 'beta.bitrix24.com', outcome: 'ok' }) })
  assert.deepEqual(other.writes(), [])
  const both = forge()
  const portals = [acme, 'beta.bitrix24.com'].map((host) => ({ name: host, report: { portal: `https://${host}` } }))
  await report.drift({ ...both, context, ...written(t, { host: 'fleet', portals }) })
  assert.equal(both.writes()[0][1].title, '2 portals: drift from their manifests')
})

test('without a report that says so there is no drift', async (t) => {
  const existing = { number: 9, user: bot, body: `<!-- syncsources:drift ${acme} -->\nold` }
  for (const paths of [written(t, { outcome: 'stopped' }), written(t, { outcome: 'failed' }), { ...written(t), report: '' }, { ...written(t), markdown: '' }]) {
    const f = forge([existing])
    await report.drift({ ...f, context, ...paths })
    assert.deepEqual(f.calls, [])
  }
})
