// What the page shows comes from the SDK; what its controls edit goes to the server that serves the page.
import flagsmith from './sdk.js'

// For whoever tries it in the console.
window.flagsmith = flagsmith

const part = (id) => document.getElementById(id)
const rows = new Map()
let editedAt = null

function element(name, properties = {}, ...children) {
  const made = Object.assign(document.createElement(name), properties)
  made.append(...children)
  return made
}

function complain(problem) {
  part('problem').textContent = problem ?? ''
  part('problem').hidden = !problem
}

// The features as the document has them.
async function features() {
  const answer = await fetch('features')
  const told = await answer.json()
  if (!answer.ok) throw new Error(told.message)
  return told
}

async function edit(change) {
  editedAt = performance.now()
  const answer = await fetch('features', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json' },
    body: JSON.stringify(change),
  })
  complain(answer.ok ? null : (await answer.json()).message)
}

function row({ name, value }) {
  const isNumber = typeof value === 'number'
  const pill = element('span', { className: 'pill' })
  const text = element('span', { className: 'value' })
  const reason = element('span', { className: 'reason' })
  const enabled = element('input', { type: 'checkbox', className: 'switch', ariaLabel: `${name} is on` })
  const input = element('input', { type: isNumber ? 'number' : 'text', ariaLabel: `Value of ${name}`, hidden: value === null })
  enabled.addEventListener('change', () => edit({ feature: name, enabled: enabled.checked }))
  input.addEventListener('change', () => edit({ feature: name, value: isNumber ? Number(input.value) : input.value }))
  const seen = element('div', { className: 'seen' }, pill, element('div', {}, text, reason))
  const line = element(
    'tr',
    {},
    element('th', { scope: 'row', textContent: name }),
    element('td', {}, seen),
    element('td', {}, element('div', { className: 'edit' }, enabled, input)),
  )
  line.dataset.feature = name
  part('flags').append(line)
  return { line, pill, text, reason, enabled, input }
}

function show(name, { line, pill, text, reason }) {
  const flag = flagsmith.getAllFlags()[name.toLowerCase()]
  const state = flag ? (flag.enabled ? 'on' : 'off') : 'none'
  const value = flag ? (flag.value ?? '') : 'for servers only'
  const isChanged = line.dataset.state && (line.dataset.state !== state || text.textContent !== String(value))
  line.dataset.state = pill.dataset.state = state
  pill.textContent = flag ? state : '–'
  text.textContent = value
  text.classList.toggle('none', !flag)
  reason.textContent = flag?.reason ?? ''
  if (isChanged) {
    line.classList.remove('changed')
    void line.offsetWidth // So that the animation begins anew.
    line.classList.add('changed')
  }
  return isChanged
}

async function render() {
  const all = await features()
  let isChanged = false
  for (const feature of all) {
    if (!rows.has(feature.name)) rows.set(feature.name, row(feature))
    const shown = rows.get(feature.name)
    isChanged = show(feature.name, shown) || isChanged
    shown.enabled.checked = feature.enabled
    if (document.activeElement !== shown.input) shown.input.value = feature.value ?? ''
  }
  part('updated').textContent = new Date(flagsmith.timestamp * 1000).toLocaleString()
  if (isChanged && editedAt !== null) {
    part('delay').textContent = `${Math.round(performance.now() - editedAt)} ms after it was made here`
    editedAt = null
  }
}

function showStream(state, text) {
  part('stream').dataset.state = state
  part('stream').textContent = text
}

async function start() {
  const settings = await (await fetch('settings.json')).json()
  part('api').textContent = settings.api
  part('streams').textContent = settings.streams
  await flagsmith.init({
    environmentID: settings.environment,
    api: settings.api,
    realtime: true,
    eventSourceUrl: settings.streams,
    onChange: () => render().catch((error) => complain(error.message)),
    onError: (error) => complain(`The proxy does not answer: ${error.message}`),
  })
  const stream = flagsmith.eventSource
  stream.onopen = () => showStream('live', 'live')
  stream.onerror = () => showStream('waiting', 'reconnecting')
  if (stream.readyState === 1) stream.onopen()
}

part('identity').addEventListener('submit', async (event) => {
  event.preventDefault()
  const { identifier, plan } = Object.fromEntries(new FormData(event.target))
  await flagsmith.identify(identifier, { plan: plan || null })
  part('who').textContent = `The flags of ${identifier || 'somebody unnamed'}`
  part('forget').hidden = false
})

part('forget').addEventListener('click', async () => {
  await flagsmith.logout()
  part('identity').reset()
  part('who').textContent = 'The environment’s flags'
  part('forget').hidden = true
})

start().catch((error) => complain(error.message))
