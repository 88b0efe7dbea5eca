// `@electric-sql/client`: streams and shapes as its documentation has them.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { Shape, ShapeStream, isChangeMessage } from '@electric-sql/client'
import { eventually, start, telling } from './server.js'

let server
before(async () => {
  server = await start(['--shape-deletes', '--shape-long-poll', '2s'])
  await server.list('groceries', 'Groceries')
  await server.item('groceries', 'milk', 'milk')
})
after(() => server.end())

function follow(parameters, options = {}) {
  const ended = new AbortController()
  const stream = new ShapeStream({ ...server.items(parameters), ...options, signal: ended.signal })
  return { stream, shape: new Shape(stream), end: () => ended.abort() }
}

test('a shape holds its rows and follows what becomes of them', async () => {
  const { shape, stream, end } = follow()
  const rows = await shape.rows
  assert.deepEqual(rows.map((row) => row.text), ['milk'])
  assert.equal(rows[0].done, 0n)
  await server.item('groceries', 'bread', 'bread')
  await eventually('the new row', () => shape.currentRows.length === 2)
  await server.change('groceries', 'bread', { done: true })
  await eventually('the change', () => shape.currentRows.some((row) => row.done === 1n))
  await server.call('DELETE', '/api/lists/groceries/items/bread')
  await eventually('the end of it', () => shape.currentRows.length === 1)
  assert.ok(stream.isUpToDate)
  end()
})

test('a filter with parameters, columns and whole rows', async () => {
  const { stream, shape, end } = follow({
    where: 'text ILIKE $1',
    params: { 1: 'w%' },
    columns: ['id', 'origin_list_id', 'text'],
    replica: 'full',
  })
  const changes = []
  stream.subscribe((messages) => changes.push(...messages.filter(isChangeMessage)))
  assert.deepEqual(await shape.rows, [])
  await server.item('groceries', 'wine', 'wine')
  await eventually('the row', () => shape.currentRows.length === 1)
  await server.change('groceries', 'wine', { text: 'water' })
  await eventually('the update', () => changes.some((change) => change.headers.operation === 'update'))
  const update = changes.find((change) => change.headers.operation === 'update')
  assert.deepEqual(update.value, { id: 'wine', origin_list_id: 'groceries', text: 'water' })
  assert.deepEqual(update.old_value, { text: 'wine' })
  await server.call('DELETE', '/api/lists/groceries/items/wine')
  await eventually('the end of it', () => shape.currentRows.length === 0)
  end()
})

test('events come over one connection', async () => {
  const { shape, end } = follow({ where: "text LIKE 's%'" }, { liveSse: true })
  await shape.rows
  await server.item('groceries', 'salt', 'salt')
  await eventually('the row', () => shape.currentRows.length === 1)
  await server.call('DELETE', '/api/lists/groceries/items/salt')
  await eventually('the end of it', () => shape.currentRows.length === 0)
  end()
})

test('what was written while a stream was away comes whole, though it is told in parts', async (t) => {
  const small = await start(['--shape-chunk-bytes', '300', '--shape-stream', '1s'])
  t.after(() => small.end())
  await small.list('away', 'Away')
  let streams = 0
  const fetchClient = async (url, options) => {
    if (new URL(url).searchParams.get('live_sse') === 'true' && (streams += 1) === 2) {
      for (let n = 0; n < 9; n += 1) await small.item('away', `item-${n}`, `number ${n}`)
    }
    return fetch(url, options)
  }
  const ended = new AbortController()
  t.after(() => ended.abort())
  const shape = new Shape(new ShapeStream({ ...small.items(), liveSse: true, fetchClient, signal: ended.signal }))
  await shape.rows
  await eventually('all rows', () => shape.currentRows.length === 9)
})

test('a write is awaited by its number', async () => {
  await server.item('groceries', 'nuts', 'nuts')
  const before = await server.txid()
  const { stream, shape, end } = follow({ where: "text LIKE 'n%'" })
  const tells = telling(stream)
  await shape.rows
  await eventually('what the snapshot holds', () => tells(before))
  await server.item('groceries', 'noodles', 'noodles')
  const after = await server.txid()
  await eventually('what came after it', () => tells(after))
  // Once the change is told, the shape has it.
  assert.deepEqual(shape.currentRows.map((row) => row.text).sort(), ['noodles', 'nuts'])
  assert.ok(!tells(after + 1))
  end()
})

