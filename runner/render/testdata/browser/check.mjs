// Looks at the HTML report in a browser: that its totals, filters and search
// work, that it loads nothing and logs no error, that hostile titles stay text,
// and that it can be read without its script, on a phone, dark and printed.
//
//   node check.mjs PAGES [PICTURES]
//
// PAGES is a directory of TestSamples, PICTURES one for screenshots. CHROMIUM
// names the browser.
import assert from 'node:assert/strict'
import fs from 'node:fs'
import path from 'node:path'
import { pathToFileURL } from 'node:url'
import { chromium } from 'playwright-core'

const [pages, pictures] = process.argv.slice(2)
if (!pages) {
  console.error('usage: node check.mjs PAGES [PICTURES]')
  process.exit(3)
}
if (pictures) fs.mkdirSync(pictures, { recursive: true })

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM || '/usr/bin/chromium',
  args: ['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking', '--disable-component-update', '--disable-sync'],
})

// open shows a page and returns it with all that went wrong on it.
async function open(name, options = {}) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options })
  const page = await context.newPage()
  const url = pathToFileURL(path.join(pages, name + '.html')).href
  const wrong = []
  page.on('console', (m) => ['error', 'warning'].includes(m.type()) && wrong.push(`console: ${m.text()}`))
  page.on('pageerror', (e) => wrong.push(`error: ${e}`))
  page.on('dialog', (d) => (wrong.push(`dialog: ${d.message()}`), d.dismiss()))
  page.on('request', (r) => r.url() !== url && !r.url().startsWith('data:,') && wrong.push(`loaded: ${r.url()}`))
  await page.goto(url)
  return { page, wrong, close: () => context.close() }
}

const report = (name) => JSON.parse(fs.readFileSync(path.join(pages, name + '.json'), 'utf8'))
const visible = (page) => page.$$eval('.o', (all) => all.filter((o) => !o.hidden).length)
const settled = (page, n) =>
  page.waitForFunction((want) => [...document.querySelectorAll('.o')].filter((o) => !o.hidden).length === want, n, { timeout: 15_000 })
const overflow = (page) => page.evaluate(() => document.scrollingElement.scrollWidth - document.documentElement.clientWidth)

