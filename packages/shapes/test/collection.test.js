// `@tanstack/electric-db-collection`: a collection that waits for its own writes, and one that loads
// what is asked of it.

import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { createCollection, createLiveQueryCollection, eq } from '@tanstack/db'
import { electricCollectionOptions } from '@tanstack/electric-db-collection'
import { eventually, start } from './server.js'

let server
before(async () => {
  server = await start(['--shape-deletes', '--shape-long-poll', '2s'])
  await server.list('work', 'Work')
  await server.list('home', 'Home')
  await server.item('work', 'plan', 'plan')
  await server.item('home', 'sweep', 'sweep')
})
after(() => server.end())

function items(options = {}) {
  return createCollection(
    electricCollectionOptions({
      id: `items-${Math.random()}`,
      shapeOptions: server.items(),
      getKey: (item) => `${item.origin_list_id}/${item.id}`,
      ...options,
    }),
  )
}

test('an eager collection holds all rows, and a write of its own until it comes back', async () => {
  const collection = items({
    onInsert: async ({ transaction }) => {
      const { id, text } = transaction.mutations[0].modified
      await server.item('work', id, text)
      return { txid: await server.txid() }
    },
  })
  await collection.preload()
  assert.equal(collection.size, 2)
  const write = collection.insert({ id: 'write', origin_list_id: 'work', list_id: 'work', text: 'write' })
  assert.equal(collection.get('work/write').text, 'write')
  await write.isPersisted.promise
  assert.equal(collection.get('work/write').done, 0n)
  await collection.cleanup()
})

test('a write that has come is awaited by its number', async () => {
  const collection = items()
  await collection.preload()
  await server.item('work', 'rest', 'rest')
  await collection.utils.awaitTxId(await server.txid(), 10_000)
  assert.equal(collection.get('work/rest').text, 'rest')
  await collection.cleanup()
})

test('a collection on demand loads the subset that a query asks for', async () => {
  const collection = items({ syncMode: 'on-demand' })
  const query = createLiveQueryCollection({
    startSync: true,
    query: (q) => q.from({ item: collection }).where(({ item }) => eq(item.list_id, 'home')),
  })
  await query.preload()
  await eventually('the subset', () => query.size === 1)
  assert.equal(query.toArray[0].text, 'sweep')
  await server.item('home', 'wash', 'wash')
  await eventually('what came after', () => query.size === 2)
  await query.cleanup()
  await collection.cleanup()
})

test('a collection whose shape has gone holds each row once again', async () => {
  const collection = items()
  await collection.preload()
  const size = collection.size
  await server.forget('items')
  await server.item('home', 'iron', 'iron')
  await eventually('the new row', () => collection.get('home/iron')?.text === 'iron')
  assert.equal(collection.size, size + 1)
  await server.change('home', 'iron', { text: 'irons' })
  await eventually('what became of it', () => collection.get('home/iron').text === 'irons')
  await collection.cleanup()
})

test('a collection that was offline takes up what it has missed', async () => {
  const collection = items()
  await collection.preload()
  await server.stop()
  await new Promise((resolve) => setTimeout(resolve, 50))
  await server.again()
  await server.item('home', 'mop', 'mop')
  await eventually('the row', () => collection.get('home/mop')?.text === 'mop')
  await collection.cleanup()
})
