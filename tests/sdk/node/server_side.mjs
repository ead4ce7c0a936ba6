// Drives flagsmith-nodejs and its OpenFeature provider; see talk.mjs.
import { FlagsmithOpenFeatureProvider } from '@openfeature/flagsmith-provider'
import { OpenFeature } from '@openfeature/server-sdk'
import { Flagsmith } from 'flagsmith-nodejs'
import { detailsShown, talk, traitsOf } from './talk.mjs'

const clients = new Map()
// Standard output is for answers.
const quiet = Object.fromEntries(['debug', 'info', 'warn', 'error'].map((level) => [level, () => {}]))

function open({ client, key, api_url, local = false, refresh_seconds = 60, analytics = false, application }) {
  const labels = application && {
    'Flagsmith-Application-Name': application.name,
    'Flagsmith-Application-Version': application.version,
  }
  const flagsmith = new Flagsmith({
    environmentKey: key,
    apiUrl: api_url,
    enableLocalEvaluation: local,
    environmentRefreshIntervalSeconds: refresh_seconds,
    enableAnalytics: analytics,
    customHeaders: labels,
    retries: 0,
    logger: quiet,
  })
  clients.set(client, flagsmith)
}

async function flagsOf({ client, identifier, traits, transient = false }) {
  const flagsmith = clients.get(client)
  if (identifier === undefined) return flagsmith.getEnvironmentFlags()
  return flagsmith.getIdentityFlags(identifier, traitsOf(traits), transient)
}

const flagShown = ({ enabled, value, reason }) => ({ enabled, value, reason: reason ?? null })

async function shown(given) {
  const flags = await flagsOf(given)
  return Object.fromEntries(flags.allFlags().map((flag) => [flag.featureName, flagShown(flag)]))
}

async function flags_of_identities({ client, identities }) {
  const all = []
  for (const identity of identities) all.push(await shown({ client, ...identity }))
  return all
}

async function one_flag({ feature, ...given }) {
  const flags = await flagsOf(given)
  return flagShown(flags.getFlag(feature))
}

async function details({ client, kind, feature, default: fallback, identifier, traits }) {
  await OpenFeature.setProviderAndWait(client, new FlagsmithOpenFeatureProvider(clients.get(client)))
  const evaluate = {
    boolean: 'getBooleanDetails',
    string: 'getStringDetails',
    integer: 'getNumberDetails',
    float: 'getNumberDetails',
    object: 'getObjectDetails',
  }[kind]
  const context = { targetingKey: identifier, traits: traitsOf(traits) }
  return detailsShown(await OpenFeature.getClient(client)[evaluate](feature, fallback, context))
}

await talk({
  open,
  environment_flags: shown,
  identity_flags: shown,
  flags_of_identities,
  one_flag,
  details,
  send_analytics: ({ client }) => clients.get(client).analyticsProcessor.flush(),
})
// A client that polls would keep the program.
process.exit(0)