test('a client that has kept its place is told what it has missed, and no more', async () => {
  const first = follow({ where: "text LIKE 'k%'" })
  await server.item('groceries', 'kale', 'kale')
  await first.shape.rows
  await eventually('the row', () => first.shape.currentRows.length === 1)
  const kept = { handle: first.stream.shapeHandle, offset: first.stream.lastOffset }
  first.end()
  await server.item('groceries', 'kiwis', 'kiwis')
  const { stream, end } = follow({ where: "text LIKE 'k%'" }, kept)
  const changes = []
  stream.subscribe((messages) => changes.push(...messages.filter(isChangeMessage)))
  await eventually('the end of what was missed', () => stream.isUpToDate)
  assert.deepEqual(changes.map((change) => change.value.text), ['kiwis'])
  end()
})

test('a shape that is gone is fetched anew', async () => {
  const { shape, end, stream } = follow({ where: "text LIKE 't%'" })
  await server.item('groceries', 'tea', 'tea')
  await shape.rows
  await eventually('the row', () => shape.currentRows.length === 1)
  const handle = stream.shapeHandle
  const query = new URLSearchParams({ table: 'items', where: "text LIKE 't%'", handle, offset: '0_inf' })
  const deleted = await fetch(`${server.shape}?${query}`, { method: 'DELETE', headers: server.headers })
  assert.equal(deleted.status, 202)
  await eventually('another handle', () => stream.shapeHandle !== handle)
  await server.item('groceries', 'toast', 'toast')
  await eventually('both rows', () => shape.currentRows.length === 2)
  end()
})

test('what is wrong with a request is told, and not tried for ever', async () => {
  const errors = []
  const { stream, end } = follow({ where: '1 x 1' }, { onError: (error) => void errors.push(error) })
  stream.subscribe(() => {}, () => {})
  await eventually('the error', () => errors.length > 0)
  assert.equal(errors[0].status, 400)
  assert.match(JSON.stringify(errors[0].json), /At location 17: syntax error at or near/)
  end()
})

test('a client that was offline takes up what it has missed', async () => {
  const { shape, end } = follow({ where: "text LIKE 'o%'" })
  await shape.rows
  await server.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.again()
  await server.item('groceries', 'oats', 'oats')
  await eventually('the row', () => shape.currentRows.length === 1)
  end()
})

for (const subsetMethod of ['GET', 'POST']) {
  test(`a subset by ${subsetMethod} is the rows as they are, and goes on with what becomes of them`, async () => {
    const id = `yams by ${subsetMethod}`
    await server.item('groceries', id, id)
    const { stream, shape, end } = follow({}, { log: 'changes_only', offset: 'now', subsetMethod })
    await shape.rows
    const subset = { where: 'text LIKE $1', params: { 1: `%${subsetMethod}` }, orderBy: 'text', limit: 5 }
    const { data } = await stream.requestSnapshot(subset)
    assert.deepEqual(data.map((row) => row.value.text), [id])
    await server.change('groceries', encodeURIComponent(id), { text: 'yeast' })
    await eventually('the change', () => shape.currentRows.some((row) => row.text === 'yeast'))
    end()
  })
}

test('every view is followed live', async () => {
  const follows = (table, where) => follow({ table, where })
  const entry = (n) => ({
    entry_id: `00000000-0000-4000-8000-00000000000${n}`, sequence_id: n, author: 'ada',
    timestamp: '2026-01-01T00:00:00.000Z', content: `entry ${n}`,
  })
  const thread = (n) => server.call('POST', '/api/threads/sync', {
    thread_id: 'views', project_id: 'p', name: `name ${n}`, entries: [entry(n)],
  })
  const session = (n) => server.call('POST', '/sync/batch', {
    sessions: [{ id: 's', title: `title ${n}`, created_at: 1 }],
    messages: [{
      id: `m${n}`, session_id: 's', role: 'assistant', text_content: `text ${n}`,
      created_at: '2026-01-01T00:00:00Z',
    }],
    sync_timestamp: '2026-01-01T00:00:00Z',
  })
  await thread(0)
  await session(0)
  const views = {}
  for (const table of ['threads', 'entries', 'sessions', 'messages', 'tools', 'lists']) {
    views[table] = follows(table)
    await views[table].shape.rows
  }
  const rows = (table) => views[table].shape.currentRows
  assert.deepEqual(rows('entries').map((row) => row.content), ['entry 0'])
  assert.equal(rows('tools').length, 0)
  await thread(1)
  await session(1)
  await server.list('views', 'Views')
  await eventually('the second entry', () => rows('entries').length === 2)
  await eventually('the second message', () => rows('messages').length === 2)
  await eventually('the session as it is', () => rows('sessions')[0].title === 'title 1')
  await eventually('the count of entries', () => rows('threads').some((row) => Number(row.entry_count) === 2))
  await eventually('the list', () => rows('lists').some((row) => row.title === 'Views'))
  Object.values(views).forEach((view) => view.end())
})
