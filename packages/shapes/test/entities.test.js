// Entities of a served document: what a write answers is what clients wait for.

import assert from 'node:assert/strict'
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, test } from 'node:test'
import { PGlite } from '@electric-sql/pglite'
import { electricSync } from '@electric-sql/pglite-sync'
import { createCollection } from '@tanstack/db'
import { electricCollectionOptions } from '@tanstack/electric-db-collection'
import { eventually, start } from './server.js'

const note = { $ref: '#/components/schemas/Note' }
const content = (schema) => ({ 'application/json': { schema } })
const answer = { 200: { description: '', content: content(note) } }
const sent = { content: content(note) }
const DOCUMENT = {
  openapi: '3.1.0',
  info: { title: 'notes', version: '1' },
  paths: {
    '/api/notes': {
      get: { responses: { 200: { description: '', content: content({ type: 'array', items: note }) } } },
      post: { requestBody: sent, responses: answer },
    },
    '/api/notes/{id}': {
      parameters: [{ name: 'id', in: 'path', required: true, schema: { type: 'string' } }],
      patch: { requestBody: sent, responses: answer },
      delete: { responses: { 204: { description: '' } } },
    },
  },
  components: {
    schemas: {
      Note: {
        type: 'object',
        required: ['id', 'text'],
        properties: {
          id: { type: 'string', format: 'uuid' },
          text: { type: 'string' },
          done: { type: 'boolean' },
          due: { type: 'string', format: 'date-time' },
          tags: { type: 'array', items: { type: 'string' } },
        },
      },
    },
  },
}

let server
let directory
before(async () => {
  directory = mkdtempSync(join(tmpdir(), 'syncline-notes-'))
  const document = join(directory, 'notes.json')
  writeFileSync(document, JSON.stringify(DOCUMENT))
  server = await start(['--schema', document, '--shape-long-poll', '2s'])
})
after(async () => {
  await server.end()
  rmSync(directory, { recursive: true, force: true })
})

/** A write, and the number under which shapes have it. */
async function written(method, path, body) {
  const response = await fetch(server.url + path, {
    method,
    headers: { ...server.headers, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  })
  assert.ok(response.ok, `${method} ${path}: ${response.status}`)
  const text = await response.text()
  const row = text === '' ? {} : JSON.parse(text)
  return { row, txid: row.txid ?? Number(response.headers.get('syncline-txid')) }
}

const shape = () => ({ url: server.shape, headers: server.headers, params: { table: 'notes' } })

test('a collection waits for the number that the write of an entity answers', async () => {
  const collection = createCollection(
    electricCollectionOptions({
      id: 'notes',
      shapeOptions: shape(),
      getKey: (row) => row.id,
      onInsert: async ({ transaction }) => {
        const { txid } = await written('POST', '/api/notes', transaction.mutations[0].modified)
        return { txid }
      },
      onUpdate: async ({ transaction }) => {
        const { key, changes } = transaction.mutations[0]
        return { txid: (await written('PATCH', `/api/notes/${key}`, changes)).txid }
      },
      onDelete: async ({ transaction }) => {
        return { txid: (await written('DELETE', `/api/notes/${transaction.mutations[0].key}`)).txid }
      },
    }),
  )
  await collection.preload()
  const id = '9f0d4c1e-35f8-4f7b-a0aa-2c1fdc8cbd9b'
  await collection.insert({ id, text: 'milk', done: false }).isPersisted.promise
  // The row is the server's, not the one that was shown meanwhile.
  assert.equal(collection.get(id).due, null)
  const update = collection.update(id, (row) => {
    row.done = true
  })
  await update.isPersisted.promise
  assert.equal(collection.get(id).done, true)
  await collection.delete(id).isPersisted.promise
  assert.equal(collection.size, 0)
  await collection.cleanup()
})

test('a write that changes nothing, or loses, is not waited for in vain', async () => {
  const id = '5a3cf0ab-1f0e-4c0f-8a0b-0a2f8c6b1d11'
  await written('POST', '/api/notes', { id, text: 'milk' })
  const bodies = []
  const collection = createCollection(
    electricCollectionOptions({
      id: 'unchanged',
      shapeOptions: shape(),
      getKey: (row) => row.id,
      onUpdate: async () => ({ txid: (await written('PATCH', `/api/notes/${id}`, bodies.shift())).txid }),
    }),
  )
  await collection.preload()
  const rewrite = (text, body) => {
    bodies.push(body)
    return collection.update(id, (row) => {
      row.text = text
    }).isPersisted.promise
  }
  // First of a row that the collection has from its beginning, then of one that has changed before its eyes.
  for (const text of ['milk', 'bread']) {
    await rewrite('lost', { text: 'lost', _base: { text: 'stale' } })
    // The row is told as it is by the write's own transaction, so that what lost is not shown any more.
    assert.equal(collection.get(id).text, text)
    await rewrite('unsent', { text })
    await rewrite('unknown', { 'no such field': 1 })
    await eventually('what stands', () => collection.get(id).text === text)
    await rewrite('bread', { text: 'bread' })
    assert.equal(collection.get(id).text, 'bread')
  }
  await written('DELETE', `/api/notes/${id}`)
  await collection.cleanup()
})

test('a table of Postgres takes the values of an entity as they are', async () => {
  const { row } = await written('POST', '/api/notes', {
    text: 'it\'s "50%" \u{1f980}',
    done: true,
    due: '2026-03-01T12:30:00+02:00',
    tags: ['a', 'b'],
  })
  const database = await PGlite.create({ extensions: { electric: electricSync() } })
  await database.exec(
    'CREATE TABLE notes (id UUID PRIMARY KEY, text TEXT NOT NULL, done BOOLEAN, due TIMESTAMPTZ, tags JSONB)',
  )
  const sync = await database.electric.syncShapeToTable({
    shape: shape(),
    table: 'notes',
    primaryKey: ['id'],
    shapeKey: null,
  })
  const notes = async () => (await database.query('SELECT * FROM notes')).rows
  await eventually('the row', async () => (await notes()).length === 1)
  assert.deepEqual(await notes(), [
    {
      id: row.id,
      text: 'it\'s "50%" \u{1f980}',
      done: true,
      due: new Date('2026-03-01T10:30:00Z'),
      tags: ['a', 'b'],
    },
  ])
  await written('PATCH', `/api/notes/${row.id}`, { done: false })
  await eventually('the change', async () => (await notes())[0].done === false)
  sync.unsubscribe()
  await database.close()
})
