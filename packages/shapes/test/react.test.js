// `@electric-sql/react`: a component that shows a shape.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { JSDOM } from 'jsdom'
import { eventually, start } from './server.js'

let server
before(async () => {
  server = await start(['--shape-deletes', '--shape-long-poll', '2s'])
  await server.list('work', 'Work')
  await server.item('work', 'plan', 'plan')
})
after(() => server.end())

test('a component shows the rows, and again when they change', async () => {
  // A page that nobody looks at fetches nothing.
  const { window } = new JSDOM('<main></main>', { pretendToBeVisual: true })
  globalThis.window = window
  globalThis.document = window.document
  Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })
  const { createElement } = await import('react')
  const { createRoot } = await import('react-dom/client')
  const { useShape } = await import('@electric-sql/react')
  const ended = new AbortController()
  const shape = { ...server.items(), signal: ended.signal }
  const Items = () => {
    const { data, isLoading } = useShape(shape)
    const texts = data.map((row) => row.text).sort()
    return createElement('p', null, isLoading ? 'loading' : texts.join(', '))
  }
  const root = createRoot(window.document.querySelector('main'))
  root.render(createElement(Items))
  const shown = () => window.document.querySelector('p')?.textContent
  await eventually('the first row', () => shown() === 'plan')
  await server.item('work', 'write', 'write')
  await eventually('the second row', () => shown() === 'plan, write')
  assert.equal(shown(), 'plan, write')
  await server.forget('items')
  await server.item('work', 'rest', 'rest')
  await eventually('all rows of another shape', () => shown() === 'plan, rest, write')
  await server.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.again()
  await server.change('work', 'rest', { text: 'break' })
  await eventually('what was missed', () => shown() === 'break, plan, write')
  root.unmount()
  ended.abort()
  // Its clock would keep the process.
  window.close()
})
