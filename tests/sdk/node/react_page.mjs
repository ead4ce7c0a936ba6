// Flags by the SDK's hooks. The query says which environment, and where the proxy is.
import { createElement } from 'react'
import flagsmith from 'flagsmith'
import { FlagsmithProvider, useFlags, useFlagsmith } from 'flagsmith/react'

// The SDK sends what it has counted every ten seconds, however slowly the rest goes; here a test says when.
const { setInterval } = globalThis
globalThis.setInterval = (run, pause, ...more) => (pause === 10_000 ? undefined : setInterval(run, pause, ...more))

const given = Object.fromEntries(new URLSearchParams(location.search))

function Flags() {
  const { banner, limit } = useFlags(['banner', 'limit'])
  const sdk = useFlagsmith()
  const identify = () => sdk.identify('ann', { plan: 'pro' })
  return createElement(
    'main',
    {},
    createElement('p', { id: 'banner' }, `${banner.enabled}: ${banner.value}`),
    createElement('p', { id: 'limit' }, `${limit.enabled}: ${limit.value}`),
    createElement('button', { onClick: identify }, 'Identify'),
  )
}

const options = {
  environmentID: given.key,
  api: given.api,
  realtime: true,
  eventSourceUrl: given.streams,
  enableAnalytics: given.analytics === 'on',
  applicationMetadata: { name: 'page', version: '3' },
}
const app = createElement(FlagsmithProvider, { flagsmith, options }, createElement(Flags))
globalThis.ReactDOM.createRoot(document.body).render(app)