const checks = {
  // Whatever a run was like, its page is quiet and loads nothing.
  async 'every page'() {
    for (const file of fs.readdirSync(pages).filter((f) => f.endsWith('.html'))) {
      const name = file.slice(0, -'.html'.length)
      const { page, wrong, close } = await open(name)
      assert.deepEqual(wrong, [], name)
      assert.equal(await page.locator('script').count(), 1, `${name}: scripts`)
      assert.equal(await page.locator('img, iframe, object, embed, form, video, audio, link:not([rel=icon])').count(), 0, `${name}: elements`)
      assert.ok(await page.title(), name)
      assert.ok((await overflow(page)) <= 0, `${name} is wider than the window`)
      await close()
    }
  },

  async 'totals are those of the report'() {
    for (const name of ['hundreds', 'thousands', 'kinds', 'portals']) {
      const r = report(name)
      const { page, wrong, close } = await open(name)
      const shown = await page.$$eval('#tiles .tile', (all) => Object.fromEntries(all.map((t) => [t.dataset.s, Number(t.querySelector('.n').textContent.replaceAll(',', ''))])))
      const s = r.summary
      assert.equal(shown.failed, s.failed)
      assert.equal(shown.unchanged, s.unchanged)
      assert.equal(shown.skipped, s.skipped)
      assert.equal(shown.create + shown.update + shown.delete, s.planned + s.created + s.updated + s.deleted)
      assert.equal(await page.locator('.o').count(), s.total)
      const last = fs.readFileSync(path.join(pages, name + '.txt'), 'utf8').trimEnd().split('\n').at(-1)
      assert.ok((await page.textContent('#line')).endsWith(last), last)
      assert.deepEqual(wrong, [])
      await close()
    }
  },

  async 'filters and search'() {
    const objects = report('hundreds').objects
    const { page, wrong, close } = await open('hundreds')
    const count = (f) => objects.filter(f).length
    assert.equal(await visible(page), objects.length)
    for (const [tile, status] of [['failed', 'failed'], ['create', 'created'], ['delete', 'deleted'], ['update', 'updated'], ['unchanged', 'unchanged']]) {
      await page.click(`.tile.${tile}`)
      await settled(page, count((o) => o.status === status))
      assert.equal(await page.getAttribute(`.tile.${tile}`, 'aria-pressed'), 'true')
    }
    assert.ok(await page.locator('.o.unchanged').first().isVisible(), 'the fold of unchanged objects opens')
    await page.click('.tile.unchanged')
    await settled(page, objects.length)
    await page.click('#kinds [data-k=table]')
    await settled(page, count((o) => o.kind === 'table'))
    await page.keyboard.press('Escape')
    await settled(page, objects.length)
    await page.keyboard.press('/')
    await page.keyboard.type('SHOP-042')
    await settled(page, 1)
    assert.match(await page.textContent('#shown'), /^1 of 354$/)
    assert.ok(await page.locator('#failed').isVisible())
    assert.ok(!(await page.locator('.list').isVisible()), 'an empty section is hidden')
    await page.fill('#q', 'north.yaml title')
    await settled(page, count((o) => o.file === 'shops/north.yaml' && o.changes.some((c) => c.path === 'title')))
    await page.fill('#q', 'nothing like this')
    await settled(page, 0)
    assert.ok(await page.locator('#nothing').isVisible())
    await page.click('#clear')
    await settled(page, objects.length)
    assert.deepEqual(wrong, [])
    await close()
  },

  async 'ten thousand objects stay usable'() {
    const begin = performance.now()
    const { page, wrong, close } = await open('thousands')
    const loaded = performance.now() - begin
    const took = await page.evaluate(async () => {
      const q = document.getElementById('q')
      const begin = performance.now()
      q.value = 'site-09999'
      q.dispatchEvent(new Event('input'))
      while ([...document.querySelectorAll('.o')].filter((o) => !o.hidden).length !== 1) await new Promise(requestAnimationFrame)
      await new Promise(requestAnimationFrame)
      return performance.now() - begin
    })
    console.log(`   10,000 objects: shown after ${Math.round(loaded)} ms, searched in ${Math.round(took)} ms`)
    assert.ok(loaded < 30_000 && took < 10_000, `${loaded} ms, ${took} ms`)
    assert.deepEqual(wrong, [])
    await close()
  },

  async 'a table of portals'() {
    const r = report('portals')
    const { page, wrong, close } = await open('portals')
    const names = () => page.$$eval('#portal-table tbody th a', (all) => all.map((a) => a.textContent))
    assert.deepEqual(await names(), r.portals.map((p) => p.name))
    for (const href of await page.$$eval('a', (all) => all.map((a) => a.getAttribute('href')))) {
      assert.match(href, /^#/)
      assert.equal(await page.locator(href).count(), 1, href)
    }
    await page.click('#portal-table thead button:text("updated")')
    const updated = await page.$$eval('#portal-table tbody td.update', (all) => all.map((td) => Number(td.textContent)))
    assert.deepEqual(updated, updated.toSorted((a, b) => b - a))
    await page.fill('#q', 'epsilon shop-001')
    await settled(page, 1)
    assert.deepEqual(wrong, [])
    await close()
  },

  async 'hostile titles stay text'() {
    for (const name of fs.readdirSync(pages).filter((f) => /^hostile.*\.html$/.test(f)).map((f) => f.slice(0, -5))) {
      const { page, wrong, close } = await open(name)
      const text = await page.evaluate(() => document.body.textContent)
      assert.ok(text.includes('<script>alert(1)</script>'), 'the text is shown')
      assert.ok(text.includes('<img src=x onerror=alert(1)>'), 'the text is shown')
      assert.equal(await page.evaluate(() => [...document.querySelectorAll('*')].some((e) => [...e.attributes].some((a) => /^on|^style$/i.test(a.name)))), false)
      assert.ok((await overflow(page)) <= 0, 'long words widen the page')
      assert.deepEqual(wrong, [])
      await close()
    }
  },

  async 'without its script'() {
    const { page, wrong, close } = await open('hundreds', { javaScriptEnabled: false })
    assert.ok(await page.locator('.o.failed').first().isVisible())
    assert.ok(await page.locator('.o.update').first().isVisible())
    assert.ok(!(await page.locator('#tools').isVisible()))
    assert.deepEqual(wrong, [])
    await close()
  },

  async 'phone, dark, print'() {
    for (const name of ['three', 'hundreds', 'portals', 'kinds', 'stopped', 'invalid']) {
      const { page, wrong, close } = await open(name, { viewport: { width: 390, height: 844 }, colorScheme: 'dark' })
      assert.ok((await overflow(page)) <= 0, `${name} is wider than a phone`)
      const background = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      assert.ok(background.match(/\d+/g).every((c) => Number(c) < 60), `${name} is ${background} in the dark`)
      await page.emulateMedia({ media: 'print', colorScheme: 'dark' })
      assert.ok(!(await page.locator('.tools').isVisible()), `${name}: tools are printed`)
      const paper = await page.evaluate(() => getComputedStyle(document.body).backgroundColor)
      assert.equal(paper, 'rgb(255, 255, 255)', `${name} is printed on ${paper}`)
      assert.deepEqual(wrong, [])
      await close()
    }
  },
}

// pictures of what people see, to be looked at.
async function shoot() {
  for (const name of ['three', 'hundreds', 'thousands', 'portals', 'hostile', 'stopped', 'invalid', 'kinds']) {
    for (const scheme of ['light', 'dark']) {
      const { page, close } = await open(name, { colorScheme: scheme })
      await page.screenshot({ path: path.join(pictures, `${name}-${scheme}.png`), fullPage: false })
      await close()
    }
    const { page, close } = await open(name, { viewport: { width: 390, height: 1500 } })
    await page.screenshot({ path: path.join(pictures, `${name}-phone.png`) })
    if (name !== 'thousands') await page.pdf({ path: path.join(pictures, `${name}.pdf`), format: 'A4', margin: { top: '12mm', bottom: '12mm', left: '12mm', right: '12mm' } })
    await close()
  }
  const { page, close } = await open('thousands')
  await page.locator('.timeline').screenshot({ path: path.join(pictures, 'timeline.png') })
  await close()
  await shootReadme()
}

// shootReadme takes docs/report.png: from the top of a page to the end of its
// timeline.
async function shootReadme() {
  const { page, close } = await open('readme', { viewport: { width: 1040, height: 1000 } })
  const end = await page.locator('.timeline').boundingBox()
  await page.screenshot({ path: path.join(pictures, 'report.png'), fullPage: true, clip: { x: 0, y: 0, width: 1040, height: Math.ceil(end.y + end.height + 24) } })
  await close()
}

let failed = 0
for (const [name, check] of Object.entries(checks)) {
  try {
    await check()
    console.log(`ok ${name}`)
  } catch (e) {
    failed++
    console.log(`FAILED ${name}\n${e.stack}`)
  }
}
if (pictures) await shoot()
await browser.close()
process.exit(failed ? 1 : 0)
