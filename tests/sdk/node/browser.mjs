// Drives Chromium: each `client` is a tab. It serves the pages of this folder too, on a port of its own. See talk.mjs.
import { createServer } from 'node:http'
import { readFile } from 'node:fs/promises'
import { extname } from 'node:path'
import puppeteer from 'puppeteer-core'
import { talk } from './talk.mjs'

const TYPES = { '.html': 'text/html; charset=utf-8', '.js': 'text/javascript', '.mjs': 'text/javascript' }
const here = new URL('.', import.meta.url)

const site = createServer(async ({ url }, answer) => {
  const file = new URL(`.${new URL(url, 'http://127.0.0.1').pathname}`, here)
  try {
    const body = await readFile(file)
    answer.writeHead(200, { 'Content-Type': TYPES[extname(file.pathname)] ?? 'text/plain' }).end(body)
  } catch {
    answer.writeHead(404).end()
  }
})
await new Promise((listening) => site.listen(0, '127.0.0.1', listening))

const browser = await puppeteer.launch({
  executablePath: process.env.CHROMIUM,
  // Chromium ends with its pipe, however this program ends; by a socket it would go on without it.
  pipe: true,
  userDataDir: process.env.PROFILE,
  // A machine may have more to do than it can: 60 s are what a test waits for the first answer.
  timeout: 55_000,
  // As root, and in most containers, there is no sandbox to be had; the pages are our own.
  args: ['--no-sandbox', '--disable-dev-shm-usage', '--disable-background-networking', '--no-proxy-server'],
})
const tabs = new Map()

// Opens a tab; what goes over its network is kept, preflights and 304 too, which the page itself never sees.
async function open_tab({ client, url, encoding, dark = false, width = 1100, height = 900, scripts = true }) {
  const page = await browser.newPage()
  await page.setJavaScriptEnabled(scripts)
  await page.setViewport({ width, height })
  await page.emulateMediaFeatures([{ name: 'prefers-color-scheme', value: dark ? 'dark' : 'light' }])
  const exchanges = new Map()
  const problems = []
  page.on('console', (message) => ['error', 'warn'].includes(message.type()) && problems.push(message.text()))
  page.on('pageerror', (error) => problems.push(String(error)))
  const network = await page.createCDPSession()
  await network.send('Network.enable')
  if (encoding) await page.setExtraHTTPHeaders({ 'Accept-Encoding': encoding })
  const note = (id, more) => exchanges.set(id, { ...exchanges.get(id), ...more })
  network.on('Network.requestWillBeSent', ({ requestId, request }) =>
    note(requestId, { method: request.method, url: request.url }),
  )
  network.on('Network.requestWillBeSentExtraInfo', ({ requestId, headers }) => note(requestId, { sent: lowered(headers) }))
  network.on('Network.responseReceivedExtraInfo', ({ requestId, statusCode, headers }) =>
    note(requestId, { status: statusCode, received: lowered(headers) }),
  )
  network.on('Network.loadingFinished', ({ requestId, encodedDataLength }) => note(requestId, { bytes: encodedDataLength }))
  tabs.set(client, { page, exchanges, problems })
  await page.goto(url.replace('SITE', `http://127.0.0.1:${site.address().port}`))
}

function lowered(headers) {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}

await talk({
  open_tab,
  until: async ({ client, holds }) => {
    await tabs.get(client).page.waitForFunction(holds, { timeout: 45_000, polling: 20 })
  },
  evaluate: ({ client, expression }) => tabs.get(client).page.evaluate(expression),
  click: ({ client, selector }) => tabs.get(client).page.click(selector),
  type: ({ client, selector, text }) => tabs.get(client).page.type(selector, text),
  press: ({ client, key }) => tabs.get(client).page.keyboard.press(key),
  choose: ({ client, selector, value }) => tabs.get(client).page.select(selector, value),
  exchanges: ({ client }) => [...tabs.get(client).exchanges.values()],
  problems: ({ client }) => tabs.get(client).problems,
  screenshot: async ({ client, path }) => {
    await tabs.get(client).page.screenshot({ path, fullPage: true })
  },
  quit: () => browser.close(),
  close_tab: async ({ client }) => {
    await tabs.get(client).page.close()
    tabs.delete(client)
  },
})
await browser.close()
process.exit(0)
