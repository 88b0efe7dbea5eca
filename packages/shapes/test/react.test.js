// `@electric-sql/react`: a component that shows a shape.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { JSDOM } from 'jsdom'
import { eventually, start, telling } from './server.js'

let server
let window
let react
before(async () => {
  server = await start(['--shape-deletes', '--shape-long-poll', '2s'])
  await server.list('work', 'Work')
  await server.item('work', 'plan', 'plan')
  // A page that nobody looks at fetches nothing.
  window = new JSDOM('', { pretendToBeVisual: true }).window
  globalThis.window = window
  globalThis.document = window.document
  Object.defineProperty(globalThis, 'navigator', { value: window.navigator, configurable: true })
  const { createElement } = await import('react')
  const { createRoot } = await import('react-dom/client')
  const { useShape } = await import('@electric-sql/react')
  react = { createElement, createRoot, useShape }
})
after(async () => {
  // Its clock would keep the process.
  window.close()
  await server.end()
})

/** A page with a component that shows the texts of a shape. */
function shown(options) {
  const { createElement, createRoot, useShape } = react
  const ending = new AbortController()
  const shape = { ...options, signal: ending.signal }
  const main = window.document.body.appendChild(window.document.createElement('main'))
  const page = { text: () => main.textContent }
  const Items = () => {
    const { data, isLoading, stream } = useShape(shape)
    page.stream = stream
    const texts = data.map((row) => row.text).sort()
    return createElement('p', null, isLoading ? 'loading' : texts.join(', '))
  }
  const root = createRoot(main)
  root.render(createElement(Items))
  page.end = () => {
    root.unmount()
    ending.abort()
  }
  return page
}

test('a component shows the rows, and again when they change', async () => {
  const page = shown(server.items())
  await eventually('the first row', () => page.text() === 'plan')
  await server.item('work', 'write', 'write')
  await eventually('the second row', () => page.text() === 'plan, write')
  await server.forget('items')
  await server.item('work', 'rest', 'rest')
  await eventually('all rows of another shape', () => page.text() === 'plan, rest, write')
  await server.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.again()
  await server.change('work', 'rest', { text: 'break' })
  await eventually('what was missed', () => page.text() === 'break, plan, write')
  page.end()
})

test('a write is awaited by its number, and then shown', async () => {
  const page = shown(server.items({ where: "text LIKE 'c%'" }))
  await eventually('the stream', () => page.stream)
  const tells = telling(page.stream)
  await eventually('that there is nothing', () => page.text() === '')
  await server.item('work', 'call', 'call')
  const txid = await server.txid()
  await eventually('the write', () => tells(txid))
  await eventually('the row', () => page.text() === 'call')
  page.end()
})

test('a component that asks for a subset shows it, and what becomes of it', async () => {
  await server.item('work', 'dig', 'dig')
  const page = shown({ ...server.items(), log: 'changes_only', offset: 'now' })
  await eventually('the stream', () => page.stream)
  await eventually('that there is nothing', () => page.text() === '')
  await page.stream.requestSnapshot({ where: 'text LIKE $1', params: { 1: 'd%' }, orderBy: 'text', limit: 5 })
  await eventually('the subset', () => page.text() === 'dig')
  await server.change('work', 'dig', { text: 'delve' })
  await eventually('the change', () => page.text() === 'delve')
  page.end()
})
