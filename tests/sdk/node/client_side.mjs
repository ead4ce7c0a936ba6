// Drives @flagsmith/flagsmith, the SDK for browsers, without one, and its OpenFeature provider; see talk.mjs.
import { FlagsmithClientProvider } from '@openfeature/flagsmith-client-provider'
import { OpenFeature } from '@openfeature/web-sdk'
import { createFlagsmithInstance } from '@flagsmith/flagsmith/isomorphic'
import { detailsShown, talk, traitsOf } from './talk.mjs'

const clients = new Map()

function open({ client, key, api_url, analytics = false, application }) {
  const options = { environmentID: key, api: api_url, enableAnalytics: analytics, applicationMetadata: application }
  clients.set(client, { flagsmith: createFlagsmithInstance(), options })
}

async function fetched({ client, identifier, traits, transient }) {
  const { flagsmith, options } = clients.get(client)
  if (!flagsmith.initialised) await flagsmith.init(options)
  if (identifier === undefined) await flagsmith.logout()
  else await flagsmith.identify(identifier, traitsOf(traits), transient)
  return flagsmith
}

const flagShown = ({ enabled, value, reason, variant, experiment }) => ({
  enabled,
  value,
  reason: reason ?? null,
  variant: variant ?? null,
  experiment: experiment ? [experiment.id, experiment.name, experiment.inExperiment] : null,
})

async function shown(given) {
  const flags = (await fetched(given)).getAllFlags()
  return Object.fromEntries(Object.entries(flags).map(([name, flag]) => [name, flagShown(flag)]))
}

// Who the SDK takes itself for, and its traits, once the proxy has echoed both.
async function echoed_identity(given) {
  const flagsmith = await fetched(given)
  return { identifier: flagsmith.getContext().identity.identifier, traits: flagsmith.getContext().identity.traits }
}

// The exposures that the SDK records where these features are asked for as experiments: feature and variant.
async function exposures({ key, api_url, identifier, features }) {
  const events = 'http://events.invalid/'
  const recorded = []
  const fetchOrRecord = async (url, options) => {
    if (!url.startsWith(events)) return fetch(url, options)
    recorded.push(...JSON.parse(options.body).events)
    return new Response('{}')
  }
  const flagsmith = createFlagsmithInstance()
  await flagsmith.init({
    environmentID: key,
    api: api_url,
    identity: identifier,
    enableEvents: true,
    eventProcessorConfig: { eventsApiUrl: events },
    fetch: fetchOrRecord,
  })
  for (const feature of features) flagsmith.getExperimentFlag(feature)
  await flagsmith.flushEvents()
  return recorded.map(({ feature_name: feature, value }) => [feature, value])
}

async function one_flag({ feature, ...given }) {
  const flagsmith = await fetched(given)
  const enabled = flagsmith.hasFeature(feature)
  return { ...flagShown(flagsmith.getAllFlags()[feature]), enabled, value: flagsmith.getValue(feature, {}, true) }
}

async function details({ client, kind, feature, default: fallback, identifier, traits }) {
  const { options } = clients.get(client)
  const provider = new FlagsmithClientProvider({ ...options, flagsmithInstance: createFlagsmithInstance() })
  await OpenFeature.setContext(client, { targetingKey: identifier, traits: traitsOf(traits) })
  await OpenFeature.setProviderAndWait(client, provider)
  const evaluate = {
    boolean: 'getBooleanDetails',
    string: 'getStringDetails',
    integer: 'getNumberDetails',
    float: 'getNumberDetails',
    object: 'getObjectDetails',
  }[kind]
  return detailsShown(OpenFeature.getClient(client)[evaluate](feature, fallback))
}

await talk({
  open,
  environment_flags: shown,
  identity_flags: shown,
  echoed_identity,
  exposures,
  one_flag,
  details,
  send_analytics: ({ client }) => clients.get(client).flagsmith.analyticsFlags(),
})
// A client that polls would keep the program.
process.exit(0)
